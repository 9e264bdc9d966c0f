//! Tests interrupting waits for the locks of other connections.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use strongroom_database::{AttachKey, AttachOptions, Database, Interrupter, Location, OpenOptions};
use strongroom_keys::{Format, Key};

use crate::scratch::{Owned, Scratch, assert_sound, integer, key, rows, value};

/// Passes the path of the database, its format and the statement that takes the lock to the process that holds the lock.
const DATABASE: &str = "STRONGROOM_TEST_INTERRUPTED_WAITS_DATABASE";
const FORMAT: &str = "STRONGROOM_TEST_INTERRUPTED_WAITS_FORMAT";
const LOCK: &str = "STRONGROOM_TEST_INTERRUPTED_WAITS_LOCK";
/// The busy timeout of the connection that waits. A wait that is not interrupted ends with another error, and the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const FORMATS: [&str; 3] = ["plain", "sqlcipher", "strongroom"];

fn open(path: &Path, format: &str, busy_timeout: Duration) -> Database {
    let options = OpenOptions { busy_timeout, ..OpenOptions::default() };
    let location = Location::File(path);
    match format {
        "plain" => Database::open_unencrypted(location, &options).unwrap(),
        "sqlcipher" => Database::open(location, &key(), &options).unwrap(),
        _ => Database::open(location, &key().with_format(Format::Strongroom).unwrap(), &options).unwrap(),
    }
}

/// Another process that holds a lock until this value is dropped.
struct Holder {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Holder {
    fn start(path: &Path, format: &str, lock: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "interrupted_waits::a_wait_for_another_process_is_interrupted", "--nocapture"])
            .env(DATABASE, path)
            .env(FORMAT, format)
            .env(LOCK, lock)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut holder = Self { process, output };
        let mut line = String::new();
        while !line.contains("holds the lock") {
            line.clear();
            let read = holder.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the process that holds the lock has ended");
        }
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let mut rest = String::new();
        let _ = self.output.read_to_string(&mut rest);
        let _ = self.process.wait();
    }
}

/// Holds the lock until the standard input ends.
fn hold(path: &Path) {
    let database = open(path, &env::var(FORMAT).unwrap(), Duration::ZERO);
    database.execute_batch(&env::var(LOCK).unwrap()).unwrap();
    println!("this process holds the lock");
    io::stdout().flush().unwrap();
    let _ = io::stdin().read_to_end(&mut Vec::new());
}

/// Runs `call` on a connection of its own in another thread, and interrupts it once it waits. Returns the result, and that
/// of `afterwards`.
fn interrupted<T: Send, U: Send>(
    path: &Path,
    format: &str,
    call: impl FnOnce(&Database) -> T + Send,
    afterwards: impl FnOnce(&Database) -> U + Send,
) -> (T, U) {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let waiting = scope.spawn(move || {
            let database = open(path, format, PATIENCE);
            sender.send(database.interrupter()).unwrap();
            let result = call(&database);
            database.interrupter().clear();
            (result, afterwards(&database))
        });
        let interrupter: Interrupter = receiver.recv().unwrap();
        while interrupter.waits() == 0 {
            assert!(!waiting.is_finished(), "the call has ended without a wait");
            thread::yield_now();
        }
        interrupter.interrupt();
        waiting.join().unwrap()
    })
}

fn code(result: Result<(), strongroom_database::SqlError>) -> &'static str {
    result.map_or_else(|error| error.code(), |()| "ok")
}

#[test]
fn a_wait_for_another_process_is_interrupted() {
    if let Some(path) = env::var_os(DATABASE) {
        return hold(Path::new(&path));
    }
    for format in FORMATS {
        for (journal, lock) in
            [("delete", "BEGIN IMMEDIATE"), ("delete", "BEGIN EXCLUSIVE"), ("wal", "BEGIN IMMEDIATE")]
        {
            let scratch = Scratch::new();
            let path = scratch.path();
            let database = open(&path, format, Duration::ZERO);
            database.execute_batch(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE t (a)")).unwrap();
            database.close().unwrap();
            let call = |database: &Database| {
                let holder = Holder::start(&path, format, lock);
                (code(database.execute_batch("INSERT INTO t VALUES (1)")), holder)
            };
            // The lock is still held, so that only the interrupt can have ended the wait.
            let afterwards = |database: &Database| {
                database.execute_batch("PRAGMA busy_timeout = 0").unwrap();
                code(database.execute_batch("INSERT INTO t VALUES (2)"))
            };
            let ((first, holder), second) = interrupted(&path, format, call, afterwards);
            assert_eq!((first, second), ("SQLITE_INTERRUPT", "SQLITE_BUSY"), "{format}, {journal}, {lock}");
            drop(holder);
            let database = open(&path, format, Duration::ZERO);
            database.execute_batch("INSERT INTO t VALUES (3)").unwrap();
            assert_eq!(rows(&database, "SELECT a FROM t", &[]).unwrap(), [[Owned::Integer(3)]]);
            assert_sound(&database);
        }
    }
}

#[test]
fn a_commit_that_waits_for_readers_is_interrupted_and_rolled_back() {
    for format in FORMATS {
        let scratch = Scratch::new();
        let path = scratch.path();
        let reader = open(&path, format, Duration::ZERO);
        reader.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); BEGIN").unwrap();
        assert_eq!(integer(&reader, "SELECT count(*) FROM t"), 1);
        let call = |database: &Database| {
            database.execute_batch("BEGIN; INSERT INTO t VALUES (2)").unwrap();
            code(database.execute_batch("COMMIT"))
        };
        let afterwards =
            |database: &Database| (database.in_transaction(), integer(database, "SELECT max(a) FROM t"));
        let (committed, after) = interrupted(&path, format, call, afterwards);
        assert_eq!((committed, after), ("SQLITE_INTERRUPT", (false, 1)), "{format}");
        reader.execute_batch("COMMIT").unwrap();
        reader.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(integer(&reader, "SELECT count(*) FROM t"), 2);
        assert_sound(&reader);
    }
}

#[test]
fn a_checkpoint_that_waits_for_readers_is_interrupted() {
    let scratch = Scratch::new();
    let path = scratch.path();
    let reader = open(&path, "sqlcipher", Duration::ZERO);
    reader.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a); BEGIN").unwrap();
    assert_eq!(integer(&reader, "SELECT count(*) FROM t"), 0);
    let call = |database: &Database| {
        database.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        value(database, "PRAGMA wal_checkpoint(TRUNCATE)", &[]).map_err(|error| error.code())
    };
    let (checkpointed, count) =
        interrupted(&path, "sqlcipher", call, |database| integer(database, "SELECT count(*) FROM t"));
    assert_eq!((checkpointed, count), (Err("SQLITE_INTERRUPT"), 1));
}

/// A new file in the Strongroom format gets its header under a lock that the engine takes below SQLite.
#[test]
fn a_wait_for_the_lock_of_a_new_file_is_interrupted() {
    let scratch = Scratch::new();
    let new = scratch.folder().join("new.db");
    let holder = open(&new, "plain", Duration::ZERO);
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let call = |database: &Database| {
        let key = key().with_format(Format::Strongroom).unwrap();
        let options = AttachOptions { key: AttachKey::Key(&key), ..AttachOptions::default() };
        let attached = database.attach(Location::File(&new), "new", &options);
        attached.map_err(|error| error.to_string())
    };
    let (attached, count) = interrupted(&scratch.path(), "sqlcipher", call, |database| {
        integer(database, "SELECT count(*) FROM pragma_database_list")
    });
    assert!(attached.as_ref().is_err_and(|error| error.contains("interrupted")), "{attached:?}");
    assert_eq!(count, 1);
    holder.execute_batch("CREATE TABLE t (a); COMMIT").unwrap();
}

/// SQLite pauses 1, 2, 5, 10 and 12 ms within a busy timeout of 30 ms.
#[test]
fn the_busy_timeout_stays_that_of_sqlite() {
    let scratch = Scratch::new();
    let holder = scratch.open();
    holder.execute_batch("CREATE TABLE t (a); BEGIN IMMEDIATE").unwrap();
    let options = OpenOptions { busy_timeout: Duration::from_millis(7), ..OpenOptions::default() };
    let database = Database::open(Location::File(&scratch.path()), &key(), &options).unwrap();
    let interrupter = database.interrupter();
    assert_eq!(integer(&database, "PRAGMA busy_timeout"), 7);
    let insert = || code(database.execute_batch("INSERT INTO t VALUES (1)"));
    for (timeout, pauses) in [(0, 0), (30, 5), (3, 2), (0, 0)] {
        assert_eq!(integer(&database, &format!("PRAGMA busy_timeout = {timeout}")), timeout);
        assert_eq!(integer(&database, "PRAGMA busy_timeout"), timeout);
        let before = interrupter.waits();
        assert_eq!(insert(), "SQLITE_BUSY");
        assert_eq!(interrupter.waits() - before, pauses, "{timeout} ms");
    }
    // An interrupt that is in effect before the wait ends the wait without a pause.
    database.execute_batch("PRAGMA busy_timeout = 30").unwrap();
    interrupter.interrupt();
    let before = interrupter.waits();
    assert_eq!(insert(), "SQLITE_INTERRUPT");
    assert_eq!(interrupter.waits(), before);
    interrupter.clear();
    holder.execute_batch("COMMIT").unwrap();
    assert_eq!(insert(), "ok");
}

/// The interrupter of one connection leaves the waits of other connections of the thread alone.
#[test]
fn a_connection_without_an_interrupter_pauses_as_sqlite_does() {
    let scratch = Scratch::new();
    let holder = scratch.open();
    holder.execute_batch("CREATE TABLE t (a); BEGIN IMMEDIATE").unwrap();
    let with = scratch.open();
    let interrupter = with.interrupter();
    with.execute_batch("PRAGMA busy_timeout = 3").unwrap();
    assert_eq!(code(with.execute_batch("INSERT INTO t VALUES (1)")), "SQLITE_BUSY");
    let pauses = interrupter.waits();
    interrupter.interrupt();
    let without = scratch.open();
    without.execute_batch("PRAGMA busy_timeout = 3").unwrap();
    assert_eq!(code(without.execute_batch("INSERT INTO t VALUES (1)")), "SQLITE_BUSY");
    assert_eq!((pauses, interrupter.waits()), (2, 2));
    assert_eq!(integer(&without, "SELECT count(*) FROM t"), 0);
}

/// SQLite tells the layer to which connection a file belongs when it opens the file, so this also holds for a file that is
/// attached after the interrupter was made.
#[test]
fn a_wait_for_an_attached_file_is_interrupted() {
    for format in FORMATS {
        let scratch = Scratch::new();
        let other = scratch.folder().join("other.db");
        let holder = open(&other, format, Duration::ZERO);
        holder.execute_batch("CREATE TABLE t (a); BEGIN IMMEDIATE").unwrap();
        let call = |database: &Database| {
            database.attach(Location::File(&other), "other", &AttachOptions::default()).unwrap();
            code(database.execute_batch("INSERT INTO other.t VALUES (1)"))
        };
        let (inserted, count) = interrupted(&scratch.path(), format, call, |database| {
            integer(database, "SELECT count(*) FROM other.t")
        });
        assert_eq!((inserted, count), ("SQLITE_INTERRUPT", 0), "{format}");
    }
}

#[test]
fn a_rekey_and_a_check_that_wait_for_a_lock_are_cancelled() {
    let scratch = Scratch::new();
    let path = scratch.path();
    open(&path, "sqlcipher", Duration::ZERO).execute_batch("CREATE TABLE t (a)").unwrap();
    let rekeyed = |database: &Database| {
        let holder = Holder::start(&path, "sqlcipher", "BEGIN EXCLUSIVE");
        let to = Key::raw(&[7; 32]).unwrap();
        (database.rekey("main", &to, &mut |_| true).map_err(|error| error.code()), holder)
    };
    let checked = |database: &Database| {
        let holder = Holder::start(&path, "sqlcipher", "BEGIN EXCLUSIVE");
        (database.check("main", &mut |_| true).map(drop).map_err(|error| error.code()), holder)
    };
    let ((result, holder), ()) = interrupted(&path, "sqlcipher", rekeyed, |_| ());
    drop(holder);
    assert_eq!(result, Err("STRONGROOM_CANCELLED"));
    let ((result, holder), ()) = interrupted(&path, "sqlcipher", checked, |_| ());
    drop(holder);
    assert_eq!(result, Err("STRONGROOM_CANCELLED"));
    assert_sound(&scratch.open());
}
