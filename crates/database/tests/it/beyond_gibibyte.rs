//! Tests files in the Strongroom format that are larger than 1 GiB, where SQLite's lock bytes lie.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_database::{BackupKey, Database};

use crate::scratch::{Owned, Scratch, assert_sound, integer, rows, value};
use crate::sealed_file::{HEADER, create, plain_key, reopen};

/// The first lock byte, and the number of lock bytes. Source: SQLite's file format, section 1.3.
const LOCK_BYTE: u64 = 1 << 30;
const LOCK_BYTES: u64 = 512;

/// Returns the number of SQLite's page that starts at an offset of the file, which lies before the lock bytes.
fn page_at(offset: u64, page_size: u64) -> u64 {
    (offset - HEADER as u64) / page_size + 1
}

fn bytes_at(path: &Path, offset: u64, length: usize) -> Vec<u8> {
    let (mut file, mut bytes) = (File::open(path).unwrap(), vec![0; length]);
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes
}

/// Asserts that no byte of the lock range was ever written. SQLite's pages there are sealed, so no written byte range of
/// this length is all zeros.
#[track_caller]
fn assert_gap(path: &Path) {
    let bytes = bytes_at(path, LOCK_BYTE, LOCK_BYTES as usize);
    assert!(bytes.iter().all(|byte| *byte == 0), "{} has data at SQLite's lock bytes", path.display());
}

/// Makes a database as long as if it had `pages` pages, without writing them: the length in page 1 grows, and the file gets
/// a hole. New rows are then written behind the hole.
fn grow(path: &Path, page_size: usize, pages: u32) {
    let mut start = bytes_at(path, 0, HEADER + page_size);
    let header = strongroom_format::Header::read(&start).unwrap();
    let mut sealer = header.unlock(&plain_key()).unwrap().page_sealer().unwrap();
    let page = &mut start[HEADER..];
    assert!(sealer.open_page(page, 1).unwrap());
    // The size of the database in pages. Source: SQLite's file format, section 1.3.8.
    page[28..32].copy_from_slice(&pages.to_be_bytes());
    sealer.seal_page(page, 1).unwrap();
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(HEADER as u64)).unwrap();
    file.write_all(page).unwrap();
    file.set_len(HEADER as u64 + u64::from(pages) * page_size as u64).unwrap();
}

/// Fills the file from 20 pages before the lock bytes to 20 pages behind them, with each journal mode.
#[test]
fn rows_around_the_lock_bytes_survive() {
    for page_size in [1_024_u32, 4_096, 65_536] {
        for journal in ["delete", "wal"] {
            let scratch = Scratch::new();
            let path = scratch.path();
            let database = create(&path, page_size);
            database
                .execute_batch(&format!(
                    "PRAGMA journal_mode = {journal}; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)"
                ))
                .unwrap();
            database.close().unwrap();
            let size = u64::from(page_size);
            // The gap begins one page, or one header, before the lock bytes.
            let gap = LOCK_BYTE - size.max(HEADER as u64) + HEADER as u64;
            let before = page_at(gap, size) - 20;
            grow(&path, page_size as usize, u32::try_from(before).unwrap());

            let database = reopen(&path).unwrap();
            let payload = |id: i64| vec![u8::try_from(id).unwrap(); page_size as usize * 3 / 4];
            for id in 1..=60 {
                rows(
                    &database,
                    "INSERT INTO t VALUES (?, ?)",
                    &[Owned::Integer(id), Owned::Blob(payload(id))],
                )
                .unwrap();
            }
            let assert_rows = |database: &Database| {
                for id in 1..=60 {
                    let sql = format!("SELECT v FROM t WHERE id = {id}");
                    assert_eq!(
                        value(database, &sql, &[]).unwrap(),
                        Owned::Blob(payload(id)),
                        "{page_size} {journal} {id}"
                    );
                }
            };
            assert_rows(&database);
            database
                .execute_batch("BEGIN; DELETE FROM t WHERE id % 2; SAVEPOINT s; DELETE FROM t; ROLLBACK")
                .unwrap();
            assert_rows(&database);
            let pages = u64::try_from(integer(&database, "PRAGMA page_count")).unwrap();
            // SQLite never uses its own page of the lock bytes, so its numbering has one more page than the data.
            assert!(pages > LOCK_BYTE / size + 10, "{pages} pages of {page_size} bytes");
            database.close().unwrap();
            assert!(fs::metadata(&path).unwrap().len() > LOCK_BYTE + 10 * size);
            assert_gap(&path);
            assert_rows(&reopen(&path).unwrap());
            // Data lies right before the gap and right behind it.
            assert!(
                bytes_at(&path, gap - 64, 64).iter().any(|byte| *byte != 0),
                "{page_size}: nothing before the gap"
            );
            let behind = gap + size.max(HEADER as u64);
            assert!(
                bytes_at(&path, behind, 64).iter().any(|byte| *byte != 0),
                "{page_size}: nothing behind the gap"
            );
        }
    }
}

/// Writes each page of a file of more than 1 GiB, and copies the file in each way.
#[test]
fn a_whole_file_beyond_a_gibibyte_is_copied_and_checked() {
    if std::env::var_os("STRONGROOM_TEST_LARGE_FILES").is_none() {
        println!("skipped: writes 2 GiB for each page size; set STRONGROOM_TEST_LARGE_FILES=1");
        return;
    }
    for page_size in [4_096_u32, 65_536] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let database = create(&path, page_size);
        // Each row has its own content: a page number that repeats would go unnoticed otherwise.
        database
            .execute_batch(
                "PRAGMA journal_mode = delete; PRAGMA synchronous = OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);
                 WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 17600)
                 INSERT INTO t SELECT i, CAST(printf('%020d', i) AS BLOB) || zeroblob(62000) FROM n",
            )
            .unwrap();
        assert_large(&database);
        database.close().unwrap();
        assert!(fs::metadata(&path).unwrap().len() > LOCK_BYTE + (16 << 20));
        assert_gap(&path);
        let database = reopen(&path).unwrap();
        assert_large(&database);
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        let target = scratch.folder().join("into.db");
        database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).unwrap();
        assert_copy(&target);
        let target = scratch.folder().join("backup.db");
        let mut backup = database.backup("main", &target, BackupKey::Source).unwrap();
        while !backup.step(10_000).unwrap().copied {}
        backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
        assert_copy(&target);
        println!("page size {page_size}: reopened, checked, vacuumed into a file and backed up");
    }
}

fn assert_large(database: &Database) {
    assert_eq!(integer(database, "SELECT count(*) FROM t"), 17_600);
    assert_eq!(
        integer(database, "SELECT sum(CAST(CAST(substr(v, 1, 20) AS TEXT) AS INTEGER) = id) FROM t"),
        17_600
    );
    assert_eq!(integer(database, "SELECT sum(length(CAST(v AS BLOB)) = 62020) = 17600 FROM t"), 1);
}

fn assert_copy(path: &Path) {
    assert_gap(path);
    let database = reopen(path).unwrap();
    assert_large(&database);
    assert_sound(&database);
    database.close().unwrap();
    fs::remove_file(path).unwrap();
}
