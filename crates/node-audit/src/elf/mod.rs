//! Reads an ELF file as the dynamic loader does: from the program headers and the dynamic table alone.
//!
//! Section headers are no help to a loader, may be stripped, and may say something else than what is loaded. The one
//! exception is the number of dynamic symbols, see [`Image::symbol_count`].
//!
//! Invariant: every offset and count comes from the file and may be anything; reads go through `object`'s checked
//! slices, and what could be made to cost more than the file's size is counted against a limit.

mod versions;

use object::elf::{self, Machine};
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{Dyn, FileHeader, GnuHashTable, HashTable, ProgramHeader, SectionHeader, Sym};

use crate::facts::{Details, ElfFacts, Facts, VersionNeed};
use crate::platform::{Cpu, Libc};
use crate::strings::Strings;

/// Defined in every shared object by some linkers; no one binds to them.
const LINKER_MADE: [&str; 8] =
    ["_init", "_fini", "_edata", "_end", "__bss_start", "__bss_start__", "__bss_end__", "__end__"];

/// More libraries than this are no addon's.
const MOST_NEEDED: usize = 4096;

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

/// Reads everything that the rules ask for.
///
/// The error says what does not fit, in words that follow "is a damaged ELF file:".
pub(crate) fn read(content: &[u8]) -> Result<Facts, String> {
    match (content.get(4), content.get(5)) {
        (Some(1), Some(1 | 2)) => Image::<elf::FileHeader32<Endianness>>::parse(content)?.facts(),
        (Some(2), Some(1 | 2)) => Image::<elf::FileHeader64<Endianness>>::parse(content)?.facts(),
        (Some(_), Some(_)) => Err("its header names neither 32 nor 64 bit, or no byte order".to_owned()),
        _ => Err("it ends within its header".to_owned()),
    }
}

/// What Node can open as an addon.
const SHARED_OBJECT: &str = "shared object";

/// The dynamic symbols' names.
#[derive(Default)]
struct Symbols {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// A file with its program headers and its dynamic table.
struct Image<'data, Elf: FileHeader<Endian = Endianness>> {
    content: &'data [u8],
    header: &'data Elf,
    endian: Endianness,
    segments: &'data [Elf::ProgramHeader],
    /// Tag and value, up to DT_NULL.
    dynamic: Vec<(elf::DynamicTag, u64)>,
}

impl<'data, Elf: FileHeader<Endian = Endianness>> Image<'data, Elf> {
    fn parse(content: &'data [u8]) -> Result<Self, String> {
        let header = Elf::parse(content).map_err(|_| "it ends within its header")?;
        let endian = header.endian().map_err(|_| "its header names no byte order")?;
        let segments = header
            .program_headers(endian, content)
            .map_err(|_| "its program headers are damaged or outside the file; it may have been cut short")?;
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
        let mut dynamic = Vec::new();
        // Loaders take the last one, should there be several.
        if let Some(segment) = segments.iter().rfind(|segment| segment.p_type(endian) == elf::PT_DYNAMIC) {
            let table =
                segment.dynamic(endian, content).map_err(|_| "its dynamic table is outside the file")?;
            let entries = table.into_iter().flatten().map(|entry| (entry.tag(endian), entry.val(endian)));
            dynamic.extend(entries.take_while(|(tag, _)| *tag != elf::DT_NULL));
        }
        Ok(Image { content, header, endian, segments, dynamic })
    }

    fn facts(&self) -> Result<Facts, String> {
        let machine = self.header.e_machine(self.endian);
        let names = self.strings()?;
        let listed = |tag| self.values(tag).map(|value| names.get(value)).collect::<Result<Vec<_>, _>>();
        // Loaders look at one list.
        let paths = |tag| match self.value(tag) {
            Some(list) => Ok(names.get(list)?.split(':').map(str::to_owned).collect()),
            None => Ok::<_, String>(Vec::new()),
        };
        if self.values(elf::DT_NEEDED).count() > MOST_NEEDED {
            return Err(format!("it needs more than {MOST_NEEDED} libraries"));
        }
        let libraries = listed(elf::DT_NEEDED)?;
        let mut versions = versions::needs(self, &names)?;
        let Symbols { imports, exports } = self.symbols(&names, &mut versions)?;
        let version_needs = versions.into_needs();
        let kind = self.kind();
        let details = ElfFacts {
            libc: libc(&libraries, &version_needs),
            soname: listed(elf::DT_SONAME)?.into_iter().next(),
            rpath: paths(elf::DT_RPATH)?,
            runpath: paths(elf::DT_RUNPATH)?,
            version_needs,
            symbolic: self.value(elf::DT_SYMBOLIC).is_some()
                || self.flags(elf::DT_FLAGS) & elf::DF_SYMBOLIC.0 != 0,
            ..ElfFacts::default()
        };
        Ok(Facts {
            bits: if self.header.is_type_64() { 64 } else { 32 },
            little_endian: self.header.is_little_endian(),
            machine: format!("machine {} ({})", machine.0, machine_name(machine)),
            cpu: cpu(machine, self.header.is_type_64(), self.header.is_little_endian()),
            kind,
            loadable: kind == SHARED_OBJECT,
            libraries,
            imports,
            exports,
            constructors: self.flags(elf::DT_INIT) != 0 || self.flags(elf::DT_INIT_ARRAYSZ) != 0,
            writable_code: Vec::new(),
            leftovers: Vec::new(),
            paths: Vec::new(),
            size: self.content.len() as u64,
            details: Details::Elf(details),
        })
    }

    /// A position-independent executable is a shared object in form, but no loader opens it as one.
    fn kind(&self) -> &'static str {
        let executable = self.flags(elf::DT_FLAGS_1) & elf::DF_1_PIE.0 != 0;
        match self.header.e_type(self.endian) {
            elf::ET_DYN if executable => "position-independent executable",
            elf::ET_DYN if self.dynamic.is_empty() => "file without a dynamic table",
            elf::ET_DYN => SHARED_OBJECT,
            elf::ET_EXEC => "executable",
            elf::ET_REL => "object file",
            elf::ET_CORE => "core dump",
            _ => "file of unknown type",
        }
    }

    /// Sorts the dynamic symbols into imports and exports, and the imports to the versions that they need.
    fn symbols(&self, names: &Strings<'_>, versions: &mut versions::Needs) -> Result<Symbols, String> {
        let mut found = Symbols::default();
        let Some(address) = self.value(elf::DT_SYMTAB) else { return Ok(found) };
        let count = self.symbol_count(address)?;
        let data = self.at(address).ok_or("its dynamic symbol table is in no segment")?;
        let symbols: &[Elf::Sym] = data
            .read_slice_at(0, count)
            .map_err(|()| format!("its dynamic symbol table, of {count} symbols, runs past its segment"))?;
        let indices = self.value(elf::DT_VERSYM).map(|address| self.at(address).unwrap_or_default());
        // The first symbol is the null symbol.
        for (index, symbol) in symbols.iter().enumerate().skip(1) {
            let global = symbol.st_bind() != elf::STB_LOCAL;
            let named = !matches!(symbol.st_type(), elf::STT_SECTION | elf::STT_FILE);
            if !global || !named {
                continue;
            }
            let name = names.get(u64::from(symbol.st_name(self.endian)))?;
            if symbol.st_shndx(self.endian) == elf::SHN_UNDEF {
                if let Some(indices) = indices {
                    let entry: &elf::Versym<Endianness> = indices
                        .read_at(index as u64 * 2)
                        .map_err(|()| "its table of symbol versions is shorter than its symbol table")?;
                    versions.bind(entry.0.get(self.endian), &name);
                }
                found.imports.push(name);
            } else {
                let visible = matches!(symbol.st_visibility(), elf::STV_DEFAULT | elf::STV_PROTECTED);
                if visible && !LINKER_MADE.contains(&name.as_str()) {
                    found.exports.push(name);
                }
            }
        }
        Ok(found)
    }

    /// How many dynamic symbols there are.
    ///
    /// The dynamic table does not say. The hash tables do, but a GNU one that exports nothing does not count the
    /// imports; then the section header is asked, and where that was stripped, the address of the table behind them.
    fn symbol_count(&self, address: u64) -> Result<usize, String> {
        if let Some(hash) = self.value(elf::DT_HASH) {
            // On s390x and alpha the table has entries of 64 bits, which `object` does not read here.
            if self.header.e_machine(self.endian) != elf::EM_S390 {
                let data = self.at(hash).ok_or("its hash table is in no segment")?;
                let table =
                    HashTable::<Elf>::parse(self.endian, data).map_err(|_| "its hash table is damaged")?;
                return Ok(table.symbol_table_length() as usize);
            }
        }
        if let Some(hash) = self.value(elf::DT_GNU_HASH) {
            let data = self.at(hash).ok_or("its hash table is in no segment")?;
            let table =
                GnuHashTable::<Elf>::parse(self.endian, data).map_err(|_| "its hash table is damaged")?;
            if let Some(length) = table.symbol_table_length(self.endian) {
                return Ok(length as usize);
            }
        }
        let size = size_of::<Elf::Sym>() as u64;
        let sections = self.header.section_headers(self.endian, self.content).unwrap_or_default();
        let section = sections.iter().find(|section| {
            section.sh_type(self.endian) == elf::SHT_DYNSYM && section.sh_addr(self.endian).into() == address
        });
        let bytes = section.map(|section| section.sh_size(self.endian).into()).or_else(|| {
            let next =
                BEHIND_SYMBOLS.iter().filter_map(|tag| self.value(*tag)).filter(|next| *next > address).min();
            next.map(|next| next - address)
        });
        let bytes = bytes.ok_or("it does not say how many dynamic symbols it has")?;
        usize::try_from(bytes / size).map_err(|_| "its dynamic symbol table is larger than memory".to_owned())
    }

    fn strings(&self) -> Result<Strings<'data>, String> {
        let Some(address) = self.value(elf::DT_STRTAB) else { return Ok(Strings::default()) };
        let data = self.at(address).ok_or("its dynamic string table is in no segment")?;
        let size = self.value(elf::DT_STRSZ).ok_or("its dynamic string table has no size")?;
        let size = usize::try_from(size).ok().filter(|size| *size <= data.len());
        let size = size.ok_or("its dynamic string table runs past its segment")?;
        Ok(Strings::new(&data[..size]))
    }

    /// The content from an address to the end of its segment's part of the file.
    fn at(&self, address: u64) -> Option<&'data [u8]> {
        self.segments.iter().filter(|segment| segment.p_type(self.endian) == elf::PT_LOAD).find_map(
            |segment| {
                let skip = usize::try_from(address.checked_sub(segment.p_vaddr(self.endian).into())?).ok()?;
                segment.data(self.endian, self.content).ok()?.get(skip..)
            },
        )
    }

    fn values(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        self.dynamic.iter().filter(move |entry| entry.0 == tag).map(|entry| entry.1)
    }

    fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.values(tag).next()
    }

    fn flags(&self, tag: elf::DynamicTag) -> u64 {
        self.value(tag).unwrap_or(0)
    }
}

fn cpu(machine: Machine, is_64: bool, little: bool) -> Option<Cpu> {
    match (machine, is_64, little) {
        (elf::EM_X86_64, true, true) => Some(Cpu::X64),
        (elf::EM_AARCH64, true, true) => Some(Cpu::Arm64),
        (elf::EM_ARM, false, true) => Some(Cpu::Arm),
        (elf::EM_386, false, true) => Some(Cpu::Ia32),
        (elf::EM_LOONGARCH, true, true) => Some(Cpu::Loong64),
        (elf::EM_PPC64, true, _) => Some(Cpu::Ppc64),
        (elf::EM_RISCV, true, true) => Some(Cpu::Riscv64),
        (elf::EM_S390, true, false) => Some(Cpu::S390x),
        _ => None,
    }
}

fn machine_name(machine: Machine) -> &'static str {
    match machine {
        elf::EM_X86_64 => "x86-64",
        elf::EM_AARCH64 => "AArch64",
        elf::EM_ARM => "ARM",
        elf::EM_386 => "i386",
        elf::EM_LOONGARCH => "LoongArch",
        elf::EM_PPC64 => "PowerPC64",
        elf::EM_RISCV => "RISC-V",
        elf::EM_S390 => "S/390",
        elf::EM_MIPS => "MIPS",
        _ => "unknown",
    }
}

fn libc(libraries: &[String], version_needs: &[VersionNeed]) -> Option<Libc> {
    let needs = |name: fn(&str) -> bool| libraries.iter().any(|library| name(library));
    // On arm and arm64 libgcc_s has a version GLIBC_2.0 of its own, on musl as well.
    let glibc = |need: &VersionNeed| need.version.starts_with("GLIBC_") && need.library != "libgcc_s.so.1";
    if needs(|library| library == "libc.so.6") || version_needs.iter().any(glibc) {
        Some(Libc::Glibc)
    } else if needs(|library| library == "libc.so" || library.starts_with("libc.musl-")) {
        Some(Libc::Musl)
    } else {
        None
    }
}
