//! Finds the module that a constructor registers, in the writable segments.

use object::endian::Endianness;

use super::commands::MappedSegment;
use crate::facts::Registration;
use crate::registration::{self, Memory};

/// The bits of a pointer that are an address. In a chain of fixups (LC_DYLD_CHAINED_FIXUPS), the higher bits lead to the
/// next pointer.
const ADDRESS: u64 = (1 << 36) - 1;

/// The bit that marks a pointer to another file's symbol in such a chain.
const BIND: u64 = 1 << 63;

/// Returns the module that a constructor registers. The search ends at the first match.
pub(super) fn registration(
    segments: &[MappedSegment<'_>],
    endian: Endianness,
    width: u64,
) -> Option<Registration> {
    let memory = Segments { segments, endian, width };
    segments.iter().filter(|segment| segment.writable).find_map(|segment| {
        let offsets = (0..segment.content.len() as u64).step_by(usize::try_from(width).ok()?);
        let mut addresses = offsets.filter_map(|offset| segment.address.checked_add(offset));
        addresses.find_map(|address| registration::at(&memory, address))
    })
}

/// The mapped segments of a file.
struct Segments<'a, 'data> {
    segments: &'a [MappedSegment<'data>],
    endian: Endianness,
    width: u64,
}

impl Segments<'_, '_> {
    /// Returns the content from an address to the end of the segment's file content.
    fn at(&self, address: u64) -> Option<&[u8]> {
        self.segments.iter().find_map(|segment| {
            let skip = usize::try_from(address.checked_sub(segment.address)?).ok()?;
            segment.content.get(skip..).filter(|rest| !rest.is_empty())
        })
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        if self.width == 4 {
            return self.number(address).map(u64::from);
        }
        let bytes = *self.at(address)?.first_chunk()?;
        Some(match self.endian {
            Endianness::Little => u64::from_le_bytes(bytes),
            Endianness::Big => u64::from_be_bytes(bytes),
        })
    }
}

impl Memory for Segments<'_, '_> {
    fn width(&self) -> u64 {
        self.width
    }

    fn number(&self, address: u64) -> Option<u32> {
        let bytes = *self.at(address)?.first_chunk()?;
        Some(match self.endian {
            Endianness::Little => u32::from_le_bytes(bytes),
            Endianness::Big => u32::from_be_bytes(bytes),
        })
    }

    fn is_null(&self, address: u64) -> Option<bool> {
        // A null pointer is in no chain.
        Some(self.pointer(address)? == 0)
    }

    fn target(&self, address: u64) -> Option<&[u8]> {
        let pointer = self.pointer(address)?;
        if self.width == 8 && pointer & BIND != 0 { None } else { self.at(pointer & ADDRESS) }
    }
}
