//! The dynamic symbols.

use object::elf;
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{FileHeader, GnuHashTable, HashTable, SectionHeader, Sym};

use super::Image;
use super::versions::Needs;
use crate::rules::NODE_API_VERSION;
use crate::strings::Strings;

/// Defined in every shared object by some linkers; no one binds to them.
const LINKER_MADE: [&str; 8] =
    ["_init", "_fini", "_edata", "_end", "__bss_start", "__bss_start__", "__bss_end__", "__end__"];

/// Tables that a linker may put behind the dynamic symbols.
const BEHIND_SYMBOLS: [elf::DynamicTag; 7] = [
    elf::DT_STRTAB,
    elf::DT_GNU_HASH,
    elf::DT_VERSYM,
    elf::DT_VERNEED,
    elf::DT_VERDEF,
    elf::DT_REL,
    elf::DT_RELA,
];

/// The dynamic symbols' names.
#[derive(Default)]
pub(super) struct Names {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    /// The address of the function that says which Node-API the addon is for.
    pub(super) version_function: Option<u64>,
}

/// The dynamic symbol table, the null symbol included; empty where there is none.
pub(super) fn table<'data, Elf>(image: &Image<'data, Elf>) -> Result<&'data [Elf::Sym], String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Some(address) = image.value(elf::DT_SYMTAB) else { return Ok(&[]) };
    let count = count(image, address)?;
    let data = image.at(address).ok_or("its dynamic symbol table is in no segment")?;
    data.read_slice_at(0, count)
        .map_err(|()| format!("its dynamic symbol table, of {count} symbols, runs past its segment"))
}

/// Sorts the dynamic symbols into imports and exports, and the imports to the versions that they need.
pub(super) fn names<Elf>(
    image: &Image<'_, Elf>,
    symbols: &[Elf::Sym],
    names: &Strings<'_>,
    versions: &mut Needs,
) -> Result<Names, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let mut found = Names::default();
    let endian = image.endian;
    let indices = image.value(elf::DT_VERSYM).map(|address| image.at(address).unwrap_or_default());
    // The first symbol is the null symbol.
    for (index, symbol) in symbols.iter().enumerate().skip(1) {
        let global = symbol.st_bind() != elf::STB_LOCAL;
        let named = !matches!(symbol.st_type(), elf::STT_SECTION | elf::STT_FILE);
        if !global || !named {
            continue;
        }
        let name = names.get(u64::from(symbol.st_name(endian)))?;
        if symbol.st_shndx(endian) == elf::SHN_UNDEF {
            if let Some(indices) = indices {
                let entry: &elf::Versym<Endianness> = indices
                    .read_at(index as u64 * 2)
                    .map_err(|()| "its table of symbol versions is shorter than its symbol table")?;
                versions.bind(entry.0.get(endian), &name);
            }
            found.imports.push(name);
        } else {
            let visible = matches!(symbol.st_visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED);
            if visible && !LINKER_MADE.contains(&name.as_str()) {
                if name == NODE_API_VERSION {
                    found.version_function = Some(symbol.st_value(endian).into());
                }
                found.exports.push(name);
            }
        }
    }
    Ok(found)
}

/// How many dynamic symbols there are.
///
/// The dynamic table does not say. The hash tables do, but a GNU one that exports nothing does not count the imports;
/// then the section header is asked, and where that was stripped, the address of the table behind them.
fn count<Elf>(image: &Image<'_, Elf>, address: u64) -> Result<usize, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Image { header, endian, .. } = image;
    if let Some(hash) = image.value(elf::DT_HASH) {
        // On s390x and alpha the table has entries of 64 bits, which `object` does not read here.
        if header.e_machine(*endian) != elf::EM_S390 {
            let data = image.at(hash).ok_or("its hash table is in no segment")?;
            let table = HashTable::<Elf>::parse(*endian, data).map_err(|_| "its hash table is damaged")?;
            return Ok(table.symbol_table_length() as usize);
        }
    }
    if let Some(hash) = image.value(elf::DT_GNU_HASH) {
        let data = image.at(hash).ok_or("its hash table is in no segment")?;
        let table = GnuHashTable::<Elf>::parse(*endian, data).map_err(|_| "its hash table is damaged")?;
        if let Some(length) = table.symbol_table_length(*endian) {
            return Ok(length as usize);
        }
    }
    let size = size_of::<Elf::Sym>() as u64;
    let sections = header.section_headers(*endian, image.content).unwrap_or_default();
    let section = sections.iter().find(|section| {
        section.sh_type(*endian) == elf::SHT_DYNSYM && section.sh_addr(*endian).into() == address
    });
    let bytes = section.map(|section| section.sh_size(*endian).into()).or_else(|| {
        let next =
            BEHIND_SYMBOLS.iter().filter_map(|tag| image.value(*tag)).filter(|next| *next > address).min();
        next.map(|next| next - address)
    });
    let bytes = bytes.ok_or("it does not say how many dynamic symbols it has")?;
    usize::try_from(bytes / size).map_err(|_| "its dynamic symbol table is larger than memory".to_owned())
}
