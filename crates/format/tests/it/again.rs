//! The header of an open file, read again.

use strongroom_format::{Header, NewSlot, UnlockError, Unlocked};
use strongroom_keys::Key;

fn key(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn new(byte: u8) -> NewSlot {
    NewSlot::derive(&key(byte)).unwrap()
}

fn header(unlocked: &Unlocked) -> Header {
    Header::read(&unlocked.header_bytes()).unwrap()
}

#[test]
fn changes_of_other_slots_are_seen() {
    let mine = Unlocked::create(&key(1), 4096).unwrap();
    let (theirs, id) = mine.with_slot_added(&new(2), Some("theirs")).unwrap();
    let again = header(&theirs).unlock_again(&mine).unwrap();
    assert_eq!((again.generation(), again.slots().unwrap().len()), (2, 2));
    assert_eq!(again.current_slot(), mine.current_slot());
    let removed = theirs.with_slot_removed(id).unwrap();
    assert_eq!(header(&removed).unlock_again(&again).unwrap().generation(), 3);
}

#[test]
fn the_current_slot_stays_current_if_its_key_is_in_two_slots() {
    let passphrase = || Key::passphrase(b"a").unwrap();
    let derived = NewSlot::derive(&passphrase()).unwrap();
    let created = Unlocked::create(&key(1), 4096).unwrap();
    // Passphrases are not compared.
    let (one, first) = created.with_slot_added(&derived, None).unwrap();
    let (two, second) = one.with_slot_added(&derived, None).unwrap();
    let mine = header(&two).unlock(&passphrase().with_slot(second)).unwrap();
    assert_eq!(header(&two).unlock_again(&mine).unwrap().current_slot(), Some(second));
    // Another connection gives the slot another key, then removes it: the first slot still has the key.
    let changed = two.with_slot_changed(second, Some(&new(2)), None).unwrap();
    assert_eq!(header(&changed).unlock_again(&mine).unwrap().current_slot(), Some(first));
    let removed = two.with_slot_removed(second).unwrap();
    assert_eq!(header(&removed).unlock_again(&mine).unwrap().current_slot(), Some(first));
}

#[test]
fn the_own_slot_may_have_gone() {
    let mine = Unlocked::create(&key(1), 4096).unwrap();
    let own = mine.current_slot().unwrap();
    let (two, _) = mine.with_slot_added(&new(2), None).unwrap();
    let removed = two.with_slot_removed(own).unwrap();
    assert!(matches!(header(&removed).unlock_again(&mine), Err(UnlockError::WrongKey)));
    let changed = mine.with_slot_changed(own, Some(&new(3)), None).unwrap();
    assert!(matches!(header(&changed).unlock_again(&mine), Err(UnlockError::WrongKey)));
    let passphrase = NewSlot::derive(&Key::passphrase(b"a").unwrap()).unwrap();
    let changed = mine.with_slot_changed(own, Some(&passphrase), None).unwrap();
    assert!(matches!(header(&changed).unlock_again(&mine), Err(UnlockError::NoSlot { .. })));
}

/// Restoring an older header revives its slots: the header itself does not show this. docs/format.md describes it.
#[test]
fn an_older_header_opens_with_its_slots() {
    let first = Unlocked::create(&key(1), 4096).unwrap();
    let (second, id) = first.with_slot_added(&new(2), None).unwrap();
    let third = second.with_slot_removed(id).unwrap();
    assert!(header(&third).unlock(&key(2)).is_err());
    header(&second).unlock(&key(2)).unwrap();
    assert_eq!(header(&second).unlock_again(&third).unwrap().generation(), 2);
    // A new data key ends this.
    let (rotated, _) = third.for_rotation(&[], false).unwrap();
    assert!(matches!(header(&second).unlock_again(&rotated), Err(UnlockError::OtherFile)));
}

#[test]
fn the_header_of_another_file_is_refused() {
    let mine = Unlocked::create(&key(1), 4096).unwrap();
    let other = mine.for_new_file(4096).unwrap();
    let error = header(&other).unlock_again(&mine).unwrap_err();
    assert!(matches!(error, UnlockError::OtherFile));
    assert_eq!(error.code(), "STRONGROOM_OTHER_FILE");
    assert!(UnlockError::CODES.contains(&error.code()));
}
