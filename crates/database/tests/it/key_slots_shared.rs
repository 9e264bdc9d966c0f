//! Tests changes of key slots while other connections and processes use the file.
//!
//! A test starts itself as another process, which waits for a line on its standard input before each step.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use strongroom_database::{Database, Location, OpenOptions, Slot, code_of};
use strongroom_format::Header;
use strongroom_keys::Key;

use crate::scratch::{Scratch, assert_sound, integer};
use crate::sealed_file::{HEADER, plain_key, sealed_key};

/// Passes the path of the database and the task to the other process.
const DATABASE: &str = "STRONGROOM_TEST_KEY_SLOTS_DATABASE";
const TASK: &str = "STRONGROOM_TEST_KEY_SLOTS_TASK";

fn raw(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn open(path: &Path, key: &Key, busy_timeout: Duration) -> Database {
    let options = OpenOptions { must_exist: true, busy_timeout, ..OpenOptions::default() };
    Database::open(Location::File(path), key, &options).unwrap()
}

fn create(path: &Path, journal: &str) -> Database {
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let database = Database::open(Location::File(path), &sealed_key(4_096), &options).unwrap();
    database
        .execute_batch(&format!(
            "PRAGMA journal_mode = {journal}; CREATE TABLE t (a); INSERT INTO t VALUES (1)"
        ))
        .unwrap();
    database
}

fn labels(slots: &[Slot]) -> BTreeSet<String> {
    slots.iter().filter_map(|slot| slot.label.clone()).collect()
}

/// Another process with the file open.
struct Other {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Other {
    fn start(test: &str, path: &Path, task: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("key_slots_shared::{test}"), "--nocapture"])
            .env(DATABASE, path)
            .env(TASK, task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut other = Self { child, said };
        assert_eq!(other.next(), "ready", "{task}");
        other
    }

    /// Returns the next line that the process says.
    fn next(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the other process has ended");
            if let Some((_, said)) = line.trim_end().split_once("other process: ") {
                return said.to_owned();
            }
        }
    }

    /// Lets the process take its next step, and returns the answer.
    fn step(&mut self) -> String {
        writeln!(self.child.stdin.as_mut().unwrap()).unwrap();
        self.next()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    println!("other process: {line}");
}

fn wait() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// Returns the path and the task if this is the other process.
fn other_process() -> Option<(PathBuf, String)> {
    Some((env::var_os(DATABASE)?.into(), env::var(TASK).ok()?))
}

/// The journal modes and the transactions in which another process keeps the file.
const STATES: [(&str, &str); 7] = [
    ("delete", "BEGIN; SELECT count(*) FROM t"),
    ("delete", "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"),
    ("delete", "BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)"),
    ("truncate", "BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)"),
    ("wal", "BEGIN; SELECT count(*) FROM t"),
    ("wal", "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"),
    ("wal", "PRAGMA locking_mode = NORMAL; BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)"),
];

/// A change needs none of SQLite's locks: it succeeds with a busy timeout of zero.
#[test]
fn slots_change_in_the_middle_of_the_transactions_of_other_processes() {
    const TEST: &str = "slots_change_in_the_middle_of_the_transactions_of_other_processes";
    if let Some((path, sql)) = other_process() {
        let database = open(&path, &plain_key(), Duration::ZERO);
        database.execute_batch(&sql).unwrap();
        say("ready");
        wait();
        let rows = integer(&database, "SELECT count(*) FROM t");
        database.execute_batch("COMMIT").unwrap();
        return say(&format!("committed {rows}"));
    }
    for (journal, sql) in STATES {
        let scratch = Scratch::new();
        let path = scratch.path();
        let database = create(&path, journal);
        // On Windows, a connection in mode TRUNCATE keeps the journal open, and another in mode DELETE fails.
        let task = format!("PRAGMA journal_mode = {journal}; {sql}");
        let mut other = Other::start(TEST, &path, &task);
        let slot = database.add_key_slot("main", &raw(1), Some("one")).unwrap();
        database.rekey("main", &raw(2), &mut |_| true).unwrap();
        database.remove_key_slot("main", slot.id).unwrap();
        database.add_key_slot("main", &raw(3), Some("three")).unwrap();
        let expected = if sql.contains("INSERT") { 2 } else { 1 };
        assert_eq!(other.step(), format!("committed {expected}"), "{journal}: {sql}");
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), expected, "{journal}: {sql}");
        for key in [raw(2), raw(3)] {
            let again = open(&path, &key, Duration::from_secs(20));
            assert_eq!(integer(&again, "SELECT count(*) FROM t"), expected);
            assert_eq!(labels(&again.key_slots("main").unwrap()), BTreeSet::from(["three".to_owned()]));
            assert_sound(&again);
        }
    }
}

/// Another process holds the header's lock: the call waits for the busy timeout, fails, and leaves SQLite's locks alone.
#[cfg(target_os = "linux")]
#[test]
fn a_change_waits_for_the_header_lock_of_another_process() {
    const TEST: &str = "a_change_waits_for_the_header_lock_of_another_process";
    use std::os::fd::AsRawFd;
    if let Some((path, _)) = other_process() {
        let file = fs::File::options().write(true).open(path).unwrap();
        set_lock(file.as_raw_fd(), libc::F_WRLCK);
        say("ready");
        wait();
        set_lock(file.as_raw_fd(), libc::F_UNLCK);
        return say("released");
    }
    let scratch = Scratch::new();
    let path = scratch.path();
    let database = create(&path, "wal");
    let before = fs::read(&path).unwrap();
    let mut other = Other::start(TEST, &path, "lock");
    for refused in [
        database.add_key_slot("main", &raw(1), None).map(|_| ()).map_err(|error| error.code()),
        database.rekey("main", &raw(1), &mut |_| true).map_err(|error| error.code()),
    ] {
        assert_eq!(refused, Err("SQLITE_BUSY"));
    }
    assert_eq!(fs::read(&path).unwrap()[..HEADER], before[..HEADER]);
    // Reading and writing pages, listing slots and opening the file need no lock of the header.
    database.execute_batch("INSERT INTO t VALUES (2); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(database.key_slots("main").unwrap().len(), 1);
    let waiting = open(&path, &plain_key(), Duration::from_secs(60));
    thread::scope(|scope| {
        let added = scope.spawn(|| {
            let waiting = open(&path, &plain_key(), Duration::from_secs(60));
            waiting.add_key_slot("main", &raw(1), None).map(|slot| slot.id)
        });
        assert_eq!(other.step(), "released");
        added.join().unwrap().unwrap();
    });
    assert_eq!(waiting.key_slots("main").unwrap().len(), 2);
}

/// Locks or unlocks the byte that docs/format.md names.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no safe function")]
fn set_lock(descriptor: i32, kind: i32) {
    // SAFETY: every bit pattern is a valid `flock`, and the call reads it. The descriptor is open.
    let code = unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = kind.try_into().unwrap();
        lock.l_start = (1 << 30) + 513;
        lock.l_len = 1;
        libc::fcntl(descriptor, libc::F_OFD_SETLK, &raw const lock)
    };
    assert_eq!(code, 0, "{}", std::io::Error::last_os_error());
}

/// The number of changes of each process and thread.
const CHANGES: u64 = 40;

/// No change is lost: every change raises the generation by one. Meanwhile, connections of both processes open and close,
/// which would release a lock that belongs to the process.
#[test]
fn no_change_of_two_processes_and_four_threads_is_lost() {
    const TEST: &str = "no_change_of_two_processes_and_four_threads_is_lost";
    if let Some((path, _)) = other_process() {
        say("ready");
        wait();
        change_in_threads(&path, "other");
        return say("done");
    }
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let database = create(&path, journal);
        let mut other = Other::start(TEST, &path, journal);
        let before = generation(&path);
        thread::scope(|scope| {
            let threads = scope.spawn(|| change_in_threads(&path, "this"));
            assert_eq!(other.step(), "done");
            threads.join().unwrap();
        });
        assert_eq!(generation(&path) - before, 4 * CHANGES, "{journal}");
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[..HEADER / 2], bytes[HEADER / 2..HEADER], "{journal}");
        assert_eq!(database.key_slots("main").unwrap().len(), 1, "{journal}");
        assert_sound(&database);
        assert_eq!(
            code_of(
                &database.remove_key_slot("main", database.key_slots("main").unwrap()[0].id).unwrap_err()
            ),
            Some("STRONGROOM_LAST_SLOT")
        );
    }
}

/// Adds and removes slots in two threads, while a third opens, writes and closes.
fn change_in_threads(path: &Path, process: &str) {
    let patience = Duration::from_secs(60);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads = [1, 2].map(|number| {
            scope.spawn(move || {
                // The same key may not be in two slots.
                let key = raw(number + if process == "this" { 0 } else { 2 });
                let database = open(path, &plain_key(), patience);
                for round in 0..CHANGES / 2 {
                    let label = format!("{process} {number} {round}");
                    let slot = database.add_key_slot("main", &key, Some(&label)).unwrap();
                    assert!(labels(&database.key_slots("main").unwrap()).contains(&label));
                    assert_eq!(database.remove_key_slot("main", slot.id).unwrap(), slot);
                }
            })
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let database = open(path, &plain_key(), patience);
                database.execute_batch("UPDATE t SET a = a + 1").unwrap();
                database.close().unwrap();
            }
        });
        let ended = threads.map(thread::ScopedJoinHandle::join);
        is_over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
}

fn generation(path: &Path) -> u64 {
    Header::read(&fs::read(path).unwrap()).unwrap().generation()
}
