//! Names of addons that claim only part of a platform, and files that only look like addons.

use std::fs;
use std::path::Path;

use node_audit::{Finding, Policy, Severity, audit_bytes};
use serde_json::Value;

use crate::command::node_audit;
use crate::macho_maker::MachO;
use crate::object_maker::Maker;
use crate::pe_maker::PeMaker;
use crate::tarball_maker::Tarball;

/// Returns the platform that node-audit checks a file for, and the errors of `arch`.
fn arch(name: &str, content: &[u8]) -> (String, Vec<String>) {
    let report = audit_bytes(Path::new(name), content, &Policy::default()).unwrap();
    let is_error = |finding: &Finding| finding.rule == "arch" && finding.severity == Severity::Error;
    let errors = report.findings.into_iter().filter(is_error).map(|finding| finding.message);
    (report.platform.unwrap_or_default(), errors.collect())
}

/// bcrypt.linux.node claims only a system: any processor fits, but another system or C library does not.
#[test]
fn a_name_with_only_a_system_claims_the_files_own_processor() {
    let (glibc, musl) = (Maker::addon().make(), Maker::musl().make());
    let (macho, pe) = (MachO::addon().make(), PeMaker::addon().make());
    let (arm64, ia32) =
        (Maker { machine: object::elf::EM_AARCH64, ..Maker::addon() }.make(), PeMaker::ia32().make());
    for (name, content, platform) in [
        ("bcrypt.linux.node", &glibc, "linux-x64"),
        ("bcrypt.linux.node", &arm64, "linux-arm64"),
        ("bcrypt.musl.node", &musl, "linux-x64-musl"),
        ("bcrypt.glibc.node", &glibc, "linux-x64-gnu"),
        ("bcrypt.win32.node", &pe, "win32-x64-msvc"),
        ("bcrypt.win32.node", &ia32, "win32-ia32-msvc"),
        ("bcrypt.mac.node", &macho, "darwin-arm64"),
        ("x-windows.node", &pe, "win32-x64-msvc"),
        ("x64/fswin.node", &pe, "win32-x64-msvc"),
        // The words `windows` and `mac` can have another meaning, and prebuildify names a C library on every system.
        ("get-windows.node", &glibc, ""),
        ("hash-mac.node", &glibc, ""),
        ("node.napi.glibc.node", &macho, ""),
    ] {
        assert_eq!(arch(name, content), (platform.to_owned(), vec![]), "{name}");
    }
    for (name, content, expected) in [
        ("bcrypt.linux.node", &macho, "the addon claims linux, but is a Mach-O file, which only macOS loads"),
        ("bcrypt.win32.node", &glibc, "the addon claims win32, but is an ELF file, which only Linux loads"),
        ("bcrypt.mac.node", &glibc, "the addon claims darwin, but is an ELF file, which only Linux loads"),
        ("bcrypt.musl.node", &pe, "the addon claims linux-musl, but is a PE file, which only Windows loads"),
        ("bcrypt.musl.node", &glibc, "the addon claims linux-musl, but is linked to glibc"),
        ("x-linux64.node", &arm64, "the addon claims linux-x64, but is compiled for arm64"),
        ("arm64/fswin.node", &pe, "the addon claims win32-arm64-msvc, but is compiled for x64"),
    ] {
        let (_, errors) = arch(name, content);
        assert_eq!(errors.len(), 1, "{name} {errors:?}");
        assert!(errors[0].starts_with(expected), "{name} {errors:?}");
    }
}

/// The Dockerfile.node of zookeeper 5.6.0 once ended the audit with exit status 2.
#[test]
fn a_file_that_was_never_an_addon_does_not_end_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &[u8]| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    };
    write("p/package.json", br#"{"name": "p"}"#);
    write("p/Dockerfile.node", b"FROM node:22\n");
    write("p/test/box.1.node", b"8 3 0 0\n1 0 0 0\n");
    write("p/x.linux-x64-gnu.node", &Maker::addon().make());
    let tarball = Tarball::package(r#"{"name": "p"}"#)
        .file("package/Dockerfile.node", b"FROM node:22\n")
        .file("package/x.linux-x64-gnu.node", &Maker::addon().make());
    write("p.tgz", &tarball.gz());
    for path in ["p", "p.tgz"] {
        let (status, out, err) = node_audit(&folder, &["--format=json", path]);
        assert_eq!((status, out.trim(), err.as_str()), (0, "[]", ""), "{path}");
    }
    // node-audit treats this file as an addon if its own path is given, but not if it is in a given folder.
    let (status, _, err) = node_audit(&folder, &["p/Dockerfile.node"]);
    assert!(status != 0 || err.contains("Dockerfile.node"), "{err}");
    write("q/Dockerfile.node", b"FROM node:22\n");
    let (status, _, err) = node_audit(&folder, &["q"]);
    assert!(status == 2 && err.contains("q: contains no .node file"), "{err}");
}

#[test]
fn a_text_in_place_of_an_addon_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".as_slice();
    let manifest = r#"{"name": "p", "main": "./lib/main.node"}"#;
    for (path, content) in [
        ("x.node", b"".as_slice()),
        ("x.node", lfs),
        ("x.node", b"<!DOCTYPE html><title>404</title>"),
        ("x.linux.node", b"text"),
        ("build/Release/x.node", b"text"),
        ("lib/main.node", b"text"),
    ] {
        let tarball = Tarball::package(manifest)
            .file("package/y.linux-x64-gnu.node", &Maker::addon().make())
            .file(&format!("package/{path}"), content);
        fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
        let (status, out, err) = node_audit(&folder, &["--format=json", "p.tgz"]);
        assert_ne!(status, 0, "{path}");
        // node-audit reports the file as a failure or in a finding.
        let findings: Value = serde_json::from_str(&out).unwrap();
        let is_it = |finding: &Value| finding["file"].as_str().is_some_and(|file| file.ends_with(path));
        assert!(err.contains(path) || findings.as_array().unwrap().iter().any(is_it), "{path} {out} {err}");
    }
}

/// x509 0.3.2 contains a build for macOS in build/Release.
#[test]
fn a_build_left_by_the_packing_machine_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let found = |manifest: &str, more: &str| {
        let tarball = Tarball::package(manifest)
            .file("package/build/Release/x509.node", &MachO::addon().make())
            .file(&format!("package/{more}"), b"{}");
        fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
        let (_, out, _) = node_audit(&folder, &["--format=json", "p.tgz"]);
        let findings: Value = serde_json::from_str(&out).unwrap();
        let of_build = findings.as_array().unwrap().iter().find(|finding| {
            finding["message"]
                .as_str()
                .is_some_and(|message| message.contains("the machine that packed the package"))
        });
        of_build.map(|finding| {
            assert_eq!(
                finding["evidence"],
                "build/Release/x509.node (darwin-arm64); the names of the file, its folders and the package give no platform"
            );
            finding["severity"].as_str().unwrap().to_owned()
        })
    };
    assert_eq!(found(r#"{"name": "x509"}"#, "index.js").as_deref(), Some("error"));
    // npm compiles the addon again, unless scripts are disabled.
    assert_eq!(found(r#"{"name": "x509"}"#, "binding.gyp").as_deref(), Some("warning"));
    assert_eq!(found(r#"{"name": "x509", "os": ["darwin"]}"#, "index.js"), None);
    assert_eq!(found(r#"{"name": "x509-darwin-arm64"}"#, "index.js"), None);
}
