//! What a PE file takes from other libraries, when it is loaded and when it first calls them.

use object::LittleEndian as LE;
use object::pe::{self, ImageDelayloadDescriptor, ImageImportDescriptor};
use object::pod::Pod;
use object::read::pe::ImageNtHeaders;

use super::image::Image;
use crate::facts::DllImports;

/// More libraries than this are no addon's.
const MOST_DLLS: usize = 1024;

/// More imports than this are no addon's. Lists may overlap, so that a small file could name any number.
const MOST_IMPORTS: u32 = 1 << 18;

/// Those that are loaded with the file, and then the delayed ones.
pub(super) fn read<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Result<Vec<DllImports>, String> {
    let mut reader = Reader { image, left: MOST_IMPORTS, dlls: Vec::new() };
    reader.imports()?;
    reader.delayed()?;
    Ok(reader.dlls)
}

struct Reader<'a, 'data, Pe: ImageNtHeaders> {
    image: &'a Image<'data, Pe>,
    left: u32,
    dlls: Vec<DllImports>,
}

impl<Pe: ImageNtHeaders> Reader<'_, '_, Pe> {
    fn imports(&mut self) -> Result<(), String> {
        let Some(directory) = self.image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_IMPORT) else {
            return Ok(());
        };
        // Windows goes by the entry that ends the table, and not by the table's size.
        let mut address = directory.virtual_address.get(LE);
        loop {
            let (entry, next) = self
                .entry::<ImageImportDescriptor, { size_of::<ImageImportDescriptor>() }>("import", address)?;
            let (name, bound) = (entry.name.get(LE), entry.first_thunk.get(LE));
            if name == 0 || bound == 0 {
                return Ok(());
            }
            // Without a list of its own there are the names where their addresses will be put.
            let names = match entry.original_first_thunk.get(LE) {
                0 => bound,
                names => names,
            };
            self.add(name, names, false)?;
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
                let below = || format!("a delayed import's address {address:#x} is below where it is loaded");
                if absolute { self.image.relative(address.into()).ok_or_else(below) } else { Ok(address) }
            };
            let (name, names) = (relative(name)?, relative(names)?);
            self.add(name, names, true)?;
            address = next;
        }
    }

    /// An entry of a table, and where the next one is.
    fn entry<Entry: Pod + Copy, const LENGTH: usize>(
        &self,
        table: &str,
        address: u32,
    ) -> Result<(Entry, u32), String> {
        if self.dlls.len() > MOST_DLLS {
            return Err(format!("it imports from more than {MOST_DLLS} libraries"));
        }
        let bytes: Option<[u8; LENGTH]> = self.image.bytes(address);
        let entry = bytes.as_ref().and_then(|bytes| object::pod::from_bytes::<Entry>(bytes).ok());
        let next = u32::try_from(LENGTH).ok().and_then(|length| address.checked_add(length));
        let entry = entry.map(|(entry, _)| *entry).zip(next);
        entry.ok_or_else(|| format!("its {table} table runs out of its section at {address:#x}"))
    }

    fn add(&mut self, name: u32, mut names: u32, delayed: bool) -> Result<(), String> {
        let dll = self.image.name(name)?;
        let mut symbols = Vec::new();
        let outside =
            |names| format!("the list of what it imports from {dll} is in no section at {names:#x}");
        loop {
            let value = self.image.pointer(names).ok_or_else(|| outside(names))?;
            if value == 0 {
                break;
            }
            let left = self.left.checked_sub(1);
            self.left = left.ok_or_else(|| format!("it imports more than {MOST_IMPORTS} names"))?;
            symbols.push(self.symbol(value)?);
            names = names.checked_add(self.image.width()).ok_or_else(|| outside(names))?;
        }
        self.dlls.push(DllImports { dll, delayed, symbols });
        Ok(())
    }

    /// The highest bit marks an import by number; else it is the address of a number of 16 bits and the name.
    fn symbol(&self, value: u64) -> Result<String, String> {
        if value >> (self.image.width() * 8 - 1) == 1 {
            return Ok(format!("#{}", value & 0xffff));
        }
        let address = u32::try_from(value).ok().and_then(|address| address.checked_add(2));
        self.image.name(address.ok_or_else(|| format!("an import's name at {value:#x} is in no section"))?)
    }
}
