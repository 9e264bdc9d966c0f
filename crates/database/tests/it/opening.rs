//! Tests opening and creating databases, and paths that are not databases.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use strongroom_database::{Database, Location, OpenError, OpenOptions};

use crate::scratch::{Scratch, integer, key, memory};

fn open(path: &Path, options: &OpenOptions) -> Result<Database, OpenError> {
    let encrypted = Database::open(Location::File(path), &key(), options);
    let plain = Database::open_unencrypted(Location::File(path), options);
    let codes = [&encrypted, &plain].map(|result| result.as_ref().err().map(OpenError::code));
    assert_eq!(codes[0], codes[1], "with a key and without: {encrypted:?} and {plain:?}");
    encrypted
}

/// Returns the operating system's error that caused another error.
fn os_error(error: &OpenError) -> &io::Error {
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_file_is_created_and_read_again() {
    let scratch = Scratch::new();
    let database = scratch.open();
    assert!(database.is_open() && !database.is_read_only() && !database.in_transaction());
    assert_eq!(fs::metadata(scratch.path()).unwrap().len(), 0, "opening a database writes nothing");
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (7)").unwrap();
    database.close().unwrap();
    assert_eq!(integer(&scratch.open(), "SELECT a FROM t"), 7);
}

#[test]
fn the_journal_mode_is_the_default_of_sqlite() {
    let scratch = Scratch::new();
    let mode = crate::scratch::value(&scratch.open(), "PRAGMA journal_mode", &[]).unwrap();
    assert_eq!(mode, crate::scratch::text("delete"));
}

#[test]
fn in_memory_databases_are_separate() {
    let (one, other) = (memory(), memory());
    one.execute_batch("CREATE TABLE t (a)").unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    let plain = Database::open_unencrypted(Location::Memory, &OpenOptions::default()).unwrap();
    assert_eq!(integer(&plain, "SELECT count(*) FROM sqlite_schema"), 0);
}

#[test]
fn read_only_refuses_writes_and_must_exist_refuses_to_create() {
    let scratch = Scratch::new();
    let read_only = OpenOptions { read_only: true, ..Default::default() };
    let must_exist = OpenOptions { must_exist: true, ..Default::default() };
    for options in [&read_only, &must_exist] {
        let error = open(&scratch.path(), options).unwrap_err();
        assert!(matches!(&error, OpenError::MissingFile { path, .. } if *path == scratch.path()), "{error}");
        assert_eq!(os_error(&error).kind(), ErrorKind::NotFound);
        assert_eq!(error.code(), "SQLITE_CANTOPEN");
        assert!(!scratch.path().exists());
    }
    scratch.open().execute_batch("CREATE TABLE t (a)").unwrap();
    let database = Database::open(Location::File(&scratch.path()), &key(), &read_only).unwrap();
    assert!(database.is_read_only());
    assert_eq!(database.execute_batch("INSERT INTO t VALUES (1)").unwrap_err().code(), "SQLITE_READONLY");
    let database = Database::open(Location::File(&scratch.path()), &key(), &must_exist).unwrap();
    database.execute_batch("INSERT INTO t VALUES (1)").unwrap();
}

#[test]
fn the_error_names_a_missing_folder() {
    let scratch = Scratch::new();
    let missing = scratch.folder().join("missing");
    let error = open(&missing.join("test.db"), &OpenOptions::default()).unwrap_err();
    assert!(matches!(&error, OpenError::MissingDirectory { directory, .. } if *directory == missing));
    assert_eq!(error.code(), "SQLITE_CANTOPEN");
    assert_eq!(os_error(&error).kind(), ErrorKind::NotFound);
    let remedy = format!("the folder \"{}\" does not exist; create it first", missing.display());
    assert!(error.to_string().ends_with(&remedy), "{error}");
    assert!(!missing.exists());
}

#[test]
fn the_error_names_a_file_in_place_of_a_folder() {
    let scratch = Scratch::new();
    fs::write(scratch.path(), "file").unwrap();
    let shown = format!("\"{}\" is a file, not a folder; check the path", scratch.path().display());
    for below in ["test.db", "folder/test.db"] {
        for must_exist in [false, true] {
            let options = OpenOptions { must_exist, ..Default::default() };
            let error = open(&scratch.path().join(below), &options).unwrap_err();
            assert!(
                matches!(&error, OpenError::FileAsDirectory { file, .. } if *file == scratch.path()),
                "{error}"
            );
            assert_eq!(error.code(), "SQLITE_CANTOPEN");
            assert_eq!(os_error(&error).kind(), ErrorKind::NotADirectory);
            assert!(error.to_string().ends_with(&shown), "{error}");
        }
    }
    assert_eq!(fs::read(scratch.path()).unwrap(), b"file");
}

/// SQLite resolves symbolic links itself. If a path has too many links, SQLite reports the system error of an unrelated
/// call.
#[cfg(unix)]
#[test]
fn a_broken_symbolic_link_reports_the_right_system_error() {
    let scratch = Scratch::new();
    let (round, missing) = (scratch.folder().join("round"), scratch.folder().join("missing"));
    std::os::unix::fs::symlink(&round, &round).unwrap();
    std::os::unix::fs::symlink(scratch.folder().join("nowhere/test.db"), &missing).unwrap();
    let expected = fs::metadata(&round).unwrap_err().raw_os_error();
    for _ in 0..2 {
        let error = open(&round, &OpenOptions::default()).unwrap_err();
        assert_eq!((error.code(), os_error(&error).raw_os_error()), ("SQLITE_CANTOPEN", expected));
    }
    let error = open(&missing, &OpenOptions::default()).unwrap_err();
    assert_eq!((error.code(), os_error(&error).kind()), ("SQLITE_CANTOPEN", ErrorKind::NotFound));
}

#[test]
fn a_folder_cannot_be_opened_as_a_database() {
    let scratch = Scratch::new();
    for read_only in [false, true] {
        let error = open(&scratch.folder(), &OpenOptions { read_only, ..Default::default() }).unwrap_err();
        assert!(matches!(error, OpenError::Directory { .. }), "{error}");
        assert_eq!(error.code(), "SQLITE_CANTOPEN_ISDIR");
    }
}

#[test]
fn an_empty_path_and_a_path_with_a_nul_are_refused() {
    let options = OpenOptions::default();
    assert_eq!(open(Path::new(""), &options).unwrap_err().code(), "STRONGROOM_EMPTY_PATH");
    let scratch = Scratch::new();
    let path = scratch.folder().join("a\0b.db");
    assert_eq!(open(&path, &options).unwrap_err().code(), "STRONGROOM_NUL_IN_PATH");
    assert_eq!(fs::read_dir(scratch.folder()).unwrap().count(), 0, "a shorter path was opened");
}

#[test]
fn a_file_name_that_looks_like_a_uri_is_a_file_name() {
    let scratch = Scratch::new();
    for name in ["file:a.db?mode=memory", "ü ö%20.db"] {
        let path = scratch.folder().join(name);
        Database::open(Location::File(&path), &key(), &OpenOptions::default())
            .unwrap()
            .execute_batch("CREATE TABLE t (a)")
            .unwrap();
        assert!(path.is_file(), "{path:?}");
    }
}

#[test]
fn opening_waits_for_a_locked_database_and_then_reports_the_lock() {
    let scratch = Scratch::new();
    let writer = scratch.open();
    writer.execute_batch("CREATE TABLE t (a); BEGIN EXCLUSIVE").unwrap();
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..Default::default() };
    let error = Database::open(Location::File(&scratch.path()), &key(), &options).unwrap_err();
    assert_eq!(error.code(), "SQLITE_BUSY");
    let late = Database::open_unencrypted(Location::File(&scratch.path()), &options).unwrap();
    assert_eq!(late.prepare("SELECT * FROM t").unwrap_err().code(), "SQLITE_BUSY");
    writer.execute_batch("COMMIT").unwrap();
    Database::open(Location::File(&scratch.path()), &key(), &options).unwrap();
}

#[test]
fn a_timeout_may_be_longer_than_sqlite_supports() {
    let options = OpenOptions { busy_timeout: Duration::MAX, ..Default::default() };
    let database = Database::open(Location::Memory, &key(), &options).unwrap();
    assert_eq!(integer(&database, "PRAGMA busy_timeout"), i64::from(i32::MAX));
}

#[test]
fn temporary_tables_and_sorts_stay_in_memory() {
    let database = memory();
    assert_eq!(integer(&database, "SELECT sqlite_compileoption_used('TEMP_STORE=3')"), 1);
}

/// The message was SQLite's "attempt to write a readonly database", although the caller only read.
#[test]
fn the_error_says_that_a_read_only_connection_cannot_roll_back_a_hot_journal() {
    let scratch = Scratch::new();
    let writer = scratch.open();
    writer
        .execute_batch(
            "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000)); PRAGMA cache_spill = 1;
             PRAGMA cache_size = 1; BEGIN; UPDATE t SET a = randomblob(100000); INSERT INTO t SELECT * FROM t",
        )
        .unwrap();
    // A copy of both files in the middle of a transaction equals the files that a killed process leaves.
    let left = scratch.folder().join("left.db");
    fs::copy(scratch.path(), &left).unwrap();
    fs::copy(scratch.folder().join("test.db-journal"), scratch.folder().join("left.db-journal")).unwrap();
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let error = Database::open(Location::File(&left), &key(), &options).unwrap_err();
    assert_eq!(error.code(), "SQLITE_READONLY_ROLLBACK");
    assert!(error.to_string().contains("once for writing"), "{error}");
    let plain = Database::open_unencrypted(Location::File(&left), &options).unwrap();
    let error = plain.prepare("SELECT * FROM t").unwrap_err();
    assert!(error.to_string().contains("once for writing"), "{error}");
    let database = Database::open(Location::File(&left), &key(), &OpenOptions::default()).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 1);
}
