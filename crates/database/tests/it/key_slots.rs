//! Tests the key slots of files in the Strongroom format with one connection or several in this process.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use strongroom_database::{
    BackupKey, Database, KeySlotError, Location, OpenError, OpenOptions, Slot, SlotChange, SlotKind, code_of,
};
use strongroom_keys::{Format, Key, RecoveryCode, SlotId};

use crate::scratch::{Scratch, assert_sound, integer};
use crate::sealed_file::{HEADER, plain_key, sealed_key};

fn raw(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn open(path: &Path, key: &Key) -> Result<Database, OpenError> {
    let options =
        OpenOptions { must_exist: true, busy_timeout: Duration::from_secs(20), ..OpenOptions::default() };
    Database::open(Location::File(path), key, &options)
}

/// Creates a file with one row, and one slot for the plain key.
fn create(scratch: &Scratch, journal: &str) -> Database {
    let database = scratch.open_with(&sealed_key(4_096)).unwrap();
    let sql = format!("PRAGMA journal_mode = {journal}; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    database.execute_batch(&sql).unwrap();
    database
}

fn count(database: &Database) -> i64 {
    integer(database, "SELECT count(*) FROM t")
}

fn labels(slots: &[Slot]) -> Vec<Option<&str>> {
    slots.iter().map(|slot| slot.label.as_deref()).collect()
}

#[track_caller]
fn assert_code<T: std::fmt::Debug>(result: Result<T, KeySlotError>, code: &str) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.code(), code_of(&error)), (code, Some(code)), "{error}");
    error.to_string()
}

#[test]
fn each_kind_of_key_opens_the_file_until_its_slot_is_removed() {
    for journal in ["delete", "wal", "truncate", "persist"] {
        let scratch = Scratch::new();
        let database = create(&scratch, journal);
        let path = scratch.path();
        let code = RecoveryCode::generate().unwrap();
        let keys = [
            (raw(1), SlotKind::RawKey, Some("KMS")),
            (Key::passphrase(b"correct horse").unwrap(), SlotKind::Passphrase, Some("Ada \u{1f511}")),
            (Key::recovery_code(&code), SlotKind::RecoveryCode, None),
        ];
        let mut added = Vec::new();
        for (key, kind, label) in &keys {
            assert!(open(&path, key).is_err(), "{journal}");
            let slot = database.add_key_slot("main", key, *label).unwrap();
            assert_eq!((slot.kind, slot.label.as_deref(), slot.is_current), (*kind, *label, false));
            assert!(slot.created.unwrap().elapsed().unwrap() < Duration::from_secs(600));
            assert_eq!(count(&open(&path, key).unwrap()), 1, "{journal}");
            added.push(slot);
        }
        let slots = database.key_slots("main").unwrap();
        assert_eq!(labels(&slots), [None, Some("KMS"), Some("Ada \u{1f511}"), None]);
        assert!(slots[0].is_current && slots[1..] == added[..]);
        // The connection's own key and the others see the same list.
        let other = open(&path, &keys[1].0).unwrap();
        let seen = other.key_slots("main").unwrap();
        assert_eq!(seen.iter().map(|slot| slot.is_current).collect::<Vec<_>>(), [false, false, true, false]);
        for ((key, ..), slot) in keys.iter().zip(&added) {
            assert_eq!(database.remove_key_slot("main", slot.id).unwrap(), *slot);
            assert!(open(&path, key).is_err(), "{journal}");
        }
        assert_code(database.remove_key_slot("main", added[0].id), "STRONGROOM_UNKNOWN_SLOT");
        assert_code(database.remove_key_slot("main", slots[0].id), "STRONGROOM_LAST_SLOT");
        assert_eq!(labels(&database.key_slots("main").unwrap()), [None]);
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        assert_sound(&database);
    }
}

#[test]
fn the_ninth_slot_is_refused() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    for number in 1..8 {
        database.add_key_slot("main", &raw(number), None).unwrap();
    }
    let before = std::fs::read(scratch.path()).unwrap();
    let message = assert_code(database.add_key_slot("main", &raw(9), None), "STRONGROOM_SLOTS_FULL");
    assert!(message.contains(scratch.path().to_str().unwrap()), "{message}");
    assert_eq!(std::fs::read(scratch.path()).unwrap(), before);
    for number in 1..8 {
        assert_eq!(count(&open(&scratch.path(), &raw(number)).unwrap()), 1);
    }
}

#[test]
fn a_slot_keeps_its_id_when_its_key_or_label_changes() {
    let scratch = Scratch::new();
    let database = create(&scratch, "wal");
    let path = scratch.path();
    let slot = database.add_key_slot("main", &raw(1), Some("one")).unwrap();
    let relabelled = SlotChange { label: Some(Some("two")), ..SlotChange::default() };
    let changed = database.change_key_slot("main", slot.id, &relabelled).unwrap();
    assert_eq!((changed.id, changed.label.as_deref(), changed.created), (slot.id, Some("two"), slot.created));
    assert!(open(&path, &raw(1)).is_ok(), "the key has not changed");

    let passphrase = Key::passphrase(b"new").unwrap();
    let new_key = SlotChange { key: Some(&passphrase), ..SlotChange::default() };
    let changed = database.change_key_slot("main", slot.id, &new_key).unwrap();
    let expected = (slot.id, Some("two"), SlotKind::Passphrase);
    assert_eq!((changed.id, changed.label.as_deref(), changed.kind), expected);
    assert!(open(&path, &raw(1)).is_err());
    assert_eq!(count(&open(&path, &passphrase).unwrap()), 1);

    let unlabelled = SlotChange { label: Some(None), ..SlotChange::default() };
    assert_eq!(database.change_key_slot("main", slot.id, &unlabelled).unwrap().label, None);
    let unknown = SlotId([7; 8]);
    assert_code(database.change_key_slot("main", unknown, &unlabelled), "STRONGROOM_UNKNOWN_SLOT");
    let long = "x".repeat(95);
    for label in [long.as_str(), "a\nb", "a\0b"] {
        let change = SlotChange { label: Some(Some(label)), ..SlotChange::default() };
        assert_code(database.change_key_slot("main", slot.id, &change), "STRONGROOM_SLOT_LABEL");
        assert_code(database.add_key_slot("main", &raw(2), Some(label)), "STRONGROOM_SLOT_LABEL");
    }
    assert_eq!(database.key_slots("main").unwrap().len(), 2);
}

/// A rekey changes the slot that opened the connection: its id, its label and the other slots stay.
#[test]
fn a_rekey_and_a_change_of_the_own_slot_do_the_same() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    let path = scratch.path();
    database.add_key_slot("main", &raw(1), Some("other")).unwrap();
    let own = database.key_slots("main").unwrap()[0].id;
    let labelled = SlotChange { label: Some(Some("own")), ..SlotChange::default() };
    database.change_key_slot("main", own, &labelled).unwrap();

    database.rekey("main", &raw(2), &mut |_| true).unwrap();
    let slots = database.key_slots("main").unwrap();
    assert_eq!((slots[0].id, labels(&slots)), (own, vec![Some("own"), Some("other")]));
    assert!(open(&path, &plain_key()).is_err() && open(&path, &raw(2)).is_ok());

    let change = SlotChange { key: Some(&raw(3)), ..SlotChange::default() };
    assert!(database.change_key_slot("main", own, &change).unwrap().is_current);
    assert!(open(&path, &raw(2)).is_err() && open(&path, &raw(3)).is_ok() && open(&path, &raw(1)).is_ok());
    // The connection has the new key: copies get it, and further changes work.
    database.rekey("main", &raw(4), &mut |_| true).unwrap();
    assert_eq!(count(&open(&path, &raw(4)).unwrap()), 1);
}

#[test]
fn a_connection_whose_slot_was_removed_reads_and_writes_but_changes_no_slot() {
    let scratch = Scratch::new();
    let database = create(&scratch, "wal");
    database.add_key_slot("main", &raw(1), None).unwrap();
    let other = open(&scratch.path(), &raw(1)).unwrap();
    let first = database.key_slots("main").unwrap()[0].id;
    other.remove_key_slot("main", first).unwrap();

    database.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    assert_eq!((count(&database), count(&other)), (2, 2));
    assert_code(database.key_slots("main"), "STRONGROOM_KEY_CHANGED");
    assert_code(database.add_key_slot("main", &raw(2), None), "STRONGROOM_KEY_CHANGED");
    assert_code(database.remove_key_slot("main", first), "STRONGROOM_KEY_CHANGED");
    assert_eq!(other.key_slots("main").unwrap().len(), 1);
    // A connection may also remove the slot that opened it, if another slot is left.
    let slot = other.add_key_slot("main", &raw(2), None).unwrap();
    let slots = other.key_slots("main").unwrap();
    let own = slots.iter().find(|slot| slot.is_current).unwrap().id;
    assert_ne!(own, slot.id);
    other.remove_key_slot("main", own).unwrap();
    assert_code(other.key_slots("main"), "STRONGROOM_KEY_CHANGED");
    assert_eq!(open(&scratch.path(), &raw(2)).unwrap().key_slots("main").unwrap()[0].id, slot.id);
}

#[test]
fn a_change_is_refused_where_it_could_not_be_kept() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    let path = scratch.path();
    let own = database.key_slots("main").unwrap()[0].id;
    for begin in ["BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT a"] {
        database.execute_batch(begin).unwrap();
        assert_code(database.add_key_slot("main", &raw(1), None), "STRONGROOM_IN_TRANSACTION");
        assert_code(database.remove_key_slot("main", own), "STRONGROOM_IN_TRANSACTION");
        assert_eq!(database.key_slots("main").unwrap().len(), 1);
        database.execute_batch("ROLLBACK").unwrap();
    }
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let reader = Database::open(Location::File(&path), &plain_key(), &options).unwrap();
    assert_code(reader.add_key_slot("main", &raw(1), None), "SQLITE_READONLY");
    assert_eq!(reader.key_slots("main").unwrap().len(), 1);
    database.execute_batch("PRAGMA query_only = ON").unwrap();
    assert_code(database.add_key_slot("main", &raw(1), None), "SQLITE_READONLY");
    database.execute_batch("PRAGMA query_only = OFF").unwrap();
    assert_code(database.add_key_slot("absent", &raw(1), None), "STRONGROOM_NOT_ATTACHED");
    assert_code(database.key_slots("temp"), "STRONGROOM_NOT_ATTACHED");
    let sqlcipher = raw(1).with_format(Format::SqlCipher).unwrap();
    assert_code(database.add_key_slot("main", &sqlcipher, None), "STRONGROOM_KEY_PARAMETER");
    database.close().unwrap();
    assert_code(database.key_slots("main"), "STRONGROOM_CLOSED");
    assert_code(database.add_key_slot("main", &raw(1), None), "STRONGROOM_CLOSED");

    let memory = Database::open(Location::Memory, &sealed_key(4_096), &OpenOptions::default()).unwrap();
    assert_code(memory.key_slots("main"), "STRONGROOM_NO_SLOTS");
    for key in [None, Some(plain_key())] {
        let file = Scratch::new();
        let other = match &key {
            None => file.open_plain(),
            Some(key) => file.open_with(key).unwrap(),
        };
        other.execute_batch("CREATE TABLE t (a)").unwrap();
        let message = assert_code(other.key_slots("main"), "STRONGROOM_NO_SLOTS");
        assert!(message.contains(if key.is_some() { "migrate()" } else { "encrypt()" }), "{message}");
    }
}

#[test]
fn an_attached_file_has_its_own_slots() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    let path = scratch.folder().join("attached.db");
    let key = sealed_key(1_024);
    Database::open(Location::File(&path), &key, &OpenOptions::default())
        .unwrap()
        .execute_batch("CREATE TABLE u (a)")
        .unwrap();
    database.attach(Location::File(&path), "other", &strongroom_database::AttachOptions::default()).unwrap();
    database.add_key_slot("other", &raw(1), Some("attached")).unwrap();
    assert_eq!(labels(&database.key_slots("other").unwrap()), [None, Some("attached")]);
    assert_eq!(database.key_slots("main").unwrap().len(), 1);
    assert!(open(&path, &raw(1)).is_ok() && open(&scratch.path(), &raw(1)).is_err());
}

#[test]
fn a_named_slot_is_the_only_one_that_is_tried() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    let path = scratch.path();
    let slot = database.add_key_slot("main", &raw(1), None).unwrap();
    let own = database.key_slots("main").unwrap()[0].id;
    let code = |key: Key, id| open(&path, &key.with_slot(id)).err().map(|error| error.code());
    assert_eq!(code(raw(1), slot.id), None);
    assert_eq!(code(raw(1), own), Some("STRONGROOM_WRONG_KEY"));
    assert_eq!(code(plain_key(), own), None);
    assert_eq!(code(plain_key(), SlotId([9; 8])), Some("STRONGROOM_UNKNOWN_SLOT"));
    let passphrase = Key::passphrase(b"a").unwrap();
    assert_eq!(code(passphrase, own), Some("STRONGROOM_UNKNOWN_SLOT"), "a slot for a raw key");
}

#[test]
fn a_recovery_code_creates_no_file_and_opens_no_file_of_another_format() {
    let key = || Key::recovery_code(&RecoveryCode::generate().unwrap());
    let scratch = Scratch::new();
    let created = scratch.open_with(&key());
    assert_eq!(created.unwrap_err().code(), "STRONGROOM_KEY_RECOVERY");
    let sealed = key().with_format(Format::Strongroom).unwrap();
    assert_eq!(scratch.open_with(&sealed).unwrap_err().code(), "STRONGROOM_KEY_RECOVERY");
    scratch.open_with(&plain_key()).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(scratch.open_with(&key()).unwrap_err().code(), "STRONGROOM_KEY_RECOVERY");
    let other = Scratch::new();
    create(&other, "delete");
    let wrong = open(&other.path(), &key()).unwrap_err();
    assert_eq!(wrong.code(), "STRONGROOM_WRONG_KEY", "{wrong}");
}

/// A change writes each copy once, also where one copy was damaged before.
#[test]
fn a_change_repairs_a_damaged_copy_of_the_header() {
    for damaged in [0, HEADER / 2] {
        let scratch = Scratch::new();
        create(&scratch, "delete").close().unwrap();
        let mut bytes = std::fs::read(scratch.path()).unwrap();
        bytes[damaged + 100] ^= 1;
        std::fs::write(scratch.path(), &bytes).unwrap();
        let database = open(&scratch.path(), &plain_key()).unwrap();
        database.add_key_slot("main", &raw(1), None).unwrap();
        let bytes = std::fs::read(scratch.path()).unwrap();
        assert_eq!(bytes[..HEADER / 2], bytes[HEADER / 2..HEADER]);
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        assert!(open(&scratch.path(), &raw(1)).is_ok() && open(&scratch.path(), &plain_key()).is_ok());
    }
}

/// A backup is of no use to someone who has only the recovery code if the code does not open it.
#[test]
fn every_key_of_a_file_opens_its_backups_and_images() {
    let scratch = Scratch::new();
    let database = create(&scratch, "wal");
    let code = RecoveryCode::generate().unwrap();
    let removed = database.add_key_slot("main", &raw(1), None).unwrap();
    // The connection that makes the copy has not seen these changes.
    let copying = open(&scratch.path(), &plain_key()).unwrap();
    database.add_key_slot("main", &Key::recovery_code(&code), Some("paper")).unwrap();
    database.remove_key_slot("main", removed.id).unwrap();

    let backup = scratch.folder().join("backup.db");
    let mut running = copying.backup("main", &backup, BackupKey::Source).unwrap();
    while !running.step(100).unwrap().copied {}
    running.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
    let image = copying.serialize_encrypted("main", None).unwrap();
    let options = OpenOptions::default();
    for key in [plain_key(), Key::recovery_code(&code)] {
        assert_eq!(count(&open(&backup, &key).unwrap()), 1);
        assert_eq!(count(&Database::open(Location::Image(&image), &key, &options).unwrap()), 1);
    }
    assert!(open(&backup, &raw(1)).is_err());
    assert!(Database::open(Location::Image(&image), &raw(1), &options).is_err());
    assert_eq!(
        labels(&open(&backup, &plain_key()).unwrap().key_slots("main").unwrap()),
        [None, Some("paper")]
    );
    // A change in the backup concerns the backup alone.
    let copy = open(&backup, &plain_key()).unwrap();
    copy.add_key_slot("main", &raw(2), None).unwrap();
    assert!(open(&backup, &raw(2)).is_ok() && open(&scratch.path(), &raw(2)).is_err());
}

/// A raw key in two slots would still open the file after the removal of one of them.
#[test]
fn a_key_that_another_slot_has_is_refused() {
    let scratch = Scratch::new();
    let database = create(&scratch, "delete");
    let code = RecoveryCode::generate().unwrap();
    let recovery = || Key::recovery_code(&code);
    let slot = database.add_key_slot("main", &recovery(), None).unwrap();
    let other = database.add_key_slot("main", &raw(1), None).unwrap();
    for key in [recovery(), raw(1), plain_key()] {
        let before = std::fs::read(scratch.path()).unwrap();
        assert_code(database.add_key_slot("main", &key, None), "STRONGROOM_DUPLICATE_SLOT");
        assert_eq!(std::fs::read(scratch.path()).unwrap(), before);
    }
    let change = |key: &Key, id| {
        database.change_key_slot("main", id, &SlotChange { key: Some(key), ..SlotChange::default() })
    };
    let message = assert_code(change(&raw(1), slot.id), "STRONGROOM_DUPLICATE_SLOT");
    assert!(message.contains(&other.id.to_string()), "{message}");
    // A slot may get its own key again.
    change(&raw(1), other.id).unwrap();
    let refused = database.rekey("main", &raw(1), &mut |_| true).unwrap_err();
    assert_eq!(refused.code(), "STRONGROOM_DUPLICATE_SLOT", "{refused}");
    database.rekey("main", &plain_key(), &mut |_| true).unwrap();
}
