//! Tests that pages around 1 GiB are read and written while other processes hold SQLite's locks there.
//!
//! Windows forbids all other handles to read or write locked bytes. Linux and Wine 8 do not: in an experiment under Wine, a
//! `ReadFile` and a `WriteFile` of bytes that another process had locked with `LockFileEx` succeeded. The tests therefore
//! enforce a stricter rule themselves: below the layer, no call may touch the locked bytes, whoever holds the locks.

use std::env;
use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::time::Duration;

use strongroom_keys::{CipherParameters, Format, Key};
use vendored_sys::sqlite::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::file::DatabaseFile;
use super::layout::Layout;
use crate::{Database, Location, OpenError, OpenOptions, OwnedValue, SqlError, Value};

/// The offset of the first byte that SQLite locks, and the length of the range.
const LOCKED: sqlite3_int64 = 0x4000_0000;
const LOCKED_LENGTH: sqlite3_int64 = 512;
/// Calls in this distance from the locked bytes are counted.
const NEAR: sqlite3_int64 = 2 << 20;

/// SQLite's own VFS, and the methods of its files.
static BASE: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());
static METHODS: AtomicPtr<sqlite3_io_methods> = AtomicPtr::new(ptr::null_mut());
/// The methods of files that enforce the rule.
static STRICT: AtomicPtr<sqlite3_io_methods> = AtomicPtr::new(ptr::null_mut());
/// The calls near the locked bytes: reads before them, reads behind them, writes before them, writes behind them.
static CALLS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

/// Makes a VFS that enforces the rule SQLite's default, below the layer. Works once per process, before any connection.
fn enforce() {
    vendored_sys::init().unwrap();
    // SAFETY: SQLite returns its default VFS. The copy, whose function opens files with the base, is never freed.
    unsafe {
        let base = sqlite::sqlite3_vfs_find(ptr::null());
        BASE.store(base, Relaxed);
        let strict = sqlite3_vfs { zName: c"strict".as_ptr(), xOpen: Some(open), ..*base };
        let code = sqlite::sqlite3_vfs_register(Box::leak(Box::new(strict)), 1);
        assert_eq!(code, sqlite::SQLITE_OK);
    }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = BASE.load(Relaxed);
    // SAFETY: SQLite passes memory of `szOsFile` bytes, which the base fills. All database files of a process have the same
    // methods, since none is opened without locks.
    unsafe {
        let code = (*base).xOpen.unwrap()(base, name, file, flags, out_flags);
        if code != sqlite::SQLITE_OK || flags & sqlite::SQLITE_OPEN_MAIN_DB == 0 {
            return code;
        }
        let methods = (*file).pMethods;
        if METHODS.load(Relaxed).is_null() {
            METHODS.store(methods.cast_mut(), Relaxed);
            let strict = sqlite3_io_methods { xRead: Some(read), xWrite: Some(write), ..*methods };
            STRICT.store(Box::leak(Box::new(strict)), Relaxed);
        }
        assert_eq!(methods, METHODS.load(Relaxed).cast_const());
        (*file).pMethods = STRICT.load(Relaxed);
        code
    }
}

/// Counts a call, and returns whether the call touches a locked byte.
fn is_refused(offset: sqlite3_int64, length: c_int, kind: usize) -> bool {
    let end = offset + sqlite3_int64::from(length);
    let refused = end > LOCKED && offset < LOCKED + LOCKED_LENGTH;
    if !refused && end > LOCKED - NEAR && offset < LOCKED + NEAR {
        CALLS[kind + usize::from(offset >= LOCKED)].fetch_add(1, Relaxed);
    }
    refused
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    bytes: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    if is_refused(offset, length, 0) {
        return sqlite::SQLITE_IOERR_READ;
    }
    // SAFETY: SQLite passes an open file of the base, and a buffer of `length` bytes.
    unsafe { (*METHODS.load(Relaxed)).xRead.unwrap()(file, bytes, length, offset) }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    if is_refused(offset, length, 2) {
        return sqlite::SQLITE_IOERR_WRITE;
    }
    // SAFETY: SQLite passes an open file of the base, and a buffer of `length` bytes.
    unsafe { (*METHODS.load(Relaxed)).xWrite.unwrap()(file, bytes, length, offset) }
}

/// Passes the path of the database, and the task, to the other process.
const DATABASE: &str = "STRONGROOM_TEST_LOCK_BYTES_DATABASE";
const TASK: &str = "STRONGROOM_TEST_LOCK_BYTES_TASK";

/// The number of rows. Each takes about a page.
const ROWS: i64 = 200;
const PAGE_SIZES: [u32; 3] = [1_024, 4_096, 65_536];

fn key(page_size: u32) -> Key {
    let parameters = CipherParameters { page_size: Some(page_size), ..CipherParameters::default() };
    let key = Key::raw(&[0x5a; 32]).unwrap().with_cipher(parameters).unwrap();
    key.with_format(Format::Strongroom).unwrap()
}

fn open_database(path: &Path, page_size: u32) -> Result<Database, OpenError> {
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    Database::open(Location::File(path), &key(page_size), &options)
}

/// Creates a database whose rows lie on both sides of 1 GiB. The pages before them are a hole in the file, which no
/// query reads.
fn create(path: &Path, page_size: u32) {
    let database = open_database(path, page_size).unwrap();
    database.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, version INTEGER, v BLOB)").unwrap();
    let pages = Layout::new(page_size).bend() / u64::from(page_size) - 60;
    let OwnedValue::Blob(mut page) =
        value(&database, "SELECT data FROM sqlite_dbpage WHERE pgno = 1").unwrap()
    else {
        panic!("sqlite_dbpage returns no page")
    };
    // The number of pages. Source: SQLite's file format, section 1.3.
    page[28..32].copy_from_slice(&u32::try_from(pages).unwrap().to_be_bytes());
    database.set_defensive(false).unwrap();
    let mut update = database.prepare("UPDATE sqlite_dbpage SET data = ?1 WHERE pgno = 1").unwrap();
    update.bind(1, Value::Blob(&page)).unwrap();
    assert!(update.step().unwrap().is_none());
    drop(update);
    database.close().unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(Layout::new(page_size).physical_length(pages * u64::from(page_size))).unwrap();
    drop(file);
    let database = open_database(path, page_size).unwrap();
    let insert = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO t SELECT i, 0, zeroblob({}) FROM n",
        page_size - 200
    );
    database.execute_batch(&insert).unwrap();
    assert!(Layout::new(page_size).logical_length(std::fs::metadata(path).unwrap().len()) > 1 << 30);
}

/// Returns the first value of the first row.
fn value(database: &Database, sql: &str) -> Result<OwnedValue, SqlError> {
    let mut statement = database.prepare(sql)?;
    let row = statement.step()?.unwrap();
    Ok(row.value(0).into())
}

/// Reads every row, and returns the number of rows with this version.
fn rows(database: &Database, version: i64) -> Result<i64, SqlError> {
    let sql = format!("SELECT sum(length(v) > 0 AND version = {version}) FROM t");
    let OwnedValue::Integer(rows) = value(database, &sql)? else { panic!("{sql} returns no number") };
    Ok(rows)
}

/// Runs a task in another process, which enforces the rule. Returns its answer.
fn other(test: &str, task: &str, path: &Path) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("seam::vfs::lock_bytes::{test}"), "--nocapture"])
        .env(DATABASE, path)
        .env(TASK, task)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let answer = said.lines().find_map(|line| line.split_once("other process: "));
    answer.unwrap_or_else(|| panic!("{task}: {said}{errors}")).1.to_owned()
}

/// Runs the task that the environment names, if this is the other process.
fn is_other() -> bool {
    let (Some(path), Ok(task)) = (env::var_os(DATABASE), env::var(TASK)) else { return false };
    enforce();
    let answer = run(Path::new(&path), &task).unwrap_or_else(str::to_owned);
    println!("other process: {answer}");
    true
}

fn run(path: &Path, task: &str) -> Result<String, &'static str> {
    let code = |error: SqlError| error.code();
    let (task, version) = task.split_once(' ').unwrap();
    // The file names its page size.
    let key = Key::raw(&[0x5a; 32]).unwrap();
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let database = Database::open(Location::File(path), &key, &options).map_err(|error| error.code())?;
    if task == "control" {
        return Ok(touch_locked_byte(&database).to_string());
    }
    if task != "read" {
        let update = format!("UPDATE t SET version = {version}, v = randomblob(length(v))");
        database.execute_batch(&update).map_err(code)?;
    }
    if task == "checkpoint" {
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(code)?;
    }
    // Reads the file instead of the cache.
    database.execute_batch("PRAGMA shrink_memory").map_err(code)?;
    let rows = rows(&database, version.parse().unwrap()).map_err(code)?;
    let near = |call: usize| CALLS[call].load(Relaxed) > 20;
    Ok(format!("{rows} rows, reads {} {}, writes {} {}", near(0), near(1), near(2), near(3)))
}

/// Reads and writes a locked byte as a page without a gap would. Returns the two result codes.
fn touch_locked_byte(database: &Database) -> String {
    let core = &database.session.core;
    let codes = core.with_database_file(c"main", |file| {
        let mut byte = [0];
        // SAFETY: `with_database_file` passes an open file of the layer.
        unsafe {
            [
                DatabaseFile::read_below(file, &mut byte, LOCKED + 2),
                DatabaseFile::write_below(file, &[0; 32], LOCKED - 31),
                DatabaseFile::read_below(file, &mut byte, LOCKED - 1),
            ]
        }
    });
    format!("{:?}", codes.unwrap())
}

const READ_BOTH: &str = "200 rows, reads true true, writes false false";
const WROTE_BOTH: &str = "200 rows, reads true true, writes true true";

#[test]
fn another_process_uses_both_sides_of_the_locked_bytes() {
    const TEST: &str = "another_process_uses_both_sides_of_the_locked_bytes";
    if is_other() {
        return;
    }
    for page_size in PAGE_SIZES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        create(&path, page_size);
        let database = open_database(&path, page_size).unwrap();
        let other = |task| other(TEST, task, &path);
        let expected = [sqlite::SQLITE_IOERR_READ, sqlite::SQLITE_IOERR_WRITE, sqlite::SQLITE_OK];
        assert_eq!(other("control 0"), format!("{expected:?}"), "{page_size}");

        // A read lock and a reserved lock: others read, and the bytes of these locks lie between the pages.
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(other("read 0"), READ_BOTH, "{page_size}");
        assert_eq!(other("write 1"), "SQLITE_BUSY", "{page_size}");
        database.execute_batch("ROLLBACK; BEGIN EXCLUSIVE").unwrap();
        // The header is read without a lock.
        assert_eq!(other("read 0"), "SQLITE_BUSY", "{page_size}");
        database.execute_batch("ROLLBACK").unwrap();
        // The other process holds an exclusive lock while it writes.
        assert_eq!(other("write 1"), WROTE_BOTH, "{page_size}");
        assert_eq!(rows(&database, 1).unwrap(), ROWS, "{page_size}");
    }
}

/// In WAL mode, a connection keeps a read lock on the database's file, and other connections write pages into the file.
#[test]
fn another_process_checkpoints_beside_a_read_lock() {
    const TEST: &str = "another_process_checkpoints_beside_a_read_lock";
    if is_other() {
        return;
    }
    for page_size in PAGE_SIZES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        create(&path, page_size);
        let database = open_database(&path, page_size).unwrap();
        database.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        assert_eq!(rows(&database, 0).unwrap(), ROWS, "{page_size}");
        assert_eq!(other(TEST, "checkpoint 1", &path), WROTE_BOTH, "{page_size}");
        assert_eq!(std::fs::metadata(path.with_extension("db-wal")).unwrap().len(), 0, "{page_size}");
        assert_eq!(rows(&database, 1).unwrap(), ROWS, "{page_size}");
    }
}
