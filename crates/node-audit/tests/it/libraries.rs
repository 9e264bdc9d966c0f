//! Libraries that come with an addon, and their own dependencies.

use std::path::Path;

use node_audit::{Audit, Finding, Policy, Severity, audit_paths};
use object::elf;
use object::macho::LC_LOAD_DYLIB;
use tempfile::TempDir;

use crate::command::node_audit;
use crate::macho_maker::{self, MachO};
use crate::object_maker::{Maker, NAME, Need};
use crate::pe_maker::{self, PeMaker};
use crate::tarball_maker::Tarball;

type Files<'a> = [(&'a str, Vec<u8>)];

fn folder(files: &Files<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn look(path: &Path) -> Audit {
    let audit = audit_paths(&[path.to_path_buf()], &Policy::default(), &());
    assert!(audit.failures.is_empty(), "{:?}", audit.failures);
    audit
}

/// Returns the findings of a rule, and asserts that an audit of the folder and an audit of a tarball give the same findings.
fn findings(files: &Files<'_>, rule: &str) -> Vec<Finding> {
    let of = |audit: Audit| {
        let findings = audit.files.into_iter().flat_map(|file| file.report.findings);
        findings.filter(|finding| finding.rule == rule).collect::<Vec<_>>()
    };
    let found = of(look(folder(files).path()));
    let mut archive = Tarball::package(r#"{"name": "x"}"#);
    for (path, content) in files {
        archive = archive.file(&format!("package/{path}"), content);
    }
    let tarball = tempfile::tempdir().unwrap();
    let path = tarball.path().join("x.tgz");
    std::fs::write(&path, archive.gz()).unwrap();
    let packed = of(look(&path));
    let texts = |findings: &[Finding]| {
        let text = |finding: &Finding| format!("{} {}", finding.message, finding.evidence);
        findings.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(texts(&found), texts(&packed));
    found
}

/// Returns a library that needs `libraries`, and whose RUNPATH is its own directory.
fn needing(libraries: &[&'static str]) -> Maker {
    let needed = ["libc.so.6"].iter().chain(libraries).copied().collect();
    Maker { needed, texts: vec![(elf::DT_RUNPATH, "$ORIGIN")], ..Maker::addon() }
}

fn glibc(version: &'static str, object: Maker) -> Vec<u8> {
    let versions = vec![Need { library: "libc.so.6", version, weak: false, symbols: vec!["dlsym"] }];
    Maker { versions, ..object }.make()
}

/// libsodium.dll in sodium-native 3.2.1 needs VCRUNTIME140.dll, but the addon beside the DLL does not.
#[test]
fn the_imports_of_a_dll_beside_the_addon_are_checked() {
    let importing = |dll| PeMaker { imports: vec![(dll, vec!["f"])], ..PeMaker::addon() }.make();
    let files =
        [(pe_maker::NAME, importing("LIBSODIUM.dll")), ("libsodium.dll", importing("VCRUNTIME140.dll"))];
    let found = findings(&files, "imports");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(
        found[0].message,
        "libsodium.dll, which the addon loads, needs VCRUNTIME140.dll of the Visual C++ redistributable, which neither \
         Windows nor Node has"
    );
    assert_eq!(
        found[0].evidence,
        "addon.win32-x64-msvc.node -> libsodium.dll: imports from VCRUNTIME140.dll: f"
    );
    // Windows searches the addon's folder for indirect dependencies as well.
    let complete = [&files[..], &[("vcruntime140.DLL", PeMaker::addon().make())]].concat();
    assert_eq!(findings(&complete, "imports"), []);
}

#[test]
fn a_chain_of_libraries_is_followed_and_shown_as_evidence() {
    let files = [
        (NAME, needing(&["liba.so"]).make()),
        ("liba.so", needing(&["libb.so"]).make()),
        ("libb.so", needing(&["libssl.so.3"]).make()),
    ];
    let found = findings(&files, "needed");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(
        found[0]
            .message
            .starts_with("libb.so, which the addon loads, needs libssl.so.3, which not all glibc"),
        "{}",
        found[0].message
    );
    let expected = format!("{NAME} -> liba.so -> libb.so: DT_NEEDED libssl.so.3");
    assert!(found[0].evidence.starts_with(&expected), "{}", found[0].evidence);
}

#[test]
fn libraries_in_a_cycle_are_read_once() {
    let files = [
        (NAME, needing(&["liba.so", "libb.so"]).make()),
        ("liba.so", needing(&["libb.so"]).make()),
        ("libb.so", needing(&["liba.so", "libssl.so.3"]).make()),
    ];
    assert_eq!(findings(&files, "needed").len(), 1);
}

#[test]
fn versions_that_libraries_need_are_checked() {
    let files = [(NAME, needing(&["liba.so"]).make()), ("liba.so", glibc("GLIBC_2.38", Maker::addon()))];
    let found = findings(&files, "glibc-floor");
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message,
        "liba.so, which the addon loads, needs glibc 2.38; the oldest supported version is 2.28"
    );
    let cxx = |version| {
        let needs = Need { library: "libstdc++.so.6", version, weak: false, symbols: vec!["f"] };
        Maker { versions: vec![needs], ..Maker::addon() }.make()
    };
    let files = [(NAME, needing(&["liba.so"]).make()), ("liba.so", cxx("GLIBCXX_3.4.30"))];
    assert_eq!(findings(&files, "libstdcxx").len(), 1);
    // If no path leads to the library, node-audit ignores its versions, and `needed` reports the library itself.
    let lost = [(NAME, Maker { texts: vec![], ..needing(&["liba.so"]) }.make()), files[1].clone()];
    assert_eq!((findings(&lost, "libstdcxx").len(), findings(&lost, "needed").len()), (0, 1));
}

#[test]
fn a_library_for_another_processor_is_an_error() {
    let arm64 = Maker { machine: elf::EM_AARCH64, ..Maker::addon() };
    let files = [(NAME, needing(&["liba.so"]).make()), ("liba.so", arm64.make())];
    let found = findings(&files, "arch");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(
        found[0].message,
        "liba.so, which the addon loads, is compiled for arm64, and the addon is not"
    );
}

/// glibc skips a file for another processor and searches the next directory; musl does not.
#[test]
fn glibc_skips_a_library_for_another_processor() {
    let arm64 = || Maker { machine: elf::EM_AARCH64, ..Maker::addon() }.make();
    let paths = vec![(elf::DT_RUNPATH, "$ORIGIN/arm64:$ORIGIN/x64")];
    let addon = Maker { texts: paths.clone(), ..needing(&["liba.so"]) };
    let libraries = [("arm64/liba.so", arm64()), ("x64/liba.so", Maker::addon().make())];
    let files = [&[(NAME, addon.make())][..], &libraries].concat();
    assert_eq!(findings(&files, "arch"), []);
    let musl = Maker { needed: vec!["libc.musl-x86_64.so.1", "liba.so"], texts: paths, ..Maker::musl() };
    let files = [
        ("addon.linux-x64-musl.node", musl.make()),
        libraries[0].clone(),
        ("x64/liba.so", Maker::musl().make()),
    ];
    assert_eq!(findings(&files, "arch").len(), 1);
}

#[test]
fn a_library_of_the_other_c_library_is_an_error() {
    let files = [(NAME, needing(&["liba.so"]).make()), ("liba.so", Maker::musl().make())];
    let found = findings(&files, "arch");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(found[0].message, "liba.so, which the addon loads, is linked to musl, and the addon is not");
}

#[test]
fn a_needed_file_that_is_not_a_library_is_an_error() {
    let addon = needing(&["liba.so"]).make();
    for (content, reason) in [
        (&b""[..], "is empty"),
        (b"INPUT(libb.so)", "is text"),
        (&addon[..100], "is a damaged ELF file"),
        (b"\x7fELF", "is a damaged"),
    ] {
        let found = findings(&[(NAME, addon.clone()), ("liba.so", content.to_vec())], "arch");
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        let expected = format!("liba.so, which the addon loads, {reason}");
        assert!(found[0].message.starts_with(&expected), "{}", found[0].message);
    }
}

/// glibc loads files breadth first, and finds a loaded library by its name.
#[test]
fn a_library_that_is_already_loaded_is_found_by_name() {
    let plain = |libraries| Maker { texts: vec![], ..needing(libraries) };
    let needs_b = || plain(&["libb.so"]).make();
    let first = [
        (NAME, needing(&["libb.so", "liba.so"]).make()),
        ("liba.so", needs_b()),
        ("libb.so", plain(&[]).make()),
    ];
    assert_eq!(findings(&first, "needed"), []);
    // To find the dependencies of a library, glibc ignores the addon's RUNPATH but searches its RPATH.
    let runpath =
        [(NAME, needing(&["liba.so"]).make()), ("liba.so", needs_b()), ("libb.so", plain(&[]).make())];
    assert_eq!(findings(&runpath, "needed").len(), 1);
    let rpath = Maker { texts: vec![(elf::DT_RPATH, "$ORIGIN")], ..needing(&["liba.so"]) };
    let rpath = [(NAME, rpath.make()), ("liba.so", needs_b()), ("libb.so", plain(&[]).make())];
    assert_eq!(findings(&rpath, "needed"), []);
}

/// If an addon is not linked to a C library, its name decides which loader applies. For the libraries that liba.so needs, musl
/// searches the addon's RUNPATH as well, and glibc does not.
#[test]
fn glibc_uses_a_runpath_only_for_its_own_file() {
    let bare = |needed: &[&'static str], texts: &[(elf::DynamicTag, &'static str)]| {
        let (needed, texts) = (needed.to_vec(), texts.to_vec());
        Maker { needed, texts, versions: vec![], ..Maker::addon() }.make()
    };
    let (rpath, runpath) = (elf::DT_RPATH, elf::DT_RUNPATH);
    for (own, library, is_found) in [
        (runpath, vec![], false),
        (rpath, vec![], true),
        (rpath, vec![(runpath, "/opt/x")], false),
        (runpath, vec![(rpath, "$ORIGIN")], true),
    ] {
        let files = |name| {
            let addon = bare(&["liba.so"], &[(own, "$ORIGIN")]);
            let libraries = [("liba.so", bare(&["libb.so"], &library)), ("libb.so", bare(&[], &[]))];
            [&[(name, addon)][..], &libraries].concat()
        };
        for name in [NAME, "addon.linux-x64.node", "addon.node"] {
            let found = findings(&files(name), "needed");
            assert_eq!(found.is_empty(), is_found, "{name} {own:?} {found:?}");
            let expected = "liba.so, which the addon loads, needs libb.so";
            assert!(found.iter().all(|finding| finding.message.starts_with(expected)), "{found:?}");
        }
        assert_eq!(findings(&files("addon.linux-x64-musl.node"), "needed"), []);
    }
}

#[test]
fn a_dylib_searches_its_own_paths_and_those_of_its_loaders() {
    let loading = |path, rpaths: &[&'static str]| {
        let dylibs = vec![(LC_LOAD_DYLIB, path)];
        MachO { dylibs, rpaths: rpaths.to_vec(), ..MachO::addon() }.make()
    };
    let addon = || loading("@rpath/liba.dylib", &["@loader_path/lib"]);
    let homebrew = "/opt/homebrew/lib/libssl.3.dylib";
    let found =
        findings(&[(macho_maker::NAME, addon()), ("lib/liba.dylib", loading(homebrew, &[]))], "load-command");
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(
        found[0].message.starts_with(&format!("liba.dylib, which the addon loads, needs {homebrew}, ")),
        "{}",
        found[0].message
    );
    for (path, count) in [("@loader_path/libb.dylib", 0), ("@rpath/libb.dylib", 0), ("@rpath/libc.dylib", 1)]
    {
        let files = [
            (macho_maker::NAME, addon()),
            ("lib/liba.dylib", loading(path, &[])),
            ("lib/libb.dylib", MachO::addon().make()),
        ];
        assert_eq!(findings(&files, "load-command").len(), count, "{path}");
    }
}

/// Without a limit, a long chain of libraries could keep the audit busy without end.
#[test]
fn libraries_beyond_the_limit_are_not_followed() {
    let names: Vec<&'static str> = (0..70).map(|number| &*format!("lib{number}.so").leak()).collect();
    let mut files = vec![(NAME, needing(&names).make())];
    files.extend(names.iter().map(|name| (*name, glibc("GLIBC_2.38", Maker::addon()))));
    // One finding covers every library with the same problem.
    assert_eq!(findings(&files, "glibc-floor").len(), 1);
    files.truncate(1);
    files.extend(names.iter().map(|name| (*name, needing(&[&*format!("{name}.absent").leak()]).make())));
    assert_eq!(findings(&files, "needed").len(), 64);
}

/// The verdict names the oldest release that satisfies both the addon and its libraries.
#[test]
fn the_verdict_includes_the_libraries() {
    let files = [(NAME, needing(&["liba.so"]).make()), ("liba.so", glibc("GLIBC_2.38", Maker::addon()))];
    let folder = folder(&files);
    let (_, out, err) = node_audit(&folder, &[NAME]);
    assert!(out.contains("loads on glibc 2.38 and later"), "{out}{err}");
}
