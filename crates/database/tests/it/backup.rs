//! Tests backups: content, keys, and changes to the source during the copy.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use strongroom_database::{
    Backup, BackupError, BackupKey, BackupProgress, Database, Location, OpenOptions, SqlError,
};
use strongroom_keys::{CipherParameters, Key};

use crate::scratch::{Owned, Scratch, assert_intact, integer, key, memory, rows, text, value};

const PLAIN_HEADER: &[u8] = b"SQLite format 3\0";
/// Fills a database with about 40 pages.
pub(crate) const FILL: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB); \
     WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
     INSERT INTO t SELECT i, randomblob(1500) FROM n";

pub(crate) fn quick() -> OpenOptions {
    OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() }
}

pub(crate) fn open(path: &Path, key: &Key) -> Database {
    Database::open(Location::File(path), key, &quick()).unwrap()
}

pub(crate) fn open_plain(path: &Path) -> Database {
    Database::open_unencrypted(Location::File(path), &quick()).unwrap()
}

pub(crate) fn other_key() -> Key {
    Key::raw(&[0x17; 32]).unwrap()
}

pub(crate) fn content(database: &Database, table: &str) -> Vec<Vec<Owned>> {
    rows(database, &format!("SELECT * FROM {table} ORDER BY 1"), &[]).unwrap()
}

/// Copies all remaining pages and installs the file.
pub(crate) fn complete(mut backup: Backup) -> Result<BackupProgress, BackupError> {
    let progress = loop {
        let progress = backup.step(7)?;
        if progress.copied {
            break progress;
        }
    };
    backup.finish()?.install(|_| ControlFlow::Continue(()))?;
    Ok(progress)
}

/// Returns the sorted names of the files in a folder.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_has_the_key_and_the_content_of_the_source() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    let start = backup.step(0).unwrap();
    assert!(start.total_pages > 30, "{start:?}");
    assert_eq!(start.remaining_pages, start.total_pages);
    assert!(!path.exists(), "the target appears at the end");
    let end = complete(backup).unwrap();
    assert_eq!((end.total_pages, end.remaining_pages), (start.total_pages, 0));

    assert_eq!(listing(&scratch.folder()), ["copy.db", "test.db"]);
    assert_ne!(&fs::read(&path).unwrap()[..16], PLAIN_HEADER);
    let copy = open(&path, &key());
    assert_intact(&copy);
    assert_eq!(content(&copy, "t"), content(&database, "t"));
    let wrong = Database::open(Location::File(&path), &other_key(), &quick());
    assert_eq!(wrong.unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    let plain = open_plain(&path);
    assert_eq!(rows(&plain, "SELECT * FROM t", &[]).unwrap_err(), SqlError::NotADatabase);
}

#[test]
fn a_copy_of_a_plain_source_is_plain_and_keeps_the_page_size() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    database.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = FULL").unwrap();
    database.execute_batch(FILL).unwrap();
    database.execute_batch("PRAGMA user_version = 7").unwrap();
    let path = scratch.folder().join("copy.db");
    for key in [BackupKey::Source, BackupKey::Plain] {
        complete(database.backup("main", &path, key).unwrap()).unwrap();
        let copy = open_plain(&path);
        assert_eq!(integer(&copy, "PRAGMA page_size"), 8192);
        assert_eq!(integer(&copy, "PRAGMA auto_vacuum"), 1);
        assert_eq!(integer(&copy, "PRAGMA user_version"), 7);
        assert_eq!(content(&copy, "t"), content(&database, "t"));
    }
}

#[test]
fn a_copy_can_have_another_key_or_no_key() {
    let parameters = |compatibility, page_size| CipherParameters {
        compatibility,
        page_size,
        kdf_iter: Some(10),
        ..CipherParameters::default()
    };
    let targets = [
        (Some(parameters(None, None)), false),
        (Some(parameters(None, Some(8192))), true),
        (Some(parameters(Some(3), None)), true),
        (Some(parameters(Some(1), None)), true),
        (None, true),
    ];
    for (target, converts) in targets {
        let scratch = Scratch::new();
        let database = scratch.open();
        database.execute_batch(FILL).unwrap();
        let path = scratch.folder().join("copy.db");
        let key = || target.map(|cipher| Key::passphrase(b"other").unwrap().with_cipher(cipher).unwrap());
        let requested = key().map_or(BackupKey::Plain, BackupKey::Key);
        let mut backup = database.backup("main", &path, requested).unwrap();
        let start = backup.step(0).unwrap();
        let pages = integer(&database, "PRAGMA page_count").unsigned_abs();
        assert_eq!(start.total_pages, if converts { 3 * pages } else { pages }, "{target:?}");
        while !backup.step(9).unwrap().copied {}
        let mut reports = vec![backup.step(9).unwrap()];
        let copied = backup.finish().unwrap();
        copied
            .install(|progress| {
                reports.push(progress);
                ControlFlow::Continue(())
            })
            .unwrap();
        let remaining: Vec<_> = reports.iter().map(|report| report.remaining_pages).collect();
        assert!(remaining.is_sorted_by(|a, b| a >= b), "{remaining:?}");
        assert_eq!(remaining.last(), Some(&0));
        assert_eq!(remaining.len() > 1, converts);
        assert!(reports.iter().all(|report| report.total_pages == start.total_pages), "{reports:?}");

        assert_eq!(listing(&scratch.folder()), ["copy.db", "test.db"]);
        assert_eq!(fs::read(&path).unwrap().starts_with(PLAIN_HEADER), target.is_none());
        let copy = key().map_or_else(|| open_plain(&path), |key| open(&path, &key));
        assert_eq!(value(&copy, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
        assert_eq!(content(&copy, "t"), content(&database, "t"));
    }
}

#[test]
fn another_key_without_a_page_size_keeps_the_page_size() {
    let scratch = Scratch::new();
    let parameters = CipherParameters { page_size: Some(8192), ..CipherParameters::default() };
    let database = scratch.open_with(&key().with_cipher(parameters).unwrap()).unwrap();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    let end = complete(database.backup("main", &path, BackupKey::Key(other_key())).unwrap()).unwrap();
    assert_eq!(end.total_pages, integer(&database, "PRAGMA page_count").unsigned_abs(), "no conversion");
    let copy = open(&path, &other_key());
    assert_eq!(integer(&copy, "PRAGMA page_size"), 8192);
    assert_eq!(content(&copy, "t"), content(&database, "t"));
}

#[test]
fn a_plain_source_can_have_an_encrypted_copy() {
    let scratch = Scratch::new();
    let inner = scratch.folder().join("inner");
    fs::create_dir(&inner).unwrap();
    let file = scratch.open_plain();
    let memory = Database::open_unencrypted(Location::Memory, &quick()).unwrap();
    for (number, database) in [file, memory].into_iter().enumerate() {
        database.execute_batch(FILL).unwrap();
        let path = inner.join(format!("{number}.db"));
        let mut backup = database.backup("main", &path, BackupKey::Key(key())).unwrap();
        backup.step(9).unwrap();
        // No file in the copy's folder has plaintext. If the source is in memory, no file on the disk has plaintext.
        for name in listing(&inner) {
            assert!(!fs::read(inner.join(&name)).unwrap().starts_with(PLAIN_HEADER), "{name}");
        }
        let beside = listing(&scratch.folder());
        assert_eq!(beside.contains(&"test.db-strongroom-backup-pages".to_owned()), number == 0, "{beside:?}");
        complete(backup).unwrap();
        assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));
    }
    assert_eq!(listing(&inner), ["0.db", "1.db"]);
    assert_eq!(listing(&scratch.folder()), ["inner", "test.db"]);
}

#[test]
fn the_cipher_settings_of_the_source_are_kept() {
    let salt = Some([9; 16]);
    let parameters = [
        CipherParameters { compatibility: Some(1), kdf_iter: Some(10), ..CipherParameters::default() },
        CipherParameters { compatibility: Some(3), kdf_iter: Some(10), ..CipherParameters::default() },
        CipherParameters { page_size: Some(16384), kdf_iter: Some(10), ..CipherParameters::default() },
        CipherParameters { fast_kdf_iter: Some(5), kdf_iter: Some(10), ..CipherParameters::default() },
        CipherParameters {
            plaintext_header_size: Some(32),
            salt,
            kdf_iter: Some(10),
            ..CipherParameters::default()
        },
    ];
    for parameters in parameters {
        let scratch = Scratch::new();
        let key = Key::passphrase(b"a passphrase").unwrap().with_cipher(parameters).unwrap();
        // SQLCipher has derived the key for the connections that created and read the file, but not for the in-memory
        // database.
        let created = scratch.open_with(&key).unwrap();
        created.execute_batch(FILL).unwrap();
        let read = scratch.open_with(&key).unwrap();
        let memory = Database::open(Location::Memory, &key, &quick()).unwrap();
        memory.execute_batch(FILL).unwrap();
        for database in [created, read, memory] {
            let path = scratch.folder().join("copy.db");
            complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
            let copy = open(&path, &key);
            assert_eq!(value(&copy, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
            assert_eq!(content(&copy, "t"), content(&database, "t"), "{parameters:?}");
        }
    }
}

#[test]
fn the_public_file_of_version_3_keeps_its_format() {
    let Some(vectors) = std::env::var_os("STRONGROOM_VECTORS") else {
        return println!(
            "skipped: SQLCipher's compatibility files are not available; set STRONGROOM_VECTORS to their folder"
        );
    };
    let scratch = Scratch::new();
    fs::copy(Path::new(&vectors).join("sqlcipher-3.0-testkey.db"), scratch.path()).unwrap();
    let parameters = CipherParameters { compatibility: Some(3), ..CipherParameters::default() };
    let key = Key::passphrase(b"testkey").unwrap().with_cipher(parameters).unwrap();
    let database = scratch.open_with(&key).unwrap();
    let path = scratch.folder().join("copy.db");
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &key), "t1"), content(&database, "t1"));
}

#[test]
fn a_backup_of_an_in_memory_database_has_its_key() {
    let scratch = Scratch::new();
    let database = memory();
    let path = scratch.folder().join("copy.db");
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert!(!fs::read(&path).unwrap().starts_with(PLAIN_HEADER), "an empty database has a key as well");
    database.execute_batch(FILL).unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));
}

#[test]
fn an_attached_database_keeps_its_own_key() {
    let scratch = Scratch::new();
    let attached = scratch.folder().join("attached.db");
    open(&attached, &other_key()).execute_batch(FILL).unwrap();
    let database = scratch.open();
    let attach = format!("ATTACH '{}' AS \"the other\" KEY \"x'{}'\"", attached.display(), "17".repeat(32));
    database.execute_batch(&attach).unwrap();
    let path = scratch.folder().join("copy.db");
    complete(database.backup("the other", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &other_key()), "t"), content(&database, "\"the other\".t"));

    let unknown = database.backup("another", &path, BackupKey::Source).unwrap_err();
    assert_eq!(unknown.code(), "STRONGROOM_NOT_ATTACHED");
    assert!(matches!(unknown, BackupError::UnknownDatabase { name } if name == "another"));
    let source = database.backup("main", &attached, BackupKey::Source).unwrap_err();
    assert!(matches!(source, BackupError::TargetIsSource { .. }));
}

#[test]
fn changes_by_the_same_connection_are_in_the_copy() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    let start = backup.step(10).unwrap();
    database
        .execute_batch("UPDATE t SET b = 'early' WHERE a = 1; UPDATE t SET b = 'late' WHERE a = 100")
        .unwrap();
    database.execute_batch("INSERT INTO t VALUES (101, zeroblob(20000))").unwrap();
    let next = backup.step(1).unwrap();
    assert_eq!(next.remaining_pages, start.remaining_pages - 1 + next.total_pages - start.total_pages);
    complete(backup).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));
}

#[test]
fn a_change_by_another_connection_restarts_the_copy() {
    for mode in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = scratch.open();
        rows(&database, &format!("PRAGMA journal_mode = {mode}"), &[]).unwrap();
        database.execute_batch(FILL).unwrap();
        let path = scratch.folder().join("copy.db");
        let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
        let start = backup.step(0).unwrap();
        assert_eq!(backup.step(20).unwrap().remaining_pages, start.total_pages - 20);
        scratch.open().execute_batch("UPDATE t SET b = 'other' WHERE a = 1").unwrap();
        assert_eq!(backup.step(5).unwrap().remaining_pages, start.total_pages - 5, "{mode}");
        complete(backup).unwrap();
        let copy = open(&path, &key());
        assert_eq!(content(&copy, "t"), content(&database, "t"));
        assert_intact(&copy);
    }
}

#[test]
fn a_copy_of_a_database_in_wal_mode_is_one_file() {
    let scratch = Scratch::new();
    let database = scratch.open();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    for key in [BackupKey::Source, BackupKey::Plain] {
        complete(database.backup("main", &path, key).unwrap()).unwrap();
        assert_eq!(listing(&scratch.folder()), ["copy.db", "test.db", "test.db-shm", "test.db-wal"]);
    }
    assert_eq!(content(&open_plain(&path), "t"), content(&database, "t"));
}

#[test]
fn an_open_transaction_makes_the_backup_wait() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    database.execute_batch("PRAGMA busy_timeout = 0; BEGIN; DELETE FROM t WHERE a > 50").unwrap();
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    for _ in 0..3 {
        let progress = backup.step(5).unwrap();
        assert!(progress.waiting && !progress.copied && progress.remaining_pages > 0, "{progress:?}");
    }
    database.execute_batch("ROLLBACK").unwrap();
    assert!(!backup.step(5).unwrap().waiting);
    database.execute_batch("BEGIN; DELETE FROM t WHERE a > 60").unwrap();
    assert!(backup.step(5).unwrap().waiting);
    database.execute_batch("COMMIT").unwrap();
    complete(backup).unwrap();
    assert_eq!(integer(&open(&path, &key()), "SELECT max(a) FROM t"), 60);

    // A read transaction and an open statement do not block the backup.
    let mut statement = database.prepare("SELECT a FROM t").unwrap();
    statement.step().unwrap();
    database.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert!(statement.step().unwrap().is_some());
}

#[test]
fn a_lock_that_outlasts_the_busy_timeout_fails_the_backup() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let other = scratch.open();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let path = scratch.folder().join("copy.db");
    database.execute_batch("PRAGMA busy_timeout = 3600000").unwrap();
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    let progress = backup.step(5).unwrap();
    assert!(progress.waiting && !progress.copied, "{progress:?}");
    assert_eq!(integer(&database, "PRAGMA busy_timeout"), 3_600_000);
    database.execute_batch("PRAGMA busy_timeout = 0").unwrap();
    let error = backup.step(5).unwrap_err();
    assert_eq!(error.code(), "SQLITE_BUSY");
    other.execute_batch("COMMIT").unwrap();
    complete(backup).unwrap();
    assert!(path.exists());
}

#[test]
fn closing_ends_the_backup() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    backup.step(5).unwrap();
    database.close().unwrap();
    let error = backup.step(5).unwrap_err();
    assert!(matches!(error, BackupError::Source { source: SqlError::Closed, .. }), "{error:?}");
    assert_eq!(error.code(), "STRONGROOM_CLOSED");
    drop(backup);
    assert_eq!(listing(&scratch.folder()), ["test.db"]);
    let error = database.backup("main", &path, BackupKey::Source).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_CLOSED");
}

#[test]
fn two_backups_run_side_by_side_but_not_to_the_same_target() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let [first, second] = ["first.db", "second.db"].map(|name| scratch.folder().join(name));
    let mut one = database.backup("main", &first, BackupKey::Source).unwrap();
    one.step(10).unwrap();
    let two = database.backup("main", &second, BackupKey::Plain).unwrap();
    for target in [&first, &second] {
        let error = database.backup("main", target, BackupKey::Source).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_IN_USE");
    }
    database.execute_batch("UPDATE t SET b = 'changed' WHERE a = 1").unwrap();
    complete(two).unwrap();
    complete(one).unwrap();
    assert_eq!(content(&open(&first, &key()), "t"), content(&database, "t"));
    assert_eq!(content(&open_plain(&second), "t"), content(&database, "t"));
}

// If a page fails its authentication, SQLCipher gives SQLite zeros for this page and for every later page, without an
// error. A backup of a damaged file therefore reported success, and most of the copy was zeros.
#[test]
fn a_damaged_page_of_the_source_is_an_error() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    database.close().unwrap();
    let mut bytes = fs::read(scratch.path()).unwrap();
    bytes[20 * 4096 + 10] ^= 1;
    fs::write(scratch.path(), bytes).unwrap();
    let path = scratch.folder().join("copy.db");
    for key in [BackupKey::Source, BackupKey::Plain, BackupKey::Key(other_key())] {
        let database = scratch.open();
        let error = complete(database.backup("main", &path, key).unwrap()).unwrap_err();
        assert!(
            matches!(error, BackupError::Source { source: SqlError::PageAuthentication, .. }),
            "{error:?}"
        );
        assert_eq!(listing(&scratch.folder()), ["test.db"]);
    }
}

#[test]
fn a_rekey_does_not_affect_a_running_backup() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("copy.db");
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    backup.step(10).unwrap();
    database.rekey("main", &other_key(), &mut |_| true).unwrap();
    complete(backup).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &other_key()), "t"), content(&database, "t"));

    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    backup.step(10).unwrap();
    open(&scratch.path(), &other_key()).rekey("main", &key(), &mut |_| true).unwrap();
    assert_eq!(backup.step(10).unwrap_err().code(), "STRONGROOM_KEY_CHANGED");
}
