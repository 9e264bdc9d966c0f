//! Reads a PE file as Windows does: headers, sections, and the tables of the data directories.
//!
//! Like Windows, the reader ignores damage in the parts that only debuggers read (COFF symbols, the PDB's path).
//!
//! Invariant: every address and count in the file is hostile. Addresses are looked up in the sections, and work that could
//! exceed the file's size counts against a limit.

mod end;
mod image;
mod imports;
mod registration;

use std::collections::HashSet;

use object::LittleEndian as LE;
use object::pe::{self, ImageDebugDirectory, ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64, Machine};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};

use crate::facts::{Details, DllImports, Facts, Leftover, PeFacts};
use crate::limits::{MAX_DEBUG_ENTRIES, MAX_EXPORTS};
use crate::platform::Cpu;
use crate::registration::REGISTER;
pub(crate) use end::end;
use image::Image;

/// The name of the kind of file that Windows loads into a program.
const DLL: &str = "DLL";

/// The prefixes of the names of debug sections.
const DEBUG_SECTIONS: [&str; 3] = [".debug", ".zdebug", ".stab"];

/// The offset of CHPEMetadataPointer in the load configuration of a 64-bit file.
const HYBRID: u32 = 200;

/// Reads the facts of a PE file.
///
/// # Errors
/// The damage, as a clause.
pub(crate) fn read(content: &[u8]) -> Result<Facts, String> {
    let header = ImageDosHeader::parse(content).map_err(|_| "the file ends within its header")?;
    let start = header.nt_headers_offset() as usize;
    // The optional header, whose first field tells PE32 from PE32+, follows the signature and the file header.
    let magic = start.checked_add(24).and_then(|at| content.get(at..)).and_then(|rest| rest.first_chunk());
    match magic.map(|magic| u16::from_le_bytes(*magic)) {
        Some(pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC) => facts(&Image::<ImageNtHeaders32>::parse(content)?),
        Some(pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC) => facts(&Image::<ImageNtHeaders64>::parse(content)?),
        Some(_) => Err("the optional header is neither PE32 nor PE32+".to_owned()),
        None => Err("the file ends within its header and may have been cut short".to_owned()),
    }
}

fn facts<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Result<Facts, String> {
    let is_64 = image.headers.is_type_64();
    let dlls = imports::read(image)?;
    let kind = kind(image);
    let imports = names(&dlls);
    let constructors = image.headers.optional_header().address_of_entry_point() != 0 || has_callbacks(image);
    let registers = constructors && imports.iter().any(|name| name == REGISTER);
    Ok(Facts {
        bits: if is_64 { 64 } else { 32 },
        little_endian: true,
        machine: format!("machine {:#06x} ({})", machine(image).0, machine_name(image)),
        cpu: cpu(image),
        kind,
        loadable: kind == DLL,
        libraries: libraries(&dlls),
        imports,
        exports: exports(image)?,
        constructors,
        registration: registers.then(|| registration::registration(image)).flatten(),
        segments: Vec::new(),
        writable_code: writable_code(image),
        leftovers: leftovers(image),
        paths: crate::build_paths::find(image.content()),
        size: image.content().len() as u64,
        details: Details::Pe(pe_facts(image, dlls)),
    })
}

fn pe_facts<Pe: ImageNtHeaders>(image: &Image<'_, Pe>, dlls: Vec<DllImports>) -> PeFacts {
    let flags = image.headers.optional_header().dll_characteristics();
    let fixed = image.headers.file_header().characteristics.get(LE).contains(pe::IMAGE_FILE_RELOCS_STRIPPED);
    PeFacts {
        dlls,
        dynamic_base: flags.contains(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE) && !fixed,
        high_entropy: flags.contains(pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA),
        nx_compat: flags.contains(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        guard_cf: flags.contains(pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF),
        pdb: pdb(image),
    }
}

fn kind<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> &'static str {
    let flags = image.headers.file_header().characteristics.get(LE);
    // The linker omits this flag if it left symbols unresolved, and Windows then refuses the file.
    if !flags.contains(pe::IMAGE_FILE_EXECUTABLE_IMAGE) {
        return "incompletely linked file";
    }
    match image.headers.optional_header().subsystem() {
        pe::IMAGE_SUBSYSTEM_EFI_APPLICATION
        | pe::IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER
        | pe::IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER
        | pe::IMAGE_SUBSYSTEM_EFI_ROM => "EFI program",
        _ if flags.contains(pe::IMAGE_FILE_DLL) => DLL,
        pe::IMAGE_SUBSYSTEM_NATIVE => "driver",
        _ => "executable",
    }
}

fn libraries(dlls: &[DllImports]) -> Vec<String> {
    let mut seen = HashSet::new();
    let loaded = dlls.iter().filter(|imports| !imports.delayed);
    // The import libraries of different compilers spell a library's name in different cases.
    let first = loaded.filter(|imports| seen.insert(imports.dll.to_ascii_lowercase()));
    first.map(|imports| imports.dll.clone()).collect()
}

/// Returns the imports of all libraries, except the imports by number.
fn names(dlls: &[DllImports]) -> Vec<String> {
    let mut seen = HashSet::new();
    let symbols = dlls.iter().flat_map(|imports| &imports.symbols);
    symbols.filter(|name| !name.starts_with('#') && seen.insert(name.as_str())).cloned().collect()
}

fn exports<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Result<Vec<String>, String> {
    let Some(directory) = image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_EXPORT) else {
        return Ok(Vec::new());
    };
    let address = directory.virtual_address.get(LE);
    let outside = || format!("the export table at {address:#x} is outside all sections");
    let table: [u8; size_of::<pe::ImageExportDirectory>()] = image.bytes(address).ok_or_else(outside)?;
    let (table, _) = object::pod::from_bytes::<pe::ImageExportDirectory>(&table).map_err(|()| outside())?;
    let (count, list) = (table.number_of_names.get(LE), table.address_of_names.get(LE));
    if count > MAX_EXPORTS {
        return Err(format!("the file exports more than {MAX_EXPORTS} names"));
    }
    let entries = (0..count).map(|index| list.checked_add(index * 4).and_then(|entry| image.word(entry)));
    entries
        .map(|name| {
            image.name(
                name.ok_or_else(|| format!("the list of {count} exported names is outside all sections"))?,
            )
        })
        .collect()
}

/// Returns whether the file has TLS callbacks, which are called before the entry point.
fn has_callbacks<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> bool {
    let directory = image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_TLS);
    let list = directory.and_then(|directory| {
        // The fourth address in the directory points to the list of callbacks; an address of 0 ends the list.
        let field = directory.virtual_address.get(LE).checked_add(3 * image.width())?;
        image.pointer(image.relative(image.pointer(field)?)?)
    });
    list.is_some_and(|first| first != 0)
}

fn writable_code<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Vec<String> {
    let both = image.sections.iter().filter(|section| {
        let flags = section.header.characteristics.get(LE);
        flags.contains(pe::IMAGE_SCN_MEM_WRITE) && flags.contains(pe::IMAGE_SCN_MEM_EXECUTE)
    });
    both.map(|section| section.name.clone()).collect()
}

fn leftovers<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Vec<Leftover> {
    let debug = image
        .sections
        .iter()
        .filter(|section| DEBUG_SECTIONS.iter().any(|start| section.name.starts_with(start)));
    let debug =
        debug.map(|section| Leftover { name: section.name.clone(), bytes: section.raw_length().into() });
    let start = u64::from(image.headers.file_header().pointer_to_symbol_table.get(LE));
    let symbols = image.coff_strings.and_then(|strings| {
        let size = image.content().len() as u64;
        // The string table begins with its own length.
        let length = usize::try_from(strings).ok().and_then(|at| image.content().get(at..)?.first_chunk());
        let length = length.map_or(0, |length| u32::from_le_bytes(*length));
        let end = (strings + u64::from(length)).min(size);
        end.checked_sub(start).filter(|bytes| *bytes > 0)
    });
    debug.chain(symbols.map(|bytes| Leftover { name: "COFF symbols".to_owned(), bytes })).collect()
}

/// Returns the path in the CodeView record. The name of the record's format and the PDB's identity come before the path.
fn pdb<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Option<String> {
    let directory = image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_DEBUG)?;
    let (start, size) = directory.address_range();
    let length = u32::try_from(size_of::<ImageDebugDirectory>()).ok()?;
    (0..(size / length).min(MAX_DEBUG_ENTRIES)).find_map(|index| {
        let entry: [u8; size_of::<ImageDebugDirectory>()] =
            image.bytes(start.checked_add(index * length)?)?;
        let (entry, _) = object::pod::from_bytes::<ImageDebugDirectory>(&entry).ok()?;
        if entry.typ.get(LE) != pe::IMAGE_DEBUG_TYPE_CODEVIEW {
            return None;
        }
        let record = entry.pointer_to_raw_data.get(LE);
        let skip = match image.content().get(record as usize..)?.first_chunk()? {
            b"RSDS" => 24,
            b"NB10" => 16,
            _ => return None,
        };
        image.name_in_file(u64::from(record) + skip)
    })
}

fn machine<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Machine {
    image.headers.file_header().machine.get(LE)
}

/// Returns whether the file has code for two processors, x64 and arm64.
fn is_hybrid<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> bool {
    let directory = image.directories.get(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG);
    let field = directory.and_then(|directory| {
        let start = directory.virtual_address.get(LE);
        // The structure begins with its length, which grew over the years.
        let grown = image.word(start)? >= HYBRID + 8;
        if image.headers.is_type_64() && grown { image.pointer(start.checked_add(HYBRID)?) } else { None }
    });
    field.is_some_and(|metadata| metadata != 0)
}

/// Returns the processor. A hybrid that names x64 (ARM64EC) gets None: no Node build loads it, since it runs only in the
/// emulation of x64 on arm64.
fn cpu<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> Option<Cpu> {
    match (machine(image), image.headers.is_type_64()) {
        (pe::IMAGE_FILE_MACHINE_AMD64, true) if !is_hybrid(image) => Some(Cpu::X64),
        (pe::IMAGE_FILE_MACHINE_ARM64, true) => Some(Cpu::Arm64),
        (pe::IMAGE_FILE_MACHINE_I386, false) => Some(Cpu::Ia32),
        _ => None,
    }
}

fn machine_name<Pe: ImageNtHeaders>(image: &Image<'_, Pe>) -> &'static str {
    let hybrid = is_hybrid(image);
    match machine(image) {
        pe::IMAGE_FILE_MACHINE_AMD64 if hybrid => "ARM64EC",
        pe::IMAGE_FILE_MACHINE_AMD64 => "x64",
        pe::IMAGE_FILE_MACHINE_ARM64 if hybrid => "ARM64X",
        pe::IMAGE_FILE_MACHINE_ARM64 => "ARM64",
        // Only objects have these two machines: a linker writes x64's or arm64's.
        pe::IMAGE_FILE_MACHINE_ARM64EC => "ARM64EC object",
        pe::IMAGE_FILE_MACHINE_ARM64X => "ARM64X object",
        pe::IMAGE_FILE_MACHINE_I386 => "x86",
        pe::IMAGE_FILE_MACHINE_ARM | pe::IMAGE_FILE_MACHINE_ARMNT => "ARM",
        pe::IMAGE_FILE_MACHINE_IA64 => "Itanium",
        pe::IMAGE_FILE_MACHINE_RISCV64 => "RISC-V",
        _ => "unknown",
    }
}
