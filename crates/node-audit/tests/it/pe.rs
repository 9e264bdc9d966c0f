//! The facts of PE files, compared with the output of llvm-readobj.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use node_audit::{Cpu, Facts, Leftover, Policy, Severity, audit_bytes, read_facts};
use object::pe;

use crate::pe_maker::{NAME, PeMaker};

#[test]
fn a_clean_addon_has_no_finding() {
    for (object, name) in [
        (PeMaker::addon(), NAME),
        (PeMaker::ia32(), "addon.win32-ia32-msvc.node"),
        (
            PeMaker { machine: pe::IMAGE_FILE_MACHINE_ARM64, ..PeMaker::addon() },
            "addon.win32-arm64-msvc.node",
        ),
    ] {
        let report = audit_bytes(Path::new(name), &object.make(), &Policy::default()).unwrap();
        assert_eq!(report.findings, []);
    }
}

#[test]
fn imports_and_exports_are_read_by_library() {
    for object in [PeMaker::addon(), PeMaker::ia32()] {
        let facts = object.facts();
        assert_eq!((facts.kind, facts.loadable, facts.constructors), ("DLL", true, true));
        assert_eq!(facts.libraries, ["KERNEL32.dll", "WS2_32.dll"]);
        let names = ["GetProcAddress", "LoadLibraryExA", "WSASend", "napi_create_function"];
        assert_eq!(facts.imports, names);
        assert_eq!(facts.exports, ["napi_register_module_v1"]);
        let dlls = &facts.pe().unwrap().dlls;
        assert_eq!(dlls[1].symbols, ["#115", "WSASend"]);
        assert_eq!((dlls[2].dll.as_str(), dlls[2].delayed), ("node.exe", true));
        assert_eq!((facts.leftovers, facts.writable_code), (vec![], vec![]));
    }
    let twice = vec![("kernel32.dll", vec!["Sleep"]), ("KERNEL32.dll", vec!["Sleep", "ExitThread"])];
    let facts = PeMaker { imports: twice, ..PeMaker::addon() }.facts();
    assert_eq!(facts.libraries, ["kernel32.dll"]);
    assert_eq!(facts.imports, ["Sleep", "ExitThread", "napi_create_function"]);
    assert_eq!(facts.pe().unwrap().dlls.len(), 3);
}

#[test]
fn machines_are_read_as_nodes_processors() {
    let read = |machine, is_64, hybrid| {
        let facts = PeMaker { machine, is_64, hybrid, ..PeMaker::addon() }.facts();
        (facts.cpu, facts.bits, facts.machine)
    };
    let expected = |cpu, bits, machine: &str| (cpu, bits, machine.to_owned());
    let (x64, arm64) = (pe::IMAGE_FILE_MACHINE_AMD64, pe::IMAGE_FILE_MACHINE_ARM64);
    assert_eq!(read(x64, true, false), expected(Some(Cpu::X64), 64, "machine 0x8664 (x64)"));
    assert_eq!(read(arm64, true, false), expected(Some(Cpu::Arm64), 64, "machine 0xaa64 (ARM64)"));
    let x86 = pe::IMAGE_FILE_MACHINE_I386;
    assert_eq!(read(x86, false, false), expected(Some(Cpu::Ia32), 32, "machine 0x014c (x86)"));
    // Node can load neither an x64 file with 32-bit headers nor an ARM64EC file.
    assert_eq!(read(x64, false, false).0, None);
    assert_eq!(read(x64, true, true), expected(None, 64, "machine 0x8664 (ARM64EC)"));
    assert_eq!(read(arm64, true, true), expected(Some(Cpu::Arm64), 64, "machine 0xaa64 (ARM64X)"));
}

#[test]
fn only_a_dll_can_be_loaded() {
    let program = PeMaker { kind: pe::IMAGE_FILE_EXECUTABLE_IMAGE, ..PeMaker::addon() };
    let driver = PeMaker { subsystem: pe::IMAGE_SUBSYSTEM_NATIVE, ..program.clone() };
    let unlinked = PeMaker { kind: pe::IMAGE_FILE_DLL, ..PeMaker::addon() };
    let efi = PeMaker { subsystem: pe::IMAGE_SUBSYSTEM_EFI_APPLICATION, ..program.clone() };
    for (object, kind) in [
        (program, "executable"),
        (driver, "driver"),
        (unlinked, "incompletely linked file"),
        (efi, "EFI program"),
    ] {
        let facts = object.facts();
        assert_eq!((facts.kind, facts.loadable), (kind, false));
        assert_eq!(object.findings(NAME, "arch")[0].severity, Severity::Error);
    }
}

#[test]
fn each_flag_is_read() {
    let with = |flags| PeMaker { flags, ..PeMaker::addon() }.pe_facts();
    let read = |flags| {
        let facts = with(flags);
        [facts.dynamic_base, facts.high_entropy, facts.nx_compat, facts.guard_cf]
    };
    assert_eq!(read(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE), [true, false, false, false]);
    assert_eq!(read(pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA), [false, true, false, false]);
    assert_eq!(read(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT), [false, false, true, false]);
    assert_eq!(read(pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF), [false, false, false, true]);
    let kind = PeMaker::addon().kind | pe::IMAGE_FILE_RELOCS_STRIPPED;
    assert!(!PeMaker { kind, ..PeMaker::addon() }.pe_facts().dynamic_base);
}

#[test]
fn an_entry_point_or_a_callback_counts_as_a_constructor() {
    for is_64 in [true, false] {
        let runs =
            |entry, callback| PeMaker { is_64, entry, callback, ..PeMaker::addon() }.facts().constructors;
        assert_eq!([runs(true, false), runs(false, true), runs(false, false)], [true, true, false]);
    }
}

#[test]
fn v8_addons_and_node_api_addons_differ() {
    let registers = |names: &[&'static str]| PeMaker {
        delayed: vec![("node.exe", names.to_vec())],
        exports: vec!["_register_bufferutil_"],
        ..PeMaker::addon()
    };
    assert_eq!(registers(&["napi_module_register"]).findings(NAME, "napi-entry"), []);
    let v8 = registers(&["node_module_register", "?GetCurrent@Isolate@v8@@SAPEAV12@XZ"]);
    let found = v8.findings(NAME, "napi-entry");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    // NODE_MODULE exports the pointer to the constructor, so `symbols` ignores the name.
    assert_eq!(v8.findings(NAME, "symbols"), []);

    for name in
        ["?GetCurrent@Isolate@v8@@SAPEAV12@XZ", "?HasInstance@Buffer@node@@YA_NV?$Local@VValue@v8@@@v8@@@Z"]
    {
        let found = registers(&["napi_module_register", name]).findings(NAME, "napi-entry");
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{name}");
    }
    let never_called = PeMaker { entry: false, ..registers(&["napi_module_register"]) };
    assert_eq!(never_called.findings(NAME, "napi-entry")[0].severity, Severity::Error);
}

/// On Windows, an import names its library, so a name that node.exe also exports is harmless.
#[test]
fn exported_names_do_not_clash_with_names_of_node() {
    let exports = vec!["SSL_new", "napi_register_module_v1"];
    let found = PeMaker { exports, ..PeMaker::addon() }.findings(NAME, "symbols");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
}

#[test]
fn debug_information_is_listed() {
    let sections = vec![
        (".debug_info", pe::IMAGE_SCN_MEM_DISCARDABLE, 0x600),
        (".text", pe::IMAGE_SCN_CNT_CODE | pe::IMAGE_SCN_MEM_EXECUTE, 0x200),
        (".bad", pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE, 0x200),
    ];
    let object = PeMaker { sections, symbols: 3, pdb: Some("C:\\build\\addon.pdb"), ..PeMaker::addon() };
    let facts = object.facts();
    let leftover = |name: &str, bytes| Leftover { name: name.to_owned(), bytes };
    assert_eq!(facts.leftovers, [leftover(".debug_info", 0x600), leftover("COFF symbols", 3 * 18 + 4 + 12)]);
    assert_eq!(facts.writable_code, [".bad"]);
    assert_eq!(facts.pe().unwrap().pdb.as_deref(), Some("C:\\build\\addon.pdb"));

    // Windows does not read the symbols, and loads a file whose symbols are cut off.
    let mut content = object.make();
    content.truncate(content.len() - 60);
    let cut = read_facts(Path::new(NAME), &content).unwrap().remove(0);
    assert_eq!((cut.imports, cut.leftovers.len()), (facts.imports, 1));
}

#[test]
fn facts_match_readobj() {
    if Command::new("llvm-readobj").arg("--version").output().is_err() {
        println!("skipped: no llvm-readobj");
        return;
    }
    let long = vec![(".debug_abbrev", pe::IMAGE_SCN_MEM_DISCARDABLE, 77)];
    let folder = tempfile::tempdir().unwrap();
    for object in [
        PeMaker::addon(),
        PeMaker::ia32(),
        PeMaker { pdb: Some("addon.pdb"), exports: vec!["b", "a"], callback: true, ..PeMaker::addon() },
        PeMaker { sections: long, symbols: 1, imports: vec![], ..PeMaker::addon() },
    ] {
        let file = folder.path().join(NAME);
        std::fs::write(&file, object.make()).unwrap();
        assert_eq!(Compared::of_facts(&object.facts()), Compared::of_readobj(&file), "{}", file.display());
    }
}

/// The facts that both node-audit and llvm-readobj report.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    machine: String,
    /// The library, `true` if the library is delay-loaded, and the name or number.
    imports: Vec<(String, bool, String)>,
    exports: Vec<String>,
    flags: BTreeSet<String>,
    pdb: Option<String>,
}

impl Compared {
    fn of_facts(facts: &Facts) -> Compared {
        let details = facts.pe().unwrap();
        let machine = facts.machine.split_whitespace().nth(1).unwrap();
        let mut compared =
            Compared { machine: machine.to_owned(), pdb: details.pdb.clone(), ..Compared::default() };
        for imports in &details.dlls {
            for symbol in &imports.symbols {
                compared.imports.push((imports.dll.clone(), imports.delayed, symbol.clone()));
            }
        }
        compared.exports.clone_from(&facts.exports);
        for (set, flag) in [
            (facts.loadable, "IMAGE_FILE_DLL"),
            (details.dynamic_base, "IMAGE_DLL_CHARACTERISTICS_DYNAMIC_BASE"),
            (details.high_entropy, "IMAGE_DLL_CHARACTERISTICS_HIGH_ENTROPY_VA"),
            (details.nx_compat, "IMAGE_DLL_CHARACTERISTICS_NX_COMPAT"),
            (details.guard_cf, "IMAGE_DLL_CHARACTERISTICS_GUARD_CF"),
        ] {
            compared.flags.extend(set.then(|| flag.to_owned()));
        }
        compared
    }

    fn of_readobj(file: &Path) -> Compared {
        let options = ["--file-headers", "--coff-imports", "--coff-exports", "--coff-debug-directory"];
        let output = Command::new("llvm-readobj").args(options).arg(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut compared = Compared::default();
        let (mut block, mut library) = ("", String::new());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for line in text.lines() {
            let (key, value) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
            match (key, block) {
                // llvm-readobj prints a nested block for each import of a delay-loaded library.
                ("Import {" | "DelayImport {" | "Export {", _) if !line.starts_with(' ') => block = key,
                ("Machine", _) => compared.machine = in_parentheses(value).to_lowercase(),
                ("Name", "Export {") => compared.exports.push(value.to_owned()),
                ("Name", _) => value.clone_into(&mut library),
                ("Symbol", _) => {
                    // The value is a name and its hint, or an empty name and the number.
                    let name = value.split_once(" (").map_or("", |(name, _)| name);
                    let number = || format!("#{}", in_parentheses(value));
                    let name = if name.is_empty() { number() } else { name.to_owned() };
                    compared.imports.push((library.clone(), block == "DelayImport {", name));
                }
                ("PDBFileName", _) => compared.pdb = Some(value.to_owned()),
                _ => {}
            }
            let flag = key.split_whitespace().next().unwrap_or_default();
            let flags = ["_FILE_DLL", "_DYNAMIC_BASE", "_HIGH_ENTROPY_VA", "_NX_COMPAT", "_GUARD_CF"];
            if flag.starts_with("IMAGE_") && flags.iter().any(|end| flag.ends_with(end)) {
                compared.flags.insert(flag.to_owned());
            }
        }
        compared.machine =
            format!("{:#06x}", u16::from_str_radix(compared.machine.trim_start_matches("0x"), 16).unwrap());
        compared
    }
}

fn in_parentheses(value: &str) -> &str {
    value.rsplit_once('(').map_or(value, |(_, rest)| rest.trim_end_matches(')'))
}
