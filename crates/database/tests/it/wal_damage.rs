//! Tests the states that damage to the log or the journal of a file in the Strongroom format can leave.
//!
//! SQLite ends the log at the first frame with a wrong checksum, so the state after damage is that of an earlier commit. It
//! ends a journal in the same way, and restores the pages before that place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::scratch::Scratch;
use crate::sealed_file::{Model, Refusal, create, create_table, put, read, read_table};
use crate::wal_checksum::{FRAME_HEADER, WAL_HEADER};

const PAGE: usize = 1_024;

fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    format!("{}{ending}", path.display()).into()
}

/// The files of a process that was killed, and the states after each commit.
struct Killed {
    database: Vec<u8>,
    /// The log or the journal.
    beside: Vec<u8>,
    ending: &'static str,
    states: Vec<Model>,
}

impl Killed {
    fn take(path: &Path, ending: &'static str, states: Vec<Model>) -> Self {
        let (database, beside) = (fs::read(path).unwrap(), fs::read(beside(path, ending)).unwrap());
        Self { database, beside, ending, states }
    }

    /// Reads the files in a new folder, with another log or journal.
    fn read_with(&self, changed: &[u8]) -> Result<Model, Refusal> {
        read(&self.write(changed).path())
    }

    fn write(&self, changed: &[u8]) -> Scratch {
        let scratch = Scratch::new();
        fs::write(scratch.path(), &self.database).unwrap();
        fs::write(beside(&scratch.path(), self.ending), changed).unwrap();
        scratch
    }
}

/// Returns a log of several commits, whose pages the file does not have yet.
fn killed_in_wal_mode() -> Killed {
    let scratch = Scratch::new();
    let database = create(&scratch.path(), PAGE as u32);
    create_table(&database, "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0");
    let mut states = vec![put(&database, Model::new(), 1..=12, "first")];
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for number in 0..5 {
        let word = format!("commit {number}");
        let before = states.last().unwrap().clone();
        database.execute_batch("BEGIN").unwrap();
        let mut after = put(&database, before, [number + 1, number + 3, 30 + number].into_iter(), &word);
        database.execute_batch(&format!("DELETE FROM t WHERE id = {}; COMMIT", 12 - number)).unwrap();
        after.remove(&(12 - number));
        states.push(after);
    }
    Killed::take(&scratch.path(), "-wal", states)
}

/// Returns a journal of a transaction that has written pages to the file already, and was not committed.
fn killed_with_a_journal() -> Killed {
    let scratch = Scratch::new();
    let database = create(&scratch.path(), PAGE as u32);
    create_table(&database, "PRAGMA journal_mode = delete; PRAGMA cache_size = 5");
    let before = put(&database, Model::new(), 1..=40, "first");
    database.execute_batch("BEGIN").unwrap();
    let after = put(&database, before.clone(), 1..=40, "other");
    let killed = Killed::take(&scratch.path(), "-journal", vec![before, after]);
    database.execute_batch("ROLLBACK").unwrap();
    killed
}

/// Returns every place in a log or a journal at which a byte is changed: all of the headers, and some of each page.
fn places(length: usize, is_header: impl Fn(usize) -> bool) -> impl Iterator<Item = usize> {
    (0..length).filter(move |place| is_header(*place) || place % 97 == 0)
}

#[test]
fn a_damaged_log_ends_at_an_earlier_commit() {
    let killed = killed_in_wal_mode();
    let newest = killed.states.last().unwrap();
    assert!(killed.read_with(&killed.beside).unwrap() == *newest);
    assert!(killed.read_with(&[]).unwrap() == killed.states[0]);
    let is_header =
        |place: usize| place < WAL_HEADER || (place - WAL_HEADER) % (FRAME_HEADER + PAGE) < FRAME_HEADER;
    let mut found = BTreeMap::<Option<usize>, u32>::new();
    for place in places(killed.beside.len(), is_header) {
        let mut bytes = killed.beside.clone();
        bytes[place] ^= 1 << (place % 8);
        let state = killed.read_with(&bytes).map(|rows| {
            let state = killed.states.iter().position(|state| *state == rows);
            state.unwrap_or_else(|| panic!("byte {place}: not the state of a commit"))
        });
        *found.entry(state.ok()).or_default() += 1;
    }
    println!("states after a flipped bit (None: an error): {found:?}");
    // Every byte of the log belongs to a commit, so a flipped bit loses at least the last one.
    assert!(
        !found.contains_key(&Some(5)) && (0..5).all(|state| found.contains_key(&Some(state))),
        "{found:?}"
    );
    for length in (0..killed.beside.len()).step_by(331) {
        let rows = killed.read_with(&killed.beside[..length]).unwrap();
        assert!(killed.states.contains(&rows), "{length} bytes of the log");
    }
}

/// A log with right checksums whose frames are not the pages that were written: the cipher notices.
#[test]
fn a_log_with_exchanged_frames_is_damage() {
    use crate::wal_checksum::{Order, checksum};
    let killed = killed_in_wal_mode();
    let order = Order::of(&killed.beside);
    let frame = FRAME_HEADER + PAGE;
    let count = (killed.beside.len() - WAL_HEADER) / frame;
    let number = |bytes: &[u8], index: usize| bytes[WAL_HEADER + index * frame..][..4].to_vec();
    let mut errors = 0;
    for index in 0..count {
        let other = (index + 1) % count;
        if number(&killed.beside, index) == number(&killed.beside, other) {
            continue;
        }
        let mut bytes = killed.beside.clone();
        let page = |index: usize| WAL_HEADER + index * frame + FRAME_HEADER;
        bytes.copy_within(page(other)..page(other) + PAGE, page(index));
        let word = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let mut sum = (word(&bytes, 24), word(&bytes, 28));
        for frame in bytes[WAL_HEADER..].chunks_exact_mut(frame) {
            sum = checksum(order, &frame[FRAME_HEADER..], checksum(order, &frame[..8], sum));
            frame[16..20].copy_from_slice(&sum.0.to_be_bytes());
            frame[20..24].copy_from_slice(&sum.1.to_be_bytes());
        }
        match killed.read_with(&bytes) {
            // A later frame holds a newer version of the page.
            Ok(rows) => assert!(rows == *killed.states.last().unwrap(), "frame {index}"),
            Err(refusal) => {
                assert_eq!(refusal.code, "STRONGROOM_DAMAGED_PAGE", "frame {index}: {refusal:?}");
                errors += 1;
            }
        }
    }
    assert!(errors > 5, "{errors} of {count}");
}

/// SQLite restores the pages that precede the damage in the journal. Pages after it keep what the unfinished transaction
/// wrote, which only the missing journal would tell. Each page is one that was written, so each row is old or new.
#[test]
fn a_damaged_journal_yields_no_row_that_was_never_written() {
    let killed = killed_with_a_journal();
    let [before, after] = killed.states.as_slice() else { panic!("two states") };
    assert!(killed.read_with(&killed.beside).unwrap() == *before);
    let sector = 512;
    let is_header = |place: usize| {
        let in_record = place.wrapping_sub(sector) % (PAGE + 8);
        place < 28 || (place >= sector && !(4..PAGE + 4).contains(&in_record))
    };
    let (mut errors, mut old, mut mixed) = (0, 0, 0);
    for place in places(killed.beside.len(), is_header) {
        let mut bytes = killed.beside.clone();
        bytes[place] ^= 1 << (place % 8);
        match read_table(&killed.write(&bytes).path()) {
            Err(_) => errors += 1,
            Ok(rows) if rows == *before => old += 1,
            Ok(rows) => {
                let is_known = |(id, value): (&i64, &String)| {
                    before.get(id) == Some(value) || after.get(id) == Some(value)
                };
                assert!(rows.iter().all(is_known), "byte {place}: a row that was never written");
                mixed += 1;
            }
        }
    }
    println!("journal: {errors} errors, {old} times the old state, {mixed} times rows of both transactions");
    assert!(old > 10 && errors > 10, "{errors} {old} {mixed}");
}
