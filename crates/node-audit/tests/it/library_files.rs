//! Libraries beside the addon that glibc refuses (a missing version, static TLS, DF_1_NOOPEN), and libraries that glibc
//! accepts.

use std::path::Path;

use node_audit::{Finding, Policy, Severity, audit};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};

const MUSL: &str = "addon.linux-x64-musl.node";

/// Returns an addon that needs only liba.so, and no C library.
fn addon() -> Maker {
    Maker {
        needed: vec!["liba.so"],
        texts: vec![(elf::DT_RUNPATH, "$ORIGIN")],
        versions: vec![],
        ..Maker::addon()
    }
}

fn library() -> Maker {
    Maker { needed: vec![], versions: vec![], exports: vec!["f"], imports: vec![], ..Maker::addon() }
}

/// Returns the findings of a rule for an addon with a library at a path relative to the addon.
fn findings(name: &str, addon: &Maker, path: &str, library: &Maker, rule: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let library_path = folder.path().join(path);
    std::fs::create_dir_all(library_path.parent().unwrap()).unwrap();
    std::fs::write(library_path, library.make()).unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, addon.make()).unwrap();
    let report = audit(Path::new(&file), &Policy::default()).unwrap();
    report.findings.into_iter().filter(|finding| finding.rule == rule).collect()
}

fn with(name: &str, addon: &Maker, library: &Maker, rule: &str) -> Vec<Finding> {
    findings(name, addon, "liba.so", library, rule)
}

#[test]
fn a_library_must_define_the_needed_version_on_glibc() {
    let need = |weak| {
        let versions = vec![Need { library: "liba.so", version: "FOO_2", weak, symbols: vec!["f"] }];
        Maker { versions, ..addon() }
    };
    let defines = |names: &[&'static str]| Maker { defines: names.to_vec(), ..library() };
    let found = with(NAME, &need(false), &defines(&["liba.so", "FOO_1"]), "needed");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(
        found[0].message,
        "the addon needs version FOO_2 of liba.so, which the library in the package does not have: require() fails with \
         \"version `FOO_2' not found\""
    );
    assert_eq!(found[0].evidence, "FOO_2 of liba.so for f; liba.so defines liba.so, FOO_1");
    assert_eq!(with(MUSL, &need(false), &defines(&["FOO_1"]), "needed"), []);
    assert_eq!(with(NAME, &need(false), &defines(&["FOO_1", "FOO_2"]), "needed"), []);
    assert_eq!(with(NAME, &need(true), &defines(&["FOO_1"]), "needed"), []);
    // If the library defines no versions at all, glibc only prints a warning.
    assert_eq!(with(NAME, &need(false), &library(), "needed"), []);
}

#[test]
fn a_library_must_define_the_version_that_another_needs() {
    let versions = vec![Need { library: "liba.so", version: "FOO_2", weak: false, symbols: vec!["g"] }];
    let own = Maker { versions, defines: vec!["FOO_1"], ..library() };
    let found = with(NAME, &addon(), &own, "needed");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.starts_with("liba.so, which the addon loads, needs version FOO_2"),
        "{}",
        found[0].message
    );
}

#[test]
fn static_tls_of_a_library_is_reported() {
    let relocations = vec![(elf::R_X86_64_TPOFF64, "counter")];
    let own = |tls| Maker { tls, hidden: vec!["counter"], relocations: relocations.clone(), ..library() };
    let found = with(MUSL, &addon(), &own(4), "static-tls");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.starts_with("liba.so, which the addon loads, needs 4 bytes of static"));
    let evidence = format!("{MUSL} -> liba.so: a TPOFF relocation to a variable of the library: counter");
    assert_eq!(found[0].evidence, evidence);
    assert_eq!(with(NAME, &addon(), &own(4), "static-tls")[0].severity, Severity::Warning);
    assert_eq!(with(NAME, &addon(), &own(9000), "static-tls")[0].severity, Severity::Error);
}

/// The library has the variable, and the addon has the relocation.
#[test]
fn musl_refuses_static_tls_of_a_library_that_the_addon_uses() {
    let addon = Maker { imports: vec!["f"], relocations: vec![(elf::R_X86_64_TPOFF64, "f")], ..addon() };
    let found = with(MUSL, &addon, &library(), "static-tls");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.starts_with("the addon uses the initial-exec model for f, a variable"));
    assert_eq!(with(NAME, &addon, &library(), "static-tls")[0].severity, Severity::Warning);
}

#[test]
fn glibc_refuses_a_file_marked_noopen() {
    let marked = |maker: Maker| Maker { numbers: vec![(elf::DT_FLAGS_1, elf::DF_1_NOOPEN.0)], ..maker };
    let found = with(NAME, &marked(addon()), &library(), "arch");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.starts_with("the addon is marked"), "{}", found[0].message);
    let found = with(NAME, &addon(), &marked(library()), "arch");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.starts_with("liba.so, which the addon loads, is marked"));
    assert_eq!(found[0].evidence, format!("{NAME} -> liba.so: DF_1_NOOPEN"));
    assert_eq!(with(MUSL, &marked(addon()), &marked(library()), "arch"), []);
}

#[test]
fn glibc_expands_lib_in_a_runpath_to_one_of_several_folders() {
    for entry in ["$ORIGIN/$LIB", "${ORIGIN}/${LIB}"] {
        let addon = Maker { texts: vec![(elf::DT_RUNPATH, entry)], ..addon() };
        for (folder, count) in [("lib/x86_64-linux-gnu", 0), ("lib64", 0), ("lib32", 1)] {
            let path = format!("{folder}/liba.so");
            assert_eq!(findings(NAME, &addon, &path, &library(), "needed").len(), count, "{path}");
            // musl does not support $LIB.
            assert_eq!(findings(MUSL, &addon, &path, &library(), "needed").len(), 1, "{path}");
        }
    }
}

#[test]
fn node_finds_an_entry_point_in_a_needed_library() {
    let addon = Maker { exports: vec![], ..addon() };
    assert_eq!(with(NAME, &addon, &Maker::addon(), "napi-entry"), []);
    assert_eq!(with(NAME, &addon, &library(), "napi-entry").len(), 1);
}
