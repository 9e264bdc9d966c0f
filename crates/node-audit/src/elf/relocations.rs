//! Reads relocations: the ones that need space in the static thread-local block, and the ones through which the loader
//! looks up imports.

use std::collections::BTreeSet;

use object::elf::{self, Machine, RelocationType};
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{FileHeader, Rel, Rela, Sym};

use super::image::Image;
use crate::facts::StaticTls;
use crate::limits::MAX_NAME_COUNT;
use crate::strings::Strings;

/// Returns the types of the relocations for a variable's offset from the thread pointer, which must be the same in each
/// thread.
///
/// TLSDESC is not one of these types: the loader may allocate the memory for it per thread.
fn offsets(machine: Machine) -> &'static [RelocationType] {
    match machine {
        elf::EM_X86_64 => &[elf::R_X86_64_TPOFF64, elf::R_X86_64_TPOFF32],
        elf::EM_386 => &[elf::R_386_TLS_TPOFF, elf::R_386_TLS_TPOFF32],
        elf::EM_AARCH64 => &[elf::R_AARCH64_TLS_TPREL],
        elf::EM_ARM => &[elf::R_ARM_TLS_TPOFF32],
        elf::EM_RISCV => &[elf::R_RISCV_TLS_TPREL32, elf::R_RISCV_TLS_TPREL64],
        elf::EM_PPC64 => &[elf::R_PPC64_TPREL64],
        elf::EM_S390 => &[elf::R_390_TLS_TPOFF],
        elf::EM_LOONGARCH => &[elf::R_LARCH_TLS_TPREL32, elf::R_LARCH_TLS_TPREL64],
        _ => &[],
    }
}

/// Reads which thread-local variables have such relocations; `size` is the memory size of PT_TLS.
pub(super) fn static_tls<Elf>(
    image: &Image<'_, Elf>,
    symbols: &[Elf::Sym],
    names: &Strings<'_>,
    size: u64,
) -> Result<StaticTls, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let flag = image.flags(elf::DT_FLAGS) & elf::DF_STATIC_TLS.0 != 0;
    let mut found = StaticTls { flag, size, ..StaticTls::default() };
    // A variable may have many relocations, and each read of a name counts against a limit, so the code first collects
    // the symbols by index.
    let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
    let wanted = offsets(image.header.e_machine(image.endian));
    each(image, |kind, index| {
        if !wanted.contains(&kind) {
            return Ok(());
        }
        match symbols.get(index as usize) {
            _ if index == 0 => found.own += 1,
            Some(symbol) if symbol.st_shndx(image.endian) == elf::SHN_UNDEF => {
                foreign.insert(index);
            }
            Some(_) => {
                found.own += 1;
                own.insert(index);
            }
            None => {
                let count = symbols.len();
                return Err(format!("a relocation refers to dynamic symbol {index} of {count}"));
            }
        }
        if own.len() + foreign.len() > MAX_NAME_COUNT {
            return Err(format!("the file has more than {MAX_NAME_COUNT} names"));
        }
        Ok(())
    })?;
    let named = |indices: BTreeSet<u32>| {
        let symbols = indices.iter().filter_map(|index| symbols.get(*index as usize));
        let read = symbols.map(|symbol| names.get(symbol.st_name(image.endian).into()));
        let names = read.collect::<Result<BTreeSet<String>, String>>()?;
        Ok::<_, String>(names.into_iter().filter(|name| !name.is_empty()).collect())
    };
    found.symbols = named(own)?;
    found.foreign = named(foreign)?;
    Ok(found)
}

/// The relocations that refer to a dynamic symbol. The kinds are in ascending order: a symbol with several kinds of
/// relocation gets the last kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference {
    /// No relocation: the loader never looks up the symbol.
    #[default]
    None,
    /// Jump slots only.
    Call,
    /// An entry of the global offset table.
    Address,
    /// Data relocations, and all other kinds.
    Data,
}

/// Returns the last kind of reference to each dynamic symbol; None for a machine with unknown relocations.
pub(super) fn references<Elf>(image: &Image<'_, Elf>, count: usize) -> Result<Option<Vec<Reference>>, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Some([jump_slot, address]) = indirect(image.header.e_machine(image.endian)) else { return Ok(None) };
    let mut found = vec![Reference::None; count];
    each(image, |kind, index| {
        // The relocation without an effect has the number 0 on each machine. Symbol 0 means no symbol.
        if kind != RelocationType(0)
            && index != 0
            && let Some(symbol) = found.get_mut(index as usize)
        {
            *symbol = (*symbol).max(match kind {
                kind if kind == jump_slot => Reference::Call,
                kind if kind == address => Reference::Address,
                _ => Reference::Data,
            });
        }
        Ok(())
    })?;
    Ok(Some(found))
}

/// Returns the relocation types of an entry in the procedure linkage table and of an entry in the global offset table.
fn indirect(machine: Machine) -> Option<[RelocationType; 2]> {
    match machine {
        elf::EM_X86_64 => Some([elf::R_X86_64_JUMP_SLOT, elf::R_X86_64_GLOB_DAT]),
        elf::EM_AARCH64 => Some([elf::R_AARCH64_JUMP_SLOT, elf::R_AARCH64_GLOB_DAT]),
        _ => None,
    }
}

/// Calls `visit` with the type and the dynamic symbol of each relocation; symbol 0 means an address in the file itself.
fn each<Elf>(
    image: &Image<'_, Elf>,
    mut visit: impl FnMut(RelocationType, u32) -> Result<(), String>,
) -> Result<(), String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let endian = image.endian;
    // Skips the tables of other machines, so damage in them does not fail the audit.
    let is_read = !offsets(image.header.e_machine(endian)).is_empty();
    let jumps_have_addends = i64::try_from(image.flags(elf::DT_PLTREL)) == Ok(elf::DT_RELA.0);
    for (table, length, addends) in [
        (elf::DT_RELA, elf::DT_RELASZ, true),
        (elf::DT_REL, elf::DT_RELSZ, false),
        (elf::DT_JMPREL, elf::DT_PLTRELSZ, jumps_have_addends),
    ] {
        let (Some(address), length) = (image.value(table), image.flags(length)) else { continue };
        if length == 0 || !is_read {
            continue;
        }
        let outside = "the relocations are outside all segments, or run past the end of their segment";
        let length = usize::try_from(length).map_err(|_| outside)?;
        let data = image.at(address).and_then(|data| data.get(..length)).ok_or(outside)?;
        if addends {
            let entries: &[Elf::Rela] =
                data.read_slice_at(0, length / size_of::<Elf::Rela>()).map_err(|()| outside)?;
            entries
                .iter()
                .try_for_each(|entry| visit(entry.r_type(endian, false), entry.r_sym(endian, false)))?;
        } else {
            let entries: &[Elf::Rel] =
                data.read_slice_at(0, length / size_of::<Elf::Rel>()).map_err(|()| outside)?;
            entries.iter().try_for_each(|entry| visit(entry.r_type(endian), entry.r_sym(endian)))?;
        }
    }
    Ok(())
}
