//! A new data key for the same slots.

use strongroom_format::{Header, NewSlot, SlotError, SlotKind, UnlockError, Unlocked};
use strongroom_keys::{Key, RecoveryCode, SlotId};

use crate::document::{CODE, CODE_BYTES, Fields, Slot};

fn raw(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn passphrase(text: &str) -> Key {
    Key::passphrase(text.as_bytes()).unwrap()
}

fn code() -> Key {
    Key::recovery_code(&RecoveryCode::parse(CODE).unwrap())
}

fn header(unlocked: &Unlocked) -> Header {
    Header::read(&unlocked.header_bytes()).unwrap()
}

/// A header with slots of every kind, opened by the raw key.
fn unlocked() -> Unlocked {
    let slots = [
        Slot::passphrase(0, b"one").with_label(b"Alice", 1_000),
        Slot::raw(2, [1; 32]).with_label(b"server", 2_000),
        Slot::recovery(3, &CODE_BYTES).with_label("Papier 🔑".as_bytes(), 3_000),
        // Strongroom writes no such label.
        Slot::passphrase(6, b"two").with_label(b"\x1b[2J", 0),
    ];
    let fields = Fields { page_size: 8192, generation: 41, ..Fields::new(slots) };
    Header::read(&fields.header()).unwrap().unlock(&raw(1)).unwrap()
}

fn have_one_page_key(first: &Unlocked, second: &Unlocked) -> bool {
    let mut page = vec![9; 8192];
    first.page_sealer().unwrap().seal_page(&mut page, 2).unwrap();
    second.page_sealer().unwrap().authenticate(&page, 2).unwrap()
}

#[test]
fn with_all_secrets_every_slot_stays_under_a_new_data_key() {
    let old = unlocked();
    let (new, dropped) = old.for_rotation(&[&passphrase("two"), &code(), &passphrase("one")], false).unwrap();
    assert_eq!(dropped, []);
    assert_eq!((new.page_size(), new.generation()), (8192, 1));
    assert_ne!(new.file_id(), old.file_id());
    assert!(!have_one_page_key(&old, &new));
    // Identities, kinds, labels, times and the current slot.
    assert_eq!(new.slots().unwrap(), old.slots().unwrap());
    for key in [raw(1), passphrase("one"), passphrase("two"), code()] {
        let opened = header(&new).unlock(&key).unwrap();
        assert!(have_one_page_key(&new, &opened));
        assert_eq!(header(&old).unlock(&key).unwrap().current_slot(), opened.current_slot());
    }
    let opened = header(&new).unlock_with(new.credential()).unwrap();
    assert_eq!(opened.current_slot(), new.current_slot());
    for index in [0, 2, 3, 6] {
        let [before, after] = [&old, &new].map(|header| &header.copy_bytes()[64 + 256 * index..][..256]);
        assert_ne!(before[40..64], after[40..64], "the nonce of the data key in slot {index}");
        assert_ne!(before[112..136], after[112..136], "the nonce of the label in slot {index}");
        assert_eq!(before[24..40] == after[24..40], matches!(index, 0 | 6), "the salt of slot {index}");
    }
}

#[test]
fn slots_whose_secrets_are_missing_are_an_error_or_dropped() {
    let old = unlocked();
    let ids = |slots: &[strongroom_format::Slot]| slots.iter().map(|slot| slot.id).collect::<Vec<_>>();
    let missing = [SlotId([0xe0; 8]), SlotId([0xe3; 8]), SlotId([0xe6; 8])];
    match old.for_rotation(&[], false).unwrap_err() {
        error @ SlotError::SecretsMissing { .. } => {
            assert_eq!(error.code(), "STRONGROOM_SLOT_SECRETS");
            let message = error.to_string();
            let expected = "opens slot e0e0e0e0e0e0e0e0 (a passphrase, \"Alice\"), slot e3e3e3e3e3e3e3e3 (a recovery \
                code, \"Papier 🔑\"), slot e6e6e6e6e6e6e6e6 (a passphrase, \"\\u{1b}[2J\"): pass them";
            assert!(message.contains(expected), "{message}");
            let SlotError::SecretsMissing { slots } = error else { unreachable!() };
            assert_eq!(ids(&slots), missing);
        }
        error => panic!("{error}"),
    }
    let (new, dropped) = old.for_rotation(&[], true).unwrap();
    assert_eq!(ids(&dropped), missing);
    assert_eq!(dropped[0].label.as_deref(), Some("Alice"));
    assert_eq!(ids(&new.slots().unwrap()), [SlotId([0xe2; 8])]);
    for key in [passphrase("one"), passphrase("two"), code()] {
        assert!(matches!(header(&new).unlock(&key), Err(UnlockError::NoSlot { .. })));
    }
    let (new, dropped) = old.for_rotation(&[&passphrase("two")], true).unwrap();
    assert_eq!(ids(&dropped), missing[..2]);
    header(&new).unlock(&passphrase("two")).unwrap();
    assert!(matches!(header(&new).unlock(&passphrase("one")), Err(UnlockError::WrongKey)));
}

#[test]
fn a_secret_that_opens_no_slot_is_named() {
    let old = unlocked();
    let wrong_code = Key::recovery_code(&RecoveryCode::generate().unwrap());
    let named = passphrase("one").with_slot(SlotId([0xe6; 8]));
    for wrong in [raw(9), passphrase("three"), wrong_code, named] {
        for drop_others in [false, true] {
            let error = old.for_rotation(&[&passphrase("one"), &wrong], drop_others).unwrap_err();
            assert!(matches!(error, SlotError::NoSlotOpens { index: 1 }), "{error}");
            assert_eq!(error.code(), "STRONGROOM_WRONG_KEY");
        }
    }
    // A secret may be passed twice, and the own one too.
    let secrets = [&raw(1), &passphrase("one"), &passphrase("one"), &code(), &passphrase("two")];
    assert_eq!(old.for_rotation(&secrets, false).unwrap().1, []);
}

#[test]
fn one_secret_in_two_slots_keeps_both() {
    let slots =
        [Slot::raw(0, [1; 32]), Slot::raw(1, [1; 32]), Slot::passphrase(2, b"a"), Slot::passphrase(7, b"a")];
    let old = Header::read(&Fields::new(slots).header()).unwrap().unlock(&raw(1)).unwrap();
    let (new, dropped) = old.for_rotation(&[&passphrase("a")], false).unwrap();
    assert_eq!((new.slots().unwrap().len(), dropped.len()), (4, 0));
}

/// A slot that this version does not support can be kept by no secret.
#[test]
fn unsupported_slots_can_only_be_dropped() {
    let slots = [
        Slot::raw(0, [1; 32]),
        Slot { kind: 9, ..Slot::raw(1, [1; 32]) }.with_label(b"later", 1),
        Slot { kdf: 9, ..Slot::raw(2, [1; 32]) },
        Slot { memory: 1 << 30, ..Slot::passphrase(3, b"costly") },
    ];
    let old = Header::read(&Fields::new(slots).header()).unwrap().unlock(&raw(1)).unwrap();
    match old.for_rotation(&[], false) {
        Err(SlotError::SecretsMissing { slots }) => {
            assert_eq!(slots.len(), 3);
            assert!(slots.iter().all(|slot| slot.kind == SlotKind::Unsupported));
        }
        other => panic!("{other:?}"),
    }
    // The costly slot is not tried.
    assert!(matches!(
        old.for_rotation(&[&passphrase("costly")], true),
        Err(SlotError::NoSlotOpens { index: 0 })
    ));
    assert_eq!(old.for_rotation(&[], true).unwrap().1.len(), 3);
}

#[test]
fn after_the_removal_of_the_own_slot_another_secret_must_be_passed() {
    let created = Unlocked::create(&raw(1), 4096).unwrap();
    let (two, other) = created.with_slot_added(&NewSlot::derive(&raw(2)).unwrap(), None).unwrap();
    let removed = two.with_slot_removed(created.current_slot().unwrap()).unwrap();
    for drop_others in [false, true] {
        assert!(matches!(removed.for_rotation(&[], drop_others), Err(SlotError::SecretsMissing { .. })));
    }
    let (new, _) = removed.for_rotation(&[&raw(2)], false).unwrap();
    assert_eq!(new.current_slot(), Some(other));
    header(&new).unlock_with(new.credential()).unwrap();
}
