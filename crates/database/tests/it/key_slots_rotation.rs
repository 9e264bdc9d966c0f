//! Tests giving a file in the Strongroom format a new data key.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_database::{
    Database, KeySlotError, Location, OpenOptions, Rotated, RotationOptions, SlotChange,
};
use strongroom_format::Header;
use strongroom_keys::{Key, RecoveryCode};

use crate::scratch::{Scratch, assert_sound, integer};
use crate::sealed_file::{HEADER, plain_key, sealed_key};

fn raw(byte: u8) -> Key {
    Key::raw(&[byte; 32]).unwrap()
}

fn opens(path: &Path, key: &Key) -> bool {
    let options = OpenOptions { must_exist: true, ..OpenOptions::default() };
    Database::open(Location::File(path), key, &options)
        .is_ok_and(|database| integer(&database, "SELECT count(*) FROM t") == 300)
}

fn create(scratch: &Scratch, journal: &str) -> Database {
    let database = scratch.open_with(&sealed_key(1_024)).unwrap();
    let sql = format!(
        "PRAGMA journal_mode = {journal}; CREATE TABLE t (a); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 \
         FROM n WHERE i < 300) INSERT INTO t SELECT randomblob(100) FROM n"
    );
    database.execute_batch(&sql).unwrap();
    database
}

fn rotate(database: &Database, options: RotationOptions) -> Result<Rotated, KeySlotError> {
    let rotation = database.rotation(options)?;
    database.close().unwrap();
    rotation.run(&mut |_| ControlFlow::Continue(()))
}

#[test]
fn a_rotation_keeps_the_slots_whose_keys_are_given() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let path = scratch.path();
        let database = create(&scratch, journal);
        let code = RecoveryCode::generate().unwrap();
        let recovery = database.add_key_slot("main", &Key::recovery_code(&code), Some("paper")).unwrap();
        let passphrase = || Key::passphrase(b"Ada's").unwrap();
        let ada = database.add_key_slot("main", &passphrase(), Some("Ada")).unwrap();
        let lost = database.add_key_slot("main", &raw(1), Some("lost")).unwrap();
        let own = database.key_slots("main").unwrap()[0].clone();
        let before = fs::read(&path).unwrap();

        let secrets = || vec![Key::recovery_code(&code), passphrase()];
        let missing = database.rotation(RotationOptions { secrets: secrets(), ..RotationOptions::default() });
        let missing = missing.unwrap_err();
        assert_eq!(missing.code(), "STRONGROOM_SLOT_SECRETS");
        assert!(missing.to_string().contains("lost") && !missing.to_string().contains("Ada"), "{missing}");
        let unknown =
            RotationOptions { secrets: vec![raw(7)], drop_others: true, ..RotationOptions::default() };
        assert_eq!(database.rotation(unknown).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), 300, "the connection is still open");

        let keep = scratch.folder().join("old.db");
        let options = RotationOptions {
            secrets: secrets(),
            drop_others: true,
            keep: Some(keep.clone()),
            ..RotationOptions::default()
        };
        let rotated = rotate(&database, options).unwrap();
        assert_eq!(rotated.dropped, [lost], "{journal}");
        assert_eq!(rotated.converted.rows, 300);
        assert!(opens(&path, &plain_key()) && opens(&path, &passphrase()));
        assert!(opens(&path, &Key::recovery_code(&code)) && !opens(&path, &raw(1)));
        assert!(opens(&keep, &raw(1)) && opens(&keep, &plain_key()), "the original is kept unchanged");

        let database = scratch.open_with(&plain_key()).unwrap();
        let slots = database.key_slots("main").unwrap();
        assert_eq!(slots, [own, recovery, ada], "ids, labels and times stay");
        assert_eq!(integer(&database, "PRAGMA page_size"), 1_024);
        assert_sound(&database);
        assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        database.close().unwrap();

        // The header and the pages of the old file no longer fit.
        let after = fs::read(&path).unwrap();
        let (old, new) = (Header::read(&before).unwrap(), Header::read(&after).unwrap());
        assert_ne!(old.file_id(), new.file_id());
        let revived = [&before[..HEADER], &after[HEADER..]].concat();
        fs::write(scratch.folder().join("revived.db"), revived).unwrap();
        let revived = scratch.folder().join("revived.db");
        let revived = Database::open(Location::File(&revived), &raw(1), &OpenOptions::default());
        assert_eq!(revived.unwrap_err().code(), "STRONGROOM_DAMAGED_PAGE");
    }
}

/// Without a rotation, an old header revives the slots of its time, as docs/keys.md says.
#[test]
fn an_old_header_revives_a_removed_slot_until_the_rotation() {
    let scratch = Scratch::new();
    let path = scratch.path();
    let database = create(&scratch, "delete");
    let removed = database.add_key_slot("main", &raw(1), None).unwrap();
    let old_header = fs::read(&path).unwrap()[..HEADER].to_vec();
    database.remove_key_slot("main", removed.id).unwrap();
    database.close().unwrap();
    assert!(!opens(&path, &raw(1)));
    let mut bytes = fs::read(&path).unwrap();
    bytes[..HEADER].copy_from_slice(&old_header);
    fs::write(&path, &bytes).unwrap();
    assert!(opens(&path, &raw(1)));
}

#[test]
fn a_rotation_is_refused_while_the_file_is_in_use() {
    let scratch = Scratch::new();
    let database = create(&scratch, "wal");
    let other = scratch.open_with(&plain_key()).unwrap();
    assert_eq!(database.rotation(RotationOptions::default()).unwrap_err().code(), "STRONGROOM_IN_USE");
    other.close().unwrap();
    for (keep, code) in [
        ("test.db", "STRONGROOM_EXISTS"),
        ("old.db-wal", "STRONGROOM_RESERVED_NAME"),
        ("missing/old.db", "SQLITE_CANTOPEN"),
    ] {
        let keep = Some(scratch.folder().join(keep));
        let refused = database.rotation(RotationOptions { keep, ..RotationOptions::default() }).unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
    database.execute_batch("BEGIN").unwrap();
    let refused = database.rotation(RotationOptions::default()).unwrap_err();
    assert_eq!(refused.code(), "STRONGROOM_IN_TRANSACTION");
    database.execute_batch("ROLLBACK").unwrap();
    // A connection that opens the file before the rotation runs.
    let rotation = database.rotation(RotationOptions::default()).unwrap();
    database.close().unwrap();
    let other = scratch.open_with(&plain_key()).unwrap();
    let before = fs::read(scratch.path()).unwrap();
    let error = rotation.run(&mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_IN_USE", "{error}");
    assert_eq!(integer(&other, "SELECT count(*) FROM t"), 300);
    assert_eq!(fs::read(scratch.path()).unwrap(), before);
}

/// Slots that change between the preparation and the rotation are not lost.
#[test]
fn a_rotation_has_the_slots_of_the_moment_at_which_it_locks_the_file() {
    let scratch = Scratch::new();
    let path = scratch.path();
    let database = create(&scratch, "delete");
    let own = database.key_slots("main").unwrap()[0].id;
    let options = || RotationOptions { secrets: vec![raw(1)], ..RotationOptions::default() };
    let added = database.add_key_slot("main", &raw(1), None).unwrap();
    let rotation = database.rotation(options()).unwrap();
    let label = SlotChange { label: Some(Some("new label")), ..SlotChange::default() };
    database.change_key_slot("main", added.id, &label).unwrap();
    database.close().unwrap();
    rotation.run(&mut |_| ControlFlow::Continue(())).unwrap();
    let database = scratch.open_with(&raw(1)).unwrap();
    let slots = database.key_slots("main").unwrap();
    assert_eq!(slots[1].label.as_deref(), Some("new label"));
    assert_eq!(slots[0].id, own);

    let rotation = database.rotation(RotationOptions { secrets: vec![plain_key()], ..options() }).unwrap();
    database.add_key_slot("main", &raw(3), Some("late")).unwrap();
    database.close().unwrap();
    let refused = rotation.run(&mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(refused.code(), "STRONGROOM_SLOT_SECRETS", "{refused}");
    assert!(opens(&path, &raw(3)));
}

#[test]
fn a_cancelled_rotation_changes_nothing() {
    let scratch = Scratch::new();
    let database = create(&scratch, "wal");
    let rotation = database.rotation(RotationOptions::default()).unwrap();
    database.close().unwrap();
    let before = fs::read(scratch.path()).unwrap();
    let mut calls = 0;
    let error = rotation.run(&mut |_| {
        calls += 1;
        if calls > 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(error.unwrap_err().code(), "STRONGROOM_CANCELLED");
    assert_eq!(fs::read(scratch.path()).unwrap(), before);
    assert!(opens(&scratch.path(), &plain_key()));
}
