//! Tests conversions by a user without the required permissions.

#![cfg(unix)]

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use crate::migrating::{convert, files, open, version};
use crate::scratch::{Scratch, integer};

/// Passes the folder with the databases to the process of another user.
const FOLDER: &str = "STRONGROOM_TEST_OTHER_USERS_FOLDER";

/// Runs a test again as another user. Returns `None` if this user cannot run a process as another user.
fn as_another_user(scratch: &Scratch, test: &str) -> Option<Output> {
    let binary = scratch.folder().join("it");
    // Other users may have no access to the folder of the test binary, so they run a copy.
    fs::copy(env::current_exe().unwrap(), &binary).unwrap();
    set_mode(&binary, 0o755);
    let mut command = Command::new(&binary);
    command
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, scratch.folder())
        .current_dir("/")
        .uid(65534)
        .gid(65534);
    // Another test that starts a process may hold a descriptor of the copy between fork and exec. The system then
    // refuses to run the copy.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
            output => break output,
        }
    };
    fs::remove_file(&binary).unwrap();
    output.ok()
}

fn assert_passed(output: &Output) {
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn create(path: &Path) {
    let database = open(path, None);
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    database.close().unwrap();
}

#[test]
fn a_read_only_file_and_a_read_only_folder_have_their_own_errors() {
    if let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) {
        return assert_read_only(&folder);
    }
    let scratch = Scratch::new();
    let closed = scratch.folder().join("closed");
    fs::create_dir(&closed).unwrap();
    create(&scratch.path());
    create(&closed.join("test.db"));
    set_mode(&scratch.path(), 0o444);
    set_mode(&closed.join("test.db"), 0o666);
    set_mode(&closed, 0o555);
    set_mode(&scratch.folder(), 0o777);
    if fs::File::options().write(true).open(scratch.path()).is_err() {
        return assert_read_only(&scratch.folder());
    }
    let output = as_another_user(
        &scratch,
        "migrate_permission::a_read_only_file_and_a_read_only_folder_have_their_own_errors",
    );
    assert_passed(&output.unwrap());
}

fn assert_read_only(folder: &Path) {
    let four = version(4);
    for (path, code, shown) in [
        (folder.join("test.db"), "SQLITE_READONLY", "the file is read-only"),
        (folder.join("closed/test.db"), "SQLITE_PERM", "migrating"),
    ] {
        let before = (fs::read(&path).unwrap(), files(path.parent().unwrap()));
        let error = convert(&path, None, Some(&four)).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(shown), "{error}");
        assert_eq!((fs::read(&path).unwrap(), files(path.parent().unwrap())), before);
    }
}

/// On Linux, only the owner of a file can find out whether other processes have the file open. If the conversion cannot
/// find a connection, SQLite notices the rename and refuses to write.
#[test]
fn an_idle_connection_that_is_not_found_cannot_write_into_the_original() {
    if let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) {
        convert(&folder.join("test.db"), None, Some(&version(4))).unwrap();
        return;
    }
    let scratch = Scratch::new();
    create(&scratch.path());
    set_mode(&scratch.path(), 0o666);
    set_mode(&scratch.folder(), 0o777);
    let idle = open(&scratch.path(), None);
    assert_eq!(integer(&idle, "SELECT count(*) FROM t"), 1);
    let test = "migrate_permission::an_idle_connection_that_is_not_found_cannot_write_into_the_original";
    let Some(output) = as_another_user(&scratch, test) else {
        println!("skipped: this user cannot run a process as another user");
        return;
    };
    assert_passed(&output);
    let error = idle.execute_batch("INSERT INTO t VALUES (2)").unwrap_err();
    assert_eq!(error.code(), "SQLITE_READONLY_DBMOVED");
    idle.close().unwrap();
    assert_eq!(integer(&open(&scratch.path(), Some(&version(4))), "SELECT count(*) FROM t"), 1);
}
