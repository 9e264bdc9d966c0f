//! Reads an ELF file as the dynamic loader does: from the program headers and the dynamic table.
//!
//! Section headers may be stripped, and may contradict the loaded parts. The reader uses the headers only for debug
//! information (`sections`), and for the number of dynamic symbols if no other table gives the number (`symbols`).
//!
//! Invariant: every offset and count in the file is hostile. Reads go through `object`'s checked slices, and work that could
//! exceed the file's size counts against a limit.

mod declared;
mod end;
mod image;
mod libc;
mod registration;
mod relocations;
mod sections;
mod segments;
mod symbols;
mod versions;

use object::elf::{self, Machine};
use object::endian::Endianness;
use object::read::elf::FileHeader;

use crate::facts::{Details, ElfFacts, Facts};
use crate::limits::MAX_NEEDED;
use crate::platform::Cpu;
use crate::registration::REGISTER;
pub(crate) use end::end;
use image::Image;
use segments::Segments;
use symbols::SymbolNames;

/// Reads the facts of an ELF file.
///
/// # Errors
/// The damage, as a clause.
pub(crate) fn read(content: &[u8]) -> Result<Facts, String> {
    match (content.get(4), content.get(5)) {
        (Some(1), Some(1 | 2)) => facts(&Image::<elf::FileHeader32<Endianness>>::parse(content)?),
        (Some(2), Some(1 | 2)) => facts(&Image::<elf::FileHeader64<Endianness>>::parse(content)?),
        (Some(_), Some(_)) => {
            Err("the header has an invalid class (EI_CLASS) or byte order (EI_DATA)".to_owned())
        }
        _ => Err("the file ends within its header".to_owned()),
    }
}

/// The name of the kind of file that a loader opens.
const SHARED_OBJECT: &str = "shared object";

fn facts<Elf>(image: &Image<'_, Elf>) -> Result<Facts, String>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let machine = image.header.e_machine(image.endian);
    let names = image.strings()?;
    let listed = |tag| image.values(tag).map(|value| names.get(value)).collect::<Result<Vec<_>, _>>();
    // Loaders read only one list.
    let paths = |tag| match image.value(tag) {
        Some(list) => Ok(names.get(list)?.split(':').map(str::to_owned).collect()),
        None => Ok::<_, String>(Vec::new()),
    };
    if image.values(elf::DT_NEEDED).count() > MAX_NEEDED {
        return Err(format!("the file needs more than {MAX_NEEDED} libraries"));
    }
    let libraries = listed(elf::DT_NEEDED)?;
    let mut versions = versions::needs(image, &names)?;
    let symbols = symbols::table(image)?;
    let SymbolNames { imports, exports, references, version_function, variable_entry } =
        symbols::names(image, symbols, &names, &mut versions)?;
    let version_needs = versions.into_needs();
    let Segments { loaded, writable_code, relro, executable_stack, tls_size, android } =
        segments::segments(image);
    let kind = kind(image);
    let (flags, flags_1) = (image.flags(elf::DT_FLAGS), image.flags(elf::DT_FLAGS_1));
    let details = ElfFacts {
        libc: libc::libc(&libraries, &version_needs, android),
        soname: listed(elf::DT_SONAME)?.into_iter().next(),
        rpath: paths(elf::DT_RPATH)?,
        runpath: paths(elf::DT_RUNPATH)?,
        version_needs,
        versions: versions::definitions(image, &names)?,
        references,
        symbolic: image.value(elf::DT_SYMBOLIC).is_some() || flags & elf::DF_SYMBOLIC.0 != 0,
        noopen: flags_1 & elf::DF_1_NOOPEN.0 != 0,
        nodelete: flags_1 & elf::DF_1_NODELETE.0 != 0,
        static_tls: relocations::static_tls(image, symbols, &names, tls_size)?,
        relro,
        bind_now: image.value(elf::DT_BIND_NOW).is_some()
            || flags & elf::DF_BIND_NOW.0 != 0
            || flags_1 & elf::DF_1_NOW.0 != 0,
        text_relocations: image.value(elf::DT_TEXTREL).is_some() || flags & elf::DF_TEXTREL.0 != 0,
        executable_stack,
        node_api: version_function.and_then(|address| declared::returned(machine, image.at(address)?)),
        variable_entry,
        os_abi: image.header.e_ident().os_abi.0,
        abi_version: image.header.e_ident().abi_version,
        other_version: Some(image.header.e_version(image.endian)).filter(|version| *version != 1),
    };
    let constructors = image.flags(elf::DT_INIT) != 0 || image.flags(elf::DT_INIT_ARRAYSZ) != 0;
    let registers = constructors && imports.iter().any(|name| name == REGISTER);
    Ok(Facts {
        bits: if image.header.is_type_64() { 64 } else { 32 },
        little_endian: image.header.is_little_endian(),
        machine: format!("machine {} ({})", machine.0, machine_name(machine)),
        cpu: cpu(image),
        kind,
        loadable: kind == SHARED_OBJECT,
        libraries,
        imports,
        exports,
        constructors,
        registration: registers.then(|| registration::registration(image)).flatten(),
        segments: loaded,
        writable_code,
        leftovers: sections::leftovers(image),
        paths: crate::build_paths::find(image.content),
        size: image.content.len() as u64,
        details: Details::Elf(details),
    })
}

/// Returns the kind of file. A position-independent executable looks like a shared object, but no loader opens it as a
/// library.
fn kind<Elf>(image: &Image<'_, Elf>) -> &'static str
where
    Elf: FileHeader<Endian = Endianness>,
{
    let executable = image.flags(elf::DT_FLAGS_1) & elf::DF_1_PIE.0 != 0;
    match image.header.e_type(image.endian) {
        elf::ET_DYN if executable => "position-independent executable",
        elf::ET_DYN if image.dynamic.is_empty() => "file without a dynamic table",
        elf::ET_DYN => SHARED_OBJECT,
        elf::ET_EXEC => "executable",
        elf::ET_REL => "object file",
        elf::ET_CORE => "core dump",
        _ => "file of unknown type",
    }
}

fn cpu<Elf>(image: &Image<'_, Elf>) -> Option<Cpu>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = image.header;
    match (header.e_machine(image.endian), header.is_type_64(), header.is_little_endian()) {
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
