//! A PE file as Windows maps it: headers, sections, and the content at an address.

use object::LittleEndian as LE;
use object::pe::{self, ImageDosHeader, ImageSectionHeader};
use object::read::ReadRef;
use object::read::pe::{DataDirectories, ImageNtHeaders, ImageOptionalHeader};

use crate::limits::MAX_SECTIONS;
use crate::printable::printable;
use crate::strings::Strings;

/// A section's header and its name.
pub(super) struct Section<'data> {
    pub(super) header: &'data ImageSectionHeader,
    pub(super) name: String,
}

impl Section<'_> {
    /// Returns the address of the section.
    fn start(&self) -> u32 {
        self.header.virtual_address.get(LE)
    }

    /// Returns the length in memory; a length of 0 means the length in the file.
    fn length(&self) -> u32 {
        match self.header.virtual_size.get(LE) {
            0 => self.raw_length(),
            length => length,
        }
    }

    /// Returns the length in the file; the rest of the section is zeros.
    pub(super) fn raw_length(&self) -> u32 {
        // Without a place in the file, a section has no content.
        if self.header.pointer_to_raw_data.get(LE) == 0 { 0 } else { self.header.size_of_raw_data.get(LE) }
    }
}

/// The headers and sections of a PE file.
pub(super) struct Image<'data, Pe: ImageNtHeaders> {
    content: &'data [u8],
    pub(super) headers: &'data Pe,
    pub(super) directories: DataDirectories<'data>,
    pub(super) sections: Vec<Section<'data>>,
    /// The end of the COFF symbols, where their string table begins; None without symbols.
    pub(super) coff_strings: Option<u64>,
    names: Strings<'data>,
}

impl<'data, Pe: ImageNtHeaders> Image<'data, Pe> {
    pub(super) fn parse(content: &'data [u8]) -> Result<Self, String> {
        let dos = ImageDosHeader::parse(content).map_err(|_| "the file ends within its header")?;
        let mut offset = dos.nt_headers_offset().into();
        let (headers, directories) = Pe::parse(content, &mut offset)
            .map_err(|_| "the headers are damaged or outside the file; the file may have been cut short")?;
        let table = headers
            .sections(content, offset)
            .map_err(|_| "the section table is outside the file; the file may have been cut short")?;
        if table.len() > MAX_SECTIONS {
            return Err(format!("the file has more than {MAX_SECTIONS} sections"));
        }
        let symbols = headers.file_header();
        let count = u64::from(symbols.number_of_symbols.get(LE));
        let coff_strings = match symbols.pointer_to_symbol_table.get(LE) {
            0 => None,
            start => Some(u64::from(start) + count * pe::IMAGE_SIZEOF_SYMBOL as u64),
        };
        let names = Strings::within("file", content);
        let mut sections: Vec<Section<'data>> = Vec::new();
        for header in table.iter() {
            let section = Section { header, name: section_name(&names, coff_strings, header.name) };
            check(content, &section, sections.last())?;
            sections.push(section);
        }
        Ok(Image { content, headers, directories, sections, coff_strings, names })
    }

    pub(super) fn content(&self) -> &'data [u8] {
        self.content
    }

    /// Returns the bytes at an address. The part of a section beyond its file content is zeros.
    pub(super) fn bytes<const LENGTH: usize>(&self, address: u32) -> Option<[u8; LENGTH]> {
        let AddressPlace { offset, in_file, in_memory } = self.place(address)?;
        if in_memory < LENGTH {
            return None;
        }
        let present = self.content.get(offset..)?.get(..in_file.min(LENGTH))?;
        let mut bytes = [0; LENGTH];
        bytes.iter_mut().zip(present).for_each(|(byte, value)| *byte = *value);
        Some(bytes)
    }

    /// Returns the content of the file from an address to the end of its section.
    pub(super) fn content_at(&self, address: u32) -> Option<&'data [u8]> {
        let AddressPlace { offset, in_file, .. } = self.place(address)?;
        self.content.get(offset..)?.get(..in_file)
    }

    /// Returns the 32-bit number at an address.
    pub(super) fn word(&self, address: u32) -> Option<u32> {
        self.bytes(address).map(u32::from_le_bytes)
    }

    /// Returns the pointer at an address, of [`Self::width`] bytes.
    pub(super) fn pointer(&self, address: u32) -> Option<u64> {
        if self.headers.is_type_64() {
            self.bytes(address).map(u64::from_le_bytes)
        } else {
            self.word(address).map(u64::from)
        }
    }

    /// Returns the size of a pointer in bytes: 8 in a 64-bit file, 4 in a 32-bit file.
    pub(super) fn width(&self) -> u32 {
        if self.headers.is_type_64() { 8 } else { 4 }
    }

    /// Returns the name at an address, with control characters escaped.
    pub(super) fn name(&self, address: u32) -> Result<String, String> {
        let place =
            self.place(address).ok_or_else(|| format!("a name at {address:#x} is outside all sections"))?;
        match place.in_file {
            0 => Ok(String::new()),
            _ => self.names.get(place.offset as u64),
        }
    }

    /// Returns the name at an offset of the file.
    pub(super) fn name_in_file(&self, offset: u64) -> Option<String> {
        self.names.get(offset).ok()
    }

    /// Converts an absolute address to an address relative to the start of the loaded file, like all other addresses
    /// here.
    pub(super) fn relative(&self, address: u64) -> Option<u32> {
        u32::try_from(address.checked_sub(self.headers.optional_header().image_base())?).ok()
    }

    fn place(&self, address: u32) -> Option<AddressPlace> {
        let section = self.sections.iter().find_map(|section| {
            let skip = address.checked_sub(section.start())?;
            let in_memory = section.length().checked_sub(skip).filter(|length| *length > 0)?;
            let in_file = section.raw_length().saturating_sub(skip).min(in_memory);
            let offset = (section.header.pointer_to_raw_data.get(LE) as usize).checked_add(skip as usize)?;
            Some(AddressPlace { offset, in_file: in_file as usize, in_memory: in_memory as usize })
        });
        section.or_else(|| {
            // The headers are loaded as well.
            let length = self.headers.optional_header().size_of_headers() as usize;
            let rest =
                length.min(self.content.len()).checked_sub(address as usize).filter(|rest| *rest > 0)?;
            Some(AddressPlace { offset: address as usize, in_file: rest, in_memory: rest })
        })
    }
}

/// The place of an address in the file.
struct AddressPlace {
    offset: usize,
    /// The number of bytes in the file from there to the section's end.
    in_file: usize,
    /// The number of bytes in memory from there to the section's end.
    in_memory: usize,
}

/// Checks that the loader can map a section: it is within the file, and after the previous section.
fn check(content: &[u8], section: &Section<'_>, before: Option<&Section<'_>>) -> Result<(), String> {
    let (name, offset, length) =
        (&section.name, section.header.pointer_to_raw_data.get(LE), section.raw_length());
    if content.read_bytes_at(offset.into(), length.into()).is_err() {
        let size = content.len();
        return Err(format!(
            "section {name} of {length} bytes at {offset:#x} is outside the file of {size} bytes; it may have been cut \
             short"
        ));
    }
    if let Some(before) = before
        && u64::from(before.start()) + u64::from(before.length()) > section.start().into()
    {
        let address = section.start();
        return Err(format!("section {name} at {address:#x} begins within section {}", before.name));
    }
    Ok(())
}

/// Returns the name of a section. For a name of more than 8 bytes, the header contains a slash and an offset into the
/// COFF string table.
fn section_name(names: &Strings<'_>, coff_strings: Option<u64>, short: [u8; 8]) -> String {
    let length = short.iter().position(|byte| *byte == 0).unwrap_or(short.len());
    let short = printable(&short[..length]);
    let place = short.strip_prefix('/').and_then(|place| place.parse::<u32>().ok());
    let long = place.zip(coff_strings).and_then(|(place, start)| names.get(start + u64::from(place)).ok());
    long.unwrap_or(short)
}
