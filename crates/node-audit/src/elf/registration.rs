//! Finds the module that a constructor registers, by the relocations of its pointers.

use std::collections::HashMap;

use object::elf::{self, Machine, RelocationType};
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{FileHeader, Rel, Rela, RelrIterator};

use super::image::Image;
use crate::facts::Registration;
use crate::limits::MAX_RELOCATIONS;
use crate::registration::{self, Memory};

/// The type of the relocation that adds the load address to a number.
fn relative(machine: Machine) -> Option<RelocationType> {
    Some(match machine {
        elf::EM_X86_64 => elf::R_X86_64_RELATIVE,
        elf::EM_386 => elf::R_386_RELATIVE,
        elf::EM_AARCH64 => elf::R_AARCH64_RELATIVE,
        elf::EM_ARM => elf::R_ARM_RELATIVE,
        elf::EM_RISCV => elf::R_RISCV_RELATIVE,
        elf::EM_PPC64 => elf::R_PPC64_RELATIVE,
        elf::EM_S390 => elf::R_390_RELATIVE,
        elf::EM_LOONGARCH => elf::R_LARCH_RELATIVE,
        _ => return None,
    })
}

/// The value of a relocated pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// An address in the file.
    Own(u64),
    /// An address in the file, which is stored in the pointer itself.
    InPlace,
    /// A symbol's address.
    Symbol,
}

/// Returns the module that a constructor registers. The search ends at the first match.
pub(super) fn registration<Elf>(image: &Image<'_, Elf>) -> Option<Registration>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let relocated = Relocated { image, values: values(image)? };
    let mut starts: Vec<u64> = relocated.values.keys().copied().collect();
    starts.sort_unstable();
    // The first relocated pointer of a module is the file's name, which follows the number, the flags and the handle.
    let skip = 8 + relocated.width();
    starts.into_iter().find_map(|name| registration::at(&relocated, name.checked_sub(skip)?))
}

/// A file with its relocated pointers, by address.
struct Relocated<'image, 'data, Elf: FileHeader<Endian = Endianness>> {
    image: &'image Image<'data, Elf>,
    values: HashMap<u64, Value>,
}

impl<Elf: FileHeader<Endian = Endianness>> Relocated<'_, '_, Elf> {
    /// Returns the pointer that the file contains at an address.
    fn stored(&self, address: u64) -> Option<u64> {
        let low = self.number(address)?;
        if self.width() == 4 {
            return Some(low.into());
        }
        let high = self.number(address.checked_add(4)?)?;
        Some(match self.image.endian {
            Endianness::Little => u64::from(high) << 32 | u64::from(low),
            Endianness::Big => u64::from(low) << 32 | u64::from(high),
        })
    }
}

impl<Elf: FileHeader<Endian = Endianness>> Memory for Relocated<'_, '_, Elf> {
    fn width(&self) -> u64 {
        if self.image.header.is_type_64() { 8 } else { 4 }
    }

    fn number(&self, address: u64) -> Option<u32> {
        let bytes = *self.image.at(address)?.first_chunk()?;
        Some(match self.image.endian {
            Endianness::Little => u32::from_le_bytes(bytes),
            Endianness::Big => u32::from_be_bytes(bytes),
        })
    }

    fn is_null(&self, address: u64) -> Option<bool> {
        // Bytes beyond the file content of a segment are zeros.
        Some(!self.values.contains_key(&address) && self.stored(address).unwrap_or(0) == 0)
    }

    fn target(&self, address: u64) -> Option<&[u8]> {
        match self.values.get(&address)? {
            Value::Own(target) => self.image.at(*target),
            Value::InPlace => self.image.at(self.stored(address)?),
            Value::Symbol => None,
        }
    }
}

/// Returns the relocated pointers by address; None if they are too many, or for an unknown machine.
fn values<Elf>(image: &Image<'_, Elf>) -> Option<HashMap<u64, Value>>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let endian = image.endian;
    let relative = relative(image.header.e_machine(endian))?;
    let mut values = HashMap::new();
    let table = |table, length| {
        let length = usize::try_from(image.flags(length)).ok()?;
        image.at(image.value(table)?)?.get(..length)
    };
    if let Some(data) = table(elf::DT_RELA, elf::DT_RELASZ) {
        let entries: &[Elf::Rela] = data.read_slice_at(0, data.len() / size_of::<Elf::Rela>()).ok()?;
        values.extend(entries.iter().take(MAX_RELOCATIONS).map(|entry| {
            let own = entry.r_type(endian, false) == relative;
            let addend: i64 = entry.r_addend(endian).into();
            let value = if own { Value::Own(addend.cast_unsigned()) } else { Value::Symbol };
            (entry.r_offset(endian).into(), value)
        }));
    }
    if let Some(data) = table(elf::DT_REL, elf::DT_RELSZ) {
        let entries: &[Elf::Rel] = data.read_slice_at(0, data.len() / size_of::<Elf::Rel>()).ok()?;
        values.extend(entries.iter().take(MAX_RELOCATIONS).map(|entry| {
            let own = entry.r_type(endian) == relative;
            (entry.r_offset(endian).into(), if own { Value::InPlace } else { Value::Symbol })
        }));
    }
    if let Some(data) = table(elf::DT_RELR, elf::DT_RELRSZ) {
        let entries: &[Elf::Relr] = data.read_slice_at(0, data.len() / size_of::<Elf::Relr>()).ok()?;
        let addresses = RelrIterator::<Elf>::new(endian, entries);
        values.extend(addresses.take(MAX_RELOCATIONS).map(|address| (address.into(), Value::InPlace)));
    }
    Some(values)
}
