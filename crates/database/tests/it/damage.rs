//! Tests that truncated files and flipped bits are reported as errors, and that the file stays unchanged.

use std::error::Error;
use std::fs;

use strongroom_database::{Database, OpenError, SqlError, code_of};
use strongroom_keys::Key;

use crate::scratch::{Scratch, assert_intact, integer, rows, text};

const PAGE: usize = 4096;
/// The offsets of the initialisation vector and of the authentication code, counted from the end of a SQLCipher 4 page.
const IV: usize = 80;
const HMAC: usize = 64;

/// Returns a closed database of several pages, and its bytes.
fn written() -> (Scratch, Vec<u8>) {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)").unwrap();
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO t SELECT i, printf('%0100d', i) FROM n";
    rows(&database, fill, &[]).unwrap();
    database.close().unwrap();
    let bytes = fs::read(scratch.path()).unwrap();
    assert!(bytes.len() >= 10 * PAGE && bytes.len().is_multiple_of(PAGE));
    (scratch, bytes)
}

/// Reads all rows, then tries to write. Returns both errors.
fn use_all(database: &Database) -> (SqlError, SqlError) {
    let read = rows(database, "SELECT sum(length(b)) FROM t", &[]).unwrap_err();
    let write = rows(database, "UPDATE t SET b = ?", &[text("new")]).unwrap_err();
    (read, write)
}

#[test]
fn a_flipped_bit_anywhere_in_the_first_page_prevents_opening() {
    let (scratch, good) = written();
    for (region, offset) in [
        ("first byte of the salt", 0),
        ("last byte of the salt", 15),
        ("first encrypted byte", 16),
        ("content", PAGE / 2),
        ("last encrypted byte", PAGE - IV - 1),
        ("initialisation vector", PAGE - IV),
        ("first byte of the authentication code", PAGE - HMAC),
        ("last byte of the authentication code", PAGE - 1),
    ] {
        for bit in [0, 7] {
            let mut bad = good.clone();
            bad[offset] ^= 1 << bit;
            fs::write(scratch.path(), &bad).unwrap();
            let error = scratch.open_with(&crate::scratch::key()).unwrap_err();
            assert!(matches!(error, OpenError::WrongKey { .. }), "{region}: {error:?}");
            assert!(error.to_string().contains("first page is damaged"), "{error}");
            assert!(fs::read(scratch.path()).unwrap() == bad, "{region}: the file was written to");
        }
    }
    fs::write(scratch.path(), &good).unwrap();
    assert_intact(&scratch.open());
}

#[test]
fn a_flipped_bit_in_a_later_page_is_found_when_the_page_is_read() {
    let (scratch, good) = written();
    for page in [2, 5] {
        for (region, offset) in [
            ("first byte", 0),
            ("content", PAGE / 2),
            ("initialisation vector", PAGE - IV),
            ("authentication code", PAGE - HMAC),
            ("last byte", PAGE - 1),
        ] {
            let mut bad = good.clone();
            bad[page * PAGE + offset] ^= 0x10;
            fs::write(scratch.path(), &bad).unwrap();
            let database = scratch.open();
            let (read, write) = use_all(&database);
            for error in [read, write] {
                assert_eq!(error, SqlError::PageAuthentication, "page {page}, {region}");
                assert_eq!(error.code(), "SQLITE_CORRUPT");
            }
            database.close().unwrap();
            assert!(
                fs::read(scratch.path()).unwrap() == bad,
                "page {page}, {region}: the file was written to"
            );
        }
    }
    fs::write(scratch.path(), &good).unwrap();
    let database = scratch.open();
    assert_intact(&database);
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 500);
}

/// In WAL mode, a damaged page in the file was reported as a changed key if the first page was sound. After a rekey,
/// the new pages may be only in the log, so the damage looked like a rekey by another connection.
#[test]
fn a_damaged_page_of_a_file_in_wal_mode_is_not_a_changed_key() {
    let (scratch, _) = written();
    let database = scratch.open();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    database.close().unwrap();
    let mut bad = fs::read(scratch.path()).unwrap();
    bad[4 * PAGE + 100] ^= 1;
    fs::write(scratch.path(), &bad).unwrap();
    assert_eq!(use_all(&scratch.open()).0, SqlError::PageAuthentication);
}

#[test]
fn reading_swapped_pages_is_an_error() {
    let (scratch, good) = written();
    let mut bad = good.clone();
    bad[3 * PAGE..4 * PAGE].copy_from_slice(&good[5 * PAGE..6 * PAGE]);
    fs::write(scratch.path(), &bad).unwrap();
    assert_eq!(use_all(&scratch.open()).0, SqlError::PageAuthentication);
}

#[test]
fn a_truncated_file_is_not_opened() {
    let (scratch, good) = written();
    let whole = good.len();
    for (length, code) in [
        (16, "SQLITE_NOTADB"),
        (512, "SQLITE_NOTADB"),
        (PAGE - 1, "SQLITE_NOTADB"),
        (PAGE, "SQLITE_CORRUPT"),
        (PAGE + 1, "SQLITE_CORRUPT"),
        (whole / 2, "SQLITE_CORRUPT"),
        (whole - PAGE, "SQLITE_CORRUPT"),
        (whole - PAGE + 1, "STRONGROOM_TRUNCATED"),
        (whole - 1, "STRONGROOM_TRUNCATED"),
    ] {
        fs::write(scratch.path(), &good[..length]).unwrap();
        let error = scratch.open_with(&crate::scratch::key()).unwrap_err();
        assert_eq!(error.code(), code, "{length} of {whole} bytes: {error}");
        assert!(error.to_string().contains("cut off"), "{error}");
        let reported = error.source().and_then(|source| code_of(source));
        assert_eq!(
            reported.is_some(),
            code.starts_with("SQLITE_"),
            "{length} of {whole} bytes: {reported:?}"
        );
        assert!(fs::read(scratch.path()).unwrap() == good[..length], "{length}: the file was written to");
    }
}

#[test]
fn pages_that_are_only_in_the_log_are_not_missing() {
    let (scratch, _) = written();
    let writer = scratch.open();
    rows(&writer, "PRAGMA journal_mode = wal", &[]).unwrap();
    rows(&writer, "INSERT INTO t SELECT a + 1000, b FROM t", &[]).unwrap();
    let reader = scratch.open();
    assert_eq!(integer(&reader, "SELECT count(*) FROM t"), 1000);
    let expected = integer(&reader, "PRAGMA page_count") as u64 * PAGE as u64;
    assert!(fs::metadata(scratch.path()).unwrap().len() < expected, "the checkpoint ran too early");
}

/// If a page fails its authentication, SQLCipher gives SQLite zeros for this page and fails only at the next page. A
/// value whose last page had a flipped bit was therefore returned with zeros at its end, without an error.
#[test]
fn a_flipped_bit_in_the_last_page_of_a_value_is_an_error() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = scratch.open();
        rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
        database.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT)").unwrap();
        rows(&database, "INSERT INTO t VALUES (1, ?)", &[text(&"a".repeat(20_000))]).unwrap();
        rows(&database, "INSERT INTO t VALUES (2, ?)", &[text(&"a".repeat(40_000))]).unwrap();
        database.close().unwrap();
        let good = fs::read(scratch.path()).unwrap();
        let mut errors = 0;
        for page in 2..good.len() / PAGE {
            let mut bad = good.clone();
            bad[page * PAGE + 100] ^= 1;
            fs::write(scratch.path(), &bad).unwrap();
            for sql in ["SELECT b FROM t", "SELECT b FROM t ORDER BY b DESC", "SELECT max(b) FROM t"] {
                let database = scratch.open();
                match rows(&database, sql, &[]) {
                    Err(error) => {
                        errors += 1;
                        assert_eq!(error, SqlError::PageAuthentication, "{sql}");
                    }
                    Ok(_) => panic!("{journal}: page {} is damaged, and {sql} succeeds", page + 1),
                }
                let write = rows(&database, "UPDATE t SET b = 'new'", &[]).unwrap_err();
                assert_eq!(write, SqlError::PageAuthentication, "{sql}");
            }
        }
        assert!(errors > 30, "{errors}");
    }
}

/// The page of zeros stays in SQLite's cache. The same statement returned the zeros when it ran again.
#[test]
fn no_statement_returns_the_zeros_of_a_failed_page() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = scratch.open();
        rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
        database.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT)").unwrap();
        for id in 1..=3 {
            let value = text(&"a".repeat(6_000));
            rows(&database, &format!("INSERT INTO t VALUES ({id}, ?)"), &[value]).unwrap();
        }
        database.close().unwrap();
        let good = fs::read(scratch.path()).unwrap();
        for page in 3..good.len() / PAGE {
            let mut bad = good.clone();
            bad[page * PAGE + 100] ^= 1;
            fs::write(scratch.path(), &bad).unwrap();
            let database = scratch.open();
            for id in [1, 2, 3, 3, 2, 1] {
                match rows(&database, &format!("SELECT b FROM t WHERE id = {id}"), &[]) {
                    Ok(found) => assert_eq!(found, [[text(&"a".repeat(6_000))]], "{journal} {page} {id}"),
                    Err(error) => assert_eq!(error, SqlError::PageAuthentication),
                }
            }
            assert!(rows(&database, "SELECT sum(length(b)), max(b) FROM t", &[]).is_err());
            // Statements that read no page still run.
            database.execute_batch("BEGIN; ROLLBACK; SELECT 1").unwrap();
        }
    }
}

/// If auto_vacuum is on, SQLCipher treats a page of zeros as a page that was never written.
#[test]
fn a_page_of_zeros_is_damage_even_with_auto_vacuum() {
    for (journal, mode) in [("delete", "FULL"), ("wal", "FULL"), ("delete", "INCREMENTAL")] {
        let scratch = Scratch::new();
        let database = scratch.open();
        let create = format!(
            "PRAGMA auto_vacuum = {mode}; PRAGMA journal_mode = {journal};
             CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT)"
        );
        database.execute_batch(&create).unwrap();
        rows(&database, "INSERT INTO t VALUES (1, ?)", &[text(&"a".repeat(20_000))]).unwrap();
        database.close().unwrap();
        let good = fs::read(scratch.path()).unwrap();
        for page in 2..good.len() / PAGE {
            let mut bad = good.clone();
            bad[page * PAGE..(page + 1) * PAGE].fill(0);
            fs::write(scratch.path(), &bad).unwrap();
            let error = rows(&scratch.open(), "SELECT b FROM t", &[]).unwrap_err();
            assert_eq!(error.code(), "SQLITE_CORRUPT", "{journal} {page}");
            let database = scratch.open();
            assert!(!database.check("main", &mut |_| true).unwrap().problems.is_empty(), "{journal} {page}");
            assert!(database.rekey("main", &Key::raw(&[9; 32]).unwrap(), &mut |_| true).is_err());
            drop(database);
            assert!(scratch.open().serialize("main").is_err());
        }
        // A database that grows or shrinks reads past the end of the file. Such a read is not damage.
        fs::write(scratch.path(), &good).unwrap();
        let database = scratch.open();
        for _ in 0..5 {
            rows(&database, "INSERT INTO t (b) VALUES (?)", &[text(&"b".repeat(200_000))]).unwrap();
            rows(&database, "DELETE FROM t WHERE id > 1", &[]).unwrap();
            rows(&database, "PRAGMA incremental_vacuum", &[]).unwrap();
        }
        assert_intact(&database);
    }
}
