//! Tests the errors of `bindings/node/scripts/load.mjs`. The release workflow runs the script on real packages.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::publish::seal;

fn refused(packages: &Path, arguments: &[&str]) -> String {
    let script = crate::folder().join("../../../bindings/node/scripts/load.mjs");
    let mut node = Command::new("node");
    // npm of Node 24 keeps a compile cache in the folder for temporary files.
    node.env("NODE_DISABLE_COMPILE_CACHE", "1");
    node.arg(script).arg(packages).args(arguments).stdin(Stdio::null());
    let output = node.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: ") && !error.contains("    at "), "{error}");
    error
}

#[test]
fn a_foreign_or_unknown_platform_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for target in node_targets::targets().iter().filter(|target| *target != node_targets::host().unwrap()) {
        let error = refused(folder.path(), &[&target.platform]);
        assert!(error.starts_with(&format!("error: {target} is for ")), "{error}");
        assert!(error.contains(", and this Node is for "), "{error}");
    }
    let error = refused(folder.path(), &["amiga"]);
    assert!(error.contains("unknown platform amiga; targets.json has linux-x64-gnu, "), "{error}");
}

#[test]
fn missing_and_damaged_packages_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let host = node_targets::host().unwrap();
    assert!(refused(folder.path(), &[]).contains("usage: node load.mjs FOLDER PLATFORM"));
    assert!(refused(folder.path(), &[&host.platform]).contains("manifest.json: ENOENT"));
    seal(folder.path(), "1.2.3");
    fs::write(folder.path().join(format!("strongroom-{host}-1.2.3.tgz")), "cut").unwrap();
    fs::remove_file(folder.path().join("strongroom-1.2.3.tgz")).unwrap();
    let error = refused(folder.path(), &[&host.platform]);
    assert!(error.contains("missing: strongroom-1.2.3.tgz (ENOENT)\n"), "{error}");
    assert!(error.contains(&format!("damaged: strongroom-{host}-1.2.3.tgz has 3 bytes and ")), "{error}");
}

#[test]
fn unreadable_tarballs_leave_no_files_and_no_stack_trace() {
    let folder = tempfile::tempdir().unwrap();
    let host = node_targets::host().unwrap();
    seal(folder.path(), "1.2.3");
    let script = crate::folder().join("../../../bindings/node/scripts/load.mjs");
    let scratch = tempfile::tempdir().unwrap();
    let mut node = Command::new("node");
    // npm of Node 24 keeps a compile cache in the folder for temporary files.
    node.env("NODE_DISABLE_COMPILE_CACHE", "1");
    node.arg(script).arg(folder.path()).arg(&host.platform).stdin(Stdio::null());
    let output = node.env("TMPDIR", scratch.path()).env("TEMP", scratch.path()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let why = format!("error: the packages for {host} cannot be used here; the reason is above");
    assert!(error.contains(&why) && error.contains("npm error"), "{error}");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
