//! Keys that name their slot.

use strongroom_format::{FormatError, Header, UnlockError, Unlocked};
use strongroom_keys::{Key, KeyError, RecoveryCode, SlotId};

use crate::document::{CODE, CODE_BYTES, Fields, Slot};

const KEY: [u8; 32] = [0x41; 32];

fn header() -> Header {
    let slots = [
        Slot::passphrase(0, b"one"),
        Slot::passphrase(1, b"two"),
        Slot::raw(2, KEY),
        Slot::recovery(3, &CODE_BYTES),
        Slot { kdf: 9, ..Slot::passphrase(4, b"one") },
        // The same secret twice.
        Slot::passphrase(5, b"one"),
    ];
    Header::read(&Fields::new(slots).header()).unwrap()
}

fn id(index: u8) -> SlotId {
    SlotId([0xe0 + index; 8])
}

fn passphrase(text: &str) -> Key {
    Key::passphrase(text.as_bytes()).unwrap()
}

fn raw() -> Key {
    Key::raw(&KEY).unwrap()
}

fn code() -> Key {
    Key::recovery_code(&RecoveryCode::parse(CODE).unwrap())
}

#[test]
fn only_the_named_slot_is_tried() {
    for (key, index) in
        [(passphrase("one"), 0), (passphrase("two"), 1), (raw(), 2), (code(), 3), (passphrase("one"), 5)]
    {
        let unlocked = header().unlock(&key.with_slot(id(index))).unwrap();
        assert_eq!(unlocked.current_slot(), Some(id(index)));
    }
    // The right secret for another slot.
    for (key, index) in [(passphrase("two"), 0), (passphrase("one"), 1), (passphrase("wrong"), 5)] {
        assert!(matches!(header().unlock(&key.with_slot(id(index))), Err(UnlockError::WrongKey)));
    }
    let error = header().unlock(&passphrase("one").with_slot(id(4))).unwrap_err();
    assert!(matches!(error, UnlockError::UnsupportedSlot { slot: 4, kind: 2, kdf: 9 }), "{error}");
}

#[test]
fn an_unknown_slot_and_a_slot_of_another_kind_are_named_with_those_that_exist() {
    let free = SlotId([0; 8]);
    for (key, slot, given) in [
        (passphrase("one"), id(7), "a passphrase"),
        (passphrase("one"), id(2), "a passphrase"),
        (raw(), id(0), "a raw key"),
        (raw(), id(3), "a raw key"),
        (code(), id(2), "a recovery code"),
        (raw(), free, "a raw key"),
    ] {
        let error = header().unlock(&key.with_slot(slot)).unwrap_err();
        assert!(matches!(&error, UnlockError::UnknownSlot { id, .. } if *id == slot), "{error}");
        assert_eq!(error.code(), "STRONGROOM_UNKNOWN_SLOT");
        let message = error.to_string();
        assert!(message.starts_with(&format!("no slot {slot} takes {given}; the header has ")), "{message}");
        assert!(
            message.contains("e2e2e2e2e2e2e2e2 (a raw key), e3e3e3e3e3e3e3e3 (a recovery code)"),
            "{message}"
        );
    }
}

#[test]
fn a_new_file_takes_neither_a_recovery_code_nor_the_name_of_a_slot() {
    let error = Unlocked::create(&code(), 4096).unwrap_err();
    assert!(matches!(error, FormatError::Key { source: KeyError::RecoveryCodeForNewFile }));
    assert!(error.to_string().contains("a new file needs a key or a passphrase"), "{error}");
    assert_eq!(error.code(), "STRONGROOM_KEY_RECOVERY");
    let error = Unlocked::create(&raw().with_slot(id(0)), 4096).unwrap_err();
    assert!(matches!(error, FormatError::Key { source: KeyError::SlotWithoutFile { .. } }));
    assert_eq!(error.code(), "STRONGROOM_KEY_SLOT");
    for code in ["STRONGROOM_KEY_RECOVERY", "STRONGROOM_KEY_SLOT"] {
        assert!(FormatError::CODES.contains(&code));
    }
}

/// A slot for a recovery code takes no other secret with the same bytes.
#[test]
fn the_bytes_of_a_recovery_code_are_no_other_key() {
    let slots = [Slot::recovery(0, &CODE_BYTES), Slot::raw(1, KEY)];
    let header = Header::read(&Fields::new(slots).header()).unwrap();
    let wrong = Key::passphrase(&CODE_BYTES).unwrap();
    assert!(matches!(header.unlock(&wrong), Err(UnlockError::NoSlot { given: "a passphrase", .. })));
    let only_raw = Header::read(&Fields::new([Slot::raw(1, KEY)]).header()).unwrap();
    let error = only_raw.unlock(&code()).unwrap_err();
    assert!(matches!(error, UnlockError::NoSlot { given: "a recovery code", .. }));
    let other = Key::recovery_code(&RecoveryCode::generate().unwrap());
    assert!(matches!(header.unlock(&other), Err(UnlockError::WrongKey)));
}
