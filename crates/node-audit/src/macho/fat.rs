//! Reads fat files: a table of contents, and a whole Mach-O file for each of several processors.

use object::macho::{self, CpuType};
use object::read::macho::{FatArch, MachOFatFile};

use crate::limits::MAX_FAT_PARTS;

/// The file for one processor.
pub(super) struct Part<'data> {
    /// The processor that the table of contents names.
    pub(super) cpu: CpuType,
    pub(super) content: &'data [u8],
}

/// Returns the parts of a fat file; None for a thin file.
pub(super) fn parts(content: &[u8]) -> Result<Option<Vec<Part<'_>>>, String> {
    match content.first_chunk().map(|magic| u32::from_be_bytes(*magic)) {
        Some(macho::FAT_MAGIC) => table::<macho::FatArch32>(content).map(Some),
        Some(macho::FAT_MAGIC_64) => table::<macho::FatArch64>(content).map(Some),
        _ => Ok(None),
    }
}

fn table<Fat: FatArch>(content: &[u8]) -> Result<Vec<Part<'_>>, String> {
    let file = MachOFatFile::<Fat>::parse(content).map_err(|_| "the file ends within the table of parts")?;
    let entries = file.arches();
    match entries.len() {
        0 => return Err("the table of parts is empty".to_owned()),
        count if count > MAX_FAT_PARTS as usize => {
            return Err(format!(
                "the file has {count} parts, more than the {MAX_FAT_PARTS} that node-audit reads"
            ));
        }
        _ => {}
    }
    let mut parts = Vec::new();
    let mut ranges = vec![(0, (size_of::<macho::FatHeader>() + size_of_val(entries)) as u64)];
    for (index, entry) in entries.iter().enumerate() {
        let (offset, length) = entry.file_range();
        let part = entry.data(content).map_err(|_| {
            let size = content.len();
            format!(
                "part {index} of {length} bytes at {offset:#x} is outside the file of {size} bytes; it may have been \
                 cut short"
            )
        })?;
        ranges.push((offset, length));
        parts.push(Part { cpu: entry.cputype(), content: part });
    }
    // Each part is read in full, so overlapping parts would be read several times.
    ranges.sort_unstable();
    let overlap =
        ranges.windows(2).any(|pair| matches!(pair, [(start, length), (next, _)] if start + length > *next));
    if overlap { Err("the parts overlap".to_owned()) } else { Ok(parts) }
}
