//! The bodies of the fuzz targets. The tests of the engine run each target on a few hundred mutations.
//!
//! The fuzzer itself finds panics, endless loops and unbounded memory. The assertions here check that no read returns data
//! that was never written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use openssl::sha::sha256;
use strongroom_database::{Database, Location, OpenOptions, Value};
use strongroom_keys::{CipherParameters, Format, Key};

/// The length of a header, and of each of its two copies, in bytes.
const HEADER: usize = 8_192;
const COPY: usize = HEADER / 2;
/// The offset of the checksum in a copy of the header.
const CHECKSUM: usize = 4_064;
const PAGE_SIZE: u32 = 1_024;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The number of commits in the seed of the log.
const COMMITS: usize = 4;

/// The rows of a database: the keys and the values of the table `t`.
pub type Rows = BTreeMap<i64, String>;

/// The files of the seeds: the database, and the log of later commits.
pub struct Seed {
    /// The whole database.
    pub database: Vec<u8>,
    /// Its write-ahead log.
    pub wal: Vec<u8>,
}

fn key() -> Key {
    Key::raw(&[0x5a; 32]).expect("a key of 32 bytes")
}

/// Returns the rows after each commit. The first state is that of the database without its log.
pub fn states() -> Vec<Rows> {
    let row = |id: i64, commit: usize| (id, format!("row {id} of commit {commit}{:90}", "."));
    let mut states = vec![(1..=20).map(|id| row(id, 0)).collect::<Rows>()];
    for commit in 1..=COMMITS {
        let mut rows = states[commit - 1].clone();
        let first = 3 * commit as i64;
        rows.extend((first..first + 5).chain([100 + first]).map(|id| row(id, commit)));
        states.push(rows);
    }
    states
}

/// Makes the seed.
pub fn seed() -> Seed {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("seed.db");
    let parameters = CipherParameters { page_size: Some(PAGE_SIZE), ..CipherParameters::default() };
    let new =
        key().with_cipher(parameters).and_then(|key| key.with_format(Format::Strongroom)).expect("a key");
    let database =
        Database::open(Location::File(&path), &new, &OpenOptions::default()).expect("a new database");
    let run = |sql: &str| database.execute_batch(sql).expect("a statement");
    run("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0");
    run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
    let mut seed = Seed { database: Vec::new(), wal: Vec::new() };
    for (commit, rows) in states().iter().enumerate() {
        run("BEGIN");
        for (id, value) in rows {
            run(&format!("REPLACE INTO t VALUES ({id}, '{value}')"));
        }
        run("COMMIT");
        if commit == 0 {
            run("PRAGMA wal_checkpoint(TRUNCATE)");
            seed.database = fs::read(&path).expect("the database");
        }
    }
    seed.wal = fs::read(folder.path().join("seed.db-wal")).expect("the log");
    seed
}

/// Opens a database whose header is the input, as it is and with right checksums.
pub fn header(database: &[u8], input: &[u8]) {
    let mut bytes = database.to_vec();
    let length = input.len().min(HEADER);
    bytes[..length].copy_from_slice(&input[..length]);
    let expected = &states()[0];
    for repaired in [false, true] {
        if repaired {
            for start in [0, COPY] {
                let checksum = sha256(&bytes[start..start + CHECKSUM]);
                bytes[start + CHECKSUM..start + COPY].copy_from_slice(&checksum);
            }
        }
        if let Some(rows) = read(&bytes, None) {
            assert!(rows == *expected, "wrong rows");
        }
        // A file without pages is new, or the remainder of a creation.
        if let Some(rows) = read(&bytes[..length], None) {
            assert!(rows.is_empty(), "rows without pages");
        }
    }
}

/// Opens a database whose log is the input, as it is and with right checksums.
pub fn wal(database: &[u8], input: &[u8]) {
    let states = states();
    if let Some(rows) = read(database, Some(input)) {
        assert!(states.contains(&rows), "not the state of a commit");
    }
    let mut bytes = input.to_vec();
    if !repair(&mut bytes) {
        return;
    }
    // The log's checksums have no key. Whoever changes them can mix older and newer pages, but not invent rows.
    for (id, value) in read(database, Some(&bytes)).unwrap_or_default() {
        let is_known = states.iter().any(|rows| rows.get(&id) == Some(&value));
        assert!(is_known, "a row that was never written");
    }
}

/// Makes the checksums of a log right, and gives its frames the salt of its header. Returns false for a log without a frame.
pub fn repair(wal: &mut [u8]) -> bool {
    if wal.len() < WAL_HEADER + FRAME_HEADER + PAGE_SIZE as usize {
        return false;
    }
    wal[..3].copy_from_slice(&[0x37, 0x7f, 0x06]);
    wal[3] = 0x82 | (wal[3] & 1);
    wal[4..8].copy_from_slice(&3_007_000_u32.to_be_bytes());
    wal[8..12].copy_from_slice(&PAGE_SIZE.to_be_bytes());
    let is_big = wal[3] & 1 == 1;
    let (head, frames) = wal.split_at_mut(WAL_HEADER);
    let mut sum = checksum(is_big, &head[..24], (0, 0));
    head[24..28].copy_from_slice(&sum.0.to_be_bytes());
    head[28..].copy_from_slice(&sum.1.to_be_bytes());
    for frame in frames.chunks_exact_mut(FRAME_HEADER + PAGE_SIZE as usize) {
        frame[8..16].copy_from_slice(&head[16..24]);
        sum = checksum(is_big, &frame[FRAME_HEADER..], checksum(is_big, &frame[..8], sum));
        frame[16..20].copy_from_slice(&sum.0.to_be_bytes());
        frame[20..24].copy_from_slice(&sum.1.to_be_bytes());
    }
    true
}

/// Continues the log's checksum over bytes. Source: SQLite's file format, section 4.2.
fn checksum(is_big: bool, bytes: &[u8], (mut first, mut second): (u32, u32)) -> (u32, u32) {
    for word in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
        let [left, right] =
            word.map(|word| if is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) });
        first = first.wrapping_add(left).wrapping_add(second);
        second = second.wrapping_add(right).wrapping_add(first);
    }
    (first, second)
}

/// Returns the rows of a database, or `None` if opening or reading fails.
pub fn read(database: &[u8], wal: Option<&[u8]>) -> Option<Rows> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fuzzed.db");
    fs::write(&path, database).expect("a temporary file");
    if let Some(wal) = wal {
        fs::write(folder.path().join("fuzzed.db-wal"), wal).expect("a temporary file");
    }
    let rows = rows(&path);
    // The check reads every page, and must end too.
    if let Ok(database) = Database::open(Location::File(&path), &key(), &OpenOptions::default()) {
        let _ = database.check("main", &mut |_| true);
    }
    rows
}

fn rows(path: &Path) -> Option<Rows> {
    let database = Database::open(Location::File(path), &key(), &OpenOptions::default()).ok()?;
    let mut schema = database.prepare("SELECT 1 FROM sqlite_schema").ok()?;
    if schema.step().ok()?.is_none() {
        return Some(Rows::new());
    }
    drop(schema);
    let mut statement = database.prepare("SELECT id, v FROM t").ok()?;
    let mut rows = Rows::new();
    while let Some(row) = statement.step().ok()? {
        match (row.value(0), row.value(1)) {
            (Value::Integer(id), Value::Text(text)) => {
                rows.insert(id, String::from_utf8(text.to_vec()).expect("text that was written"));
            }
            _ => panic!("a value of another type"),
        }
    }
    Some(rows)
}
