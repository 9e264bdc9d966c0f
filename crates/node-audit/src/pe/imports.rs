//! Reads the imports of a PE file: the normal imports and the delayed imports.

use object::LittleEndian as LE;
use object::pe::{self, ImageDelayloadDescriptor, ImageImportDescriptor};
use object::pod::Pod;
use object::read::pe::ImageNtHeaders;

use super::image::Image;
use crate::facts::DllImports;
use crate::limits::{MAX_DLLS, MAX_IMPORTS};

/// Reads the imports by library: first the libraries that are loaded with the file, then the delayed ones.
pub(super) fn read<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Result<Vec<DllImports>, String> {
    let mut reader = ImportReader { image, left: MAX_IMPORTS, dlls: Vec::new() };
    reader.imports()?;
    reader.delayed()?;
    Ok(reader.dlls)
}

/// An entry of an import table.
struct Import {
    /// The address of the library's name.
    name: u32,
    /// The address of the list of names.
    names: u32,
    /// `true` if the library is loaded at the first call.
    delayed: bool,
}

struct ImportReader<'a, 'data, Pe: ImageNtHeaders> {
    image: &'a Image<'data, Pe>,
    /// The number of imports that may still be read.
    left: u32,
    dlls: Vec<DllImports>,
}

impl<Pe: ImageNtHeaders> ImportReader<'_, '_, Pe> {
    fn imports(&mut self) -> Result<(), String> {
        let Some(directory) = self.image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_IMPORT) else {
            return Ok(());
        };
        // Windows reads up to the entry that ends the table, and ignores the table's size.
        let mut address = directory.virtual_address.get(LE);
        loop {
            let (entry, next) = self
                .entry::<ImageImportDescriptor, { size_of::<ImageImportDescriptor>() }>("import", address)?;
            let (name, bound) = (entry.name.get(LE), entry.first_thunk.get(LE));
            if name == 0 || bound == 0 {
                return Ok(());
            }
            // Without a list of names, the names are in the table of the functions' addresses.
            let names = match entry.original_first_thunk.get(LE) {
                0 => bound,
                names => names,
            };
            self.add(Import { name, names, delayed: false })?;
            address = next;
        }
    }

    fn delayed(&mut self) -> Result<(), String> {
        let Some(directory) = self.image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) else {
            return Ok(());
        };
        let mut address = directory.virtual_address.get(LE);
        loop {
            let (entry, next) = self
                .entry::<ImageDelayloadDescriptor, { size_of::<ImageDelayloadDescriptor>() }>(
                    "delayed import",
                    address,
                )?;
            let (name, names) = (entry.dll_name_rva.get(LE), entry.import_name_table_rva.get(LE));
            if name == 0 {
                return Ok(());
            }
            // Visual C++ 6 wrote absolute addresses.
            let absolute = entry.attributes.get(LE) & pe::IMAGE_DELAYLOAD_RVA_BASED == 0;
            let relative = |address: u32| {
                let below = || format!("a delayed import's address {address:#x} is below the image base");
                if absolute { self.image.relative(address.into()).ok_or_else(below) } else { Ok(address) }
            };
            let (name, names) = (relative(name)?, relative(names)?);
            self.add(Import { name, names, delayed: true })?;
            address = next;
        }
    }

    /// Returns an entry of a table, and the address of the next entry.
    fn entry<Entry: Pod + Copy, const LENGTH: usize>(
        &self,
        table: &str,
        address: u32,
    ) -> Result<(Entry, u32), String> {
        if self.dlls.len() > MAX_DLLS {
            return Err(format!("the file imports from more than {MAX_DLLS} libraries"));
        }
        let bytes: Option<[u8; LENGTH]> = self.image.bytes(address);
        let entry = bytes.as_ref().and_then(|bytes| object::pod::from_bytes::<Entry>(bytes).ok());
        let next = u32::try_from(LENGTH).ok().and_then(|length| address.checked_add(length));
        let entry = entry.map(|(entry, _)| *entry).zip(next);
        entry.ok_or_else(|| format!("the {table} table runs past the end of its section at {address:#x}"))
    }

    fn add(&mut self, import: Import) -> Result<(), String> {
        let Import { name, mut names, delayed } = import;
        let dll = self.image.name(name)?;
        let mut symbols = Vec::new();
        let outside = |names| format!("the list of imports from {dll} is outside all sections at {names:#x}");
        loop {
            let value = self.image.pointer(names).ok_or_else(|| outside(names))?;
            if value == 0 {
                break;
            }
            let left = self.left.checked_sub(1);
            self.left = left.ok_or_else(|| format!("the file imports more than {MAX_IMPORTS} names"))?;
            symbols.push(self.symbol(value)?);
            names = names.checked_add(self.image.width()).ok_or_else(|| outside(names))?;
        }
        self.dlls.push(DllImports { dll, delayed, symbols });
        Ok(())
    }

    /// Returns an import. If the highest bit is set, the value is a number; otherwise it is the address of a 16-bit hint
    /// and the name.
    fn symbol(&self, value: u64) -> Result<String, String> {
        if value >> (self.image.width() * 8 - 1) == 1 {
            return Ok(format!("#{}", value & 0xffff));
        }
        let address = u32::try_from(value).ok().and_then(|address| address.checked_add(2));
        self.image
            .name(address.ok_or_else(|| format!("an import's name at {value:#x} is outside all sections"))?)
    }
}
