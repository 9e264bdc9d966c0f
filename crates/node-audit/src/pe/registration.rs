//! Finds the module that a constructor registers, in the writable data.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::ImageNtHeaders;

use super::image::Image;
use crate::facts::Registration;
use crate::registration::{self, Memory};

/// Returns the module that a constructor registers. The search ends at the first match.
pub(super) fn registration<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Option<Registration> {
    let writable = image.sections.iter().filter(|section| {
        let flags = section.header.characteristics.get(LE);
        flags.contains(pe::IMAGE_SCN_MEM_WRITE) && !flags.contains(pe::IMAGE_SCN_MEM_EXECUTE)
    });
    writable.map(|section| (section.header.virtual_address.get(LE), section.raw_length())).find_map(
        |(start, length)| {
            let mut addresses = (start..start.saturating_add(length)).step_by(image.width() as usize);
            addresses.find_map(|address| registration::at(image, address.into()))
        },
    )
}

/// Addresses are relative to the start of the loaded file; stored pointers are absolute.
impl<Pe: ImageNtHeaders> Memory for Image<'_, Pe> {
    fn width(&self) -> u64 {
        Image::width(self).into()
    }

    fn number(&self, address: u64) -> Option<u32> {
        self.word(u32::try_from(address).ok()?)
    }

    fn is_null(&self, address: u64) -> Option<bool> {
        Some(self.pointer(u32::try_from(address).ok()?)? == 0)
    }

    fn target(&self, address: u64) -> Option<&[u8]> {
        let pointer = self.pointer(u32::try_from(address).ok()?)?;
        self.content_at(self.relative(pointer)?)
    }
}
