//! Tests that the checksums of the write-ahead log and of its index give nothing away about the content of a page.
//!
//! SQLite's checksum has no key. If it covered plaintext, a reader of the log or of the `-shm` file could test guesses: the
//! attack here finds four unknown digits in a page that is known otherwise. The attack works on a plain database, where the
//! checksum covers plaintext, and must fail on a file in the Strongroom format, although it knows the decrypted page.

use std::fs;
use std::path::Path;

use strongroom_database::Database;
use strongroom_format::Header;
use strongroom_keys::{Format, Key};

use crate::scratch::{Scratch, integer};
use crate::wal_checksum::{Frame, Order, checksum, frames};

const PIN: &str = "7391";
/// The part of SQLite's WAL index that holds the last frame's checksum. Source: walformat.html, section 2.1.
const SHM_CHECKSUM: usize = 24;

fn insert_pin(database: &Database) {
    database
        .execute_batch(&format!(
            "PRAGMA journal_mode = wal;
             CREATE TABLE pin (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO pin VALUES (1, '0000');
             PRAGMA wal_checkpoint(TRUNCATE);
             UPDATE pin SET n = '{PIN}'"
        ))
        .unwrap();
    assert_eq!(integer(database, "SELECT n = '7391' FROM pin"), 1);
}

fn with_ending(path: &Path, ending: &str) -> Vec<u8> {
    fs::read(format!("{}{ending}", path.display())).unwrap()
}

/// Returns each PIN that explains a checksum in the log or its index. `model` is a page whose four bytes at `place` are
/// unknown.
fn guesses(order: Order, frame: &Frame<'_>, shm: &[u8], model: &[u8], place: usize) -> Vec<String> {
    let start = checksum(order, frame.head, frame.before);
    // SQLite writes the index in the byte order of the machine.
    let word = |offset: usize| u32::from_ne_bytes(shm[offset..offset + 4].try_into().unwrap());
    let wanted = [frame.checksum, (word(SHM_CHECKSUM), word(SHM_CHECKSUM + 4))];
    let mut page = model.to_vec();
    // The checksum before the unknown digits is the same for every guess.
    let known = place / 8 * 8;
    let start = checksum(order, &page[..known], start);
    (0..10_000)
        .map(|number| format!("{number:04}"))
        .filter(|guess| {
            page[place..place + 4].copy_from_slice(guess.as_bytes());
            wanted.contains(&checksum(order, &page[known..], start))
        })
        .collect()
}

fn place_of(page: &[u8]) -> usize {
    page.windows(4).position(|window| window == PIN.as_bytes()).expect("the page holds the PIN")
}

#[test]
fn a_plain_log_and_its_index_each_give_away_a_guessable_value() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    insert_pin(&database);
    let (wal, shm) = (with_ending(&scratch.path(), "-wal"), with_ending(&scratch.path(), "-shm"));
    let frames = frames(&wal);
    let [frame] = frames.as_slice() else { panic!("{} frames", frames.len()) };
    let order = Order::of(&wal);
    assert_eq!(guesses(order, frame, &shm, frame.page, place_of(frame.page)), [PIN]);
    // The index alone is enough.
    let blind = Frame { checksum: (0, 0), ..*frame };
    assert_eq!(guesses(order, &blind, &shm, frame.page, place_of(frame.page)), [PIN]);
}

#[test]
fn the_log_of_a_sealed_file_and_its_index_give_nothing_away() {
    let key = Key::raw(&[0x5a; 32]).unwrap().with_format(Format::Strongroom).unwrap();
    let scratch = Scratch::new();
    let database = scratch.open_with(&key).unwrap();
    insert_pin(&database);
    let (wal, shm) = (with_ending(&scratch.path(), "-wal"), with_ending(&scratch.path(), "-shm"));
    let frames = frames(&wal);
    let [frame] = frames.as_slice() else { panic!("{} frames", frames.len()) };
    // The attacker is given the page, except for the PIN.
    let header = Header::read(&with_ending(&scratch.path(), "")).unwrap();
    let mut sealer = header.unlock(&key).unwrap().page_sealer().unwrap();
    let mut page = frame.page.to_vec();
    assert!(sealer.open_page(&mut page, frame.page_number).unwrap());
    let place = place_of(&page);
    let mut without_nonce = page.clone();
    let end = page.len() - strongroom_format::RESERVED_LENGTH;
    without_nonce[end..].fill(0);
    for order in [Order::Little, Order::Big] {
        for model in [&page, &without_nonce] {
            assert_eq!(guesses(order, frame, &shm, model, place), Vec::<String>::new());
        }
    }
    // The checksum is right for the sealed page.
    let order = Order::of(&wal);
    let sealed = checksum(order, frame.page, checksum(order, frame.head, frame.before));
    assert_eq!(sealed, frame.checksum);
}
