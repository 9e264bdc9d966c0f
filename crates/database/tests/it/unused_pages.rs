//! Tests the repair of unused pages, which a loss of power may tear: SQLite does not journal them.

use std::fs;
use std::path::Path;

use strongroom_database::{BackupKey, Database, Location, OpenOptions};
use strongroom_keys::{Format, Key};

use crate::scratch::{Scratch, assert_sound, integer, key};

const PAGE: usize = 4096;

fn open(path: &Path, format: Format) -> Database {
    let key: Key = key().with_format(format).unwrap();
    Database::open(Location::File(path), &key, &OpenOptions::default()).unwrap()
}

/// Changes a byte of a page.
fn damage(path: &Path, format: Format, page: usize) {
    let header = if format == Format::Strongroom { 8192 } else { 0 };
    let mut bytes = fs::read(path).unwrap();
    bytes[header + (page - 1) * PAGE + 100] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn problems(database: &Database) -> Vec<String> {
    let report = database.check("main", &mut |_| true).unwrap();
    report.problems.into_iter().map(|problem| problem.message).collect()
}

/// Creates a database with unused pages. Returns the number of one of them.
fn create(path: &Path, format: Format) -> usize {
    let database = open(path, format);
    database
        .execute_batch(
            "CREATE TABLE t (a);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 60)
             INSERT INTO t SELECT zeroblob(3000) FROM n;
             DELETE FROM t WHERE rowid > 5",
        )
        .unwrap();
    let pages = usize::try_from(integer(&database, "PRAGMA page_count")).unwrap();
    database.close().unwrap();
    let is_unused = |page: &usize| {
        damage(path, format, *page);
        let found = problems(&open(path, format));
        damage(path, format, *page);
        matches!(found.as_slice(), [problem] if problem.contains("an unused page, without content"))
    };
    (2..=pages).rev().find(is_unused).expect("the deletion leaves unused pages")
}

/// After a loss of power during a transaction, VACUUM, a backup and a rekey failed at a torn page without content, and the
/// check reported damage.
#[test]
fn the_first_connection_after_a_loss_of_power_repairs_torn_unused_pages() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let unused = create(&path, format);
        let database = open(&path, format);
        database
            .execute_batch(
                "PRAGMA cache_size = 5; BEGIN; INSERT INTO t SELECT zeroblob(3000) FROM t, t AS other",
            )
            .unwrap();
        // The files as they are on the disk during the transaction, with a torn page.
        let crashed = Scratch::new();
        fs::copy(&path, crashed.path()).unwrap();
        fs::copy(path.with_extension("db-journal"), crashed.path().with_extension("db-journal")).unwrap();
        damage(&crashed.path(), format, unused);
        drop(database);
        let database = open(&crashed.path(), format);
        assert_eq!(problems(&database), Vec::<String>::new(), "{format:?}");
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), 5);
        assert_sound(&database);
    }
}

/// A connection with a wrong key also deletes the journal, so that nothing shows the loss of power any more.
#[test]
fn vacuum_repairs_damaged_unused_pages() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let unused = create(&path, format);
        damage(&path, format, unused);
        let database = open(&path, format);
        assert_eq!(problems(&database).len(), 1, "{format:?}");
        let target = scratch.folder().join("copy.db");
        let mut backup = database.backup("main", &target, BackupKey::Source).unwrap();
        assert!(backup.step(u32::MAX).is_err(), "a backup reads every page");
        drop(backup);
        let database = open(&path, format);
        database.execute_batch("VACUUM").unwrap();
        assert_eq!(problems(&database), Vec::<String>::new(), "{format:?}");
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), 5);
    }
}

/// Neither a repair nor VACUUM accepts a damaged page that has content.
#[test]
fn vacuum_repairs_no_page_with_content() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        let scratch = Scratch::new();
        let path = scratch.path();
        create(&path, format);
        damage(&path, format, 3);
        let database = open(&path, format);
        let found = problems(&database);
        assert!(found.iter().any(|problem| problem.contains("table \"t\"")), "{found:?}");
        assert!(database.execute_batch("VACUUM").is_err(), "{format:?}");
        drop(database);
        assert!(!problems(&open(&path, format)).is_empty(), "{format:?}");
    }
}

/// With auto_vacuum, a transaction that is larger than the cache failed with an authentication error: SQLite had read a page
/// past the end of the file, which later was a hole in the file until the commit.
#[test]
fn a_large_transaction_with_auto_vacuum_is_no_damage() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        for cache in [8, 10, 12, 14] {
            let scratch = Scratch::new();
            let database = open(&scratch.path(), format);
            let inserts: String = (100..114)
                .map(|id| format!("INSERT INTO t VALUES ({id}, {}, zeroblob({}));", id % 5, 1900 + id))
                .collect();
            let transaction = format!(
                "PRAGMA auto_vacuum = FULL; PRAGMA cache_size = {cache};
                 BEGIN; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE TABLE last (a); COMMIT;
                 BEGIN; {inserts} CREATE INDEX i ON t (a, b); COMMIT"
            );
            database
                .execute_batch(&transaction)
                .unwrap_or_else(|error| panic!("{format:?}, {cache}: {error}"));
            assert_eq!(problems(&database), Vec::<String>::new(), "{format:?}");
            assert_sound(&database);
        }
    }
}
