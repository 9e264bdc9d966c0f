//! Tests that killing a conversion at any point leaves either the old or the new file, with every row.
//!
//! The child reports when the copy begins and when the copy is complete. The parent kills the child some time after one
//! of these reports. Half of the kills come during the copy and its comparison, the other half during the replacement
//! of the file.

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use strongroom_database::migrate;
use strongroom_keys::Key;

use crate::migrating::{convert, files, migration, open, version};
use crate::scratch::{Scratch, assert_sound, integer, rows, text};

/// Passes the path of the database to the process that the test kills.
const DATABASE: &str = "STRONGROOM_TEST_KILL_DATABASE";
/// Passes the direction of the conversion to the same process: `encrypt` or `decrypt`.
const DIRECTION: &str = "STRONGROOM_TEST_KILL_DIRECTION";
const ROWS: i64 = 3_000;
/// The approximate duration of the replacement of the file.
const REPLACEMENT: Duration = Duration::from_millis(20);

#[test]
fn a_killed_conversion_loses_nothing_with_a_rollback_journal() {
    kill_often("delete", "migrate_kill::a_killed_conversion_loses_nothing_with_a_rollback_journal");
}

#[test]
fn a_killed_conversion_loses_nothing_with_a_write_ahead_log() {
    kill_often("wal", "migrate_kill::a_killed_conversion_loses_nothing_with_a_write_ahead_log");
}

fn kill_often(journal: &str, test: &str) {
    if let Some(path) = env::var_os(DATABASE) {
        return convert_and_report(&PathBuf::from(path));
    }
    let scratch = Scratch::new();
    create(&scratch.path(), journal);
    let kills = env::var("STRONGROOM_TEST_KILL_POINTS").map_or(20, |number| number.parse().unwrap());
    // Measures a conversion that is not killed.
    let start = Instant::now();
    convert(&scratch.path(), None, Some(&key())).unwrap();
    let durations = [("begun", start.elapsed()), ("complete", REPLACEMENT)];

    let (mut old, mut new) = (0, 0);
    for number in 0..kills {
        let encrypted = is_encrypted(&scratch.path());
        let (report, duration) = durations[number % 2];
        // Multiples of the golden ratio spread any number of kills evenly.
        let share = (number as f64 * 0.618_033_988_75).fract();
        kill_after(&scratch.path(), encrypted, (report, duration.mul_f64(share)), test);
        let names = files(&scratch.folder());
        assert!(names.iter().all(|name| is_expected(name)), "{names:?}");
        match is_encrypted(&scratch.path()) == encrypted {
            true => old += 1,
            false => new += 1,
        }
        assert_complete(&scratch.path(), journal);
    }
    println!("{journal}: {kills} kills left the old file {old} times and the new file {new} times");
    // A conversion that is not killed removes all leftovers.
    let from = is_encrypted(&scratch.path()).then(key);
    convert(&scratch.path(), from.as_ref(), Some(&key())).unwrap();
    assert_eq!(files(&scratch.folder()), ["test.db"]);
    assert_complete(&scratch.path(), journal);
}

fn key() -> Key {
    version(4)
}

fn is_encrypted(path: &Path) -> bool {
    !fs::read(path).unwrap().starts_with(b"SQLite format 3\0")
}

/// Accepts the database, the leftover of a conversion, and their journals and logs.
fn is_expected(name: &str) -> bool {
    let name =
        ["-journal", "-wal", "-shm"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    ["test.db", "test.db-strongroom-migrating"].contains(&name)
}

fn create(path: &Path, journal: &str) {
    let database = open(path, None);
    rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
    database
        .execute_batch(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE INDEX by_a ON t (a);
             WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
             INSERT INTO t SELECT i, i * 7, printf('%.*c', 100 + i % 300, 'x') FROM n"
        ))
        .unwrap();
}

fn assert_complete(path: &Path, journal: &str) {
    let key = is_encrypted(path).then(key);
    let database = open(path, key.as_ref());
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), ROWS);
    assert_eq!(integer(&database, "SELECT sum(a) FROM t"), 7 * ROWS * (ROWS + 1) / 2);
    assert_eq!(integer(&database, "SELECT total(length(b)) = sum(100 + id % 300) FROM t"), 1);
    assert_sound(&database);
    assert_eq!(
        rows(&database, "PRAGMA journal_mode", &[]).unwrap(),
        [[text(journal)]],
        "the journal mode is part of the file"
    );
    database.close().unwrap();
}

/// Starts this test as a child and kills the child some time after a report.
fn kill_after(path: &Path, encrypted: bool, (report, time): (&str, Duration), test: &str) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DATABASE, path)
        .env(DIRECTION, if encrypted { "decrypt" } else { "encrypt" })
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with(report)), "the child ended without a report");
    thread::sleep(time);
    // The child may have ended already.
    let _ = child.kill();
    child.wait().unwrap();
}

fn convert_and_report(path: &Path) {
    let key = key();
    let (from, to) = match env::var(DIRECTION).unwrap().as_str() {
        "encrypt" => (None, Some(&key)),
        _ => (Some(&key), None),
    };
    let report = |word: &str| {
        let mut out = io::stdout().lock();
        writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
    };
    migrate(&migration(path, from, to), &mut |progress| {
        match progress.done {
            0 => report("begun"),
            done if done == progress.total => report("complete"),
            _ => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();
}
