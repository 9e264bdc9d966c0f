//! The dynamic symbols.

use object::elf;
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{FileHeader, GnuHashTable, HashTable, ProgramHeader, SectionHeader, Sym};

use super::image::Image;
use super::relocations::{self, Reference};
use super::versions::Needs;
use crate::facts::References;
use crate::node_abi::ENTRY_PREFIX;
use crate::node_api::{DECLARED_VERSION, ENTRY};
use crate::strings::Strings;

/// Names that some linkers define in every shared object, and that no reference binds to.
const LINKER_MADE: [&str; 8] =
    ["_init", "_fini", "_edata", "_end", "__bss_start", "__bss_start__", "__bss_end__", "__end__"];

/// The tables that a linker may place after the dynamic symbols.
const AFTER_SYMBOLS: [elf::DynamicTag; 7] = [
    elf::DT_STRTAB,
    elf::DT_GNU_HASH,
    elf::DT_VERSYM,
    elf::DT_VERNEED,
    elf::DT_VERDEF,
    elf::DT_REL,
    elf::DT_RELA,
];

/// The names of the dynamic symbols.
#[derive(Default)]
pub(super) struct SymbolNames {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) references: Option<References>,
    /// The address of the function that returns the declared Node-API version.
    pub(super) version_function: Option<u64>,
    /// The exported entry point that is a variable outside of all code.
    pub(super) variable_entry: Option<String>,
}

/// Returns the dynamic symbol table with the null symbol; an empty table if the file lacks one.
pub(super) fn table<'data, Elf>(image: &Image<'data, Elf>) -> Result<&'data [Elf::Sym], String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Some(address) = image.value(elf::DT_SYMTAB) else { return Ok(&[]) };
    let count = count(image, address)?;
    let data = image.at(address).ok_or("the dynamic symbol table is outside all segments")?;
    data.read_slice_at(0, count)
        .map_err(|()| format!("the dynamic symbol table of {count} symbols runs past its segment"))
}

/// Sorts the dynamic symbols into imports and exports, and binds each import to the version that it needs.
pub(super) fn names<Elf>(
    image: &Image<'_, Elf>,
    symbols: &[Elf::Sym],
    names: &Strings<'_>,
    versions: &mut Needs,
) -> Result<SymbolNames, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let mut found = SymbolNames::default();
    let endian = image.endian;
    let indices = image.value(elf::DT_VERSYM).map(|address| image.at(address).unwrap_or_default());
    let kinds = relocations::references(image, symbols.len())?;
    let mut references = References::default();
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
                    .map_err(|()| "the table of symbol versions is shorter than the symbol table")?;
                versions.bind(entry.0.get(endian), &name);
            }
            // A weak import may be absent.
            let is_weak = symbol.st_bind() == elf::STB_WEAK;
            let kind = kinds.as_ref().filter(|_| !is_weak).and_then(|kinds| kinds.get(index));
            match kind.copied().unwrap_or_default() {
                Reference::Data => references.data.push(name.clone()),
                Reference::Address => references.addresses.push(name.clone()),
                Reference::Call => references.calls.push(name.clone()),
                Reference::None => {}
            }
            found.imports.push(name);
        } else {
            let visible = matches!(symbol.st_visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED);
            if visible && !LINKER_MADE.contains(&name.as_str()) {
                if name == DECLARED_VERSION {
                    found.version_function = Some(symbol.st_value(endian).into());
                }
                let is_entry = name == ENTRY || name.starts_with(ENTRY_PREFIX);
                let is_variable = symbol.st_type() == elf::STT_OBJECT;
                if is_entry && is_variable && !is_code(image, symbol.st_value(endian).into()) {
                    found.variable_entry = Some(name.clone());
                }
                found.exports.push(name);
            }
        }
    }
    found.references = kinds.map(|_| references);
    Ok(found)
}

/// Returns whether an address is in an executable segment.
fn is_code<Elf>(image: &Image<'_, Elf>, address: u64) -> bool
where
    Elf: FileHeader<Endian = Endianness>,
{
    let endian = image.endian;
    image.segments.iter().any(|segment| {
        let offset = address.checked_sub(segment.p_vaddr(endian).into());
        segment.p_type(endian) == elf::PT_LOAD
            && segment.p_flags(endian).0 & elf::PF_X.0 != 0
            && offset.is_some_and(|offset| offset < segment.p_memsz(endian).into())
    })
}

/// Returns the number of dynamic symbols.
///
/// The dynamic table does not give the number. The hash tables give the number, but a GNU hash table without exports does
/// not count the imports. In that case the section header gives the number; if the header was stripped, the next table's
/// address bounds the number.
fn count<Elf>(image: &Image<'_, Elf>, address: u64) -> Result<usize, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Image { header, endian, .. } = image;
    if let Some(hash) = image.value(elf::DT_HASH) {
        // On s390x and alpha, the table has 64-bit entries, which `object` does not read here.
        if header.e_machine(*endian) != elf::EM_S390 {
            let data = image.at(hash).ok_or("the hash table is outside all segments")?;
            let table = HashTable::<Elf>::parse(*endian, data).map_err(|_| "the hash table is damaged")?;
            return Ok(table.symbol_table_length() as usize);
        }
    }
    if let Some(hash) = image.value(elf::DT_GNU_HASH) {
        let data = image.at(hash).ok_or("the hash table is outside all segments")?;
        let table = GnuHashTable::<Elf>::parse(*endian, data).map_err(|_| "the hash table is damaged")?;
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
            AFTER_SYMBOLS.iter().filter_map(|tag| image.value(*tag)).filter(|next| *next > address).min();
        next.map(|next| next - address)
    });
    let bytes = bytes.ok_or("the file does not give the number of its dynamic symbols")?;
    usize::try_from(bytes / size).map_err(|_| "the dynamic symbol table is larger than memory".to_owned())
}
