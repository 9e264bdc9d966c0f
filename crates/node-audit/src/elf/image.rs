//! An ELF file as the loader sees it: the program headers and the dynamic table.

use object::elf;
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::limits::MAX_DYNAMIC_ENTRIES;
use crate::strings::Strings;

/// A file with its program headers and its dynamic table.
pub(super) struct Image<'data, Elf: FileHeader<Endian = Endianness>> {
    pub(super) content: &'data [u8],
    pub(super) header: &'data Elf,
    pub(super) endian: Endianness,
    pub(super) segments: &'data [Elf::ProgramHeader],
    /// Tag and value, up to DT_NULL.
    pub(super) dynamic: Vec<(elf::DynamicTag, u64)>,
}

impl<'data, Elf: FileHeader<Endian = Endianness>> Image<'data, Elf> {
    pub(super) fn parse(content: &'data [u8]) -> Result<Self, String> {
        let header = Elf::parse(content).map_err(|_| "the file ends within its header")?;
        let endian = header.endian().map_err(|_| "the header has an invalid byte order (EI_DATA)")?;
        let segments = header.program_headers(endian, content).map_err(
            |_| "the program headers are damaged or outside the file; the file may have been cut short",
        )?;
        for segment in segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD) {
            let (offset, length) = segment.file_range(endian);
            if content.read_bytes_at(offset, length).is_err() {
                let size = content.len();
                return Err(format!(
                    "a segment of {length} bytes at {offset:#x} is outside the file of {size} bytes; it may have been \
                     cut short"
                ));
            }
        }
        check_section_headers(header, endian, content)?;
        let mut dynamic = Vec::new();
        // Loaders use the last of several dynamic tables.
        if let Some(segment) = segments.iter().rfind(|segment| segment.p_type(endian) == elf::PT_DYNAMIC) {
            let table = segment
                .dynamic(endian, content)
                .map_err(|_| "the dynamic table is outside the file; the file may have been cut short")?;
            let entries = table.into_iter().flatten().map(|entry| (entry.tag(endian), entry.val(endian)));
            dynamic.extend(entries.take_while(|(tag, _)| *tag != elf::DT_NULL).take(MAX_DYNAMIC_ENTRIES + 1));
            if dynamic.len() > MAX_DYNAMIC_ENTRIES {
                return Err(format!("the dynamic table has more than {MAX_DYNAMIC_ENTRIES} entries"));
            }
        }
        Ok(Image { content, header, endian, segments, dynamic })
    }

    /// Returns the dynamic string table; an empty table if the file lacks one.
    pub(super) fn strings(&self) -> Result<Strings<'data>, String> {
        let Some(address) = self.value(elf::DT_STRTAB) else { return Ok(Strings::default()) };
        let data = self.at(address).ok_or("the dynamic string table is outside all segments")?;
        let size = self
            .value(elf::DT_STRSZ)
            .ok_or("the dynamic table lacks the size of the string table (DT_STRSZ)")?;
        let size = usize::try_from(size).ok().filter(|size| *size <= data.len());
        let size = size.ok_or("the dynamic string table runs past the end of its segment")?;
        Ok(Strings::new(&data[..size]))
    }

    /// Returns the content from an address to the end of the segment's file content.
    pub(super) fn at(&self, address: u64) -> Option<&'data [u8]> {
        self.segments.iter().filter(|segment| segment.p_type(self.endian) == elf::PT_LOAD).find_map(
            |segment| {
                let skip = usize::try_from(address.checked_sub(segment.p_vaddr(self.endian).into())?).ok()?;
                // The next segment may begin where this segment ends.
                segment.data(self.endian, self.content).ok()?.get(skip..).filter(|data| !data.is_empty())
            },
        )
    }

    /// Returns the values of all entries with a tag.
    pub(super) fn values(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        self.dynamic.iter().filter(move |entry| entry.0 == tag).map(|entry| entry.1)
    }

    /// Returns the value of the first entry with a tag.
    pub(super) fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    /// Returns the value of the first entry with a tag; 0 without one.
    pub(super) fn flags(&self, tag: elf::DynamicTag) -> u64 {
        self.value(tag).unwrap_or(0)
    }
}

/// Checks that the table of section headers, if present, is within the file.
///
/// No loader reads the table, but linkers write it last: a file that ends within it was cut short. `object` cannot
/// distinguish such a table from a table with an unusual layout.
fn check_section_headers<Elf>(header: &Elf, endian: Endianness, content: &[u8]) -> Result<(), String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let start: u64 = header.e_shoff(endian).into();
    if start == 0 {
        return Ok(());
    }
    let count = match header.e_shnum(endian) {
        // If the number does not fit the field, the first entry holds it, so there is at least one entry.
        0 => header.shnum(endian, content).map_or(1, |count| u64::from(count).max(1)),
        count => count.into(),
    };
    // The product of a 32-bit and a 16-bit number cannot overflow.
    let length = count * u64::from(header.e_shentsize(endian));
    let size = content.len();
    if start.checked_add(length).is_none_or(|end| end > size as u64) {
        return Err(format!(
            "the section headers, {length} bytes at {start:#x}, are outside the file of {size} bytes; it may have \
             been cut short"
        ));
    }
    Ok(())
}
