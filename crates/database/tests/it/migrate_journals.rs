//! Tests that the journals and logs of the original never apply to the new file.

use std::fs;
use std::ops::ControlFlow;

use strongroom_database::migrate;

use crate::migrating::{convert, files, migration, open, version};
use crate::scratch::{Scratch, assert_intact, integer, rows};

/// Copies a database and its journal or log while a connection has them open, as a crash would leave them.
fn crashed(scratch: &Scratch, companion: &str, sql: &[&str]) {
    let source = Scratch::new();
    let database = open(&source.path(), None);
    for sql in sql {
        rows(&database, sql, &[]).unwrap();
    }
    for ending in ["", companion] {
        fs::copy(
            source.folder().join(format!("test.db{ending}")),
            scratch.folder().join(format!("test.db{ending}")),
        )
        .unwrap();
    }
}

#[test]
fn the_conversion_includes_a_write_ahead_log_that_a_crash_left() {
    let (scratch, four) = (Scratch::new(), version(4));
    crashed(
        &scratch,
        "-wal",
        &["PRAGMA journal_mode = WAL", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2)"],
    );
    assert!(fs::metadata(scratch.folder().join("test.db-wal")).unwrap().len() > 0);
    let path = scratch.path();
    let cancelled =
        migrate(&migration(&path, None, Some(&four)), &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(cancelled.code(), "STRONGROOM_CANCELLED");
    convert(&scratch.path(), None, Some(&four)).unwrap();
    assert_eq!(files(&scratch.folder()), ["test.db"]);
    let database = open(&scratch.path(), Some(&four));
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 2);
    assert_intact(&database);
}

#[test]
fn a_transaction_that_a_crash_left_is_rolled_back() {
    let (scratch, four) = (Scratch::new(), version(4));
    crashed(
        &scratch,
        "-journal",
        &[
            "CREATE TABLE t (a)",
            "INSERT INTO t VALUES (zeroblob(100000))",
            "PRAGMA cache_spill = 1",
            "PRAGMA cache_size = 1",
            "BEGIN",
            "UPDATE t SET a = randomblob(100000)",
            "INSERT INTO t SELECT * FROM t",
        ],
    );
    let path = scratch.path();
    let cancelled =
        migrate(&migration(&path, None, Some(&four)), &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(cancelled.code(), "STRONGROOM_CANCELLED");
    assert_eq!(files(&scratch.folder()), ["test.db"]);
    convert(&scratch.path(), None, Some(&four)).unwrap();
    assert_eq!(files(&scratch.folder()), ["test.db"]);
    let database = open(&scratch.path(), Some(&four));
    assert_eq!(integer(&database, "SELECT count(*) FROM t WHERE a = zeroblob(100000)"), 1);
    assert_intact(&database);
}

/// The connection to the original closes after the rename. The connection must not remove the log of the new file.
#[test]
fn the_first_writer_of_the_new_file_keeps_its_log() {
    let (scratch, four) = (Scratch::new(), version(4));
    let database = open(&scratch.path(), None);
    rows(&database, "PRAGMA journal_mode = WAL", &[]).unwrap();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    database.close().unwrap();
    let path = scratch.path();
    migrate(&migration(&path, None, Some(&four)), &mut |_| ControlFlow::Continue(())).unwrap();
    let database = open(&path, Some(&four));
    database.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    assert_eq!(files(&scratch.folder()), ["test.db", "test.db-shm", "test.db-wal"]);
    assert_eq!(integer(&open(&path, Some(&four)), "SELECT count(*) FROM t"), 2);
}
