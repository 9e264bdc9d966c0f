//! Headers that this version cannot read, and slots that it cannot open.

use strongroom_format::{Header, HeaderError, UnlockError, Unlocked};
use strongroom_keys::Key;

use crate::document::{Fields, Slot};

const KEY: [u8; 32] = [0x41; 32];

fn unlock(slots: &[Slot], key: &Key) -> Result<Unlocked, UnlockError> {
    Header::read(&Fields::new(slots).header()).unwrap().unlock(key)
}

fn raw() -> Key {
    Key::raw(&KEY).unwrap()
}

fn passphrase() -> Key {
    Key::passphrase(b"right").unwrap()
}

fn slot(index: usize, kind: u8, kdf: u8) -> Slot {
    Slot { kind, kdf, ..Slot::raw(index, KEY) }
}

#[test]
fn another_version_cipher_or_page_size_is_named() {
    let fields = Fields::new([Slot::raw(0, KEY)]);
    let read = |fields: &Fields| Header::read(&fields.header()).map(drop);
    assert_eq!(read(&fields), Ok(()));
    for version in [0, 2, u16::MAX] {
        // The cipher and the page size of another version mean nothing to this one.
        let fields = Fields { version, cipher: 9, page_size: 0, ..fields.clone() };
        assert_eq!(read(&fields), Err(HeaderError::NewerVersion { version }));
    }
    for cipher in [0, 2, u16::MAX] {
        let fields = Fields { cipher, ..fields.clone() };
        assert_eq!(read(&fields), Err(HeaderError::UnknownCipher { cipher }));
    }
    for page_size in [0, 1, 512, 1023, 1025, 3072, 131_072, u32::MAX] {
        let fields = Fields { page_size, ..fields.clone() };
        assert_eq!(read(&fields), Err(HeaderError::InvalidPageSize { page_size }));
    }
    for page_size in (10..=16).map(|shift| 1 << shift) {
        let header = Header::read(&Fields { page_size, ..fields.clone() }.header()).unwrap();
        assert_eq!(header.unlock(&raw()).unwrap().page_size(), page_size);
    }
}

/// The newest copy decides. An older copy that this version cannot read is left alone.
#[test]
fn a_newer_version_in_one_copy() {
    let ours = Fields::new([Slot::raw(0, KEY)]);
    let newer = Fields { version: 2, generation: 2, ..ours.clone() };
    let older = Fields { version: 2, generation: 0, ..ours.clone() };
    for swapped in [false, true] {
        let pair = |other: &Fields| {
            let (first, second) = if swapped { (other, &ours) } else { (&ours, other) };
            [first.copy(), second.copy()].concat()
        };
        assert_eq!(Header::read(&pair(&newer)).unwrap_err(), HeaderError::NewerVersion { version: 2 });
        assert_eq!(Header::read(&pair(&older)).unwrap().unlock(&raw()).unwrap().generation(), 1);
    }
}

#[test]
fn a_key_opens_any_of_the_eight_slots() {
    for index in 0..8 {
        unlock(&[Slot::raw(index, KEY)], &raw()).unwrap();
        unlock(&[Slot::passphrase(index, b"right")], &passphrase()).unwrap();
    }
    let mut slots: Vec<Slot> = (0..7).map(|index| Slot::passphrase(index, b"wrong")).collect();
    assert!(matches!(unlock(&slots, &passphrase()), Err(UnlockError::WrongKey)));
    slots.push(Slot::passphrase(7, b"right"));
    unlock(&slots, &passphrase()).unwrap();
}

#[test]
fn unknown_slots_are_ignored_if_another_slot_opens() {
    // Kinds 1, 2 and 3 have unknown derivations.
    let unknown = [slot(0, 3, 2), slot(1, 200, 200), slot(2, 1, 2), slot(3, 2, 9)];
    let known = [Slot::raw(4, KEY), Slot::passphrase(5, b"right")];
    let slots = [&unknown[..], &known].concat();
    unlock(&slots, &raw()).unwrap();
    unlock(&slots, &passphrase()).unwrap();
}

#[test]
fn unknown_slots_are_named_if_no_other_slot_opens() {
    let no_slot = |slots: &[Slot], key: &Key| match unlock(slots, key) {
        Err(error @ UnlockError::NoSlot { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let message = no_slot(&[slot(0, 4, 1), Slot::passphrase(1, b"right")], &raw());
    assert!(message.contains("takes a raw key; the header has a key of kind 4, a passphrase:"), "{message}");
    let message = no_slot(&[Slot::raw(0, KEY)], &passphrase());
    assert!(message.contains("takes a passphrase; the header has a raw key:"), "{message}");
    let message = no_slot(&[], &raw());
    assert!(message.contains("the header has no slot in use"), "{message}");

    let wrong = Slot::raw(4, [9; 32]);
    assert!(matches!(
        unlock(&[slot(2, 1, 7), wrong.clone()], &raw()),
        Err(UnlockError::UnsupportedSlot { slot: 2, kind: 1, kdf: 7 })
    ));
    assert!(matches!(
        unlock(&[slot(6, 2, 1)], &passphrase()),
        Err(UnlockError::UnsupportedSlot { slot: 6, kind: 2, kdf: 1 })
    ));
    // A slot for a passphrase says nothing about a raw key.
    assert!(matches!(unlock(&[slot(2, 2, 7), wrong], &raw()), Err(UnlockError::WrongKey)));
}

/// A header is authenticated only after its key is derived, so its parameters may be anyone's.
#[test]
fn parameters_that_would_exhaust_the_machine_are_refused() {
    let cheap = Slot::passphrase(3, b"right");
    let costly = [
        Slot { memory: (1 << 20) + 1, ..cheap.clone() },
        Slot { memory: u32::MAX, passes: u32::MAX, lanes: u32::MAX, ..cheap.clone() },
        Slot { passes: 17, ..cheap.clone() },
        Slot { lanes: 17, memory: 1 << 10, ..cheap.clone() },
        // Less than RFC 9106 permits.
        Slot { memory: 15, ..cheap.clone() },
        Slot { memory: 0, ..cheap.clone() },
        Slot { passes: 0, ..cheap.clone() },
        Slot { lanes: 0, ..cheap },
    ];
    for slot in costly {
        let expected = (slot.index, slot.memory, slot.passes, slot.lanes);
        match unlock(&[slot.clone(), Slot::passphrase(4, b"wrong")], &passphrase()) {
            Err(UnlockError::KdfLimit { slot, memory, passes, lanes }) => {
                assert_eq!((slot, memory, passes, lanes), expected);
            }
            other => panic!("{other:?}"),
        }
        unlock(&[slot, Slot::passphrase(4, b"right")], &passphrase()).unwrap();
    }
}
