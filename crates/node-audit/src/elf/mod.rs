//! Reads an ELF file as the dynamic loader does: from the program headers and the dynamic table alone.
//!
//! Section headers are no help to a loader, may be stripped, and may say something else than what is loaded. They are
//! asked for what no loader reads (`sections`), and at times for the number of dynamic symbols (`symbols`).
//!
//! Invariant: every offset and count comes from the file and may be anything; reads go through `object`'s checked
//! slices, and what could be made to cost more than the file's size is counted against a limit.

mod declared;
mod libc;
mod relocations;
mod sections;
mod segments;
mod symbols;
mod versions;

use object::elf::{self, Machine};
use object::endian::Endianness;
use object::read::ReadRef;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::facts::{Details, ElfFacts, Facts};
use crate::platform::Cpu;
use crate::strings::Strings;
use segments::Segments;
use symbols::Names;

/// More libraries than this are no addon's. Each is looked for in each directory of a RUNPATH.
const MOST_NEEDED: usize = 512;

/// More entries of a dynamic table than this are no addon's; linkers write some thirty, and one for each library.
const MOST_DYNAMIC: usize = 4096;

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
        sections::within(header, endian, content)?;
        let mut dynamic = Vec::new();
        // Loaders take the last one, should there be several.
        if let Some(segment) = segments.iter().rfind(|segment| segment.p_type(endian) == elf::PT_DYNAMIC) {
            let table = segment
                .dynamic(endian, content)
                .map_err(|_| "its dynamic table is outside the file; it may have been cut short")?;
            let entries = table.into_iter().flatten().map(|entry| (entry.tag(endian), entry.val(endian)));
            dynamic.extend(entries.take_while(|(tag, _)| *tag != elf::DT_NULL).take(MOST_DYNAMIC + 1));
            if dynamic.len() > MOST_DYNAMIC {
                return Err(format!("its dynamic table has more than {MOST_DYNAMIC} entries"));
            }
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
        let symbols = symbols::table(self)?;
        let Names { imports, exports, version_function } =
            symbols::names(self, symbols, &names, &mut versions)?;
        let version_needs = versions.into_needs();
        let Segments { writable_code, relro, executable_stack, tls_size, android } = segments::segments(self);
        let kind = self.kind();
        let (flags, flags_1) = (self.flags(elf::DT_FLAGS), self.flags(elf::DT_FLAGS_1));
        let details = ElfFacts {
            libc: libc::libc(&libraries, &version_needs, android),
            soname: listed(elf::DT_SONAME)?.into_iter().next(),
            rpath: paths(elf::DT_RPATH)?,
            runpath: paths(elf::DT_RUNPATH)?,
            version_needs,
            symbolic: self.value(elf::DT_SYMBOLIC).is_some() || flags & elf::DF_SYMBOLIC.0 != 0,
            nodelete: flags_1 & elf::DF_1_NODELETE.0 != 0,
            static_tls: relocations::static_tls(self, symbols, &names, tls_size)?,
            relro,
            bind_now: self.value(elf::DT_BIND_NOW).is_some()
                || flags & elf::DF_BIND_NOW.0 != 0
                || flags_1 & elf::DF_1_NOW.0 != 0,
            text_relocations: self.value(elf::DT_TEXTREL).is_some() || flags & elf::DF_TEXTREL.0 != 0,
            executable_stack,
            node_api: version_function.and_then(|address| declared::returned(machine, self.at(address)?)),
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
            writable_code,
            leftovers: sections::leftovers(self),
            paths: crate::paths::find(self.content),
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
                // Past the end of one segment the next one may begin.
                segment.data(self.endian, self.content).ok()?.get(skip..).filter(|data| !data.is_empty())
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
