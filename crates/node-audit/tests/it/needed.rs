//! The rule `needed`: the libraries that an ELF file needs.

use node_audit::{Finding, Policy, Severity};
use object::elf;
use tempfile::TempDir;

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

/// musl's loader resolves these names to itself, with any suffix. node-audit once reported errors.
#[test]
fn musl_provides_the_names_of_its_parts() {
    let found = |library| {
        let needed = vec!["libc.musl-x86_64.so.1", library];
        Maker { needed, ..Maker::musl() }.findings("addon.linux-x64-musl.node", "needed")
    };
    for library in [
        "libdl.so.2",
        "libdl.so.3",
        "libm.so.6",
        "libm.so",
        "libpthread.so.0",
        "librt.so.1",
        "libutil.so.1",
        "libxnet.so",
        "libc.so.6",
    ] {
        assert_eq!(found(library), [], "{library}");
    }
    for library in ["libresolv.so.2", "libcrypt.so.1", "libmvec.so.1", "libdl"] {
        assert_eq!(found(library).len(), 1, "{library}");
    }
}

#[test]
fn a_shared_library_that_is_usually_static_has_its_own_remedy() {
    for library in ["libsqlcipher.so.0", "libssl.so.3", "libcrypto.so.3", "libzstd.so.1", "libz.so.1"] {
        let found = findings(&["libc.so.6", library]);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{library}");
        assert_eq!(found[0].message, format!("the addon needs {library}, which not all glibc systems have"));
        assert_eq!(found[0].evidence, format!("DT_NEEDED {library}"));
        assert!(found[0].remedy.contains("pkg-config"), "{}", found[0].remedy);
    }
}

#[test]
fn each_other_library_is_an_error() {
    let found = findings(&["libvips-cpp.so.42", "libc.so.6", "/nix/store/abc/lib/libfoo.so"]);
    assert_eq!(found.len(), 2);
    assert!(found[0].message.contains("libvips-cpp.so.42"));
    assert!(found[1].message.contains("by its path on the build machine"), "{}", found[1].message);
}

/// Node itself is linked to the compiler's libraries, so the default policy allows them. A policy can forbid them, so that an
/// addon also loads into a statically linked Node.
#[test]
fn a_policy_can_forbid_the_compilers_libraries() {
    let object = Maker { needed: vec!["libc.so.6", "libgcc_s.so.1"], ..Maker::addon() };
    assert_eq!(object.findings(NAME, "needed"), []);
    let mut strict = Policy::default();
    strict.allowed.glibc = vec!["libc.so.6".to_owned()];
    let found = object.findings_by(NAME, "needed", &strict);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].remedy.contains("-static-libgcc"));
}

/// `arch` already reports the wrong C library.
#[test]
fn the_wrong_c_library_is_left_to_arch() {
    let object = Maker { needed: vec!["libc.so.6", "libfoo.so.1"], ..Maker::addon() };
    let found = object.findings("addon.linux-x64-musl.node", "needed");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "the addon needs libfoo.so.1, which not all musl systems have");
    assert_eq!(object.findings("addon.linux-x64-musl.node", "arch").len(), 1);
}

/// Returns a folder with libone.so and lib/libtwo.so.
fn package() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lib")).unwrap();
    for library in ["libone.so", "lib/libtwo.so"] {
        std::fs::write(folder.path().join(library), Maker::addon().make()).unwrap();
    }
    folder
}

fn needing(library: &'static str, texts: &[(elf::DynamicTag, &'static str)]) -> Maker {
    Maker { needed: vec!["libc.so.6", library], texts: texts.to_vec(), ..Maker::addon() }
}

#[test]
fn a_library_that_comes_with_the_addon_is_fine() {
    let folder = package();
    for (library, tag, paths) in [
        ("libone.so", elf::DT_RUNPATH, "$ORIGIN"),
        ("libone.so", elf::DT_RPATH, "${ORIGIN}/"),
        ("libtwo.so", elf::DT_RUNPATH, "/opt/lib:$ORIGIN:$ORIGIN/../nowhere:$ORIGIN/lib"),
    ] {
        let found = needing(library, &[(tag, paths)]).findings_in(folder.path(), NAME, "needed");
        assert_eq!(found, [], "{library} {paths}");
    }
    // The loader ignores an RPATH if the file has a RUNPATH.
    let both = needing("libone.so", &[(elf::DT_RPATH, "$ORIGIN"), (elf::DT_RUNPATH, "/opt/lib")]);
    assert_eq!(both.findings_in(folder.path(), NAME, "needed").len(), 1);
}

#[test]
fn a_library_that_every_runpath_lacks_is_an_error() {
    let folder = package();
    let object = needing("libthree.so", &[(elf::DT_RUNPATH, "$ORIGIN:/opt/lib:$ORIGIN/lib")]);
    let found = object.findings_in(folder.path(), NAME, "needed");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(
        found[0].message,
        "the addon needs libthree.so, which not all glibc systems have; the library is not in $ORIGIN \
         and $ORIGIN/lib"
    );
    assert_eq!(found[0].evidence, "DT_NEEDED libthree.so; RUNPATH $ORIGIN, /opt/lib, $ORIGIN/lib");
    assert!(found[0].remedy.contains("the package that ships it beside this package"), "{}", found[0].remedy);
    let object = needing("libthree.so", &[(elf::DT_RUNPATH, "$ORIGIN:$ORIGIN/a:$ORIGIN/lib")]);
    let found = object.findings_in(folder.path(), NAME, "needed");
    assert!(found[0].message.ends_with("the library is not in 3 directories beside the addon"));
}

#[test]
fn a_library_outside_every_runpath_is_an_error_that_names_its_place() {
    let folder = package();
    let found = needing("libone.so", &[]).findings_in(folder.path(), NAME, "needed");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(
        found[0].message.ends_with("; the package has the library at libone.so, but no RUNPATH leads there"),
        "{found:?}"
    );
    assert!(found[0].remedy.contains("-Wl,-rpath,'$ORIGIN'"), "{}", found[0].remedy);

    let object = needing("libtwo.so", &[(elf::DT_RUNPATH, "$ORIGIN")]);
    let found = object.findings_in(folder.path(), NAME, "needed");
    assert!(found[0].message.contains("the library is not in $ORIGIN"), "{found:?}");
    assert!(found[0].remedy.contains("-Wl,-rpath,'$ORIGIN/lib'"), "{}", found[0].remedy);
}

/// If node-audit gets only an addon's content, the library may be in the folder of the addon.
#[test]
fn a_library_that_may_be_elsewhere_is_a_warning() {
    let object = needing("libone.so", &[(elf::DT_RUNPATH, "$ORIGIN/../../other/lib")]);
    let found = object.findings(NAME, "needed");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.ends_with("in $ORIGIN/../../other/lib"), "{}", found[0].message);
    // Without a search path relative to the addon, the loader cannot find the library.
    assert_eq!(needing("libone.so", &[]).findings(NAME, "needed")[0].severity, Severity::Error);
}
