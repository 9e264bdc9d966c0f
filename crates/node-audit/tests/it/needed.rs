//! Libraries that a file needs.

use node_audit::{Finding, Policy, Severity};
use node_targets::Target;

use crate::object_maker::{Maker, NAME};

fn findings(libraries: &[&'static str]) -> Vec<Finding> {
    Maker { needed: libraries.to_vec(), ..Maker::addon() }.findings(NAME, "needed")
}

#[test]
fn the_systems_libraries_are_fine() {
    let glibc =
        ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2"];
    assert_eq!(findings(&glibc), []);
    assert_eq!(findings(&[]), []);
    for libc in ["libc.so", "libc.musl-x86_64.so.1"] {
        let musl = Maker { needed: vec![libc], ..Maker::musl() };
        assert_eq!(musl.findings("addon.linux-x64-musl.node", "needed"), []);
    }
}

#[test]
fn a_shared_library_that_should_be_linked_statically_is_told_apart() {
    for library in ["libsqlcipher.so.0", "libssl.so.3", "libcrypto.so.3", "libzstd.so.1", "libz.so.1"] {
        let found = findings(&["libc.so.6", library]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{library}");
        assert_eq!(found[0].message, format!("it needs {library}, which not all glibc systems have"));
        assert_eq!(found[0].evidence, format!("DT_NEEDED {library}"));
        assert!(found[0].remedy.contains("pkg-config"), "{}", found[0].remedy);
    }
}

#[test]
fn any_other_library_is_an_error_each() {
    let found = findings(&["libvips-cpp.so.42", "libc.so.6", "/nix/store/abc/lib/libfoo.so"]);
    assert_eq!(found.len(), 2);
    assert!(found[0].message.contains("libvips-cpp.so.42"));
    assert!(found[1].message.contains("by its path on the machine that built it"), "{}", found[1].message);
}

/// Node is linked to the compiler's libraries itself, so that other people's addons may be; ours load anywhere.
#[test]
fn this_projects_addons_need_no_compiler_library() {
    let object = Maker { needed: vec!["libc.so.6", "libgcc_s.so.1"], ..Maker::addon() };
    assert_eq!(object.findings(NAME, "needed"), []);
    let ours = Policy::for_target(Target::by_platform("linux-x64-gnu").unwrap());
    let found = object.findings_by(NAME, "needed", &ours);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].remedy.contains("-static-libgcc"));
}

/// The wrong C library is one fault, not two: `arch` names it.
#[test]
fn the_wrong_c_library_is_left_to_arch() {
    let object = Maker { needed: vec!["libc.so.6", "libfoo.so.1"], ..Maker::addon() };
    let found = object.findings("addon.linux-x64-musl.node", "needed");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "it needs libfoo.so.1, which not all musl systems have");
    assert_eq!(object.findings("addon.linux-x64-musl.node", "arch").len(), 1);
}
