//! New keys, new files for the same credential, and copies of an unlocked header.

use strongroom_format::{FormatError, Header, NewSlot, PageSealer, SlotError, UnlockError, Unlocked};
use strongroom_keys::Key;

use crate::document::{Fields, Slot};

fn key(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn passphrase(text: &str) -> Key {
    Key::passphrase(text.as_bytes()).unwrap()
}

fn new_slot(key: &Key) -> NewSlot {
    NewSlot::derive(key).unwrap()
}

fn header(unlocked: &Unlocked) -> Header {
    Header::read(&unlocked.header_bytes()).unwrap()
}

fn have_one_page_key(first: &Unlocked, second: &Unlocked) -> bool {
    let mut page = vec![9; 4096];
    first.page_sealer().unwrap().seal_page(&mut page, 2).unwrap();
    second.page_sealer().unwrap().authenticate(&page, 2).unwrap()
}

fn is_wrong<T>(result: Result<T, UnlockError>) -> bool {
    matches!(result, Err(UnlockError::WrongKey | UnlockError::NoSlot { .. }))
}

#[test]
fn a_new_key_replaces_the_old_one_and_keeps_the_pages() {
    let keys = [key(1), key(2), passphrase("a"), passphrase("b"), key(1)];
    let mut current = Unlocked::create(&keys[0], 4096).unwrap();
    let first = current.duplicate();
    for (pair, generation) in keys.windows(2).zip(2..) {
        let changed = header(&current).unlock(&pair[0]).unwrap().with_key(&new_slot(&pair[1])).unwrap();
        assert_eq!(changed.generation(), generation);
        assert_eq!((changed.file_id(), changed.page_size()), (first.file_id(), 4096));
        assert!(is_wrong(header(&changed).unlock(&pair[0])));
        let opened = header(&changed).unlock(&pair[1]).unwrap();
        assert!(have_one_page_key(&first, &opened));
        assert_eq!(current.copy_bytes()[80..88], changed.copy_bytes()[80..88], "the slot's identity");
        // Its salt and its two nonces.
        for field in [88..104, 104..128, 176..200] {
            assert_ne!(current.copy_bytes()[field.clone()], changed.copy_bytes()[field]);
        }
        current = changed;
    }
}

#[test]
fn a_new_key_leaves_the_other_slots() {
    let slots = [Slot::raw(0, [1; 32]), Slot::raw(3, [3; 32]), Slot::passphrase(7, b"a")];
    let original = Header::read(&Fields::new(slots).header()).unwrap();
    let changed = original.unlock(&key(3)).unwrap().with_key(&new_slot(&key(4))).unwrap();
    assert!(is_wrong(header(&changed).unlock(&key(3))));
    for key in [key(1), key(4), passphrase("a")] {
        assert!(have_one_page_key(&changed, &header(&changed).unlock(&key).unwrap()));
    }
    let before = original.unlock(&key(1)).unwrap();
    for slot in (0..8).filter(|slot| *slot != 3) {
        let bytes = 64 + 256 * slot..64 + 256 * (slot + 1);
        assert_eq!(before.copy_bytes()[bytes.clone()], changed.copy_bytes()[bytes], "slot {slot}");
    }
}

#[test]
fn the_highest_generation_has_no_successor() {
    let fields = Fields { generation: u64::MAX, ..Fields::new([Slot::raw(0, [1; 32])]) };
    let unlocked = Header::read(&fields.header()).unwrap().unlock(&key(1)).unwrap();
    let error = unlocked.with_key(&new_slot(&key(2))).unwrap_err();
    assert!(matches!(error, SlotError::Format { source: FormatError::LastGeneration }));
}

#[test]
fn the_credential_opens_a_new_file_and_its_own() {
    for (key, other) in [(key(1), key(2)), (passphrase("a"), passphrase("b"))] {
        let first = Unlocked::create(&key, 4096).unwrap();
        let second = first.for_new_file(4096).unwrap();
        assert_ne!(first.file_id(), second.file_id());
        assert!(!have_one_page_key(&first, &second));
        assert_eq!(second.generation(), 1);
        for unlocked in [&first, &second] {
            let by_key = header(unlocked).unlock(&key).unwrap();
            for credential in [first.credential(), second.credential(), by_key.credential()] {
                let opened = header(unlocked).unlock_with(&credential.duplicate()).unwrap();
                assert!(have_one_page_key(unlocked, &opened));
            }
            let other = Unlocked::create(&other, 4096).unwrap();
            assert!(is_wrong(header(unlocked).unlock_with(other.credential())));
        }
        // The wrapped keys share neither a nonce nor, for a raw key, a key-encryption key.
        let [one, two] = [first.copy_bytes(), second.copy_bytes()];
        assert_ne!(one[104..128], two[104..128]);
        assert_ne!(one[80..88], two[80..88]);
        assert_eq!(one[88..104] == two[88..104], key.expose_raw().is_none(), "the salt");
    }
}

/// The same passphrase with another salt needs a derivation, which a credential cannot repeat.
#[test]
fn a_derived_credential_opens_only_its_own_salt() {
    let [one, two] = [0, 1].map(|_| Unlocked::create(&passphrase("a"), 4096).unwrap());
    assert!(matches!(header(&two).unlock_with(one.credential()), Err(UnlockError::WrongKey)));
    let [one, two] = [0, 1].map(|_| Unlocked::create(&key(1), 4096).unwrap());
    header(&two).unlock_with(one.credential()).unwrap();
}

#[test]
fn credentials_are_the_same_if_they_open_the_same_slots() {
    let created =
        [key(1), key(2), passphrase("a"), passphrase("a")].map(|key| Unlocked::create(&key, 4096).unwrap());
    for (index, one) in created.iter().enumerate() {
        for (other_index, other) in created.iter().enumerate() {
            let is_same = one.credential().is_same(&other.credential().duplicate());
            assert_eq!(is_same, index == other_index, "{index} and {other_index}");
        }
    }
    let again = Unlocked::create(&key(1), 1024).unwrap();
    assert!(created[0].credential().is_same(again.credential()));
}

#[test]
fn every_page_size_of_the_format_and_no_other_is_accepted() {
    let unlocked = Unlocked::create(&key(1), 4096).unwrap();
    for page_size in (10..=16).map(|shift| 1 << shift) {
        let created = Unlocked::create(&key(1), page_size).unwrap();
        assert_eq!((created.page_size(), header(&created).page_size()), (page_size, page_size));
        assert_eq!(unlocked.for_new_file(page_size).unwrap().page_size(), page_size);
    }
    for page_size in [0, 512, 1000, 4095, 131_072, u32::MAX] {
        for result in [Unlocked::create(&key(1), page_size), unlocked.for_new_file(page_size)] {
            assert!(matches!(result, Err(FormatError::PageSize { actual }) if actual == page_size));
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let unlocked = Unlocked::create(&key(1), 4096).unwrap();
    assert_eq!(format!("{:?}", unlocked.credential()), "Credential(..)");
    assert_eq!(format!("{:?}", unlocked.page_sealer().unwrap()), "PageSealer(..)");
    let text = format!("{unlocked:?}");
    let expected =
        "Unlocked { copy: HeaderCopy { index: 1, generation: 1, page_size: 4096, .. }, slot: Some(0), .. }";
    assert_eq!(text, expected);
}

/// The engine moves both to the thread that opens a connection.
#[test]
fn secrets_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Unlocked>();
    is_send::<PageSealer>();
    is_send::<Header>();
}
