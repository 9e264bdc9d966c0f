//! Tests that a killed process loses no transaction that it reported as committed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, io};

use strongroom_database::{Behavior, Database, Location, OpenOptions, Value};
use strongroom_keys::Key;

use crate::scratch::{Scratch, assert_intact, integer, key, rows};

/// Passes the path of the database to the process that the test kills.
const DATABASE: &str = "STRONGROOM_TEST_CRASH_DATABASE";
/// The number of transactions that the child would commit. The test kills the child before the last transaction.
const TRANSACTIONS: i64 = 10_000;
/// The number of reported commits after which the test kills each child. Mostly primes, to spread the kills over the
/// growth of the file. Each child continues where the previous child was killed, so the last kill comes in the middle
/// of the transactions.
const KILLS: [usize; 18] = [1, 2, 3, 5, 7, 11, 13, 17, 23, 29, 37, 47, 61, 79, 101, 127, 1009, 3001];

#[test]
fn a_killed_process_loses_no_commit_with_a_rollback_journal() {
    kill_often("delete", "crash::a_killed_process_loses_no_commit_with_a_rollback_journal");
}

#[test]
fn a_killed_process_loses_no_commit_with_a_write_ahead_log() {
    kill_often("wal", "crash::a_killed_process_loses_no_commit_with_a_write_ahead_log");
}

fn kill_often(journal: &str, test: &str) {
    if let Some(path) = env::var_os(DATABASE) {
        return commit_until_killed(Path::new(&path));
    }
    let scratch = Scratch::new();
    let database = scratch.open();
    rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
    database
        .execute_batch(
            "CREATE TABLE entry (id INTEGER PRIMARY KEY, payload BLOB);
             CREATE TABLE total (entries INTEGER, bytes INTEGER);
             INSERT INTO total VALUES (0, 0)",
        )
        .unwrap();
    database.close().unwrap();
    for commits in KILLS {
        let reported = kill_after(commits, &scratch.path(), test);
        // The next connection rolls back the child's unfinished transaction, even if the connection's key is wrong.
        let wrong = Key::raw(&[1; 32]).unwrap();
        assert_eq!(scratch.open_with(&wrong).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
        let database = scratch.open();
        let entries = integer(&database, "SELECT count(*) FROM entry");
        assert!(entries >= reported, "{reported} commits were reported, but the file has {entries}");
        assert!(entries < TRANSACTIONS, "the child committed every transaction before the kill");
        // The file contains no part of an unfinished transaction.
        assert_eq!(integer(&database, "SELECT max(id) FROM entry"), entries);
        assert_eq!(integer(&database, "SELECT entries FROM total"), entries);
        let bytes = integer(&database, "SELECT sum(length(payload)) FROM entry");
        assert_eq!(integer(&database, "SELECT bytes FROM total"), bytes);
        assert_intact(&database);
        database.close().unwrap();
    }
}

/// Starts this test as a child, reads its reports, kills it, and returns the last commit that it reported.
fn kill_after(commits: usize, path: &Path, test: &str) -> i64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reports = reports(&mut child);
    let mut last = reports.nth(commits - 1).expect("the child ended before the kill");
    child.kill().unwrap();
    child.wait().unwrap();
    // Includes the commits that the child reported before the signal arrived.
    if let Some(later) = reports.last() {
        last = later;
    }
    last
}

fn reports(child: &mut Child) -> impl Iterator<Item = i64> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.split("committed ").nth(1).and_then(|number| number.parse().ok()))
}

fn commit_until_killed(path: &Path) {
    let database = Database::open(Location::File(path), &key(), &OpenOptions::default()).unwrap();
    let first = integer(&database, "SELECT entries FROM total") + 1;
    let mut insert = database.prepare("INSERT INTO entry VALUES (?, zeroblob(?))").unwrap();
    let mut count = database.prepare("UPDATE total SET entries = ?, bytes = bytes + ?").unwrap();
    for number in first..=TRANSACTIONS {
        // Every tenth payload is longer than a page, so transactions touch different pages.
        let length = number * 37 % 997 + if number % 10 == 0 { 9000 } else { 0 };
        let transaction = database.transaction(Behavior::Immediate).unwrap();
        for statement in [&mut insert, &mut count] {
            statement.bind(1, Value::Integer(number)).unwrap();
            statement.bind(2, Value::Integer(length)).unwrap();
            statement.step().unwrap();
        }
        transaction.commit().unwrap();
        let mut out = io::stdout().lock();
        writeln!(out, "committed {number}").and_then(|()| out.flush()).unwrap();
    }
}
