//! The end of a Mach-O file according to its headers.

use object::endian::Endianness;
use object::macho::{self, FatArch32, FatArch64};
use object::read::macho::{FatArch, MachHeader, MachOFatFile, Segment};

/// Returns the offset at which a file ends according to its headers; None if the headers themselves are cut short.
pub(crate) fn end(content: &[u8]) -> Option<u64> {
    match u32::from_be_bytes(*content.first_chunk()?) {
        macho::FAT_MAGIC => end_of_fat::<FatArch32>(content),
        macho::FAT_MAGIC_64 => end_of_fat::<FatArch64>(content),
        macho::MH_MAGIC | macho::MH_CIGAM => end_of::<macho::MachHeader32<Endianness>>(content),
        _ => end_of::<macho::MachHeader64<Endianness>>(content),
    }
}

fn end_of_fat<Fat: FatArch>(content: &[u8]) -> Option<u64> {
    let file = MachOFatFile::<Fat>::parse(content).ok()?;
    let ends = file.arches().iter().map(|part| {
        let (offset, length) = part.file_range();
        offset.checked_add(length)
    });
    ends.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

fn end_of<Mach: MachHeader<Endian = Endianness>>(content: &[u8]) -> Option<u64> {
    let header = Mach::parse(content, 0).ok()?;
    let endian = header.endian().ok()?;
    let mut commands = header.load_commands(endian, content, 0).ok()?;
    let mut end = 0;
    while let Some(command) = commands.next().ok()? {
        if let Some((segment, _)) = Mach::Segment::from_command(command).ok()? {
            let (offset, length) = segment.file_range(endian);
            end = end.max(offset.checked_add(length)?);
        }
    }
    Some(end)
}
