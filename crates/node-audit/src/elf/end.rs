//! The end of an ELF file according to its headers.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader};

/// Returns the offset at which a file ends according to its headers; None if the headers themselves are cut short.
pub(crate) fn end(content: &[u8]) -> Option<u64> {
    match content.get(4)? {
        1 => end_of::<elf::FileHeader32<Endianness>>(content),
        2 => end_of::<elf::FileHeader64<Endianness>>(content),
        _ => None,
    }
}

fn end_of<Elf: FileHeader<Endian = Endianness>>(content: &[u8]) -> Option<u64> {
    let header = Elf::parse(content).ok()?;
    let endian = header.endian().ok()?;
    let sections = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    let sections = header.e_shoff(endian).into().checked_add(sections)?;
    let segments = header.program_headers(endian, content).ok()?.iter();
    let ends = segments.map(|segment| {
        let (offset, length) = segment.file_range(endian);
        offset.checked_add(length)
    });
    ends.chain([Some(sections)]).collect::<Option<Vec<u64>>>()?.into_iter().max()
}
