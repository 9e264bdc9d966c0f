//! The crate against the second implementation in `document.rs`.

use std::time::{SystemTime, UNIX_EPOCH};

use strongroom_format::{Header, PageSealer, Unlocked};
use strongroom_keys::Key;

use crate::document::{self, FILE_ID, Fields, Slot};

const KEY: [u8; 32] = [0x41; 32];
const PASSPHRASE: &[u8] = b"correct horse battery staple";

fn keys() -> [(Key, &'static [u8]); 2] {
    [(Key::raw(&KEY).unwrap(), &KEY), (Key::passphrase(PASSPHRASE).unwrap(), PASSPHRASE)]
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

#[test]
fn the_document_reads_what_the_crate_writes() {
    for (key, secret) in keys() {
        for page_size in [1024, 65_536] {
            let before = now();
            let unlocked = Unlocked::create(&key, page_size).unwrap();
            let after = now();
            let bytes = unlocked.header_bytes();
            assert_eq!(bytes[..4096], bytes[4096..]);
            let found = document::read(bytes[..4096].try_into().unwrap(), secret);
            assert_eq!(found.file_id, *unlocked.file_id());
            assert_eq!(bytes[20..24], page_size.to_be_bytes());
            assert_eq!(bytes[40..48], 1_u64.to_be_bytes());
            assert!((before..=after).contains(&found.created));
            for number in [1, 2, 1_000_000] {
                let plain: Vec<u8> = (0..page_size).map(|index| (index % 251) as u8).collect();
                let mut page = plain.clone();
                unlocked.page_sealer().unwrap().seal_page(&mut page, number).unwrap();
                let content = document::open_page(&found, &page, number).unwrap();
                let start = if number == 1 { 16 } else { 0 };
                assert_eq!(content, plain[start..plain.len() - 40]);
                assert!(document::open_page(&found, &page, number ^ 2).is_none());
            }
        }
    }
}

#[test]
fn the_slot_of_a_new_file_has_the_documented_parameters() {
    let [raw, passphrase] = keys().map(|(key, _)| Unlocked::create(&key, 4096).unwrap().header_bytes());
    assert_eq!(raw[64..80], [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // 64 MiB, 3 passes, 4 lanes.
    assert_eq!(passphrase[64..80], [1, 2, 2, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4]);
}

#[test]
fn the_crate_reads_what_the_document_writes() {
    let slots = [Slot::raw(2, KEY), Slot::passphrase(5, PASSPHRASE)];
    let header = Header::read(&Fields::new(slots).header()).unwrap();
    for (key, _) in keys() {
        let unlocked = header.unlock(&key).unwrap();
        assert_eq!((unlocked.file_id(), unlocked.page_size(), unlocked.generation()), (&FILE_ID, 4096, 1));
        let mut sealer = unlocked.page_sealer().unwrap();
        for number in [1, 7] {
            opens_what_the_document_seals(&mut sealer, number);
        }
    }
}

fn opens_what_the_document_seals(sealer: &mut PageSealer, number: u32) {
    let plain = [b"SQLite format 3\0", &[5; 4080][..]].concat();
    let mut page = document::seal_page(&plain, number);
    assert!(sealer.authenticate(&page, number).unwrap());
    assert!(sealer.open_page(&mut page, number).unwrap());
    assert_eq!(page[..4056], plain[..4056]);
}
