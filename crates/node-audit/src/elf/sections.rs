//! Lists debug information and symbol tables, by the section headers.
//!
//! No loader reads section headers, so a damaged header isn't an error: the list is empty.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader};

use super::image::Image;
use crate::facts::Leftover;
use crate::limits::{MAX_LEFTOVERS, MAX_SECTION_NAME};
use crate::printable::printable;

/// Returns the sections that no loader reads.
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
        // A loaded section is in use, whatever its name is: Rust's .debug_gdb_scripts.
        let loaded = section.sh_flags(*endian).0 & elf::SHF_ALLOC.0 != 0;
        let name = names.get(section.sh_name(*endian) as usize..)?;
        let name = name.iter().take(MAX_SECTION_NAME).position(|byte| *byte == 0).map(|end| &name[..end])?;
        let listed = name.starts_with(b".debug_")
            || name.starts_with(b".zdebug_")
            || matches!(name, b".symtab" | b".strtab");
        let bytes = range(section)?.len() as u64;
        (listed && !loaded).then(|| Leftover { name: printable(name), bytes })
    };
    sections.iter().filter_map(leftover).take(MAX_LEFTOVERS).collect()
}
