//! Tests further connections to the file of an open database. The unit tests of the engine count key derivations.

use std::fs;
use std::thread;

use strongroom_database::{Database, Location, OpenError, OpenOptions, SlotChange};
use strongroom_keys::{Format, Key};

use crate::scratch::{Scratch, assert_sound, integer, key, memory};

fn options() -> OpenOptions {
    OpenOptions::default()
}

fn sealed(scratch: &Scratch) -> Database {
    let key = key().with_format(Format::Strongroom).unwrap();
    Database::open(Location::File(&scratch.path()), &key, &options()).unwrap()
}

fn new_key() -> Key {
    Key::raw(&[7; 32]).unwrap()
}

fn code(result: Result<Database, OpenError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn readers_on_other_threads_see_the_commits_of_the_writer() {
    type Open = fn(&Scratch) -> Database;
    for open in [Scratch::open_plain as Open, Scratch::open, sealed] {
        let scratch = Scratch::new();
        let writer = open(&scratch);
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a)").unwrap();
        let connector = writer.connector().unwrap();
        assert_eq!(connector.path().canonicalize().unwrap(), scratch.path().canonicalize().unwrap());
        for row in 1..=3 {
            writer.execute_batch(&format!("BEGIN IMMEDIATE; INSERT INTO t VALUES ({row})")).unwrap();
            // A reader runs beside the transaction, and does not see it.
            let count = || {
                let reader = connector.open(&OpenOptions { read_only: true, ..options() }).unwrap();
                assert!(reader.is_read_only());
                integer(&reader, "SELECT count(*) FROM t")
            };
            let counts = thread::scope(|scope| {
                let readers = [scope.spawn(count), scope.spawn(count)];
                readers.map(|reader| reader.join().unwrap())
            });
            assert_eq!(counts, [row - 1; 2]);
            writer.execute_batch("COMMIT").unwrap();
            assert_eq!(count(), row);
        }
        assert_sound(&writer);
    }
}

#[test]
fn after_a_rekey_only_a_new_connector_opens_the_file() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = scratch.open();
        database.execute_batch(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE t (a)")).unwrap();
        let before = database.connector().unwrap();
        database.rekey("main", &new_key(), &mut |_| true).unwrap();
        assert_eq!(code(before.open(&options())), "STRONGROOM_WRONG_KEY", "{journal}");
        let after = database.connector().unwrap().open(&options()).unwrap();
        assert_eq!(integer(&after, "SELECT count(*) FROM t"), 0);
        after.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), 1);
    }
}

#[test]
fn after_a_change_of_the_key_slot_only_a_new_connector_opens_the_file() {
    let scratch = Scratch::new();
    let database = sealed(&scratch);
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let before = database.connector().unwrap();
    database.rekey("main", &new_key(), &mut |_| true).unwrap();
    assert_eq!(code(before.open(&options())), "STRONGROOM_KEY_CHANGED");
    let after = database.connector().unwrap().open(&options()).unwrap();
    assert_eq!(integer(&after, "SELECT count(*) FROM t"), 0);

    // Another connection changes the slot of this one.
    let connector = database.connector().unwrap();
    let slot = after.key_slots("main").unwrap()[0].id;
    let change = SlotChange { key: Some(&key()), label: None };
    after.change_key_slot("main", slot, &change).unwrap();
    assert_eq!(code(connector.open(&options())), "STRONGROOM_KEY_CHANGED");
}

#[test]
fn a_database_without_a_file_has_no_connector() {
    assert!(matches!(memory().connector(), Err(OpenError::InMemory)));
    let plain = Database::open_unencrypted(Location::Memory, &options()).unwrap();
    let error = plain.connector().unwrap_err();
    assert_eq!(error.code(), "SQLITE_MISUSE");
    assert!(error.to_string().contains("in-memory"), "{error}");
    let scratch = Scratch::new();
    let closed = scratch.open();
    closed.close().unwrap();
    assert_eq!(closed.connector().unwrap_err().code(), "SQLITE_MISUSE");
}

#[test]
fn a_file_that_was_replaced_or_removed_is_not_opened() {
    let scratch = Scratch::new();
    let path = scratch.path();
    let database = scratch.open_plain();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let connector = database.connector().unwrap();
    database.close().unwrap();
    assert_eq!(code(connector.open(&options())), "ok");
    let moved = scratch.folder().join("moved.db");
    fs::rename(&path, &moved).unwrap();
    // The options permit a new file.
    let missing = connector.open(&OpenOptions { must_exist: false, ..options() });
    assert!(matches!(missing, Err(OpenError::MissingFile { .. })), "{missing:?}");
    assert!(!path.exists());
    scratch.open_plain().execute_batch("CREATE TABLE other (a)").unwrap();
    // On Windows, a file is known only by its path.
    let expected = if cfg!(unix) { "SQLITE_READONLY_DBMOVED" } else { "ok" };
    assert_eq!(code(connector.open(&options())), expected);
    fs::rename(&moved, &path).unwrap();
    assert_eq!(code(connector.open(&options())), "ok");
}

#[test]
fn a_plain_file_that_was_encrypted_meanwhile_is_not_opened_as_plain() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    let connector = database.connector().unwrap();
    database.close().unwrap();
    let sealed = sealed(&scratch);
    sealed.execute_batch("CREATE TABLE t (a)").unwrap();
    sealed.close().unwrap();
    // A file that was empty, or did not exist, has no identity.
    assert!(
        ["STRONGROOM_KEY_REQUIRED", "SQLITE_READONLY_DBMOVED"].contains(&code(connector.open(&options())))
    );
}

#[test]
fn a_connector_shows_no_key() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let connector = database.connector().unwrap();
    assert_eq!(format!("{connector:?}"), format!("Connector {{ path: {:?}, .. }}", connector.path()));
}
