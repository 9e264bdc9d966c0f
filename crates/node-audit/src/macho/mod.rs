//! Reads a Mach-O file as the loader of macOS does: from the load commands, for each processor of the file.
//!
//! Invariant: every offset and count in the file is hostile. Reads go through `object`'s checked slices, and work that could
//! exceed the file's size counts against a limit.

mod bindings;
mod commands;
mod end;
mod exports;
mod fat;
mod registration;
mod signature;
mod symbols;

use object::endian::Endianness;
use object::macho::{self, CpuSubtype, CpuType};
use object::read::macho::MachHeader;

use crate::facts::{Details, Facts, Leftover, LoadedSegment, MachOFacts, Signature};
use crate::limits::MAX_SEGMENTS;
use crate::platform::Cpu;
use crate::registration::REGISTER;
pub(crate) use end::end;

/// Names that linkers define for the header itself, and that no reference binds to.
const LINKER_MADE: [&str; 4] =
    ["_mh_bundle_header", "_mh_dylib_header", "_mh_execute_header", "__dso_handle"];

/// Reads the facts of a Mach-O file, for each processor.
///
/// # Errors
/// The damage, as a clause.
pub(crate) fn read(content: &[u8]) -> Result<Vec<Facts>, String> {
    let Some(parts) = fat::parts(content)? else {
        return Ok(vec![thin(content, None)?]);
    };
    let facts = parts.iter().enumerate().map(|(index, part)| {
        thin(part.content, Some(part.cpu)).map_err(|damage| format!("part {index}: {damage}"))
    });
    facts.collect()
}

/// Reads the file for one processor; `promised` is the processor that the table of parts names.
fn thin(content: &[u8], promised: Option<CpuType>) -> Result<Facts, String> {
    match content.first_chunk().map(|magic| u32::from_be_bytes(*magic)) {
        Some(macho::MH_MAGIC | macho::MH_CIGAM) => {
            facts::<macho::MachHeader32<Endianness>>(content, promised)
        }
        Some(macho::MH_MAGIC_64 | macho::MH_CIGAM_64) => {
            facts::<macho::MachHeader64<Endianness>>(content, promised)
        }
        Some(macho::FAT_MAGIC | macho::FAT_MAGIC_64) => Err("the part is another fat file".to_owned()),
        _ => Err("the part is not a Mach-O file".to_owned()),
    }
}

fn facts<Mach>(content: &[u8], promised: Option<CpuType>) -> Result<Facts, String>
where
    Mach: MachHeader<Endian = Endianness>,
{
    let header = Mach::parse(content, 0).map_err(|_| "the file ends within its header")?;
    let endian = header.endian().map_err(|_| "the header has an invalid byte order")?;
    let machine = header.cputype(endian);
    if let Some(promised) = promised.filter(|promised| *promised != machine) {
        return Err(format!(
            "the table of parts names machine {promised}, but the file is for machine {machine}"
        ));
    }
    let commands = commands::commands(header, endian, content)?;
    let symbols = match commands.symbols {
        Some(command) => symbols::symbols::<Mach>(endian, content, command)?,
        None => symbols::Symbols::default(),
    };
    // If the file has a trie, the loader reads nothing else.
    let mut exports = match commands.exports {
        Some(trie) => exports::names(trie)?,
        None => symbols.exports,
    };
    exports.retain(|name| !LINKER_MADE.contains(&name.as_str()));
    let mut leftovers = symbols.leftovers;
    if commands.debug_bytes > 0 {
        leftovers.push(Leftover { name: "__DWARF".to_owned(), bytes: commands.debug_bytes });
    }
    let registers = commands.constructors && symbols.imports.iter().any(|name| name == REGISTER);
    let registration =
        || registration::registration(&commands.segments, endian, if header.is_type_64() { 8 } else { 4 });
    let registration = if registers { registration() } else { None };
    // A segment without content has no place in the file.
    let mapped = commands.segments.iter().filter(|segment| !segment.content.is_empty());
    let segments = mapped.take(MAX_SEGMENTS).map(|segment| LoadedSegment {
        name: segment.name.clone(),
        address: segment.address,
        offset: segment.offset,
        align: None,
    });
    let flags = header.flags(endian);
    let library = |number: usize| Some(commands.dylibs.get(number.checked_sub(1)?)?.path.as_str());
    let bindings = bindings::bindings(commands.binds, endian, library);
    let (kind, loadable) = kind(header.filetype(endian));
    let subtype = header.cpusubtype(endian);
    Ok(Facts {
        bits: if header.is_type_64() { 64 } else { 32 },
        little_endian: header.is_little_endian(),
        machine: format!("machine {machine} ({})", machine_name(machine, subtype)),
        cpu: cpu(machine, subtype),
        kind,
        loadable,
        libraries: commands.dylibs.iter().map(|dylib| dylib.path.clone()).collect(),
        imports: symbols.imports,
        exports,
        constructors: commands.constructors,
        registration,
        segments: segments.collect(),
        writable_code: commands.writable_code,
        leftovers,
        paths: crate::build_paths::find(content),
        size: content.len() as u64,
        details: Details::MachO(MachOFacts {
            install_name: commands.install_name,
            dylibs: commands.dylibs,
            rpaths: commands.rpaths,
            platform: commands.platform,
            min_os: commands.min_os,
            bindings,
            two_level: flags.contains(macho::MH_TWOLEVEL),
            executable_stack: flags.contains(macho::MH_ALLOW_STACK_EXECUTION),
            signature: match commands.signature {
                Some((start, signature)) => signature::check(content, start, signature),
                None => Signature::None,
            },
        }),
    })
}

/// Returns the kind of file, and whether `dlopen` accepts it.
fn kind(kind: macho::FileType) -> (&'static str, bool) {
    match kind {
        macho::MH_BUNDLE => ("bundle", true),
        macho::MH_DYLIB => ("dynamic library", true),
        macho::MH_EXECUTE => ("executable", false),
        macho::MH_OBJECT => ("object file", false),
        macho::MH_CORE => ("core dump", false),
        macho::MH_DYLINKER => ("dynamic linker", false),
        macho::MH_DYLIB_STUB => ("stub of a dynamic library", false),
        macho::MH_DSYM => ("file of debug information", false),
        macho::MH_KEXT_BUNDLE => ("kernel extension", false),
        _ => ("file of unknown type", false),
    }
}

/// Ignores the bits of the subtype that hold flags and the version of pointer authentication.
fn is_arm64e(subtype: CpuSubtype) -> bool {
    subtype.0 & 0x00ff_ffff == macho::CPU_SUBTYPE_ARM64E.0
}

fn cpu(machine: CpuType, subtype: CpuSubtype) -> Option<Cpu> {
    match machine {
        macho::CPU_TYPE_X86_64 => Some(Cpu::X64),
        // Only Apple's own programs load arm64e.
        macho::CPU_TYPE_ARM64 if !is_arm64e(subtype) => Some(Cpu::Arm64),
        macho::CPU_TYPE_X86 => Some(Cpu::Ia32),
        macho::CPU_TYPE_ARM => Some(Cpu::Arm),
        macho::CPU_TYPE_POWERPC64 => Some(Cpu::Ppc64),
        _ => None,
    }
}

fn machine_name(machine: CpuType, subtype: CpuSubtype) -> &'static str {
    match machine {
        macho::CPU_TYPE_X86_64 => "x86-64",
        macho::CPU_TYPE_ARM64 if is_arm64e(subtype) => "arm64e",
        macho::CPU_TYPE_ARM64 => "arm64",
        macho::CPU_TYPE_X86 => "i386",
        macho::CPU_TYPE_ARM => "ARM",
        macho::CPU_TYPE_ARM64_32 => "arm64_32",
        macho::CPU_TYPE_POWERPC => "PowerPC",
        macho::CPU_TYPE_POWERPC64 => "PowerPC64",
        _ => "unknown",
    }
}
