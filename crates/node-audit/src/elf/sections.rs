//! What only debuggers and linkers read, by the section headers.
//!
//! No loader looks at these, so that damaged ones are no error: there is nothing to say then. A table of them that
//! runs past the file's end is one: linkers write it last, so the file ends where a copy of it was broken off.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader};

use super::Image;
use crate::error::printable;
use crate::facts::Leftover;

/// Longer names than this belong to no section that is looked for.
const LONGEST_NAME: usize = 64;

/// More than this many sections of debug information are not listed; compilers know some thirty.
const MOST: usize = 256;

/// Whether the table of section headers is within the file, where it has one.
///
/// Reckoned here, since `object` reports a table of an unusual layout in the same way.
pub(super) fn within<Elf>(header: &Elf, endian: Endianness, content: &[u8]) -> Result<(), String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let start: u64 = header.e_shoff(endian).into();
    if start == 0 {
        return Ok(());
    }
    let count = match header.e_shnum(endian) {
        // More than the field holds: the first entry has the number, and there is one at least.
        0 => header.shnum(endian, content).map_or(1, |count| u64::from(count).max(1)),
        count => count.into(),
    };
    // A product of a 32-bit and a 16-bit number.
    let length = count * u64::from(header.e_shentsize(endian));
    let size = content.len();
    if start.checked_add(length).is_none_or(|end| end > size as u64) {
        return Err(format!(
            "its section headers, {length} bytes at {start:#x}, are outside the file of {size} bytes; it may have \
             been cut short"
        ));
    }
    Ok(())
}

pub(super) fn leftovers<Elf>(image: &Image<'_, Elf>) -> Vec<Leftover>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Image { content, header, endian, .. } = image;
    let sections = header.section_headers(*endian, *content).unwrap_or_default();
    let range = |section: &Elf::SectionHeader| {
        let (offset, size) = section.file_range(*endian)?;
        let (offset, size) = (usize::try_from(offset).ok()?, usize::try_from(size).ok()?);
        content.get(offset..offset.checked_add(size)?)
    };
    let names = header.section_strings_index(*endian, *content).ok();
    let Some(names) = names.and_then(|index| range(sections.get(index.0)?)) else { return Vec::new() };
    let leftover = |section: &Elf::SectionHeader| {
        // What is loaded is no leftover, whatever its name: Rust's .debug_gdb_scripts.
        let loaded = section.sh_flags(*endian).0 & elf::SHF_ALLOC.0 != 0;
        let name = names.get(section.sh_name(*endian) as usize..)?;
        let name = name.iter().take(LONGEST_NAME).position(|byte| *byte == 0).map(|end| &name[..end])?;
        let listed = name.starts_with(b".debug_")
            || name.starts_with(b".zdebug_")
            || matches!(name, b".symtab" | b".strtab");
        let bytes = range(section)?.len() as u64;
        (listed && !loaded).then(|| Leftover { name: printable(name), bytes })
    };
    sections.iter().filter_map(leftover).take(MOST).collect()
}
