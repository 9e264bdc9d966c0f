//! Tests that a failed conversion leaves the file unchanged and leaves no other files.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_database::{MigrateError, Migration, migrate};
use strongroom_keys::{CipherParameters, Key};

use crate::migrating::{Settings, convert, create_rich, files, migration, open, version};
use crate::scratch::{REMOVED_ENDINGS, Scratch, integer};

/// Asserts that a conversion fails with the code and leaves the folder unchanged.
fn refused(path: &Path, from: Option<&Key>, to: Option<&Key>, code: &str) -> MigrateError {
    let folder = path.parent().unwrap();
    let before = (files(folder), fs::read(path).ok());
    let error = convert(path, from, to).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert_eq!((files(folder), fs::read(path).ok()), before, "{error}");
    error
}

fn small(scratch: &Scratch) {
    open(&scratch.path(), None).execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
}

#[test]
fn a_wrong_key_has_its_own_error() {
    let (scratch, four, wrong) = (Scratch::new(), version(4), Key::raw(&[9; 32]).unwrap());
    small(&scratch);
    convert(&scratch.path(), None, Some(&four)).unwrap();
    refused(&scratch.path(), Some(&wrong), None, "STRONGROOM_WRONG_KEY");
    refused(&scratch.path(), Some(&version(3)), Some(&wrong), "STRONGROOM_WRONG_KEY");
}

#[test]
fn a_plain_file_takes_no_key_and_an_encrypted_file_needs_its_key() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    let error = refused(&scratch.path(), Some(&four), None, "STRONGROOM_NOT_ENCRYPTED");
    assert!(error.to_string().contains("the file is not encrypted, but a current key was given"), "{error}");
    convert(&scratch.path(), None, Some(&four)).unwrap();
    let error = refused(&scratch.path(), None, Some(&four), "STRONGROOM_ENCRYPTED");
    assert!(error.to_string().contains("`from` takes the current key"), "{error}");
    // The plaintext header looks like the header of a plain file.
    let header = CipherParameters {
        plaintext_header_size: Some(32),
        salt: Some([7; 16]),
        ..CipherParameters::default()
    };
    let header = Key::raw(&[9; 32]).unwrap().with_cipher(header).unwrap();
    convert(&scratch.path(), Some(&four), Some(&header)).unwrap();
    refused(&scratch.path(), None, Some(&four), "STRONGROOM_ENCRYPTED");
}

#[test]
fn a_missing_file_is_not_created() {
    let (scratch, four) = (Scratch::new(), version(4));
    let error = refused(&scratch.path(), None, Some(&four), "SQLITE_CANTOPEN");
    let source: &io::Error = error.source().unwrap().downcast_ref().unwrap();
    assert_eq!(source.kind(), ErrorKind::NotFound);
    assert!(error.to_string().ends_with("the file does not exist; check the path"), "{error}");
    let missing = scratch.folder().join("missing/test.db");
    assert_eq!(convert(&missing, None, Some(&four)).unwrap_err().code(), "SQLITE_CANTOPEN");
    assert_eq!(convert(Path::new(""), None, Some(&four)).unwrap_err().code(), "STRONGROOM_EMPTY_PATH");
    assert!(files(&scratch.folder()).is_empty());
}

#[test]
fn a_folder_an_empty_file_and_other_files_are_not_databases() {
    let (scratch, four) = (Scratch::new(), version(4));
    refused(&scratch.folder(), None, Some(&four), "SQLITE_CANTOPEN_ISDIR");
    fs::write(scratch.path(), "").unwrap();
    refused(&scratch.path(), None, Some(&four), "STRONGROOM_EMPTY_FILE");
    refused(&scratch.path(), Some(&four), None, "STRONGROOM_EMPTY_FILE");
    fs::write(scratch.path(), "no database at all").unwrap();
    refused(&scratch.path(), None, Some(&four), "SQLITE_NOTADB");
    refused(&scratch.path(), Some(&four), None, "SQLITE_NOTADB");
    fs::write(scratch.path(), [7; 8192]).unwrap();
    refused(&scratch.path(), None, Some(&four), "STRONGROOM_ENCRYPTED");
    refused(&scratch.path(), Some(&four), None, "STRONGROOM_WRONG_KEY");
    #[cfg(unix)]
    refused(Path::new("/dev/null"), None, Some(&four), "SQLITE_CANTOPEN");
}

#[test]
fn an_existing_path_for_the_original_is_refused_before_any_work() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    let (path, keep) = (scratch.path(), scratch.folder().join("old.db"));
    fs::write(&keep, "mine").unwrap();
    for keep in [&keep, &path] {
        let kept = Migration { keep: Some(keep), ..migration(&path, None, Some(&four)) };
        let error = migrate(&kept, &mut |_| panic!("work was done")).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_EXISTS", "{error}");
    }
    assert_eq!(fs::read(&keep).unwrap(), b"mine");
    // A missing folder was found only after the whole file had been copied.
    let begun = Cell::new(false);
    let long = "x".repeat(300);
    let names = [
        ("missing/old.db", "\" does not exist; create it first"),
        ("test.db/old.db", "ot a directory"),
        (&*long, "File name too long"),
    ];
    for (name, advice) in &names[..if cfg!(unix) { 3 } else { 2 }] {
        let nowhere = scratch.folder().join(name);
        let kept = Migration { keep: Some(&nowhere), ..migration(&path, None, Some(&four)) };
        let error = migrate(&kept, &mut |_| {
            begun.set(true);
            ControlFlow::Continue(())
        });
        let error = error.unwrap_err();
        assert_eq!((error.code(), begun.get()), ("SQLITE_CANTOPEN", false), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
    assert_eq!(files(&scratch.folder()), ["old.db", "test.db"]);
    assert_eq!(integer(&open(&path, None), "SELECT a FROM t"), 1);
}

/// The kept original had the name of another database's journal or log. When this database was next used, SQLite
/// removed the original.
#[test]
fn a_conversion_refuses_a_name_for_the_original_that_sqlite_would_remove() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    let path = scratch.path();
    for name in ["test.db", "other.db", "é"] {
        for ending in REMOVED_ENDINGS {
            let keep = scratch.folder().join(format!("{name}{ending}"));
            let kept = Migration { keep: Some(&keep), ..migration(&path, None, Some(&four)) };
            let error = migrate(&kept, &mut |_| panic!("work was done")).unwrap_err();
            assert_eq!(error.code(), "STRONGROOM_RESERVED_NAME", "{error}");
            assert!(error.to_string().contains(ending), "{error}");
        }
    }
    assert_eq!(files(&scratch.folder()), ["test.db"]);
}

/// A conversion on another thread resolved a relative path after the process had changed its current folder.
#[test]
fn relative_paths_start_from_the_given_folder() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    let folder = scratch.folder();
    let (path, keep) = (Path::new("test.db"), Path::new("old.db"));
    let relative =
        Migration { folder: Some(&folder), keep: Some(keep), ..migration(path, None, Some(&four)) };
    migrate(&relative, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(files(&folder), ["old.db", "test.db"]);
    let back = Migration { folder: Some(&folder), ..migration(path, Some(&four), None) };
    migrate(&back, &mut |_| ControlFlow::Continue(())).unwrap();
    let error = migrate(&relative, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("\"test.db\" as \"old.db\""), "{error}");
    assert_eq!(integer(&open(&scratch.path(), None), "SELECT a FROM t"), 1);
}

/// A conversion that is killed between the link and the rename leaves the original under both names.
#[test]
fn an_original_that_already_has_its_second_name_is_converted() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    let (path, keep) = (scratch.path(), scratch.folder().join("old.db"));
    fs::hard_link(&path, &keep).unwrap();
    let kept = Migration { keep: Some(&keep), ..migration(&path, None, Some(&four)) };
    migrate(&kept, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(integer(&open(&keep, None), "SELECT a FROM t"), 1);
    assert_eq!(integer(&open(&path, Some(&four)), "SELECT a FROM t"), 1);
}

#[test]
fn a_cancelled_conversion_leaves_the_file_unchanged() {
    for journal in ["delete", "wal"] {
        let (scratch, four) = (Scratch::new(), version(4));
        create_rich(
            &scratch.path(),
            Settings { encoding: "UTF-8", auto_vacuum: 0, journal, page_size: 4096 },
        );
        let before = fs::read(scratch.path()).unwrap();
        let (mut calls, path) = (0, scratch.path());
        migrate(&migration(&path, None, Some(&four)), &mut |_| {
            calls += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        fs::write(&path, &before).unwrap();
        assert!(calls > 10, "{calls}");
        for stop in 1..=calls {
            let mut call = 0;
            let error = migrate(&migration(&path, None, Some(&four)), &mut |_| {
                call += 1;
                if call == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(error.unwrap_err().code(), "STRONGROOM_CANCELLED", "call {stop} of {calls}");
            assert_eq!(files(&scratch.folder()), ["test.db"], "call {stop} of {calls}");
            assert_eq!(fs::read(&path).unwrap(), before);
        }
    }
}

#[test]
fn the_error_names_an_index_on_a_function_or_collation_of_the_application() {
    use rusqlite::functions::FunctionFlags;
    let four = version(4);
    for sql in [
        "CREATE TABLE t (a); CREATE INDEX by_own ON t (own(a))",
        "CREATE TABLE t (a); CREATE INDEX by_own ON t (a COLLATE own)",
        "CREATE TABLE by_own (a PRIMARY KEY, CHECK (own(a)))",
    ] {
        let scratch = Scratch::new();
        let connection = rusqlite::Connection::open(scratch.path()).unwrap();
        let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function("own", 1, flags, |_| Ok(1)).unwrap();
        connection.create_collation("own", Ord::cmp).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let error = refused(&scratch.path(), None, Some(&four), "STRONGROOM_MISSING_FUNCTION");
        assert!(error.to_string().contains("\"by_own\" uses a function or a collation"), "{error}");
    }
}

#[test]
fn a_damaged_file_is_not_converted() {
    let (scratch, four) = (Scratch::new(), version(4));
    create_rich(
        &scratch.path(),
        Settings { encoding: "UTF-8", auto_vacuum: 0, journal: "delete", page_size: 4096 },
    );
    convert(&scratch.path(), None, Some(&four)).unwrap();
    let mut bytes = fs::read(scratch.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(scratch.path(), &bytes).unwrap();
    let error = refused(&scratch.path(), Some(&four), None, "SQLITE_CORRUPT");
    assert!(error.to_string().contains("fails its authentication"), "{error}");
    fs::write(scratch.path(), &bytes[..middle]).unwrap();
    let error = convert(&scratch.path(), Some(&four), None).unwrap_err();
    assert!(["STRONGROOM_TRUNCATED", "SQLITE_CORRUPT", "SQLITE_NOTADB"].contains(&error.code()), "{error}");
    assert_eq!(files(&scratch.folder()), ["test.db"]);
}

#[test]
fn the_leftover_of_a_killed_conversion_is_removed() {
    let (scratch, four) = (Scratch::new(), version(4));
    small(&scratch);
    for ending in ["", "-journal", "-wal", "-shm"] {
        fs::write(scratch.folder().join(format!("test.db-strongroom-migrating{ending}")), "left").unwrap();
    }
    convert(&scratch.path(), None, Some(&four)).unwrap();
    assert_eq!(files(&scratch.folder()), ["test.db"]);
}

/// SQLite got a page of zeros for a page that failed its authentication. The copied value ended with these zeros. The
/// comparison read the same zeros from the original, so the copy replaced the original.
#[test]
fn a_damaged_page_is_not_copied_as_zeros() {
    let (scratch, four) = (Scratch::new(), version(4));
    let database = open(&scratch.path(), Some(&four));
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (printf('%020000d', 1))").unwrap();
    database.close().unwrap();
    let good = fs::read(scratch.path()).unwrap();
    for page in 2..good.len() / 4096 {
        let mut bad = good.clone();
        bad[page * 4096 + 100] ^= 1;
        fs::write(scratch.path(), &bad).unwrap();
        for to in [None, Some(&version(3))] {
            refused(&scratch.path(), Some(&four), to, "SQLITE_CORRUPT");
        }
    }
}
