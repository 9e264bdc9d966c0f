//! What only debuggers and linkers read, by the section headers.
//!
//! No loader looks at these, so that damaged ones are no error: there is nothing to say then.

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
