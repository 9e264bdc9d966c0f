//! Tests that killing processes that write a file in the Strongroom format loses no commit and tears none.
//!
//! Two processes write at the same time. The test kills the first, lets the second recover and continue, and kills the
//! second. With two files, each transaction writes to both. With rollback journals, such a transaction is in both files or
//! in neither. With write-ahead logs, SQLite commits each file on its own, so a kill may tear the transaction.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, io, thread};

use strongroom_database::{AttachOptions, Behavior, Database, Location, OpenOptions};
use strongroom_keys::{Format, Key};

use crate::scratch::{Owned, Scratch, assert_sound, rows, value};

/// Passes the path of the database to a writer.
const DATABASE: &str = "STRONGROOM_TEST_SEALED_KILL_DATABASE";
/// Passes the number of the writer to the same process.
const WRITER: &str = "STRONGROOM_TEST_SEALED_KILL_WRITER";
/// The number of kills without `STRONGROOM_TEST_KILL_POINTS`.
const KILLS: usize = 12;
/// The number of reports of a writer before its kill: on a slow machine, each report may take longer than the time to the kill.
const REPORTS: usize = 3;
const WRITERS: [i64; 2] = [1, 2];

#[derive(Clone, Copy, PartialEq)]
enum Files {
    One,
    Two,
}

#[test]
fn a_killed_writer_loses_nothing_with_a_rollback_journal() {
    kill_often("delete", Files::One, "a_killed_writer_loses_nothing_with_a_rollback_journal");
}

#[test]
fn a_killed_writer_loses_nothing_with_a_write_ahead_log() {
    kill_often("wal", Files::One, "a_killed_writer_loses_nothing_with_a_write_ahead_log");
}

#[test]
fn a_killed_writer_of_two_files_tears_nothing_with_a_rollback_journal() {
    kill_often("delete", Files::Two, "a_killed_writer_of_two_files_tears_nothing_with_a_rollback_journal");
}

#[test]
fn a_killed_writer_of_two_files_loses_nothing_with_a_write_ahead_log() {
    kill_often("wal", Files::Two, "a_killed_writer_of_two_files_loses_nothing_with_a_write_ahead_log");
}

fn key() -> Key {
    Key::raw(&[0x5a; 32]).unwrap().with_format(Format::Strongroom).unwrap()
}

/// Opens the database, and attaches the second file.
fn open(path: &Path, files: Files) -> Database {
    let options = OpenOptions { busy_timeout: Duration::from_secs(60), ..OpenOptions::default() };
    let database = Database::open(Location::File(path), &key(), &options).unwrap();
    if files == Files::Two {
        let second = path.with_file_name("second.db");
        database.attach(Location::File(&second), "second", &AttachOptions::default()).unwrap();
    }
    database
}

fn index_of(writer: i64) -> usize {
    usize::try_from(writer - 1).unwrap()
}

fn schemas(files: Files) -> &'static [&'static str] {
    if files == Files::Two { &["main", "second"] } else { &["main"] }
}

fn kill_often(journal: &str, files: Files, test: &str) {
    if let Some(path) = env::var_os(DATABASE) {
        let writer = env::var(WRITER).unwrap().parse().unwrap();
        return commit_until_killed(Path::new(&path), files, writer);
    }
    let scratch = Scratch::new();
    let database = open(&scratch.path(), files);
    for schema in schemas(files) {
        database
            .execute_batch(&format!(
                "PRAGMA {schema}.journal_mode = {journal};
                 CREATE TABLE {schema}.entry (writer INTEGER, number INTEGER, payload BLOB, PRIMARY KEY (writer, number));
                 CREATE TABLE {schema}.total (writer INTEGER PRIMARY KEY, entries INTEGER, bytes INTEGER);
                 INSERT INTO {schema}.total VALUES (1, 0, 0), (2, 0, 0)"
            ))
            .unwrap();
    }
    database.close().unwrap();
    let kills = env::var("STRONGROOM_TEST_KILL_POINTS").map_or(KILLS, |number| number.parse().unwrap());
    let test = format!("sealed_kills::{test}");
    let (mut commits, mut torn) = (0, 0);
    let mut reported = [0, 0];
    let mut known = BTreeSet::new();
    for round in 0..kills.div_ceil(2) {
        // Multiples of the golden ratio spread any number of kills evenly over the time that some commits take.
        let share =
            |number: usize| Duration::from_millis(30).mul_f64((number as f64 * 0.618_033_988_75).fract());
        let mut writers = WRITERS.map(|writer| Writer::start(&scratch.path(), writer, &test));
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for (kill, index) in order.into_iter().enumerate() {
            // The other writer has recovered from the first kill if it commits again.
            for _ in 0..REPORTS {
                let last =
                    writers[index].reports.recv_timeout(Duration::from_secs(60)).expect("the writer commits");
                reported[index] = reported[index].max(last);
            }
            thread::sleep(share(2 * round + kill));
            reported[index] = reported[index].max(writers[index].kill());
            if kill == 0 {
                let other = &mut writers[1 - index];
                // Skips the reports from before the kill.
                while other.reports.try_recv().is_ok() {}
            }
        }
        let found = assert_whole(&scratch.path(), files, &reported);
        torn = found.torn.len();
        // A transaction that is in one file only was not reported before the kill.
        let lost: Vec<_> = found
            .torn
            .difference(&known)
            .filter(|(writer, number)| *number <= reported[index_of(*writer)])
            .collect();
        assert_eq!(lost, Vec::<&(i64, i64)>::new(), "reported commits are in one file only");
        known = found.torn;
        commits = found.commits;
    }
    let count = if files == Files::Two { "two files" } else { "one file" };
    println!(
        "{journal}, {count}, two writers: {} kills, {commits} commits, 0 lost, {torn} torn",
        kills.div_ceil(2) * 2
    );
    assert!(
        torn == 0 || (files == Files::Two && journal == "wal"),
        "{torn} transactions are in one file only"
    );
    assert!(commits >= i64::try_from(REPORTS * kills).unwrap(), "{commits} commits");
}

/// A process that commits until it is killed.
struct Writer {
    child: Child,
    reports: Receiver<i64>,
}

impl Writer {
    fn start(path: &Path, writer: i64, test: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(DATABASE, path)
            .env(WRITER, writer.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, reports) = channel();
        thread::spawn(move || {
            let numbers = out.lines().map_while(Result::ok).filter_map(|line| {
                line.split("committed ").nth(1).and_then(|number| number.parse::<i64>().ok())
            });
            for number in numbers {
                if send.send(number).is_err() {
                    break;
                }
            }
        });
        Self { child, reports }
    }

    /// Kills the process and returns the last commit that it reported.
    fn kill(&mut self) -> i64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // The channel ends when the thread has read the last report.
        self.reports.iter().last().unwrap_or(0)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each transaction inserts a row, deletes an old payload and updates a sum: in one file, or in each of two.
fn commit_until_killed(path: &Path, files: Files, writer: i64) {
    let database = open(path, files);
    // Writes pages of a transaction to the file before its commit.
    for schema in schemas(files) {
        database.execute_batch(&format!("PRAGMA {schema}.cache_size = 8")).unwrap();
    }
    let mut number = count(&database, "main", writer);
    for schema in schemas(files) {
        // After a torn transaction, the number continues behind both files.
        number = number.max(count(&database, schema, writer));
    }
    loop {
        number += 1;
        let length = payload(writer, number).len();
        let transaction = database.transaction(Behavior::Immediate).unwrap();
        for schema in schemas(files) {
            let row = [writer, number]
                .map(Owned::Integer)
                .into_iter()
                .chain([Owned::Blob(payload(writer, number))]);
            let row: Vec<_> = row.collect();
            rows(&database, &format!("INSERT INTO {schema}.entry VALUES (?, ?, ?)"), &row).unwrap();
            let shortened = format!(
                "UPDATE {schema}.entry SET payload = substr(payload, 1, 10) WHERE writer = {writer} AND number = {}",
                number - 40
            );
            rows(&database, &shortened, &[]).unwrap();
            let sum = format!(
                "UPDATE {schema}.total SET entries = entries + 1, bytes = bytes + {length} WHERE writer = {writer}"
            );
            rows(&database, &sum, &[]).unwrap();
        }
        transaction.commit().unwrap();
        let mut out = io::stdout().lock();
        writeln!(out, "committed {number}").and_then(|()| out.flush()).unwrap();
    }
}

/// Every tenth payload is longer than several pages.
fn payload(writer: i64, number: i64) -> Vec<u8> {
    let length = number * 37 % 997 + if number % 10 == 0 { 30_000 } else { 20 };
    vec![u8::try_from((number * 7 + writer) % 251).unwrap(); usize::try_from(length).unwrap()]
}

fn count(database: &Database, schema: &str, writer: i64) -> i64 {
    let sql = format!("SELECT coalesce(max(number), 0) FROM {schema}.entry WHERE writer = {writer}");
    match value(database, &sql, &[]).unwrap() {
        Owned::Integer(number) => number,
        other => panic!("{other:?}"),
    }
}

struct Whole {
    commits: i64,
    /// The transactions, by writer and number, that are in one of two files only.
    torn: BTreeSet<(i64, i64)>,
}

fn assert_whole(path: &Path, files: Files, reported: &[i64; 2]) -> Whole {
    let database = open(path, files);
    let mut commits = 0;
    let mut found: Vec<BTreeSet<(i64, i64)>> = Vec::new();
    for schema in schemas(files) {
        let mut numbers = BTreeSet::new();
        for writer in WRITERS {
            let last = reported[index_of(writer)];
            let select =
                format!("SELECT number, payload FROM {schema}.entry WHERE writer = {writer} ORDER BY number");
            let entries = rows(&database, &select, &[]).unwrap();
            let newest = count(&database, schema, writer);
            assert!(
                newest >= last,
                "{schema}, writer {writer}: {last} was reported, the file ends at {newest}"
            );
            let (mut entry_count, mut bytes) = (0, 0);
            for entry in entries {
                let [Owned::Integer(number), Owned::Blob(content)] = entry.as_slice() else {
                    panic!("{entry:?}")
                };
                let whole = payload(writer, *number);
                let is_right = *content == whole || (*number <= newest - 40 && *content == whole[..10]);
                assert!(is_right, "{schema}, writer {writer}: entry {number}");
                numbers.insert((writer, *number));
                (entry_count, bytes) = (entry_count + 1, bytes + whole.len() as i64);
            }
            let total = rows(
                &database,
                &format!("SELECT entries, bytes FROM {schema}.total WHERE writer = {writer}"),
                &[],
            );
            assert_eq!(
                total.unwrap(),
                [[Owned::Integer(entry_count), Owned::Integer(bytes)]],
                "{schema}, writer {writer}"
            );
            // With two files, a torn transaction leaves a gap, which the caller examines.
            assert!(files == Files::Two || entry_count == newest, "writer {writer}: a commit is missing");
            commits += entry_count;
        }
        found.push(numbers);
        assert!(database.check(schema, &mut |_| true).unwrap().is_ok());
    }
    assert_sound(&database);
    for writer in WRITERS {
        let all: BTreeSet<i64> =
            found.iter().flatten().filter(|(by, _)| *by == writer).map(|(_, number)| *number).collect();
        let gap = (1..=all.last().copied().unwrap_or(0)).find(|number| !all.contains(number));
        assert_eq!(gap, None, "writer {writer}: a commit is missing in every file");
    }
    let torn = match found.as_slice() {
        [first, second] => first.symmetric_difference(second).copied().collect(),
        _ => BTreeSet::new(),
    };
    database.close().unwrap();
    Whole { commits: commits / i64::try_from(found.len()).unwrap(), torn }
}
