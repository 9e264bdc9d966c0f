//! Tests that a rekey leaves every row and either the old or the new key, even if the rekey is killed or the disk is
//! full.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use strongroom_database::{Database, Location, OpenOptions};
use strongroom_keys::Key;

use crate::scratch::{Scratch, assert_intact, integer, rows};
use crate::small_disk::SmallDisk;

/// Passes the path of the database to the process that the test kills.
const DATABASE: &str = "STRONGROOM_TEST_REKEY_DATABASE";
const ROWS: i64 = 2000;

fn keys() -> [Key; 2] {
    [Key::raw(&[1; 32]).unwrap(), Key::raw(&[2; 32]).unwrap()]
}

fn open(path: &Path, key: &Key) -> Option<Database> {
    Database::open(Location::File(path), key, &OpenOptions::default()).ok()
}

fn fill(path: &Path, key: &Key, journal: &str) -> Database {
    let database = open(path, key).unwrap();
    rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
    database
        .execute_batch(
            "PRAGMA cache_size = 20;
             CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 2000)
             INSERT INTO t SELECT i, printf('%0400d', i) FROM n",
        )
        .unwrap();
    database
}

fn assert_whole(database: &Database) {
    // After a kill, the new pages may be only in the log, but the check below reads only the file.
    rows(database, "PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    assert_eq!(integer(database, "SELECT count(*) FROM t"), ROWS);
    assert_eq!(integer(database, "SELECT sum(CAST(v AS INTEGER)) FROM t"), ROWS * (ROWS + 1) / 2);
    assert_intact(database);
}

/// Asserts that exactly one of the keys opens the file, and that the file is complete. Returns the index of the key.
fn assert_one_key(path: &Path) -> usize {
    let opened = keys().map(|key| open(path, &key));
    let [first, second] = &opened;
    assert!(first.is_some() != second.is_some(), "{:?}", opened.each_ref().map(Option::is_some));
    opened.iter().flatten().for_each(assert_whole);
    usize::from(second.is_some())
}

#[test]
fn a_killed_rekey_leaves_exactly_one_key_with_a_rollback_journal() {
    kill_often("delete", "rekey_faults::a_killed_rekey_leaves_exactly_one_key_with_a_rollback_journal");
}

#[test]
fn a_killed_rekey_leaves_exactly_one_key_with_a_write_ahead_log() {
    kill_often("wal", "rekey_faults::a_killed_rekey_leaves_exactly_one_key_with_a_write_ahead_log");
}

fn kill_often(journal: &str, test: &str) {
    if let Some(path) = env::var_os(DATABASE) {
        return rekey_until_killed(Path::new(&path));
    }
    let scratch = Scratch::new();
    fill(&scratch.path(), &keys()[0], journal).close().unwrap();
    let points = env::var("STRONGROOM_TEST_KILL_POINTS").map_or(100, |number| number.parse().unwrap());
    let mut found = [0, 0];
    for _ in 0..points {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DATABASE, scratch.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let begun = lines.any(|line| line.is_ok_and(|line| line.contains("begun")));
        assert!(begun, "the child ended before the kill");
        // Kills at a random moment of the rekeys that the child repeats endlessly.
        sleep(Duration::from_micros(RandomState::new().build_hasher().finish() % 100_000));
        child.kill().unwrap();
        child.wait().unwrap();
        found[assert_one_key(&scratch.path())] += 1;
    }
    println!(
        "{points} kills, journal mode {journal}: 0 losses, {} with the first key, {} with the second",
        found[0], found[1]
    );
}

fn rekey_until_killed(path: &Path) {
    let mut has = usize::from(open(path, &keys()[0]).is_none());
    let database = open(path, &keys()[has]).unwrap();
    rows(&database, "PRAGMA cache_size = 20", &[]).unwrap();
    println!("begun");
    loop {
        has = 1 - has;
        database.rekey("main", &keys()[has], &mut |_| true).unwrap();
    }
}

#[test]
fn a_full_disk_keeps_the_old_key_and_the_connection_usable() {
    let Some(disk) = SmallDisk::mount(6 << 20) else { return };
    let (mut failures, mut successes) = (0, 0);
    for journal in ["delete", "wal"] {
        let path = disk.path(&format!("{journal}.db"));
        let database = fill(&path, &keys()[0], journal);
        let size = usize::try_from(integer(&database, "PRAGMA page_count") * 4096).unwrap();
        for step in 0..=12 {
            disk.leave(size * step / 10);
            let result = database.rekey("main", &keys()[1], &mut |_| true);
            disk.free();
            match result {
                Err(error) => {
                    failures += 1;
                    assert!(matches!(error.code(), "SQLITE_FULL" | "SQLITE_IOERR_SHMSIZE"), "{error}");
                    database.execute_batch("UPDATE t SET v = v WHERE id < 100").unwrap();
                    assert_eq!(assert_one_key(&path), 0);
                }
                Ok(()) => {
                    successes += 1;
                    database.execute_batch("UPDATE t SET v = v WHERE id < 100").unwrap();
                    assert_eq!(assert_one_key(&path), 1);
                    database.rekey("main", &keys()[0], &mut |_| true).unwrap();
                }
            }
            assert_whole(&database);
        }
        database.close().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    assert!(failures > 5 && successes > 1, "{failures} failures and {successes} successes");
}
