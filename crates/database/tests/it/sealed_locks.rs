//! Tests that files in the Strongroom format are locked as SQLite locks any file: between processes and between threads.
//!
//! The header lies outside SQLite's pages. If the engine read or wrote it through a descriptor of its own, closing that
//! descriptor would release all locks of the process on the file. Source: "How To Corrupt An SQLite Database File",
//! section 2.2.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use strongroom_database::{AttachOptions, Behavior, Database, Location, OpenError, OpenOptions, code_of};
use strongroom_keys::Key;

use crate::scratch::{Owned, Scratch, assert_sound, integer, rows, text, value};
use crate::sealed_file::{HEADER, plain_key, sealed_key};

/// Passes the path of the database to the process that tries to write.
const DATABASE: &str = "STRONGROOM_TEST_SEALED_LOCKS_DATABASE";
/// Passes the folder and the number of a process that creates files.
const FOLDER: &str = "STRONGROOM_TEST_SEALED_LOCKS_FOLDER";
const NUMBER: &str = "STRONGROOM_TEST_SEALED_LOCKS_NUMBER";
/// The number of files that two processes create at the same time.
const ROUNDS: usize = 90;
/// The time after which a test fails instead of waiting.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(path: &Path, key: &Key, busy_timeout: Duration) -> Result<Database, OpenError> {
    Database::open(Location::File(path), key, &OpenOptions { busy_timeout, ..OpenOptions::default() })
}

#[test]
fn opening_the_file_again_keeps_the_lock_of_a_write_transaction() {
    if let Some(path) = env::var_os(DATABASE) {
        let opened = open(Path::new(&path), &plain_key(), Duration::ZERO);
        let begun = opened.map(|database| database.execute_batch("BEGIN IMMEDIATE"));
        let said = match &begun {
            Ok(Ok(())) => "it writes",
            Ok(Err(error)) => error.code(),
            Err(error) => code_of(error).unwrap_or("no code"),
        };
        println!("another process: {said}");
        return;
    }
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let database = open(&path, &sealed_key(4_096), Duration::ZERO).unwrap();
        database
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; CREATE TABLE t (a); INSERT INTO t VALUES (1)"
            ))
            .unwrap();
        assert_eq!(another_process(&path), "it writes", "{journal}");
        database.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)").unwrap();
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}");

        let second = open(&path, &plain_key(), Duration::ZERO).unwrap();
        assert_eq!(integer(&second, "SELECT count(*) FROM t"), 1);
        second.close().unwrap();
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: opened and closed");
        assert!(open(&path, &Key::raw(&[1; 32]).unwrap(), Duration::ZERO).is_err());
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: a wrong key");
        assert!(Database::open_unencrypted(Location::File(&path), &OpenOptions::default()).is_err());
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: without a key");
        let other = open(&scratch.folder().join("other.db"), &sealed_key(4_096), Duration::ZERO).unwrap();
        other.attach(Location::File(&path), "attached", &AttachOptions::default()).unwrap();
        other.detach("attached").unwrap();
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: attached and detached");
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: checked");

        database.execute_batch("COMMIT").unwrap();
        assert_eq!(another_process(&path), "it writes", "{journal}");
        // A change of the header needs no lock of SQLite's, and leaves the locks as they are.
        let writer = open(&path, &plain_key(), Duration::ZERO).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        database.rekey("main", &Key::raw(&[2; 32]).unwrap(), &mut |_| true).unwrap();
        database.rekey("main", &plain_key(), &mut |_| true).unwrap();
        assert_eq!(another_process(&path), "SQLITE_BUSY", "{journal}: a rekey");
    }
}

/// Returns what another process says that tries to begin a transaction.
fn another_process(path: &Path) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "sealed_locks::opening_the_file_again_keeps_the_lock_of_a_write_transaction",
            "--nocapture",
        ])
        .env(DATABASE, path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.split("another process: ").nth(1));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// Two processes open the same new file at the same moment. With the same key, both open it, with one header. With
/// different keys, the file gets one of them, and the other process learns that its key is wrong.
#[test]
fn two_processes_that_create_the_same_file_agree_on_one_header() {
    if let Some(folder) = env::var_os(FOLDER) {
        return create_files(Path::new(&folder), env::var(NUMBER).unwrap().parse().unwrap());
    }
    let scratch = Scratch::new();
    let mut children = [0, 1].map(|number| start(&scratch.folder(), number));
    for child in &mut children {
        assert!(child.wait().unwrap().success(), "a process that created files failed");
    }
    let (mut won, mut both) = ([0, 0], 0);
    for round in 0..ROUNDS {
        let path = file(&scratch.folder(), round);
        let said = [0, 1]
            .map(|number| fs::read_to_string(marker(&scratch.folder(), "said", round, number)).unwrap());
        let key = match said.each_ref().map(String::as_str) {
            ["opened", "opened"] => {
                assert!(!has_other_keys(round), "two keys open {}", path.display());
                both += 1;
                plain_key()
            }
            ["opened", "STRONGROOM_WRONG_KEY"] if has_other_keys(round) => {
                won[0] += 1;
                key_of(round, 0)
            }
            ["STRONGROOM_WRONG_KEY", "opened"] if has_other_keys(round) => {
                won[1] += 1;
                key_of(round, 1)
            }
            said => panic!("round {round}: {said:?}"),
        };
        let database = open(&path, &key, Duration::ZERO).unwrap();
        assert_eq!(
            integer(&database, "SELECT count(*) FROM t"),
            if has_other_keys(round) { 1 } else { 2 },
            "{round}"
        );
        assert_sound(&database);
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        database.close().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[..HEADER / 2], bytes[HEADER / 2..HEADER], "{round}");
    }
    println!(
        "{ROUNDS} files: {both} with one key, {won:?} with the key of the first and of the second process"
    );
    assert_eq!(both + won[0] + won[1], ROUNDS);
}

fn start(folder: &Path, number: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "sealed_locks::two_processes_that_create_the_same_file_agree_on_one_header",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(NUMBER, number.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn has_other_keys(round: usize) -> bool {
    round % 3 == 2
}

fn key_of(round: usize, number: usize) -> Key {
    match has_other_keys(round) {
        true => Key::raw(&[u8::try_from(number).unwrap() + 1; 32]).unwrap(),
        false => plain_key(),
    }
}

fn file(folder: &Path, round: usize) -> PathBuf {
    folder.join(format!("{round}.db"))
}

fn marker(folder: &Path, word: &str, round: usize, number: usize) -> PathBuf {
    folder.join(format!("{word}-{round}-{number}"))
}

fn create_files(folder: &Path, number: usize) {
    for round in 0..ROUNDS {
        fs::write(marker(folder, "ready", round, number), "").unwrap();
        let other = marker(folder, "ready", round, 1 - number);
        let begun = Instant::now();
        while !other.exists() {
            // Only a process that failed keeps the other waiting.
            assert!(begun.elapsed() < PATIENCE, "the other process did not reach round {round}");
            thread::yield_now();
        }
        let key = key_of(round, number).with_format(strongroom_keys::Format::Strongroom).unwrap();
        let said = match open(&file(folder, round), &key, PATIENCE) {
            Ok(database) => {
                let journal = if round % 2 == 0 { "delete" } else { "wal" };
                set_journal(&database, journal);
                let transaction = database.transaction(Behavior::Immediate).unwrap();
                rows(&database, "CREATE TABLE IF NOT EXISTS t (a)", &[]).unwrap();
                rows(&database, "INSERT INTO t VALUES (?)", &[Owned::Integer(number as i64)]).unwrap();
                transaction.commit().unwrap();
                "opened".to_owned()
            }
            Err(error) => code_of(&error).map_or_else(|| error.to_string(), str::to_owned),
        };
        fs::write(marker(folder, "said", round, number), said).unwrap();
    }
}

/// SQLite does not wait for other connections when it changes the journal mode.
fn set_journal(database: &Database, journal: &str) {
    let begun = Instant::now();
    while let Err(error) = rows(database, &format!("PRAGMA journal_mode = {journal}"), &[]) {
        assert!(error.code().starts_with("SQLITE_BUSY") && begun.elapsed() < PATIENCE, "{error}");
    }
}

#[test]
fn threads_create_and_write_the_same_file() {
    const THREADS: i64 = 4;
    const ROWS: i64 = 25;
    for round in 0..20 {
        let journal = if round % 2 == 0 { "delete" } else { "wal" };
        let scratch = Scratch::new();
        let path = scratch.path();
        let barrier = Barrier::new(usize::try_from(THREADS).unwrap());
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let database = open(path, &sealed_key(1_024), PATIENCE).unwrap();
                    set_journal(&database, journal);
                    let transaction = database.transaction(Behavior::Immediate).unwrap();
                    rows(&database, "CREATE TABLE IF NOT EXISTS t (writer, v)", &[]).unwrap();
                    transaction.commit().unwrap();
                    for row in 0..ROWS {
                        let transaction = database.transaction(Behavior::Immediate).unwrap();
                        let word = text(&format!("{number} {row} {}", "x".repeat(200)));
                        rows(&database, "INSERT INTO t VALUES (?, ?)", &[Owned::Integer(number), word])
                            .unwrap();
                        transaction.commit().unwrap();
                    }
                });
            }
        });
        let database = open(&path, &plain_key(), Duration::ZERO).unwrap();
        assert_eq!(integer(&database, "SELECT count(DISTINCT v) FROM t"), THREADS * ROWS);
        assert_eq!(value(&database, "PRAGMA journal_mode", &[]).unwrap(), text(journal));
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
    }
}
