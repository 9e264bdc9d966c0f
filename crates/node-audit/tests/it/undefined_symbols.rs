//! Undefined symbols of ELF files.

use node_audit::{Finding, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};
use crate::tarball_maker::Tarball;

const RULE: &str = "undefined-symbols";
const MUSL: &str = "addon.linux-x64-musl.node";

/// Returns an addon that imports the names by relocations of a kind, with lazy binding.
fn lazy(kind: elf::RelocationType, names: &[&'static str]) -> Maker {
    let table = if kind == elf::R_X86_64_JUMP_SLOT {
        (elf::DT_JMPREL, elf::DT_PLTRELSZ)
    } else {
        (elf::DT_RELA, elf::DT_RELASZ)
    };
    let relocations = names.iter().map(|name| (kind, *name)).collect();
    Maker { imports: names.to_vec(), versions: vec![], relocations, table, bind_now: false, ..Maker::addon() }
}

/// Returns an addon that calls the names, and binds them when it is loaded.
fn now(names: &[&'static str]) -> Maker {
    Maker { bind_now: true, ..lazy(elf::R_X86_64_JUMP_SLOT, names) }
}

fn for_musl(object: Maker) -> Maker {
    Maker { needed: Maker::musl().needed, versions: vec![], ..object }
}

fn severities(found: &[Finding]) -> Vec<Severity> {
    found.iter().map(|finding| finding.severity).collect()
}

/// node-audit passed the output of `cc -shared -fPIC -Wl,-z,now` for a call to an undefined function, and Node refused it.
#[test]
fn a_missing_function_that_is_bound_at_once_is_an_error() {
    let found = now(&["some_missing_function"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert_eq!(
        found[0].message,
        "some_missing_function is in neither glibc, a loaded library nor Node 20.20.2 to 26.10: require() fails \
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
fn a_missing_function_that_is_bound_lazily_is_a_warning_that_names_the_call() {
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
fn a_missing_variable_is_an_error_with_lazy_binding_too() {
    for kind in [elf::R_X86_64_GLOB_DAT, elf::R_X86_64_64, elf::R_X86_64_DTPMOD64] {
        let found = lazy(kind, &["some_missing_variable"]).findings(NAME, RULE);
        assert_eq!(severities(&found), [Severity::Error], "{kind:?}");
    }
    // A function that is called, and whose address is taken.
    let mut both = lazy(elf::R_X86_64_GLOB_DAT, &["missing"]);
    both.relocations.push((elf::R_X86_64_JUMP_SLOT, "missing"));
    assert_eq!(severities(&both.findings(NAME, RULE)), [Severity::Error]);
}

/// Seen with musl 1.2.5: without BIND_NOW, it leaves calls and addresses that it cannot bind, and refuses other data.
#[test]
fn musl_refuses_only_what_it_binds_at_once() {
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

/// @libsql/linux-x64-musl 0.3.10 needs fcntl64. musl's loader answers open64 and its kind, outside of the symbol table.
#[test]
fn musl_lacks_what_only_glibc_has() {
    let names = ["open64", "stat64", "readdir64_r", "fcntl64", "__memcpy_chk", "malloc"];
    let found = for_musl(now(&names)).findings(MUSL, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(
        found[0].message.starts_with("fcntl64, __memcpy_chk are in neither musl,"),
        "{}",
        found[0].message
    );
    assert_eq!(now(&names).findings(NAME, RULE), []);
    // An addon for glibc that is to load on musl.
    let found = now(&names).findings(MUSL, RULE);
    assert_eq!(severities(&found), [Severity::Error], "{found:?}");
}

#[test]
fn names_of_the_system_of_node_and_of_the_addon_are_fine() {
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
    // A symbol table may have a name twice.
    let object = Maker { exports: vec!["napi_register_module_v1", "mine"], ..now(&["mine"]) };
    assert_eq!(object.findings(NAME, RULE), []);
}

#[test]
fn weak_imports_and_those_without_a_relocation_may_be_missing() {
    let object = Maker { weak: vec!["__gmon_start__"], imports: vec![], ..now(&["__gmon_start__"]) };
    assert_eq!(object.findings(NAME, RULE), []);
    let object = Maker { relocations: vec![], ..now(&["some_missing_function"]) };
    assert_eq!(object.findings(NAME, RULE), []);
    let object = Maker { relocations: vec![(elf::R_X86_64_NONE, "missing")], ..now(&["missing"]) };
    assert_eq!(object.findings(NAME, RULE), []);
}

/// `napi-version` reports the functions that some Node has.
#[test]
fn a_function_of_node_api_that_no_node_has_is_an_error() {
    let object = now(&["napi_make_coffee", "napi_wrap"]);
    let found = object.findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.starts_with("napi_make_coffee is in neither"), "{}", found[0].message);
    assert_eq!(object.findings(NAME, "napi-version"), []);
}

/// The versions of a symbol in one library.
#[test]
fn a_version_that_the_library_has_without_the_name_is_an_error() {
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
    // The first version on arm64.
    let found = bound("GLIBC_2.17").findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(
        found[0].message.ends_with("\"symbol malloc, version GLIBC_2.17 not defined in file libc.so.6\""),
        "{}",
        found[0].message
    );
    // `glibc-floor` reports these.
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
fn platforms_without_a_table_are_not_judged() {
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
    // An unknown library may have any name.
    let object = Maker { needed: vec!["libc.so.6", "libfoo.so.1"], ..object };
    assert_eq!(object.findings(NAME, RULE), []);
}

/// `engines` promise releases, and an ABI binds the addon to one line.
#[test]
fn the_promised_releases_of_node_decide() {
    // uv_thread_getname came to Node 22 and 24 after their first releases, and Node 20 has no such function.
    for (engines, releases) in [
        ("", Some("20.20.2")),
        ("*", Some("20.20.2")),
        (">=20", Some("20.0, 20.20.2 and 22.0")),
        ("^22.0.0", Some("22.0")),
        ("^22.20.0 || >=24.10", None),
        // No release of these is known.
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

/// node-audit passed every Node-API addon that also calls V8.
#[test]
fn v8_is_judged_behind_an_entry_of_node_api_as_well() {
    let none = "_ZN2v86Object3SetENS_6HandleINS_5ValueEEES3_NS_17PropertyAttributeE";
    let found = now(&[none]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.contains("nor Node 20.20.2 to 26.10: require() fails"), "{found:?}");
    assert_eq!(severities(&lazy(elf::R_X86_64_JUMP_SLOT, &[none]).findings(NAME, RULE)), [Severity::Warning]);
    // Only Node 20 has this one.
    let found = now(&["_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
    assert!(found[0].message.ends_with("; the addon loads in Node 20"), "{found:?}");
    // A name that no release has leaves none.
    let found = now(&[none, "_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE"]).findings(NAME, RULE);
    assert!(
        found.len() == 2 && found.iter().all(|finding| !finding.message.contains("loads in")),
        "{found:?}"
    );
    // Each Node has this one.
    assert_eq!(now(&["_ZN2v87Isolate10GetCurrentEv"]).findings(NAME, RULE), []);
}

/// C++ of V8 fits one ABI: without a known ABI, it is unknown which Node must have the names.
#[test]
fn v8_is_judged_by_the_addons_abi() {
    // Node 20 and 22 have the first; only Node 20 has the second; no Node has the third.
    let names = [
        "_ZN2v811HandleScopeC1EPNS_7IsolateE",
        "_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE",
        "_ZN2v86Object3SetENS_6HandleINS_5ValueEEES3_NS_17PropertyAttributeE",
    ];
    for (entry, missing) in [
        ("node_register_module_v115", 1),
        ("node_register_module_v127", 2),
        ("node_register_module_v147", 3),
        // Node 16 and Electron 33.
        ("node_register_module_v93", 0),
        ("node_register_module_v130", 0),
    ] {
        let object = Maker { exports: vec![entry], ..now(&names) };
        let found = object.findings(NAME, RULE);
        assert_eq!(found.len(), usize::from(missing > 0), "{entry}: {found:?}");
        let listed = found.iter().map(|finding| finding.evidence.matches("_ZN2v8").count()).sum::<usize>();
        assert_eq!(listed, missing, "{entry}");
    }
    // Other C++ is the addon's own.
    let found = now(&["_ZN3foo3barEv"]).findings(NAME, RULE);
    assert_eq!(severities(&found), [Severity::Error]);
}

/// Returns an addon that loads libone.so from its own folder, and the library.
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
        // The names of the library's library are unknown.
        ("two_function", vec!["libtwo.so"], vec![]),
    ] {
        let (addon, library) = with_library(name, &needs);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libone.so"), library.make()).unwrap();
        assert_eq!(severities(&addon.findings_in(folder.path(), NAME, RULE)), expected, "{name}");

        // An archive may have the library before or after the addon.
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
    // A file that isn't a library, and a missing file.
    let (addon, _) = with_library("two_function", &[]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(addon.findings_in(folder.path(), NAME, RULE), []);
    std::fs::write(folder.path().join("libone.so"), "hello").unwrap();
    assert_eq!(addon.findings_in(folder.path(), NAME, RULE), []);
}

/// The loader looks up the names of a library in the whole scope of the addon, and refuses the addon with its library.
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
            let start = "libone.so, which the addon loads: some_missing_function is in neither glibc,";
            assert!(finding.message.starts_with(start), "{}", finding.message);
        }
    }
}

/// An addon for Electron finds Electron's names.
#[test]
fn addons_for_electron_are_not_judged() {
    let object = now(&["some_missing_function"]);
    assert_eq!(object.findings("prebuilds/linux-x64/electron.napi.glibc.node", RULE), []);
    assert_eq!(object.findings("prebuilds/linux-x64/node.napi.glibc.node", RULE).len(), 1);
}
