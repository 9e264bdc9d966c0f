//! The rule `load-command`: libraries that a Mach-O file loads, and directories that the loader searches.

use node_audit::{Finding, Policy, Severity, audit};
use object::macho::{LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB};

use crate::macho_maker::{MachO, NAME};

const RULE: &str = "load-command";

fn findings(dylibs: &[&'static str], rpaths: &[&'static str]) -> Vec<Finding> {
    let dylibs = dylibs.iter().map(|path| (LC_LOAD_DYLIB, *path)).collect();
    MachO { dylibs, rpaths: rpaths.to_vec(), ..MachO::addon() }.findings(NAME, RULE)
}

/// Writes the file into `lib`, beside `libthere.dylib`, and audits it.
fn on_disk(object: &MachO) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let lib = folder.path().join("lib");
    std::fs::create_dir(&lib).unwrap();
    std::fs::write(lib.join("libthere.dylib"), "").unwrap();
    let file = lib.join(NAME);
    std::fs::write(&file, object.make()).unwrap();
    let report = audit(&file, &Policy::default()).unwrap();
    report.findings.into_iter().filter(|finding| finding.rule == RULE).collect()
}

fn loads(path: &'static str, rpaths: &[&'static str]) -> MachO {
    MachO { dylibs: vec![(LC_LOAD_DYLIB, path)], rpaths: rpaths.to_vec(), ..MachO::addon() }
}

#[test]
fn the_systems_libraries_are_fine() {
    let system = [
        "/usr/lib/libSystem.B.dylib",
        "/usr/lib/libc++.1.dylib",
        "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation",
    ];
    assert_eq!(findings(&system, &[]), []);
    assert_eq!(findings(&["@rpath/libswiftCore.dylib"], &["/usr/lib/swift"]), []);
    assert_eq!(findings(&[], &[]), []);
    let found = findings(&["@rpath/libvips.dylib"], &["/usr/lib/swift"]);
    assert_eq!(
        (found.len(), found[0].severity),
        (1, Severity::Error),
        "Swift's directory has no other libraries"
    );
}

#[test]
fn paths_of_the_build_machine_are_errors() {
    for path in [
        "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib",
        "/usr/local/lib/libz.dylib",
        "/usr/lib/../../opt/x",
    ] {
        let found = findings(&[path], &[]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{path}");
        assert_eq!(found[0].evidence, format!("LC_LOAD_DYLIB {path}"));
        assert!(found[0].message.contains("the path belongs to the build machine"), "{}", found[0].message);
    }
    for (path, reason) in [
        ("libx.dylib", "the path is relative"),
        ("@executable_path/libx.dylib", "beside the node executable"),
        ("@rpath/libx.dylib", "the file has no LC_RPATH"),
    ] {
        let found = findings(&[path], &[]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{path}");
        assert!(found[0].message.contains(reason), "{}", found[0].message);
    }
}

#[test]
fn a_library_that_comes_with_the_addon_is_fine() {
    assert_eq!(on_disk(&loads("@loader_path/libthere.dylib", &[])), []);
    assert_eq!(on_disk(&loads("@loader_path/../lib/libthere.dylib", &[])), []);
    assert_eq!(on_disk(&loads("@rpath/libthere.dylib", &["@loader_path/../other", "@loader_path"])), []);

    let missing = on_disk(&loads("@rpath/libmissing.dylib", &["@loader_path/../other", "@loader_path/"]));
    assert_eq!((missing.len(), missing[0].severity), (1, Severity::Error));
    assert_eq!(
        missing[0].evidence,
        "LC_LOAD_DYLIB @rpath/libmissing.dylib, with LC_RPATH @loader_path/../other, @loader_path/"
    );
    let missing = on_disk(&loads("@loader_path/libmissing.dylib", &[]));
    assert!(missing[0].message.contains("the package has no such file"), "{}", missing[0].message);
}

#[test]
fn a_library_of_another_package_is_a_warning() {
    let found = findings(&["@rpath/libvips.42.dylib"], &["@loader_path/../../libvips/lib"]);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.contains("outside of its package"), "{}", found[0].message);
    assert!(found[0].evidence.contains("@loader_path/../../libvips/lib"), "{}", found[0].evidence);
}

#[test]
fn a_weak_library_may_be_absent() {
    let dylibs = vec![(LC_LOAD_WEAK_DYLIB, "/opt/homebrew/lib/libx.dylib")];
    let found = MachO { dylibs, ..MachO::addon() }.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].evidence.starts_with("LC_LOAD_WEAK_DYLIB"), "{}", found[0].evidence);
}

#[test]
fn directories_of_one_machine_are_errors_or_warnings() {
    let severity = |rpath| findings(&[], &[rpath]).first().map(|finding| finding.severity);
    for rpath in
        ["/Users/runner/x/lib", "/nix/store/abc/lib", "/private/tmp/build", "build/lib", "@loader_pathx"]
    {
        assert_eq!(severity(rpath), Some(Severity::Error), "{rpath}");
    }
    for rpath in ["/opt/homebrew/lib", "/usr/local/lib", "@executable_path/../lib", "/usr/library"] {
        assert_eq!(severity(rpath), Some(Severity::Warning), "{rpath}");
    }
    for rpath in ["@loader_path", "@loader_path/../lib", "/usr/lib/swift", "/usr/lib"] {
        assert_eq!(severity(rpath), None, "{rpath}");
    }
}
