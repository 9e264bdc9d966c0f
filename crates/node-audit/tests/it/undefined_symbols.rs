//! The rule `undefined-symbols` for ELF files.

use node_audit::{Finding, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};
use crate::tarball_maker::Tarball;

const RULE: &str = "undefined-symbols";
const MUSL: &str = "addon.linux-x64-musl.node";

/// Returns an addon that imports names by one kind of relocation, with lazy binding.
fn lazy(kind: elf::RelocationType, names: &[&'static str]) -> Maker {
    let table = if kind == elf::R_X86_64_JUMP_SLOT {
        (elf::DT_JMPREL, elf::DT_PLTRELSZ)
    } else {
        (elf::DT_RELA, elf::DT_RELASZ)
    };
    let relocations = names.iter().map(|name| (kind, *name)).collect();
    Maker { imports: names.to_vec(), versions: vec![], relocations, table, bind_now: false, ..Maker::addon() }
}

/// Returns an addon that calls functions, and binds them when it is loaded.
fn now(names: &[&'static str]) -> Maker {
    Maker { bind_now: true, ..lazy(elf::R_X86_64_JUMP_SLOT, names) }
}

fn for_musl(object: Maker) -> Maker {
    Maker { needed: Maker::musl().needed, versions: vec![], ..object }
}

fn severities(found: &[Finding]) -> Vec<Severity> {
    found.iter().map(|finding| finding.severity).collect()
}

/// If an addon from `cc -shared -fPIC -Wl,-z,now` calls an undefined function, Node refuses the addon. node-audit once passed
/// such an addon.
#[test]
fn a_missing_function_bound_at_once_is_an_error() {
    let found = now(&["some_missing_function"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert_eq!(
        found[0].message,
        "some_missing_function is not in glibc, in a loaded library or in Node 20.20.2 to 26.10: require() fails \
         with \"undefined symbol: some_missing_function\""
    );
    assert_eq!(
        found[0].evidence,
        "strong undefined symbols, bound when the addon is loaded (BIND_NOW): some_missing_function"
    );
    for (tag, value) in
        [(elf::DT_FLAGS, elf::DF_BIND_NOW.0), (elf::DT_FLAGS_1, elf::DF_1_NOW.0), (elf::DT_BIND_NOW, 0)]
    {
        let object =
            Maker { numbers: vec![(tag, value)], bind_now: false, ..now(&["some_missing_function"]) };
        assert_eq!(severities(&object.findings(NAME, RULE)), [Severity::Error], "{tag:?}");
    }
}

#[test]
fn a_missing_function_bound_lazily_is_a_warning_that_names_the_function() {
    let found = lazy(elf::R_X86_64_JUMP_SLOT, &["some_missing_function"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Warning]);
    assert!(
        found[0].message.ends_with(
            "the first call of some_missing_function ends the process with \"undefined symbol: \
             some_missing_function\""
        ),
        "{}",
        found[0].message
    );
}

#[test]
fn a_missing_variable_is_an_error_even_with_lazy_binding() {
    for kind in [elf::R_X86_64_GLOB_DAT, elf::R_X86_64_64, elf::R_X86_64_DTPMOD64] {
        let found = lazy(kind, &["some_missing_variable"]).findings(NAME, RULE);
        assert_eq!(severities(&found), [Severity::Error], "{kind:?}");
    }
    // The addon calls a function and also takes its address.
    let mut both = lazy(elf::R_X86_64_GLOB_DAT, &["missing"]);
    both.relocations.push((elf::R_X86_64_JUMP_SLOT, "missing"));
    assert_eq!(severities(&both.findings(NAME, RULE)), [Severity::Error]);
}

/// Without BIND_NOW, musl 1.2.5 ignored calls and addresses that it could not bind, but refused other data when measured.
#[test]
fn musl_refuses_only_names_that_it_binds_at_once() {
    for (kind, severity) in [
        (elf::R_X86_64_JUMP_SLOT, Severity::Warning),
        (elf::R_X86_64_GLOB_DAT, Severity::Warning),
        (elf::R_X86_64_64, Severity::Error),
    ] {
        let object = for_musl(lazy(kind, &["some_missing_name"]));
        assert_eq!(severities(&object.findings(MUSL, RULE)), [severity], "{kind:?}");
        let object = Maker { bind_now: true, ..object };
        let found = object.findings(MUSL, RULE);
        assert_eq!(severities(&found), [Severity::Error], "{kind:?}");
        assert!(found[0].message.ends_with("\"some_missing_name: symbol not found\""), "{found:?}");
    }
}

/// @libsql/linux-x64-musl 0.3.10 needs fcntl64. musl's loader resolves open64 and similar names, though its symbol table lacks
/// them.
#[test]
fn names_that_only_glibc_has_are_an_error_on_musl() {
    let names = ["open64", "stat64", "readdir64_r", "fcntl64", "__memcpy_chk", "malloc"];
    let found = for_musl(now(&names)).findings(MUSL, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.starts_with("fcntl64, __memcpy_chk are not in musl,"), "{}", found[0].message);
    assert_eq!(
        found[0].remedy,
        "compile with musl's headers, on Alpine or with a compiler for musl: glibc's headers rename functions (fcntl \
         becomes fcntl64)"
    );
    assert_eq!(now(&names).findings(NAME, RULE), []);
    // The same addon, linked to glibc and named for musl.
    let found = now(&names).findings(MUSL, RULE);
    assert_eq!(severities(&found), [Severity::Error], "{found:?}");
}

#[test]
fn names_that_the_system_node_or_the_addon_defines_are_fine() {
    let names = [
        "malloc",
        "sin",
        "dlopen",
        "pthread_create",
        "_Znwm",
        "_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE",
        "_Unwind_Resume",
        "__tls_get_addr",
        "uv_default_loop",
        "SSL_new",
        "inflate",
        "napi_create_function",
        "node_api_post_finalizer",
    ];
    assert_eq!(now(&names).findings(NAME, RULE), []);
    assert_eq!(for_musl(now(&names)).findings(MUSL, RULE), []);
    // A symbol table may contain a name twice.
    let object = Maker { exports: vec!["napi_register_module_v1", "mine"], ..now(&["mine"]) };
    assert_eq!(object.findings(NAME, RULE), []);
}

#[test]
fn weak_imports_and_imports_without_a_relocation_may_be_missing() {
    let object = Maker { weak: vec!["__gmon_start__"], imports: vec![], ..now(&["__gmon_start__"]) };
    assert_eq!(object.findings(NAME, RULE), []);
    let object = Maker { relocations: vec![], ..now(&["some_missing_function"]) };
    assert_eq!(object.findings(NAME, RULE), []);
    let object = Maker { relocations: vec![(elf::R_X86_64_NONE, "missing")], ..now(&["missing"]) };
    assert_eq!(object.findings(NAME, RULE), []);
}

/// `napi-version` covers the functions that some Node has.
#[test]
fn a_node_api_function_that_no_node_has_is_an_error() {
    let object = now(&["napi_make_coffee", "napi_wrap"]);
    let found = object.findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.starts_with("napi_make_coffee is not in glibc"), "{}", found[0].message);
    assert_eq!(object.findings(NAME, "napi-version"), []);
}

/// A library can define several versions of a symbol.
#[test]
fn a_known_version_that_lacks_the_name_is_an_error() {
    let need = |version, symbols: &[&'static str]| Need {
        library: "libc.so.6",
        version,
        weak: false,
        symbols: symbols.to_vec(),
    };
    let bound = |version| Maker {
        versions: vec![need(version, &["malloc"])],
        relocations: vec![(elf::R_X86_64_JUMP_SLOT, "malloc")],
        ..now(&[])
    };
    assert_eq!(bound("GLIBC_2.2.5").findings(NAME, RULE), []);
    // On arm64, GLIBC_2.17 is the first version of malloc; on x64, malloc does not have that version.
    let found = bound("GLIBC_2.17").findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(
        found[0].message.ends_with("\"symbol malloc, version GLIBC_2.17 not defined in file libc.so.6\""),
        "{}",
        found[0].message
    );
    // `glibc-floor` reports versions that are too new or private.
    for version in ["GLIBC_2.99", "GLIBC_PRIVATE"] {
        assert_eq!(bound(version).findings(NAME, RULE), [], "{version}");
    }
    let arm64 = Maker {
        machine: elf::EM_AARCH64,
        relocations: vec![(elf::R_AARCH64_JUMP_SLOT, "malloc")],
        ..bound("GLIBC_2.17")
    };
    assert_eq!(arm64.findings("addon.linux-arm64-gnu.node", RULE), []);
}

#[test]
fn platforms_without_a_table_are_not_checked() {
    let object = now(&["some_missing_function"]);
    for (machine, is_64, name) in [
        (elf::EM_ARM, false, "addon.linux-arm-gnueabihf.node"),
        (elf::EM_386, false, "addon.linux-ia32.node"),
        (elf::EM_X86_64, true, "addon.freebsd-x64.node"),
    ] {
        let object = Maker { machine, is_64, ..object.clone() };
        assert_eq!(object.findings(name, RULE), [], "{name}");
    }
    let android = Maker { note: Some("Android"), ..object.clone() };
    assert_eq!(android.findings("addon.android-x64.node", RULE), []);
    // An unknown library may define any name.
    let object = Maker { needed: vec!["libc.so.6", "libfoo.so.1"], ..object };
    assert_eq!(object.findings(NAME, RULE), []);
}

/// Every release of Node that `engines` promises must have the name.
#[test]
fn a_name_must_be_in_each_promised_release_of_node() {
    // Node 22 and 24 got uv_thread_getname after their first releases, and Node 20 does not have the function.
    for (engines, releases) in [
        ("", Some("20.20.2")),
        ("*", Some("20.20.2")),
        (">=20", Some("20.0, 20.20.2 and 22.0")),
        ("^22.0.0", Some("22.0")),
        ("^22.20.0 || >=24.10", None),
        // The symbol tables have no release of Node 16.
        ("^16.0.0", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(r#"{{"name": "x", "version": "1.0.0", "engines": {{"node": "{engines}"}}}}"#);
        std::fs::write(folder.path().join("package.json"), manifest).unwrap();
        let found = now(&["uv_thread_getname"]).findings_in(folder.path(), NAME, RULE);
        let start = releases.map(|releases| format!("uv_thread_getname is not in Node {releases}, which"));
        assert_eq!(found.len(), usize::from(start.is_some()), "{engines}: {found:?}");
        if let Some(start) = start {
            assert_eq!(found[0].severity, Severity::Error);
            assert!(found[0].message.starts_with(&start), "{engines}: {}", found[0].message);
        }
    }
}

/// node-audit once passed every Node-API addon that also calls V8.
#[test]
fn v8_names_are_checked_in_a_node_api_addon() {
    let none = "_ZN2v86Object3SetENS_6HandleINS_5ValueEEES3_NS_17PropertyAttributeE";
    let found = now(&[none]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.contains("or in Node 20.20.2 to 26.10: require() fails"), "{found:?}");
    assert_eq!(severities(&lazy(elf::R_X86_64_JUMP_SLOT, &[none]).findings(NAME, RULE)), [Severity::Warning]);
    // Only Node 20 has this name.
    let found = now(&["_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.ends_with("; the addon loads in Node 20"), "{found:?}");
    // If no release has one of the names, the addon loads in no release.
    let found = now(&[none, "_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE"]).findings(NAME, RULE);
    assert!(
        found.len() == 2 && found.iter().all(|finding| !finding.message.contains("loads in")),
        "{found:?}"
    );
    // Every Node has this name.
    assert_eq!(now(&["_ZN2v87Isolate10GetCurrentEv"]).findings(NAME, RULE), []);
}

/// V8's C++ names fit one ABI. Without a known ABI, node-audit does not know which Node must have the names.
#[test]
fn v8_names_are_checked_for_the_addons_abi() {
    // Node 20 and 22 have the first name, only Node 20 has the second, and no Node has the third.
    let names = [
        "_ZN2v811HandleScopeC1EPNS_7IsolateE",
        "_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE",
        "_ZN2v86Object3SetENS_6HandleINS_5ValueEEES3_NS_17PropertyAttributeE",
    ];
    for (entry, missing) in [
        ("node_register_module_v115", 1),
        ("node_register_module_v127", 2),
        ("node_register_module_v147", 3),
        // ABI 93 is Node 16, and ABI 130 is Electron 33.
        ("node_register_module_v93", 0),
        ("node_register_module_v130", 0),
    ] {
        let object = Maker { exports: vec![entry], ..now(&names) };
        let found = object.findings(NAME, RULE);
        assert_eq!(found.len(), usize::from(missing > 0), "{entry}: {found:?}");
        let listed = found.iter().map(|finding| finding.evidence.matches("_ZN2v8").count()).sum::<usize>();
        assert_eq!(listed, missing, "{entry}");
    }
    // C++ names outside V8 do not depend on an ABI.
    let found = now(&["_ZN3foo3barEv"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
}

/// Returns an addon that needs libone.so from its own folder, and that library.
fn with_library(name: &'static str, library_needs: &[&'static str]) -> (Maker, Maker) {
    let texts = vec![(elf::DT_RUNPATH, "$ORIGIN")];
    let addon = Maker { needed: vec!["libc.so.6", "libone.so"], texts, ..now(&[name]) };
    let library = Maker { needed: library_needs.to_vec(), exports: vec!["one_function"], ..Maker::addon() };
    (addon, library)
}

#[test]
fn names_of_a_library_beside_the_addon_are_fine() {
    for (name, needs, expected) in [
        ("one_function", vec!["libc.so.6"], vec![]),
        ("two_function", vec!["libc.so.6"], vec![Severity::Error]),
        // libtwo.so is missing, so its names are unknown.
        ("two_function", vec!["libtwo.so"], vec![]),
    ] {
        let (addon, library) = with_library(name, &needs);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libone.so"), library.make()).unwrap();
        assert_eq!(severities(&addon.findings_in(folder.path(), NAME, RULE)), expected, "{name}");

        // In an archive, the library may follow the addon.
        let node = format!("package/{NAME}");
        let archive = Tarball::package(r#"{"name": "x", "version": "1.0.0"}"#)
            .file("package/a.txt", b"")
            .file(&node, &addon.make())
            .file("package/libone.so", &library.make());
        let file = folder.path().join("x.tgz");
        std::fs::write(&file, archive.gz()).unwrap();
        let audit = node_audit::audit_paths(&[file], &node_audit::Policy::default(), &());
        assert!(audit.failures.is_empty(), "{:?}", audit.failures);
        let mut found = audit.files[0].report.findings.clone();
        found.retain(|finding| finding.rule == RULE);
        assert_eq!(severities(&found), expected, "{name}");
    }
    // The library is missing, or the file is not a library.
    let (addon, _) = with_library("two_function", &[]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(addon.findings_in(folder.path(), NAME, RULE), []);
    std::fs::write(folder.path().join("libone.so"), "hello").unwrap();
    assert_eq!(addon.findings_in(folder.path(), NAME, RULE), []);
}

/// The loader resolves a library's names in the whole scope of the addon, and refuses the addon if a name is missing.
#[test]
fn a_library_that_is_loaded_with_the_addon_is_checked_too() {
    for (name, expected) in [("mine", vec![]), ("some_missing_function", vec![Severity::Error])] {
        let (addon, library) = with_library("one_function", &["libc.so.6"]);
        let addon = Maker { exports: vec!["napi_register_module_v1", "mine"], ..addon };
        let library = Maker { exports: library.exports, ..now(&[name]) };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libone.so"), library.make()).unwrap();
        let found = addon.findings_in(folder.path(), NAME, RULE);
        assert_eq!(severities(&found), expected, "{found:?}");
        for finding in found {
            let start = "libone.so, which the addon loads: some_missing_function is not in glibc,";
            assert!(finding.message.starts_with(start), "{}", finding.message);
        }
    }
}

/// Electron and Node provide different names.
#[test]
fn addons_for_electron_are_not_checked() {
    let object = now(&["some_missing_function"]);
    assert_eq!(object.findings("prebuilds/linux-x64/electron.napi.glibc.node", RULE), []);
    assert_eq!(object.findings("prebuilds/linux-x64/node.napi.glibc.node", RULE).len(), 1);
}
