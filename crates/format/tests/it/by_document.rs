//! The crate against the second implementation in `document.rs`.

use std::time::{SystemTime, UNIX_EPOCH};

use strongroom_format::{Header, NewSlot, PageSealer, SlotKind, Unlocked};
use strongroom_keys::{Key, RecoveryCode, SlotId};

use crate::document::{self, CODE, CODE_BYTES, FILE_ID, Fields, Slot};

const KEY: [u8; 32] = [0x41; 32];
const PASSPHRASE: &[u8] = b"correct horse battery staple";

fn recovery_code() -> Key {
    Key::recovery_code(&RecoveryCode::parse(CODE).unwrap())
}

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
            let [slot] = &found.slots[..] else { panic!("{found:?}") };
            assert!((before..=after).contains(&slot.created));
            assert_eq!((slot.index, slot.label.as_str()), (0, ""));
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
fn the_document_reads_the_slots_that_the_crate_adds() {
    let [(raw, raw_bytes), (passphrase, passphrase_bytes)] = keys();
    let mut unlocked = Unlocked::create(&raw, 4096).unwrap();
    let before = now();
    let label = "Ärztin 🔑";
    let other = Key::raw(&[9; 32]).unwrap();
    for (key, label) in [(&passphrase, Some(label)), (&recovery_code(), Some("on paper")), (&other, None)] {
        (unlocked, _) = unlocked.with_slot_added(&NewSlot::derive(key).unwrap(), label).unwrap();
    }
    let after = now();
    let expected = [(0, 1, ""), (1, 2, label), (2, 3, "on paper"), (3, 1, "")];
    for (secret, open) in [(raw_bytes, &[0][..]), (passphrase_bytes, &[1]), (&CODE_BYTES, &[2])] {
        let found = document::read(unlocked.copy_bytes(), secret);
        let slots: Vec<_> =
            found.slots.iter().map(|slot| (slot.index, slot.kind, slot.label.as_str())).collect();
        assert_eq!(slots, expected);
        let opened: Vec<_> = found.slots.iter().filter(|slot| slot.is_open).map(|slot| slot.index).collect();
        assert_eq!(opened, open);
        assert!(found.slots[1..].iter().all(|slot| (before..=after).contains(&slot.created)));
        let listed = unlocked.slots().unwrap();
        assert!(listed.iter().zip(&found.slots).all(|(listed, found)| listed.id == SlotId(found.id)));
    }
    assert_eq!(unlocked.copy_bytes()[40..48], 4_u64.to_be_bytes());
}

#[test]
fn the_crate_lists_the_slots_that_the_document_writes() {
    let slots = [
        Slot::recovery(1, &CODE_BYTES).with_label("auf Papier 🔑".as_bytes(), 1_700_000_000_123),
        Slot::passphrase(4, PASSPHRASE).with_label(&[b'x'; 94], 0),
        Slot { kind: 9, ..Slot::raw(6, KEY) }.with_label(b"of a later version", 1),
        Slot { memory: 1 << 30, ..Slot::passphrase(7, b"costly") },
    ];
    let header = Header::read(&Fields::new(slots).header()).unwrap();
    let unlocked = header.unlock(&recovery_code()).unwrap();
    let listed = unlocked.slots().unwrap();
    let found: Vec<_> = listed
        .iter()
        .map(|slot| {
            let created = slot.created.unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis();
            (slot.id.to_string(), slot.kind, slot.label.as_deref(), created, slot.is_current)
        })
        .collect();
    let long = "x".repeat(94);
    let expected = [
        ("e1".repeat(8), SlotKind::RecoveryCode, Some("auf Papier 🔑"), 1_700_000_000_123, true),
        ("e4".repeat(8), SlotKind::Passphrase, Some(long.as_str()), 0, false),
        ("e6".repeat(8), SlotKind::Unsupported, Some("of a later version"), 1, false),
        ("e7".repeat(8), SlotKind::Unsupported, None, 0, false),
    ];
    assert_eq!(found, expected);
    assert_eq!(unlocked.current_slot(), Some(SlotId([0xe1; 8])));
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
    let slots = [Slot::raw(2, KEY), Slot::passphrase(5, PASSPHRASE), Slot::recovery(7, &CODE_BYTES)];
    let header = Header::read(&Fields::new(slots).header()).unwrap();
    for key in keys().map(|(key, _)| key).into_iter().chain([recovery_code()]) {
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
