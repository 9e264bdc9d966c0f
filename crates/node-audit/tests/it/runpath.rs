//! The rule `runpath`: the directories that the loader searches for libraries.

use node_audit::{Finding, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME};

fn findings(tag: elf::DynamicTag, paths: &'static str) -> Vec<Finding> {
    Maker { texts: vec![(tag, paths)], ..Maker::addon() }.findings(NAME, "runpath")
}

#[test]
fn an_addon_without_a_runpath_has_no_finding() {
    assert_eq!(Maker::addon().findings(NAME, "runpath"), []);
}

#[test]
fn a_directory_of_the_build_machine_is_an_error() {
    for path in
        ["/nix/store/abc-zlib/lib", "/tmp", "/home/me/addon/build", "/Users/me/lib", "/build/source/target"]
    {
        for (tag, name) in [(elf::DT_RPATH, "RPATH"), (elf::DT_RUNPATH, "RUNPATH")] {
            let found = findings(tag, path);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{path}");
            assert_eq!(found[0].evidence, format!("{name} entry \"{path}\""));
        }
    }
}

#[test]
fn an_entry_relative_to_the_current_directory_is_an_error() {
    for path in ["lib", "../lib", "$ORIGIN:", "::", "$ORIGINAL/lib"] {
        let found = findings(elf::DT_RUNPATH, path);
        assert_eq!(found[0].severity, Severity::Error, "{path}");
        assert!(found[0].message.contains("in which Node was started"));
    }
}

/// @xmtp/node-bindings 1.10.0 has an empty RUNPATH. glibc treats an empty entry among others as the current directory, but
/// ignores an empty RUNPATH. musl skips every empty entry.
#[test]
fn an_empty_runpath_has_no_finding() {
    assert_eq!(findings(elf::DT_RUNPATH, ""), []);
    let musl = Maker { texts: vec![(elf::DT_RUNPATH, ":")], ..Maker::musl() };
    assert_eq!(musl.findings("addon.linux-x64-musl.node", "runpath"), []);
}

/// @nomicfoundation/edr-linux-x64-musl 0.22.0 has such an entry.
#[test]
fn an_entry_that_leads_to_a_build_directory_outside_the_package_is_an_error() {
    for path in ["$ORIGIN/../../../root/rustup/toolchains/x/lib", "${ORIGIN}/../nix/store/abc-x/lib"] {
        let found = findings(elf::DT_RUNPATH, path);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{path}");
        assert!(found[0].message.contains("out of the package into the build directory"), "{found:?}");
    }
    let found = findings(elf::DT_RUNPATH, "$ORIGIN/root/lib:$ORIGIN/../rooted/lib");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
}

#[test]
fn each_other_directory_is_a_warning() {
    let found = findings(elf::DT_RUNPATH, "/usr/lib/special:/tmpfoo:$ORIGIN/../lib");
    assert_eq!(found.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning; 3]);
    assert!(found[0].message.contains("/usr/lib/special"));
    assert!(found[2].message.contains("relative to the addon"));
}

#[test]
fn directories_relative_to_the_addon_are_one_warning() {
    let found = findings(elf::DT_RPATH, "$ORIGIN/../lib:${ORIGIN}:$ORIGIN/../../other/lib");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].evidence, "RPATH entries \"$ORIGIN/../lib:${ORIGIN}:$ORIGIN/../../other/lib\"");
}

#[test]
fn directories_that_lead_to_a_needed_library_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    for library in ["libone.so", "lib/libtwo.so"] {
        std::fs::write(folder.path().join(library), "").unwrap();
    }
    let findings = |paths| {
        let needed = vec!["libc.so.6", "libone.so", "libtwo.so"];
        let object = Maker { needed, texts: vec![(elf::DT_RUNPATH, paths)], ..Maker::addon() };
        object.findings_in(folder.path(), NAME, "runpath")
    };
    assert_eq!(findings("$ORIGIN:$ORIGIN/lib/"), []);
    // sharp has an entry for each layout that a package manager may use.
    assert_eq!(findings("$ORIGIN/../@img+lib:$ORIGIN/lib:$ORIGIN/nothing"), []);
    let found = findings("$ORIGIN/nothing:$ORIGIN/../lib");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
}
