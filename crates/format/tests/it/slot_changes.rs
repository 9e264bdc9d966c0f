//! Slots that are added, removed and changed.

use strongroom_format::{
    FormatError, Header, NewSlot, SLOT_COUNT, SlotError, SlotKind, UnlockError, Unlocked,
};
use strongroom_keys::{Key, RecoveryCode, SlotId};

use crate::document::{Fields, Slot, with_checksum};

/// Keys of every kind. Each call derives or generates new bytes from the seed.
fn key(kind: SlotKind, seed: u8) -> Key {
    match kind {
        SlotKind::RawKey => Key::raw(&[seed; 32]).unwrap(),
        SlotKind::Passphrase => Key::passphrase(&[b'p', seed]).unwrap(),
        _ => Key::recovery_code(&RecoveryCode::generate().unwrap()),
    }
}

const KINDS: [SlotKind; 3] = [SlotKind::RawKey, SlotKind::Passphrase, SlotKind::RecoveryCode];

fn new(key: &Key) -> NewSlot {
    NewSlot::derive(key).unwrap()
}

/// Reads the header as another process does.
fn open(unlocked: &Unlocked, key: &Key) -> Result<Unlocked, UnlockError> {
    Header::read(&unlocked.header_bytes()).unwrap().unlock(key)
}

fn is_wrong<T>(result: Result<T, UnlockError>) -> bool {
    matches!(result, Err(UnlockError::WrongKey | UnlockError::NoSlot { .. }))
}

fn have_one_page_key(first: &Unlocked, second: &Unlocked) -> bool {
    let mut page = vec![9; 4096];
    first.page_sealer().unwrap().seal_page(&mut page, 2).unwrap();
    second.page_sealer().unwrap().authenticate(&page, 2).unwrap()
}

fn slot_bytes(unlocked: &Unlocked, index: usize) -> [u8; 256] {
    unlocked.copy_bytes()[64 + 256 * index..][..256].try_into().unwrap()
}

#[test]
fn eight_slots_of_every_kind_open_one_file() {
    let first = Key::raw(&[1; 32]).unwrap();
    let mut unlocked = Unlocked::create(&first, 4096).unwrap();
    let original = unlocked.duplicate();
    let mut keys = vec![first];
    let mut ids = vec![unlocked.current_slot().unwrap()];
    for index in 1..SLOT_COUNT {
        let key = key(KINDS[index % 3], index as u8);
        let label = format!("slot {index}");
        let (added, id) = unlocked.with_slot_added(&new(&key), Some(&label)).unwrap();
        assert_eq!(added.generation(), unlocked.generation() + 1);
        for other in (0..SLOT_COUNT).filter(|other| *other != index) {
            assert_eq!(slot_bytes(&added, other), slot_bytes(&unlocked, other), "slot {other}");
        }
        keys.push(key);
        ids.push(id);
        unlocked = added;
    }
    for (index, key) in keys.iter().enumerate() {
        let opened = open(&unlocked, key).unwrap();
        assert!(have_one_page_key(&original, &opened));
        let listed = opened.slots().unwrap();
        assert!(listed.iter().map(|slot| slot.id).eq(ids.iter().copied()));
        assert!(listed.iter().enumerate().all(|(other, slot)| slot.is_current == (other == index)));
        let kinds = std::iter::once(SlotKind::RawKey).chain((1..SLOT_COUNT).map(|index| KINDS[index % 3]));
        assert!(listed.iter().map(|slot| slot.kind).eq(kinds));
        assert_eq!(listed[0].label, None);
        assert!(
            listed[1..].iter().zip(1..).all(|(slot, number)| slot.label == Some(format!("slot {number}")))
        );
    }
    let error = unlocked.with_slot_added(&new(&key(SlotKind::RawKey, 9)), None).unwrap_err();
    assert!(matches!(error, SlotError::Full));
    assert_eq!(error.code(), "STRONGROOM_SLOTS_FULL");
    for wrong in KINDS.map(|kind| key(kind, 200)) {
        assert!(is_wrong(open(&unlocked, &wrong)));
    }

    // A removed slot is free for another key, and its identity does not come back.
    let removed = unlocked.with_slot_removed(ids[4]).unwrap();
    let (again, id) = removed.with_slot_added(&new(&key(SlotKind::RawKey, 9)), None).unwrap();
    assert!(!ids.contains(&id));
    assert_eq!(again.slots().unwrap()[4].id, id);
    assert!(is_wrong(open(&again, &keys[4])));
}

#[test]
fn a_removed_slot_leaves_zeros_and_its_key_opens_nothing() {
    for kind in KINDS {
        let (owner, other) = (key(SlotKind::RawKey, 1), key(kind, 2));
        let created = Unlocked::create(&owner, 4096).unwrap();
        let (added, id) = created.with_slot_added(&new(&other), Some("other")).unwrap();
        open(&added, &other).unwrap();
        let removed = added.with_slot_removed(id).unwrap();
        assert_eq!(removed.generation(), 3);
        assert_eq!(slot_bytes(&removed, 1), [0; 256]);
        assert_eq!(slot_bytes(&removed, 0), slot_bytes(&created, 0));
        assert!(is_wrong(open(&removed, &other)), "{kind:?}");
        assert!(have_one_page_key(&created, &open(&removed, &owner).unwrap()));
        let error = removed.with_slot_removed(id).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_UNKNOWN_SLOT");
        let own = removed.current_slot().unwrap();
        let expected = format!("the file has no key slot {id}; it has {own} (a raw key)");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_last_slot_that_this_version_supports_stays() {
    let unlocked = Unlocked::create(&key(SlotKind::RawKey, 1), 4096).unwrap();
    let own = unlocked.current_slot().unwrap();
    let error = unlocked.with_slot_removed(own).unwrap_err();
    assert!(matches!(error, SlotError::Last { id } if id == own));
    assert_eq!(error.code(), "STRONGROOM_LAST_SLOT");

    // Slots of a later version, and slots that ask for too much memory, open nothing here.
    let slots = [
        Slot::raw(0, [1; 32]),
        Slot { kind: 9, ..Slot::raw(1, [2; 32]) },
        Slot { kdf: 9, ..Slot::raw(2, [2; 32]) },
        Slot { memory: 1 << 30, ..Slot::passphrase(3, b"costly") },
    ];
    let unlocked =
        Header::read(&Fields::new(slots).header()).unwrap().unlock(&key(SlotKind::RawKey, 1)).unwrap();
    assert!(matches!(unlocked.with_slot_removed(SlotId([0xe0; 8])), Err(SlotError::Last { .. })));
    let fewer = unlocked.with_slot_removed(SlotId([0xe1; 8])).unwrap();
    let fewer = fewer.with_slot_removed(SlotId([0xe3; 8])).unwrap();
    assert_eq!(fewer.slots().unwrap().len(), 2);
    let (added, _) = fewer.with_slot_added(&new(&key(SlotKind::RecoveryCode, 0)), None).unwrap();
    added.with_slot_removed(SlotId([0xe0; 8])).unwrap();
}

/// Another connection may hold the last key, so the own slot can be removed. Its pages stay readable.
#[test]
fn after_the_removal_of_the_own_slot_the_credential_opens_nothing() {
    let (owner, other) = (key(SlotKind::RawKey, 1), key(SlotKind::RawKey, 2));
    let created = Unlocked::create(&owner, 4096).unwrap();
    let (added, id) = created.with_slot_added(&new(&other), None).unwrap();
    let removed = added.with_slot_removed(added.current_slot().unwrap()).unwrap();
    assert_eq!(removed.current_slot(), None);
    assert!(removed.slots().unwrap().iter().all(|slot| slot.id == id && !slot.is_current));
    assert!(have_one_page_key(&removed, &created));
    let header = Header::read(&removed.header_bytes()).unwrap();
    assert!(matches!(header.unlock_with(removed.credential()), Err(UnlockError::WrongKey)));
    let error = removed.with_key(&new(&owner)).unwrap_err();
    assert!(matches!(error, SlotError::Removed));
    assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED");
    // A new slot takes the free place, and is not mistaken for the own one.
    let (again, _) = removed.with_slot_added(&new(&owner), None).unwrap();
    assert_eq!(again.current_slot(), None);
}

#[test]
fn a_changed_slot_keeps_its_identity_and_its_label() {
    for from in KINDS {
        for to in KINDS {
            let (owner, old, next) = (key(SlotKind::RawKey, 1), key(from, 2), key(to, 3));
            let created = Unlocked::create(&owner, 4096).unwrap();
            let (added, id) = created.with_slot_added(&new(&old), Some("kept")).unwrap();
            let changed = added.with_slot_changed(id, Some(&new(&next)), None).unwrap();
            assert_eq!(changed.generation(), 3);
            assert!(is_wrong(open(&changed, &old)), "{from:?} to {to:?}");
            assert!(have_one_page_key(&created, &open(&changed, &next).unwrap()));
            open(&changed, &owner).unwrap();
            assert_eq!(slot_bytes(&changed, 0), slot_bytes(&created, 0));
            let (before, after) = (slot_bytes(&added, 1), slot_bytes(&changed, 1));
            assert_eq!(before[16..24], after[16..24], "the identity");
            // The salt, the nonce of the data key, and the nonce of the label.
            for field in [24..40, 40..64, 112..136] {
                assert_ne!(before[field.clone()], after[field]);
            }
            let slot = changed.slots().unwrap().remove(1);
            assert_eq!((slot.id, slot.kind, slot.label.as_deref()), (id, to, Some("kept")));
            // The caller's own slot and credential stay.
            assert_eq!(changed.current_slot(), created.current_slot());
            assert!(changed.credential().is_same(created.credential()));
        }
    }
}

#[test]
fn a_change_of_the_own_slot_gives_the_new_credential() {
    for kind in KINDS {
        let created = Unlocked::create(&key(SlotKind::RawKey, 1), 4096).unwrap();
        let next = new(&key(kind, 2));
        let own = created.current_slot().unwrap();
        let changed = created.with_slot_changed(own, Some(&next), Some(Some("mine"))).unwrap();
        assert_eq!(changed.current_slot(), Some(own));
        let header = Header::read(&changed.header_bytes()).unwrap();
        let opened = header.unlock_with(changed.credential()).unwrap();
        assert!(have_one_page_key(&created, &opened));
        assert!(is_wrong(header.unlock_with(created.credential())));
    }
}

#[test]
fn a_new_label_keeps_the_key_and_its_time() {
    let slots = [Slot::raw(0, [1; 32]), Slot::passphrase(5, b"right").with_label(b"old", 1_234_567)];
    let unlocked =
        Header::read(&Fields::new(slots).header()).unwrap().unlock(&key(SlotKind::RawKey, 1)).unwrap();
    let id = SlotId([0xe5; 8]);
    let before = unlocked.slots().unwrap().remove(1);
    for (label, expected) in [(Some("new"), Some("new")), (None, None), (Some(""), None)] {
        let changed = unlocked.with_slot_changed(id, None, Some(label)).unwrap();
        let after = changed.slots().unwrap().remove(1);
        assert_eq!((after.id, after.kind, after.created), (id, before.kind, before.created));
        assert_eq!(after.label.as_deref(), expected);
        let (old, new) = (slot_bytes(&unlocked, 5), slot_bytes(&changed, 5));
        assert_eq!(old[..112], new[..112], "the key's part");
        assert_ne!(old[112..136], new[112..136], "the label's nonce");
        open(&changed, &Key::passphrase(b"right").unwrap()).unwrap();
    }
    let renewed = unlocked.with_slot_changed(id, Some(&new(&key(SlotKind::RawKey, 7))), None).unwrap();
    assert!(renewed.slots().unwrap()[1].created > before.created);
    // Neither a key nor a label: the same slots in both copies of the next generation.
    let same = unlocked.with_slot_changed(id, None, None).unwrap();
    assert_eq!(same.slots().unwrap(), unlocked.slots().unwrap());
    assert_eq!(same.generation(), unlocked.generation() + 1);
    let unknown = unlocked.with_slot_changed(SlotId([9; 8]), None, Some(None)).unwrap_err();
    assert!(matches!(unknown, SlotError::Unknown { id: SlotId([9, ..]), .. }));
}

/// A free slot has an identity of zeros.
#[test]
fn a_free_slot_is_not_found() {
    let unlocked = Unlocked::create(&key(SlotKind::RawKey, 1), 4096).unwrap();
    let zeros = SlotId([0; 8]);
    assert!(matches!(unlocked.with_slot_removed(zeros), Err(SlotError::Unknown { .. })));
    assert!(matches!(unlocked.with_slot_changed(zeros, None, None), Err(SlotError::Unknown { .. })));
}

#[test]
fn the_highest_generation_has_no_successor() {
    let slots = [Slot::raw(0, [1; 32]), Slot::raw(1, [2; 32])];
    let fields = Fields { generation: u64::MAX, ..Fields::new(slots) };
    let unlocked = Header::read(&fields.header()).unwrap().unlock(&key(SlotKind::RawKey, 1)).unwrap();
    let id = SlotId([0xe1; 8]);
    let next = new(&key(SlotKind::RawKey, 3));
    let results = [
        unlocked.with_slot_added(&next, None).map(drop),
        unlocked.with_slot_removed(id).map(drop),
        unlocked.with_slot_changed(id, Some(&next), None).map(drop),
        unlocked.with_key(&next).map(drop),
    ];
    for result in results {
        assert!(matches!(result, Err(SlotError::Format { source: FormatError::LastGeneration })));
    }
}

/// One derivation can serve several changes, such as those of a loop over busy files.
#[test]
fn a_new_slot_can_be_used_twice() {
    let next = new(&key(SlotKind::Passphrase, 2));
    let created = Unlocked::create(&key(SlotKind::RawKey, 1), 4096).unwrap();
    let (one, _) = created.with_slot_added(&next, None).unwrap();
    let (two, _) = one.with_slot_added(&next, None).unwrap();
    assert_ne!(slot_bytes(&two, 1)[40..112], slot_bytes(&two, 2)[40..112]);
    open(&two, &key(SlotKind::Passphrase, 2)).unwrap();
}

/// Whoever has no key can write any bytes and their checksum, but not the HMAC.
#[test]
fn a_slot_that_was_added_altered_or_removed_without_the_data_key_is_refused() {
    let owner = key(SlotKind::RawKey, 1);
    let created = Unlocked::create(&owner, 4096).unwrap();
    let (two, id) = created.with_slot_added(&new(&key(SlotKind::RecoveryCode, 0)), Some("code")).unwrap();
    let foreign = Unlocked::create(&key(SlotKind::RawKey, 2), 4096).unwrap();
    let removed = two.with_slot_removed(id).unwrap();
    let attacks: [(&str, usize, [u8; 256]); 6] = [
        ("a slot of another file", 2, slot_bytes(&foreign, 0)),
        ("a copy of a slot in a free place", 2, slot_bytes(&two, 1)),
        ("another order", 1, slot_bytes(&two, 0)),
        ("a removed slot", 1, [0; 256]),
        ("a removed slot that comes back", 1, slot_bytes(&two, 1)),
        ("a slot of zeros in use", 3, {
            let mut slot = [0; 256];
            slot[0] = 1;
            slot
        }),
    ];
    for (attack, index, slot) in attacks {
        let target = if attack.contains("comes back") { &removed } else { &two };
        let mut copy = *target.copy_bytes();
        assert_ne!(copy[64 + 256 * index..][..256], slot, "{attack} changes nothing");
        copy[64 + 256 * index..][..256].copy_from_slice(&slot);
        let header = Header::read(&with_checksum(copy).repeat(2)).unwrap();
        assert!(matches!(header.unlock(&owner), Err(UnlockError::Altered)), "{attack}");
        assert!(matches!(header.unlock_again(target), Err(UnlockError::Altered)), "{attack}");
    }
    // Each byte of an added slot.
    for byte in 64 + 256..64 + 512 {
        let mut copy = *two.copy_bytes();
        copy[byte] ^= 1;
        let header = Header::read(&with_checksum(copy).repeat(2)).unwrap();
        assert!(matches!(header.unlock(&owner), Err(UnlockError::Altered)), "byte {byte}");
    }
}
