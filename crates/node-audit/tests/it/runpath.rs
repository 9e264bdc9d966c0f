//! Directories that are searched for libraries.

use node_audit::{Finding, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME};

fn findings(tag: elf::DynamicTag, paths: &'static str) -> Vec<Finding> {
    Maker { texts: vec![(tag, paths)], ..Maker::addon() }.findings(NAME, "runpath")
}

#[test]
fn none_is_fine() {
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
fn what_depends_on_the_current_directory_is_an_error() {
    for path in ["lib", "../lib", "$ORIGIN:"] {
        let found = findings(elf::DT_RUNPATH, path);
        assert_eq!(found.last().unwrap().severity, Severity::Error, "{path}");
        assert!(found.last().unwrap().message.contains("wherever Node was started"));
    }
}

#[test]
fn other_directories_are_a_warning_each() {
    let found = findings(elf::DT_RUNPATH, "$ORIGIN/../lib:/usr/lib/special:/tmpfoo");
    assert_eq!(found.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning; 3]);
    assert!(found[0].message.contains("beside the addon"));
    assert!(found[1].message.contains("/usr/lib/special"));
}
