//! The facts of Mach-O files.

use std::path::Path;

use node_audit::{Cpu, DylibKind, MacPlatform, Severity, Signature, read_facts};
use object::macho::{self, FileType};

use crate::macho_maker::{MachO, NAME, fat, findings};

#[test]
fn an_addon_has_no_finding() {
    for object in [MachO::addon(), MachO { trie: false, ..MachO::addon() }] {
        for rule in node_audit::RULES {
            assert_eq!(object.findings(NAME, rule.id), [], "{}", rule.id);
        }
    }
    for rule in node_audit::RULES {
        assert_eq!(MachO::x64().findings("addon.darwin-x64.node", rule.id), [], "{}", rule.id);
    }
}

#[test]
fn both_widths_and_byte_orders_give_the_same_facts() {
    let imports = vec!["_napi_create_function", "dyld_stub_binder"];
    let all = MachO { imports, id: Some("@rpath/x"), rpaths: vec!["@loader_path"], ..MachO::addon() };
    let expected = all.facts();
    assert_eq!((expected.bits, expected.little_endian, expected.cpu), (64, true, Some(Cpu::Arm64)));
    assert_eq!(expected.machine, "machine 16777228 (arm64)");
    assert_eq!(expected.imports, ["napi_create_function", "dyld_stub_binder"]);
    assert_eq!(expected.exports, ["napi_register_module_v1"]);
    assert_eq!(expected.size, all.make().len() as u64);
    let macho = expected.macho().unwrap();
    assert_eq!(macho.install_name.as_deref(), Some("@rpath/x"));
    assert_eq!(macho.rpaths, ["@loader_path"]);
    assert_eq!(macho.platform, Some(MacPlatform::MacOs));
    assert_eq!(macho.min_os.map(|version| version.to_string()).as_deref(), Some("11.0"));
    assert_eq!(macho.signature, Signature::Valid { adhoc: true });
    assert!(macho.two_level && !macho.executable_stack);

    for (is_64, little_endian) in [(true, false), (false, true), (false, false)] {
        for trie in [true, false] {
            let other = MachO { is_64, little_endian, trie, ..all.clone() }.facts();
            assert_eq!((other.bits, other.little_endian), (if is_64 { 64 } else { 32 }, little_endian));
            assert_eq!(other.details, expected.details);
            assert_eq!((&other.imports, &other.exports), (&expected.imports, &expected.exports));
        }
    }
}

#[test]
fn kinds_of_files_and_processors_are_distinguished() {
    let kind = |kind: FileType| {
        let facts = MachO { kind, ..MachO::addon() }.facts();
        (facts.kind, facts.loadable)
    };
    assert_eq!(kind(macho::MH_BUNDLE), ("bundle", true));
    assert_eq!(kind(macho::MH_DYLIB), ("dynamic library", true));
    assert_eq!(kind(macho::MH_EXECUTE), ("executable", false));
    assert_eq!(kind(macho::MH_OBJECT), ("object file", false));
    assert_eq!(kind(FileType(99)), ("file of unknown type", false));

    let found = MachO { kind: macho::MH_EXECUTE, ..MachO::addon() }.findings(NAME, "arch");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    let found = MachO::x64().findings(NAME, "arch");
    assert_eq!(found[0].message, "the addon claims darwin-arm64, but is compiled for x64");
    // Only Apple's own programs load arm64e. The upper byte holds the version of pointer authentication.
    let arm64e = MachO { subtype: 0x8000_0002, ..MachO::addon() };
    assert_eq!(arm64e.facts().cpu, None);
    assert!(arm64e.findings(NAME, "arch")[0].message.contains("machine 16777228 (arm64e)"));
}

#[test]
fn a_fat_file_is_compared_with_each_processor_that_it_claims() {
    let (arm64, x64) = (MachO::addon().make(), MachO::x64().make());
    for is_64 in [false, true] {
        let parts = [(macho::CPU_TYPE_X86_64, x64.clone()), (macho::CPU_TYPE_ARM64, arm64.clone())];
        let content = fat(&parts, is_64);
        let facts = read_facts(Path::new(NAME), &content).unwrap();
        let cpus: Vec<_> = facts.iter().map(|facts| (facts.cpu, facts.size)).collect();
        assert_eq!(cpus, [(Some(Cpu::X64), x64.len() as u64), (Some(Cpu::Arm64), arm64.len() as u64)]);
        assert_eq!(findings(&content, "addon.darwin-universal.node", "arch"), []);
    }
    let content = fat(&[(macho::CPU_TYPE_X86_64, x64)], false);
    let found = findings(&content, "addon.darwin-universal.node", "arch");
    assert_eq!((found.len(), found[0].platform.as_deref()), (1, Some("darwin-arm64")));
}

#[test]
fn libraries_are_loaded_in_several_ways() {
    let kinds = [
        (macho::LC_LOAD_DYLIB, DylibKind::Required),
        (macho::LC_LOAD_WEAK_DYLIB, DylibKind::Weak),
        (macho::LC_REEXPORT_DYLIB, DylibKind::Reexported),
        (macho::LC_LAZY_LOAD_DYLIB, DylibKind::Other),
        (macho::LC_LOAD_UPWARD_DYLIB, DylibKind::Other),
    ];
    let dylibs = kinds.iter().map(|(command, _)| (*command, "/usr/lib/libz.1.dylib")).collect();
    let facts = MachO { dylibs, ..MachO::addon() }.facts();
    assert_eq!(facts.libraries, ["/usr/lib/libz.1.dylib"; 5]);
    let read: Vec<_> = facts.macho().unwrap().dylibs.iter().map(|dylib| dylib.kind).collect();
    assert_eq!(read, kinds.map(|(_, kind)| kind));
}

/// If the file has an export trie, the loader reads exports from nowhere else.
#[test]
fn exports_are_read_from_the_trie_or_else_from_the_symbol_table() {
    let defined = macho::N_EXT.0 | macho::N_SECT.0;
    let hidden = defined | macho::N_PEXT.0;
    let both = MachO { others: vec![(defined, "_table_only"), (hidden, "_hidden")], ..MachO::addon() };
    assert_eq!(both.facts().exports, ["napi_register_module_v1"]);
    let old = MachO { trie: false, ..both };
    assert_eq!(old.facts().exports, ["napi_register_module_v1", "table_only"]);
    let headers = vec!["__mh_bundle_header", "__mh_dylib_header", "_x"];
    assert_eq!(MachO { exports: headers, ..MachO::addon() }.facts().exports, ["x"]);
}

#[test]
fn a_constructor_that_registers_is_an_entry_point() {
    let entry = |section| {
        let (imports, exports) = (vec!["_napi_module_register"], vec![]);
        MachO { imports, exports, section, ..MachO::addon() }.findings(NAME, "napi-entry")
    };
    assert_eq!(entry(9), []); // S_MOD_INIT_FUNC_POINTERS
    assert_eq!(entry(0x16), []); // S_INIT_FUNC_OFFSETS
    assert_eq!(entry(0)[0].severity, Severity::Error);
}

#[test]
fn a_v8_entry_point_has_its_own_message() {
    let imports = vec!["_napi_create_function", "__ZN2v87Isolate10GetCurrentEv"];
    let mixed = MachO { imports, ..MachO::addon() }.findings(NAME, "napi-entry");
    assert_eq!((mixed.len(), mixed[0].severity), (1, Severity::Warning));
    let v8 = MachO { exports: vec!["_node_register_module_v115"], ..MachO::addon() };
    assert!(v8.findings(NAME, "napi-entry")[0].message.contains("for ABI 115"));
    let none = MachO { exports: vec!["_other"], ..MachO::addon() }.findings(NAME, "napi-entry");
    assert_eq!((none.len(), none[0].severity), (1, Severity::Error));
}

#[test]
fn local_and_debug_symbols_are_counted() {
    let others = vec![(macho::N_SECT.0, "_local"), (0x64, "a.c"), (0x3c, "radr://5614542")];
    let facts = MachO { others, segment: "__DWARF", ..MachO::addon() }.facts();
    let read: Vec<_> = facts.leftovers.iter().map(|part| (part.name.as_str(), part.bytes)).collect();
    // A symbol takes 16 bytes. The total excludes the third symbol, because `strip` leaves this symbol as a mark.
    assert_eq!(read[..2], [("local symbols", 16 + 7), ("debug symbols", 16 + 4)]);
    assert_eq!(read[2].0, "__DWARF");
    assert_eq!(MachO::addon().facts().leftovers, []);
}

#[test]
fn writable_code_is_named() {
    let facts = MachO { protection: 7, flags: macho::MH_ALLOW_STACK_EXECUTION.0, ..MachO::addon() }.facts();
    assert_eq!(facts.writable_code, ["__TEXT"]);
    let macho = facts.macho().unwrap();
    assert!(macho.executable_stack && !macho.two_level);
    assert!(MachO::addon().facts().writable_code.is_empty());
}

/// With two-level namespaces, a call reaches the library that the linker found, even if other libraries export the same name.
#[test]
fn exported_names_clash_with_nodes_only_in_a_flat_namespace() {
    let exports = vec!["_napi_register_module_v1", "_EVP_MD_fetch"];
    let two_level = MachO { exports, ..MachO::addon() };
    let found = two_level.findings(NAME, "symbols");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    assert!(found[0].message.contains("two-level namespaces"), "{}", found[0].message);
    let flat = MachO { flags: 0, ..two_level }.findings(NAME, "symbols");
    assert_eq!((flat.len(), flat[0].severity), (1, Severity::Error));
}
