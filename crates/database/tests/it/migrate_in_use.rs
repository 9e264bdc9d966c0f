//! Tests that a conversion refuses a file that another connection has open.

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, thread};

use strongroom_database::{Database, Location, Migration, OpenOptions, migrate};
use strongroom_keys::Key;

use crate::migrating::{convert, files, migration, open, version};
use crate::scratch::{Scratch, integer, rows};

/// Passes the path of the database to the other process.
const DATABASE: &str = "STRONGROOM_TEST_IN_USE_DATABASE";

fn create(scratch: &Scratch, journal: &str) -> Key {
    let key = version(4);
    let database = open(&scratch.path(), Some(&key));
    rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    database.close().unwrap();
    key
}

fn assert_in_use(path: &Path, key: &Key) {
    let before = fs::read(path).unwrap();
    let error = convert(path, Some(key), None).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_IN_USE", "{error}");
    assert_eq!(fs::read(path).unwrap(), before);
    assert!(!files(path.parent().unwrap()).iter().any(|name| name.contains("migrating")));
}

#[test]
fn a_connection_of_this_process_is_found_by_any_name_and_on_any_thread() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let key = create(&scratch, journal);
        // A connection without a key reads nothing and holds no lock.
        let idle = open(&scratch.path(), None);
        assert_in_use(&scratch.path(), &key);
        let linked = scratch.folder().join("linked.db");
        fs::hard_link(scratch.path(), &linked).unwrap();
        assert_in_use(&linked, &key);
        thread::scope(|scope| scope.spawn(|| assert_in_use(&scratch.path(), &key)).join().unwrap());
        idle.close().unwrap();
        let database = open(&scratch.path(), Some(&key));
        assert_eq!(integer(&database, "SELECT a FROM t"), 1);
        assert_in_use(&scratch.path(), &key);
        drop(database);
        fs::remove_file(&linked).unwrap();
        convert(&scratch.path(), Some(&key), None).unwrap();
    }
}

/// The engine's list of open files includes neither files that SQL attached nor files that another copy of SQLite in
/// the process opened.
#[cfg(unix)]
#[test]
fn a_connection_that_attached_the_file_is_found() {
    let scratch = Scratch::new();
    open(&scratch.path(), None).execute_batch("CREATE TABLE t (a)").unwrap();
    let other = open(&scratch.folder().join("other.db"), None);
    other.execute_batch(&format!("ATTACH '{}' AS x", scratch.path().display())).unwrap();
    let key = version(4);
    let error = convert(&scratch.path(), None, Some(&key)).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_IN_USE");
    other.execute_batch("DETACH x").unwrap();
    convert(&scratch.path(), None, Some(&key)).unwrap();
}

#[test]
fn a_file_that_is_being_converted_is_not_opened_by_another_thread() {
    let scratch = Scratch::new();
    let key = create(&scratch, "delete");
    let (path, mut codes) = (scratch.path(), Vec::new());
    migrate(&migration(&path, Some(&key), None), &mut |_| {
        let opened = thread::scope(|scope| {
            let open = || {
                Database::open_unencrypted(Location::File(&path), &OpenOptions::default())
                    .err()
                    .map(|error| error.code())
            };
            scope.spawn(open).join().unwrap()
        });
        codes.push(opened);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(codes.len() > 1 && codes.iter().all(|code| *code == Some("STRONGROOM_IN_USE")), "{codes:?}");
    assert_eq!(integer(&open(&path, None), "SELECT a FROM t"), 1);
}

#[test]
fn a_connection_of_another_process_is_found_in_each_journal_mode() {
    let test = "migrate_in_use::a_connection_of_another_process_is_found_in_each_journal_mode";
    if let Some(path) = env::var_os(DATABASE) {
        return hold(&PathBuf::from(path));
    }
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let key = create(&scratch, journal);
        let mut child = start(&scratch.path(), test);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        wait_for(&mut lines, "idle");
        // Without a log, only Linux reveals an idle connection.
        if journal == "wal" || cfg!(target_os = "linux") {
            assert_in_use(&scratch.path(), &key);
        }
        tell(&mut child, "lock");
        wait_for(&mut lines, "locked");
        assert_in_use(&scratch.path(), &key);
        // A waiting conversion begins when the lock is released.
        let (path, mut waited) = (scratch.path(), false);
        let patient = Migration { timeout: Duration::from_secs(60), ..migration(&path, Some(&key), None) };
        migrate(&patient, &mut |progress| {
            if !waited && progress.total == 0 {
                waited = true;
                tell(&mut child, "end");
                child.wait().unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(waited);
        assert_eq!(integer(&open(&path, None), "SELECT count(*) FROM t"), 1);
    }
}

/// A process that opens the file during the conversion waits for the lock with the original open. Later the process
/// would use the original together with the new file's log.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_opens_the_file_during_the_conversion_is_found_before_the_rename() {
    let test =
        "migrate_in_use::a_process_that_opens_the_file_during_the_conversion_is_found_before_the_rename";
    if let Some(path) = env::var_os(DATABASE) {
        let idle = open(&PathBuf::from(path), None);
        report("idle");
        io::stdin().lock().lines().next();
        return idle.close().unwrap();
    }
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let key = create(&scratch, journal);
        let (path, before) = (scratch.path(), fs::read(scratch.path()).unwrap());
        let mut other = None;
        let error = migrate(&migration(&path, Some(&key), None), &mut |progress| {
            if progress.done == progress.total && other.is_none() {
                let mut child = start(&path, test);
                wait_for(&mut BufReader::new(child.stdout.take().unwrap()).lines(), "idle");
                other = Some(child);
            }
            ControlFlow::Continue(())
        })
        .unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_IN_USE");
        assert_eq!(files(&scratch.folder()), ["test.db"]);
        assert_eq!(fs::read(&path).unwrap(), before);
        let mut child = other.unwrap();
        tell(&mut child, "end");
        child.wait().unwrap();
        convert(&path, Some(&key), None).unwrap();
    }
}

fn start(path: &Path, test: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DATABASE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn report(word: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
}

fn wait_for(lines: &mut impl Iterator<Item = io::Result<String>>, word: &str) {
    assert!(lines.any(|line| line.unwrap().ends_with(word)), "the other process ended");
}

fn tell(child: &mut Child, word: &str) {
    writeln!(child.stdin.as_mut().unwrap(), "{word}").unwrap();
}

/// Opens the database and follows the parent's commands.
fn hold(path: &Path) {
    let database = open(path, Some(&version(4)));
    assert_eq!(integer(&database, "SELECT a FROM t"), 1);
    report("idle");
    for line in io::stdin().lock().lines() {
        match line.unwrap().as_str() {
            "lock" => {
                database.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)").unwrap();
                report("locked");
            }
            _ => break,
        }
    }
    database.close().unwrap();
}
