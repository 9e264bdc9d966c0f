//! The end of a PE file according to its headers.

use object::LittleEndian as LE;
use object::pe::{self, ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64};
use object::read::pe::ImageNtHeaders;

/// Returns the offset at which a file ends according to its headers; None if the headers themselves are cut short.
pub(crate) fn end(content: &[u8]) -> Option<u64> {
    let start = ImageDosHeader::parse(content).ok()?.nt_headers_offset();
    let magic = content.get((start as usize).checked_add(24)?..)?.first_chunk()?;
    match u16::from_le_bytes(*magic) {
        pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => end_of::<ImageNtHeaders32>(content, start),
        pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => end_of::<ImageNtHeaders64>(content, start),
        _ => None,
    }
}

fn end_of<Pe: ImageNtHeaders>(content: &[u8], start: u32) -> Option<u64> {
    let mut offset = start.into();
    let (headers, directories) = Pe::parse(content, &mut offset).ok()?;
    let sections = headers.sections(content, offset).ok()?;
    let ends = sections.iter().map(|section| {
        let start = section.pointer_to_raw_data.get(LE);
        if start == 0 { 0 } else { u64::from(start) + u64::from(section.size_of_raw_data.get(LE)) }
    });
    // The certificate directory contains a file offset instead of an address.
    let certificates = directories.get(pe::IMAGE_DIRECTORY_ENTRY_SECURITY).map_or(0, |directory| {
        u64::from(directory.virtual_address.get(LE)) + u64::from(directory.size.get(LE))
    });
    ends.chain([certificates]).max()
}
