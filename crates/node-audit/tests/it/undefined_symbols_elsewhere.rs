//! The rule `undefined-symbols` for Mach-O and PE files.

use node_audit::{Binding, Finding, ImportedFrom, Severity, audit};
use object::macho;

use crate::macho_binds::{Bind, Binds};
use crate::macho_maker::{MachO, NAME};
use crate::pe_maker::{self, PeMaker};

const RULE: &str = "undefined-symbols";

/// The number of the library that an import comes from.
const LIB_SYSTEM: i8 = 1;
const PROGRAM: i8 = -1;
const ANY: i8 = -2;

fn binding(binds: Binds) -> MachO {
    MachO { binds, ..MachO::addon() }
}

fn findings(binds: &[Bind]) -> Vec<Finding> {
    binding(Binds::Fixups(1, binds.to_vec())).findings(NAME, RULE)
}

fn severities(found: &[Finding]) -> Vec<Severity> {
    found.iter().map(|finding| finding.severity).collect()
}

#[test]
fn all_forms_of_bindings_are_read() {
    let binds = vec![(LIB_SYSTEM, false, "_malloc"), (ANY, false, "_uv_run"), (PROGRAM, true, "_weak")];
    let expected = [
        (ImportedFrom::Any, "uv_run"),
        (ImportedFrom::Library("/usr/lib/libSystem.B.dylib".to_owned()), "malloc"),
    ];
    let expected = |is_lazy| {
        let binding = |(from, name): (ImportedFrom, &str)| {
            let (names, none) = (vec![name.to_owned()], vec![]);
            let (symbols, lazy) = if is_lazy { (none, names) } else { (names, none) };
            Binding { from, symbols, lazy }
        };
        Some(expected.clone().map(binding).to_vec())
    };
    for (form, is_lazy) in [
        (Binds::Fixups(1, binds.clone()), false),
        (Binds::Fixups(2, binds.clone()), false),
        (Binds::Fixups(3, binds.clone()), false),
        (Binds::Opcodes(binds.clone(), vec![]), false),
        (Binds::Opcodes(vec![], binds.clone()), true),
    ] {
        let facts = binding(form).facts();
        assert_eq!(facts.macho().unwrap().bindings, expected(is_lazy));
    }
    // Format 4 of chained fixups does not exist.
    assert_eq!(binding(Binds::Fixups(4, binds)).facts().macho().unwrap().bindings, None);
    assert_eq!(MachO::addon().facts().macho().unwrap().bindings, None);
}

#[test]
fn a_name_that_libsystem_lacks_is_an_error() {
    assert_eq!(findings(&[(LIB_SYSTEM, false, "_malloc"), (LIB_SYSTEM, true, "_missing")]), []);
    let found = findings(&[(LIB_SYSTEM, false, "_fcntl64")]);
    assert_eq!(severities(&found), [Severity::Error]);
    assert_eq!(
        found[0].message,
        "fcntl64 is not in /usr/lib/libSystem.B.dylib: require() fails with \"Symbol not found: _fcntl64\""
    );
}

#[test]
fn a_name_without_a_library_must_be_in_node() {
    let fine = [
        (ANY, false, "_napi_wrap"),
        (ANY, false, "_uv_run"),
        (ANY, false, "_malloc"),
        (ANY, false, "_CFRelease"),
        (ANY, false, "__ZNSt3__14coutE"),
        (ANY, true, "_some_missing_function"),
        (PROGRAM, false, "_SSL_new"),
        (0, false, "_mine"),
    ];
    assert_eq!(findings(&fine), []);
    for place in [ANY, PROGRAM] {
        let found = findings(&[(place, false, "_some_missing_function")]);
        assert_eq!(severities(&found), [Severity::Error]);
        assert!(
            found[0]
                .message
                .starts_with("some_missing_function is not in a loaded library or in Node 20.20.2 to 26.10:"),
            "{}",
            found[0].message
        );
    }
}

/// The arm64 addons of lzma-native 8.0.6 lack liblzma: they load, and the first call ends Node with "missing symbol called".
#[test]
fn a_lazy_function_is_a_warning() {
    for place in [ANY, PROGRAM, LIB_SYSTEM] {
        let binds = Binds::Opcodes(vec![], vec![(place, false, "_some_missing_function")]);
        let found = binding(binds).findings(NAME, RULE);
        assert_eq!(severities(&found), [Severity::Warning], "{place}");
        assert!(
            found[0].message.ends_with(
                "the first call of some_missing_function ends the process with \"missing symbol called\""
            ),
            "{}",
            found[0].message
        );
    }
}

#[test]
fn a_flat_namespace_ignores_the_library() {
    let binds = Binds::Fixups(1, vec![(LIB_SYSTEM, false, "_uv_run")]);
    assert_eq!(severities(&binding(binds.clone()).findings(NAME, RULE)), [Severity::Error]);
    let flat = MachO { flags: macho::MH_DYLDLINK.0, ..binding(binds) };
    assert_eq!(flat.findings(NAME, RULE), []);

    let binds = Binds::Fixups(1, vec![(LIB_SYSTEM, false, "_iconv_open")]);
    let mut flat = MachO { binds, ..flat };
    assert_eq!(severities(&flat.findings(NAME, RULE)), [Severity::Error]);
    // libiconv may define the name.
    flat.dylibs.push((macho::LC_LOAD_DYLIB, "/usr/lib/libiconv.2.dylib"));
    assert_eq!(flat.findings(NAME, RULE), []);
}

#[test]
fn names_of_libraries_that_come_with_the_addon_are_checked() {
    let with = |library: &'static str| MachO {
        dylibs: vec![(macho::LC_LOAD_DYLIB, "/usr/lib/libSystem.B.dylib"), (macho::LC_LOAD_DYLIB, library)],
        rpaths: vec!["@loader_path"],
        ..binding(Binds::Fixups(1, vec![(2, false, "_one"), (2, false, "_two"), (ANY, false, "_one")]))
    };
    let framework = with("/System/Library/Frameworks/Foo.framework/Foo");
    let found = framework.findings(NAME, RULE);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.starts_with("one is not in a loaded library"), "{}", found[0].message);

    let folder = tempfile::tempdir().unwrap();
    let library = MachO { exports: vec!["_one"], ..MachO::addon() };
    let file = folder.path().join(NAME);
    std::fs::write(&file, with("@rpath/libone.dylib").make()).unwrap();
    for (reexport, expected) in [(false, vec!["two is not in @rpath/libone.dylib"]), (true, vec![])] {
        let kind = if reexport { macho::LC_REEXPORT_DYLIB } else { macho::LC_LOAD_DYLIB };
        let library = MachO { dylibs: vec![(kind, "/usr/lib/libc++.1.dylib")], ..library.clone() };
        std::fs::write(folder.path().join("libone.dylib"), library.make()).unwrap();
        let report = audit(&file, &Default::default()).unwrap();
        let found = report.findings.iter().filter(|finding| finding.rule == RULE);
        let starts: Vec<&str> = found.map(|finding| finding.message.split(':').next().unwrap()).collect();
        assert_eq!(starts, expected);
    }
}

#[test]
fn names_imported_from_node_must_exist_on_windows() {
    let imports = vec!["napi_wrap", "uv_run", "SSL_new", "#12"];
    let fine = PeMaker { delayed: vec![("node.exe", imports.clone())], ..PeMaker::addon() };
    assert_eq!(fine.findings(pe_maker::NAME, RULE), []);
    let missing = vec![("NODE.EXE", vec!["uv_run", "some_missing_function", "napi_make_coffee"])];
    let delayed = PeMaker { delayed: missing.clone(), ..PeMaker::addon() };
    let found = delayed.findings(pe_maker::NAME, RULE);
    assert_eq!(severities(&found), [Severity::Warning]);
    assert_eq!(
        found[0].message,
        "some_missing_function, napi_make_coffee are not in Node 20.20.2 to 26.10: the first call of \
         some_missing_function ends the process"
    );
    let loaded = PeMaker { imports: missing, ..PeMaker::addon() };
    assert_eq!(severities(&loaded.findings(pe_maker::NAME, RULE)), [Severity::Error]);
    // The tables lack names of other libraries and of other processors.
    let other = PeMaker { imports: vec![("KERNEL32.dll", vec!["Missing"])], ..PeMaker::addon() };
    assert_eq!(other.findings(pe_maker::NAME, RULE), []);
    let ia32 = PeMaker { delayed: vec![("node.exe", vec!["missing"])], ..PeMaker::ia32() };
    assert_eq!(ia32.findings("addon.win32-ia32-msvc.node", RULE), []);
}

#[test]
fn v8_names_are_checked_on_windows() {
    let names = vec!["?GetCurrent@Isolate@v8@@SAPEAV12@XZ", "?Missing@Isolate@v8@@SAPEAV12@XZ"];
    for entry in ["node_register_module_v127", "napi_register_module_v1"] {
        let object =
            PeMaker { delayed: vec![("node.exe", names.clone())], exports: vec![entry], ..PeMaker::addon() };
        assert_eq!(severities(&object.findings(pe_maker::NAME, RULE)), [Severity::Warning], "{entry}");
    }
}
