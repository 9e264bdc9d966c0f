//! Tests files that the operating system does not allow the user to open.

#![cfg(unix)]

use std::error::Error;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use strongroom_database::{Database, Location, OpenError, OpenOptions};

use crate::scratch::{Scratch, key};

/// Passes the folder to the process that has no permission to use it.
const FOLDER: &str = "STRONGROOM_TEST_FORBIDDEN_FOLDER";

/// Root can open every file, so the test runs itself again as another user.
#[test]
fn a_missing_permission_has_its_own_error() {
    if let Some(folder) = env::var_os(FOLDER) {
        return assert_forbidden(Path::new(&folder));
    }
    let scratch = Scratch::new();
    fs::write(scratch.path(), "").unwrap();
    let closed = scratch.folder().join("closed");
    fs::create_dir(&closed).unwrap();
    set_mode(&scratch.path(), 0o000);
    set_mode(&closed, 0o555);
    if fs::File::open(scratch.path()).is_err() {
        return assert_forbidden(&scratch.folder());
    }
    // Other users may have no access to the folder of the test binary, so they run a copy.
    set_mode(&scratch.folder(), 0o755);
    let binary = scratch.folder().join("it");
    fs::copy(env::current_exe().unwrap(), &binary).unwrap();
    set_mode(&binary, 0o755);
    let output = Command::new(&binary)
        .args(["--exact", "permission::a_missing_permission_has_its_own_error"])
        .env(FOLDER, scratch.folder())
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

fn assert_forbidden(folder: &Path) {
    let options = OpenOptions::default();
    let paths: [PathBuf; 2] = [folder.join("test.db"), folder.join("closed").join("new.db")];
    for path in &paths {
        for result in [
            Database::open(Location::File(path), &key(), &options),
            Database::open_unencrypted(Location::File(path), &options),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, OpenError::Permission { .. }), "{error:?}");
            assert_eq!(error.code(), "SQLITE_PERM");
            let source: &io::Error = error.source().unwrap().downcast_ref().unwrap();
            assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
    assert!(!paths[1].exists());
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
