//! Tests the rekey of an open database.

use std::fs;
use std::time::Duration;

use strongroom_database::{Database, Location, OpenError, OpenOptions, RekeyError, RekeyProgress};
use strongroom_keys::{CipherParameters, HashAlgorithm, Key};

use crate::scratch::{Owned, Scratch, assert_intact, integer, key, memory, rows, text, value};

const ROWS: i64 = 3000;

fn new_key() -> Key {
    Key::raw(&[0xa5; 32]).unwrap()
}

fn impatient() -> OpenOptions {
    OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() }
}

fn go_on(_: RekeyProgress) -> bool {
    true
}

/// Opens a database in the given journal mode. The database has several hundred pages, many more than the cache holds.
fn filled(scratch: &Scratch, key: &Key, journal: &str) -> Database {
    let database = Database::open(Location::File(&scratch.path()), key, &impatient()).unwrap();
    assert_eq!(value(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap(), text(journal));
    database
        .execute_batch(
            "PRAGMA cache_size = 10;
             CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             CREATE INDEX i ON t (v);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 3000)
             INSERT INTO t SELECT i, printf('%0300d', i) FROM n;
             CREATE TABLE gone AS SELECT * FROM t;
             DROP TABLE gone",
        )
        .unwrap();
    database
}

fn assert_whole(database: &Database, extra: i64) {
    assert_eq!(integer(database, "SELECT count(*) FROM t"), ROWS + extra);
    assert_eq!(
        integer(database, "SELECT sum(CAST(v AS INTEGER)) FROM t WHERE id <= 3000"),
        ROWS * (ROWS + 1) / 2
    );
    assert_intact(database);
}

/// Asserts that `good` opens the whole file and `bad` does not.
fn assert_opened_by(scratch: &Scratch, good: &Key, bad: &Key, extra: i64) {
    assert!(matches!(scratch.open_with(bad).unwrap_err(), OpenError::WrongKey { .. }));
    assert_whole(&scratch.open_with(good).unwrap(), extra);
}

#[test]
fn the_new_key_opens_the_file_and_the_connection_stays_usable() {
    let keys: [fn() -> Key; 2] = [new_key, || {
        let parameters = CipherParameters { kdf_iter: Some(500), ..Default::default() };
        Key::passphrase(b"new horse").unwrap().with_cipher(parameters).unwrap()
    }];
    for journal in ["delete", "wal", "truncate", "persist", "memory"] {
        for to in keys {
            let scratch = Scratch::new();
            let database = filled(&scratch, &key(), journal);
            let mut count = database.prepare("SELECT count(*) FROM t").unwrap();
            let mut reports = Vec::new();
            database
                .rekey("main", &to(), &mut |progress| {
                    reports.push(progress);
                    true
                })
                .unwrap();
            let pages = u64::try_from(integer(&database, "PRAGMA page_count")).unwrap();
            assert!(reports.is_sorted_by(|a, b| a.done < b.done), "{reports:?}");
            assert_eq!(reports.last(), Some(&RekeyProgress { done: 2 * pages, total: 2 * pages }));
            assert!(count.step().unwrap().is_some(), "an older statement still runs");
            drop(count);
            assert_whole(&database, 0);
            database.execute_batch("INSERT INTO t (v) VALUES ('after')").unwrap();
            assert_whole(&database, 1);
            // A rekey leaves state in the connection, so the test rekeys several times without a statement in between.
            database.rekey("main", &key(), &mut go_on).unwrap();
            database.rekey("main", &to(), &mut go_on).unwrap();
            database.rekey("main", &key(), &mut go_on).unwrap();
            database.execute_batch("INSERT INTO t (v) VALUES ('after')").unwrap();
            database.rekey("main", &to(), &mut go_on).unwrap();
            database.close().unwrap();
            assert_opened_by(&scratch, &to(), &key(), 2);
        }
    }
}

#[test]
fn a_rekey_works_with_every_format_and_every_auto_vacuum_mode() {
    let of = |compatibility, bytes| {
        let parameters = CipherParameters { compatibility, ..Default::default() };
        Key::raw(bytes).unwrap().with_cipher(parameters).unwrap()
    };
    for compatibility in [None, Some(3), Some(2), Some(1)] {
        for auto_vacuum in [0, 1, 2] {
            let (old, new) = (of(compatibility, &[1; 32]), of(compatibility, &[2; 32]));
            let scratch = Scratch::new();
            let database = scratch.open_with(&old).unwrap();
            database
                .execute_batch(&format!(
                    "PRAGMA auto_vacuum = {auto_vacuum};
                     CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(100000)), ('kept');
                     DELETE FROM t WHERE length(v) > 10"
                ))
                .unwrap();
            database.rekey("main", &new, &mut go_on).unwrap();
            database.execute_batch("INSERT INTO t VALUES ('more')").unwrap();
            database.close().unwrap();
            let database = scratch.open_with(&new).unwrap();
            assert_eq!(integer(&database, "SELECT count(*) FROM t"), 2, "{compatibility:?} {auto_vacuum}");
            assert_eq!(value(&database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
            drop(database);
            assert!(scratch.open_with(&old).is_err());
        }
    }
}

/// SQLCipher's own rekey replaced the connection's key before it had the lock. When the rekey then failed, the
/// connection's next write encrypted its pages with the new key, and no key could open the whole file.
#[test]
fn a_rekey_that_never_gets_its_lock_keeps_the_old_key() {
    for (journal, lock) in [
        ("delete", "BEGIN IMMEDIATE"),
        ("delete", "BEGIN; SELECT * FROM t LIMIT 1"),
        ("delete", "BEGIN EXCLUSIVE"),
        ("wal", "BEGIN IMMEDIATE"),
    ] {
        let scratch = Scratch::new();
        let database = filled(&scratch, &key(), journal);
        let other = scratch.open();
        other.execute_batch(lock).unwrap();
        let mut reading = other.prepare("SELECT * FROM t").unwrap();
        assert!(reading.step().unwrap().is_some());
        let error = database.rekey("main", &new_key(), &mut go_on).unwrap_err();
        assert_eq!(error.code(), "SQLITE_BUSY", "{journal} {lock}: {error}");
        assert!(error.to_string().contains("keeps its old key: database is locked"), "{error}");
        drop(reading);
        other.execute_batch("ROLLBACK").unwrap();
        database.execute_batch("INSERT INTO t (v) VALUES ('after')").unwrap();
        assert_whole(&other, 1);
        database.close().unwrap();
        assert_opened_by(&scratch, &key(), &new_key(), 1);
    }
}

#[test]
fn other_connections_learn_that_the_key_changed() {
    for journal in ["delete", "wal"] {
        for statement in ["SELECT count(*) FROM t", "INSERT INTO t (v) VALUES ('with the old key')"] {
            let scratch = Scratch::new();
            let database = filled(&scratch, &key(), journal);
            let other = scratch.open();
            assert_whole(&other, 0);
            database.rekey("main", &new_key(), &mut go_on).unwrap();
            for _ in 0..2 {
                let error = other.execute_batch(statement).unwrap_err();
                assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED", "{journal} {statement}: {error}");
                assert!(error.to_string().contains("test.db\" has been changed or removed since"), "{error}");
                let error = other.rekey("main", &key(), &mut go_on).unwrap_err();
                assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED", "{journal} {error}");
            }
            other.close().unwrap();
            assert_whole(&database, 0);
            database.close().unwrap();
            assert_opened_by(&scratch, &new_key(), &key(), 0);
        }
    }
}

/// The reader's snapshot prevents a checkpoint of the new pages, so the new pages are only in the log.
#[test]
fn a_reader_in_wal_mode_keeps_its_snapshot_and_then_learns_that_the_key_changed() {
    let scratch = Scratch::new();
    let database = filled(&scratch, &key(), "wal");
    let reader = scratch.open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    database.rekey("main", &new_key(), &mut go_on).unwrap();
    database.execute_batch("INSERT INTO t (v) VALUES ('after')").unwrap();
    assert_eq!(integer(&reader, "SELECT count(*) FROM t"), ROWS);
    reader.execute_batch("COMMIT").unwrap();
    let error = reader.execute_batch("SELECT count(*) FROM t").unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED", "{error}");
    let third = scratch.open_with(&new_key()).unwrap();
    for database in [&database, &third] {
        assert_eq!(integer(database, "SELECT count(*) FROM t"), ROWS + 1);
        assert_eq!(value(database, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
    }
    drop((reader, database, third));
    assert_opened_by(&scratch, &new_key(), &key(), 1);
}

/// A rekey inside a transaction committed the transaction, so a later ROLLBACK undid nothing.
#[test]
fn a_rekey_inside_a_transaction_fails() {
    let scratch = Scratch::new();
    let database = filled(&scratch, &key(), "delete");
    database.execute_batch("BEGIN; DELETE FROM t").unwrap();
    let error = database.rekey("main", &new_key(), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_IN_TRANSACTION");
    database.execute_batch("ROLLBACK").unwrap();
    database.close().unwrap();
    assert_opened_by(&scratch, &key(), &new_key(), 0);
}

#[test]
fn cancelling_at_any_report_keeps_the_old_key() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = filled(&scratch, &key(), journal);
        let pages = u64::try_from(integer(&database, "PRAGMA page_count")).unwrap();
        for stop in 0..=pages / 256 {
            let mut reports = 0;
            let error = database.rekey("main", &new_key(), &mut |_| {
                reports += 1;
                reports <= stop
            });
            assert_eq!(error.unwrap_err().code(), "STRONGROOM_CANCELLED");
            assert_whole(&database, 0);
        }
        database.close().unwrap();
        assert_opened_by(&scratch, &key(), &new_key(), 0);
    }
}

#[test]
fn a_database_without_pages_takes_the_new_key() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.rekey("main", &new_key(), &mut go_on).unwrap();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    database.close().unwrap();
    assert_eq!(scratch.open_with(&key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    assert_eq!(integer(&scratch.open_with(&new_key()).unwrap(), "SELECT count(*) FROM t"), 0);
}

#[test]
fn the_error_of_a_refused_rekey_names_the_reason() {
    let scratch = Scratch::new();
    filled(&scratch, &key(), "delete").close().unwrap();
    let code = |error: Result<(), RekeyError>| error.unwrap_err().code();

    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let read_only = Database::open(Location::File(&scratch.path()), &key(), &options).unwrap();
    assert_eq!(code(read_only.rekey("main", &new_key(), &mut go_on)), "SQLITE_READONLY");
    drop(read_only);

    let database = scratch.open();
    assert_eq!(code(database.rekey("nowhere", &new_key(), &mut go_on)), "STRONGROOM_NOT_ATTACHED");
    assert_eq!(code(database.rekey("a\0b", &new_key(), &mut go_on)), "STRONGROOM_NOT_ATTACHED");
    let parameters = CipherParameters::default();
    for (different, name) in [
        (CipherParameters { page_size: Some(8192), ..parameters }, "page size"),
        (CipherParameters { compatibility: Some(3), ..parameters }, "cipherCompatibility"),
        (CipherParameters { hmac_algorithm: Some(HashAlgorithm::Sha256), ..parameters }, "HMAC algorithm"),
        (CipherParameters { use_hmac: Some(false), ..parameters }, "HMAC algorithm"),
        (
            CipherParameters { plaintext_header_size: Some(32), salt: Some([1; 16]), ..parameters },
            "plaintext header",
        ),
        (CipherParameters { salt: Some([1; 16]), ..parameters }, "salt"),
    ] {
        let error =
            database.rekey("main", &new_key().with_cipher(different).unwrap(), &mut go_on).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_REKEY_LAYOUT", "{error}");
        assert!(
            error.to_string().contains(name) && error.to_string().contains("Database.migrate()"),
            "{error}"
        );
    }
    rows(&database, "PRAGMA locking_mode = EXCLUSIVE", &[]).unwrap();
    let error = database.rekey("main", &new_key(), &mut go_on).unwrap_err();
    assert!(error.code() == "SQLITE_BUSY" && error.to_string().contains("locking_mode"), "{error}");
    database.close().unwrap();
    assert_eq!(code(database.rekey("main", &new_key(), &mut go_on)), "STRONGROOM_CLOSED");
    assert_opened_by(&scratch, &key(), &new_key(), 0);

    assert_eq!(code(memory().rekey("main", &new_key(), &mut go_on)), "STRONGROOM_NOT_ENCRYPTED");
    let plain = Scratch::new();
    let database = plain.open_plain();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let error = database.rekey("main", &new_key(), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_NOT_ENCRYPTED");
    assert!(error.to_string().contains("Database.encrypt()"), "{error}");
}

#[test]
fn a_file_that_became_read_only_keeps_its_key() {
    let scratch = Scratch::new();
    let database = filled(&scratch, &key(), "delete");
    let mut permissions = fs::metadata(scratch.path()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(scratch.path(), permissions).unwrap();
    let result = database.rekey("main", &new_key(), &mut go_on);
    match result {
        // Root can write to a read-only file.
        Ok(()) => println!("skipped: root can write to a read-only file"),
        Err(error) => {
            assert_eq!(error.code(), "SQLITE_READONLY", "{error}");
            database.close().unwrap();
            assert_opened_by(&scratch, &key(), &new_key(), 0);
        }
    }
}

#[test]
fn an_attached_database_has_its_own_key() {
    let (main, other) = (Scratch::new(), Scratch::new());
    filled(&other, &key(), "delete").close().unwrap();
    let database = filled(&main, &key(), "wal");
    let path = Owned::Text(other.path().to_str().unwrap().to_owned());
    let hex = "5a".repeat(32);
    rows(&database, &format!("ATTACH ? AS other KEY \"x'{hex}'\""), &[path]).unwrap();
    database.rekey("other", &new_key(), &mut go_on).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM other.t"), ROWS);
    database
        .execute_batch("INSERT INTO other.t (v) VALUES ('after'); INSERT INTO main.t (v) VALUES ('after')")
        .unwrap();
    database.close().unwrap();
    assert_opened_by(&other, &new_key(), &key(), 1);
    assert_opened_by(&main, &key(), &new_key(), 1);
}

#[test]
fn the_pragmas_that_can_destroy_a_file_are_refused_in_every_spelling() {
    let scratch = Scratch::new();
    let database = filled(&scratch, &key(), "delete");
    for sql in [
        "PRAGMA rekey = 's3cr3t'",
        "pragma REKEY('s3cr3t')",
        "PRAGMA main.rekey = \"x'00'\"",
        "PRAGMA \"rekey\" = 's3cr3t'",
        "/* */ PRAGMA [main].[rekey] = 's3cr3t'",
        "EXPLAIN PRAGMA rekey = 's3cr3t'",
        "PRAGMA hexrekey = '00'",
        "PRAGMA textrekey = 's3cr3t'",
    ] {
        for error in [database.execute_batch(sql).unwrap_err(), database.prepare(sql).unwrap_err()] {
            assert_eq!(error.code(), "STRONGROOM_PRAGMA_REFUSED", "{sql}");
            assert!(
                error.to_string().contains("db.rekey()") && !error.to_string().contains("s3cr3t"),
                "{error}"
            );
        }
    }
    let error = database.execute_batch("PRAGMA cipher_migrate").unwrap_err();
    assert!(error.to_string().contains("Database.migrate()"), "{error}");
    database.close().unwrap();
    assert_opened_by(&scratch, &key(), &new_key(), 0);
}

#[test]
fn a_file_with_a_damaged_page_keeps_its_key_and_its_bytes() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = filled(&scratch, &key(), journal);
        let pages = usize::try_from(integer(&database, "PRAGMA page_count")).unwrap();
        database.close().unwrap();
        let good = fs::read(scratch.path()).unwrap();
        for page in [1, pages / 2, pages - 1] {
            let mut bad = good.clone();
            bad[page * 4096 + 100] ^= 1;
            fs::write(scratch.path(), &bad).unwrap();
            let database = scratch.open();
            let error = database.rekey("main", &new_key(), &mut go_on).unwrap_err();
            assert_eq!(error.code(), "SQLITE_CORRUPT", "{journal} {page}: {error}");
            assert!(error.to_string().contains("fails its authentication"), "{error}");
            drop(database);
            let after = fs::read(scratch.path()).unwrap();
            assert!(after == bad, "{journal} {page}: the file changed");
        }
    }
}

/// If SQLCipher had not yet derived the key, a rekey replaced the key only in the connection. The call succeeded, but
/// the file kept its old key.
#[test]
fn a_rekey_changes_the_file_even_if_the_old_key_is_not_derived_yet() {
    let fast = |passphrase: &[u8]| {
        let parameters = CipherParameters { kdf_iter: Some(500), ..Default::default() };
        Key::passphrase(passphrase).unwrap().with_cipher(parameters).unwrap()
    };
    let scratch = Scratch::new();
    filled(&scratch, &key(), "delete").close().unwrap();
    let database = scratch.open_plain();
    database.execute_batch(&format!("PRAGMA key = \"x'{}'\"", "5a".repeat(32))).unwrap();
    database.rekey("main", &new_key(), &mut go_on).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), ROWS);
    drop(database);
    assert_opened_by(&scratch, &new_key(), &key(), 0);

    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let early = scratch.open_with(&fast(b"old")).unwrap();
        filled(&scratch, &fast(b"old"), journal).close().unwrap();
        early.rekey("main", &fast(b"new"), &mut go_on).unwrap();
        early.execute_batch("INSERT INTO t (v) VALUES ('after')").unwrap();
        early.close().unwrap();
        assert_opened_by(&scratch, &fast(b"new"), &fast(b"old"), 1);
    }
}

/// After a rekey by another connection, this connection's cipher stays broken although the file is sound. Once the key
/// had been changed back, the error said that the file was damaged.
#[test]
fn a_key_that_is_changed_back_is_not_damage() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = filled(&scratch, &key(), journal);
        let other = scratch.open();
        assert_whole(&other, 0);
        database.rekey("main", &new_key(), &mut go_on).unwrap();
        for _ in 0..2 {
            let error = other.execute_batch("SELECT count(*) FROM t").unwrap_err();
            assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED", "{journal}: {error}");
            database.rekey("main", &key(), &mut go_on).unwrap();
        }
    }
}

#[test]
fn a_rekey_during_a_read_fails() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = filled(&scratch, &key(), journal);
        let mut select = database.prepare("SELECT * FROM t").unwrap();
        select.step().unwrap();
        assert_eq!(database.rekey("main", &new_key(), &mut go_on).unwrap_err().code(), "STRONGROOM_BUSY");
        select.reset();
        database.rekey("main", &new_key(), &mut go_on).unwrap();
        rows(&database, "PRAGMA query_only = 1", &[]).unwrap();
        assert_eq!(database.rekey("main", &key(), &mut go_on).unwrap_err().code(), "SQLITE_READONLY");
        drop(select);
        drop(database);
        assert_opened_by(&scratch, &new_key(), &key(), 0);
    }
}

/// Each of these settings changed the encryption of the next pages or hid the key. The same key then no longer opened
/// the file, or a backup was plain.
#[test]
fn settings_that_would_make_the_file_unreadable_are_refused() {
    let scratch = Scratch::new();
    let database = filled(&scratch, &key(), "delete");
    for (sql, instead) in [
        ("PRAGMA cipher_store_pass = 1", "keep the passphrase"),
        ("PRAGMA cipher_hmac_salt_mask = \"x'00'\"", "hmacSaltMask"),
        ("PRAGMA cipher_hmac_pgno = be", "new Database"),
        ("PRAGMA main.cipher_plaintext_header_size = 32", "Database.migrate()"),
        ("PRAGMA cipher_salt = \"x'00000000000000000000000000000000'\"", "Database.migrate()"),
    ] {
        let error = database.execute_batch(sql).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_PRAGMA_REFUSED", "{sql}");
        assert!(error.to_string().contains(instead), "{error}");
    }
    rows(&database, "PRAGMA cipher_hmac_pgno", &[]).unwrap();
    database.execute_batch("UPDATE t SET v = v WHERE id = 1").unwrap();
    database.close().unwrap();
    assert_opened_by(&scratch, &key(), &new_key(), 0);
    // Before the first page is read, a PRAGMA can still set these parameters, to open a file that has them.
    let plain = scratch.open_plain();
    plain.execute_batch("PRAGMA key = 'k'; PRAGMA cipher_hmac_pgno = be").unwrap();
}
