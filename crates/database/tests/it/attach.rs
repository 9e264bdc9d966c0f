//! Tests attached databases: keys, errors, and the state after a failed call.

use std::fs;
use std::path::Path;

use strongroom_database::{
    AttachError, AttachKey, AttachOptions, Database, Location, OpenError, OpenOptions, SqlError,
};
use strongroom_keys::{CipherParameters, HashAlgorithm, Key};

use crate::scratch::{Owned, Scratch, integer, key, memory, rows, text, value};

fn attach(database: &Database, path: &Path, key: AttachKey<'_>) -> Result<(), AttachError> {
    database.attach(Location::File(path), "other", &AttachOptions { key, ..AttachOptions::default() })
}

/// Writes a file, which is encrypted if a key is given. Returns the path.
fn other(scratch: &Scratch, name: &str, key: Option<&Key>) -> std::path::PathBuf {
    let path = scratch.folder().join(name);
    let location = Location::File(&path);
    let options = OpenOptions::default();
    let database = match key {
        Some(key) => Database::open(location, key, &options).unwrap(),
        None => Database::open_unencrypted(location, &options).unwrap(),
    };
    database.execute_batch("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('in the other file')").unwrap();
    database.close().unwrap();
    path
}

fn passphrase(parameters: CipherParameters) -> Key {
    let parameters = CipherParameters { kdf_iter: Some(500), ..parameters };
    Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap()
}

fn attached(database: &Database) -> Vec<String> {
    let list = rows(database, "SELECT name FROM pragma_database_list", &[]).unwrap();
    list.into_iter()
        .map(|mut row| match row.remove(0) {
            Owned::Text(name) => name,
            other => panic!("a name is {other:?}"),
        })
        .collect()
}

fn assert_read(database: &Database) {
    assert_eq!(value(database, "SELECT a FROM other.t", &[]).unwrap(), text("in the other file"));
}

#[test]
fn an_attached_file_opens_with_its_own_key() {
    let different = Key::raw(&[7; 32]).unwrap();
    let cases = [
        ("raw", different),
        ("passphrase", passphrase(CipherParameters::default())),
        ("version 3", passphrase(CipherParameters { compatibility: Some(3), ..Default::default() })),
        ("version 1", passphrase(CipherParameters { compatibility: Some(1), ..Default::default() })),
        ("page size", passphrase(CipherParameters { page_size: Some(16_384), ..Default::default() })),
        (
            "hashes",
            passphrase(CipherParameters {
                kdf_algorithm: Some(HashAlgorithm::Sha256),
                hmac_algorithm: Some(HashAlgorithm::Sha1),
                ..Default::default()
            }),
        ),
        ("mask", passphrase(CipherParameters { hmac_salt_mask: Some(0), ..Default::default() })),
        ("no HMAC", passphrase(CipherParameters { use_hmac: Some(false), ..Default::default() })),
        (
            "header",
            passphrase(CipherParameters {
                plaintext_header_size: Some(32),
                salt: Some([9; 16]),
                ..Default::default()
            }),
        ),
    ];
    for encrypted in [true, false] {
        for (name, key) in &cases {
            let scratch = Scratch::new();
            let path = other(&scratch, "other.db", Some(key));
            let main = if encrypted { scratch.open() } else { scratch.open_plain() };
            attach(&main, &path, AttachKey::Key(key)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_read(&main);
            main.execute_batch("CREATE TABLE other.u (b); INSERT INTO other.u VALUES (1)").unwrap();
            main.detach("other").unwrap();
            let again = Database::open(Location::File(&path), key, &OpenOptions::default()).unwrap();
            assert_eq!(integer(&again, "SELECT b FROM u"), 1, "{name}");
        }
    }
}

#[test]
fn a_new_attached_file_is_encrypted_with_its_key() {
    let scratch = Scratch::new();
    let path = scratch.folder().join("new.db");
    let key = passphrase(CipherParameters { page_size: Some(8_192), ..Default::default() });
    let main = scratch.open();
    attach(&main, &path, AttachKey::Key(&key)).unwrap();
    main.execute_batch("CREATE TABLE other.t (a TEXT); INSERT INTO other.t VALUES ('in the other file')")
        .unwrap();
    main.close().unwrap();
    assert!(!fs::read(&path).unwrap().windows(9).any(|bytes| bytes == b"the other"));
    let again = Database::open(Location::File(&path), &key, &OpenOptions::default()).unwrap();
    assert_eq!(value(&again, "SELECT a FROM t", &[]).unwrap(), text("in the other file"));
}

#[test]
fn a_plain_file_is_attached_only_on_request() {
    let scratch = Scratch::new();
    let path = other(&scratch, "plain.db", None);
    let main = scratch.open();
    let error = attach(&main, &path, AttachKey::OfMain).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_NOT_ENCRYPTED", "{error}");
    let error = attach(&main, &path, AttachKey::Key(&key())).unwrap_err();
    assert!(matches!(error, AttachError::Open { source: OpenError::NotEncrypted { .. } }), "{error:?}");
    assert_eq!(attached(&main), ["main"]);
    attach(&main, &path, AttachKey::Plain).unwrap();
    assert_read(&main);
    main.execute_batch("INSERT INTO other.t VALUES ('written in plain')").unwrap();
    main.close().unwrap();
    assert!(fs::read(&path).unwrap().windows(16).any(|bytes| bytes == b"written in plain"));
    let plain_main = scratch.folder().join("main.db");
    let main = Database::open_unencrypted(Location::File(&plain_main), &OpenOptions::default()).unwrap();
    attach(&main, &path, AttachKey::OfMain).unwrap();
    assert_read(&main);
}

#[test]
fn an_encrypted_file_is_not_attached_as_a_plain_one() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let before = fs::read(&path).unwrap();
    let main = scratch.open_plain();
    for key in [AttachKey::Plain, AttachKey::OfMain] {
        let error = attach(&main, &path, key).unwrap_err();
        assert_eq!(error.code(), "SQLITE_NOTADB");
        assert!(error.to_string().contains("other.db") && error.to_string().contains("encrypted"), "{error}");
    }
    assert_eq!(attached(&main), ["main"]);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_wrong_key_leaves_nothing_attached() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let before = fs::read(&path).unwrap();
    let main = scratch.open();
    main.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (5)").unwrap();
    for wrong in [Key::raw(&[1; 32]).unwrap(), passphrase(CipherParameters::default())] {
        let error = attach(&main, &path, AttachKey::Key(&wrong)).unwrap_err();
        assert!(matches!(error, AttachError::Open { source: OpenError::WrongKey { .. } }), "{error:?}");
        assert_eq!(error.code(), "STRONGROOM_WRONG_KEY");
        assert_eq!(attached(&main), ["main"]);
        assert_eq!(integer(&main, "SELECT a FROM t"), 5);
    }
    assert!(fs::read(&path).unwrap() == before);
    attach(&main, &path, AttachKey::Key(&key())).unwrap();
    assert_read(&main);
}

#[test]
fn an_attached_file_without_its_own_key_uses_the_key_of_the_main_database() {
    let parameters = CipherParameters {
        compatibility: Some(3),
        page_size: Some(2_048),
        hmac_algorithm: Some(HashAlgorithm::Sha256),
        ..Default::default()
    };
    for main_key in [key().with_cipher(parameters).unwrap(), passphrase(parameters)] {
        let scratch = Scratch::new();
        let path = scratch.folder().join("new.db");
        let main = scratch.open_with(&main_key).unwrap();
        main.execute_batch("CREATE TABLE t (a)").unwrap();
        attach(&main, &path, AttachKey::OfMain).unwrap();
        main.execute_batch("CREATE TABLE other.t (a TEXT); INSERT INTO other.t VALUES ('in the other file')")
            .unwrap();
        main.detach("other").unwrap();
        // The new file has the key, the parameters and the salt of the main database.
        let again = Database::open(Location::File(&path), &main_key, &OpenOptions::default()).unwrap();
        assert_eq!(value(&again, "SELECT a FROM t", &[]).unwrap(), text("in the other file"));
        again.close().unwrap();
        attach(&main, &path, AttachKey::OfMain).unwrap();
        assert_read(&main);
    }
}

#[test]
fn the_raw_key_of_the_main_database_opens_a_file_with_another_salt() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let wide = key().with_cipher(CipherParameters { page_size: Some(8_192), ..Default::default() }).unwrap();
    let wider = other(&scratch, "wider.db", Some(&wide));
    let main = scratch.open();
    main.execute_batch("CREATE TABLE t (a)").unwrap();
    for path in [path, wider] {
        attach(&main, &path, AttachKey::OfMain).unwrap();
        assert_read(&main);
        main.detach("other").unwrap();
    }
}

#[test]
fn the_passphrase_of_the_main_database_does_not_open_a_file_with_another_salt() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&passphrase(CipherParameters::default())));
    let main = scratch.open_with(&passphrase(CipherParameters::default())).unwrap();
    main.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(attach(&main, &path, AttachKey::OfMain).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    attach(&main, &path, AttachKey::Key(&passphrase(CipherParameters::default()))).unwrap();
    assert_read(&main);
}

#[test]
fn a_file_in_wal_mode_can_be_attached_while_another_connection_writes_to_it() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let writer = Database::open(Location::File(&path), &key(), &OpenOptions::default()).unwrap();
    rows(&writer, "PRAGMA journal_mode = wal", &[]).unwrap();
    writer.execute_batch("INSERT INTO t VALUES ('only in the log')").unwrap();
    let main = scratch.open();
    let wrong = Key::raw(&[1; 32]).unwrap();
    assert_eq!(attach(&main, &path, AttachKey::Key(&wrong)).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    attach(&main, &path, AttachKey::Key(&key())).unwrap();
    assert_eq!(integer(&main, "SELECT count(*) FROM other.t"), 2);
    writer.execute_batch("INSERT INTO t VALUES ('later')").unwrap();
    assert_eq!(integer(&main, "SELECT count(*) FROM other.t"), 3);
}

/// SQLite reloads a schema if the version in the file differs from the cached version. Before the key is set, SQLite
/// caches an empty schema with version 0.
#[test]
fn a_schema_of_version_0_is_read() {
    const PAGE: usize = 4_096;
    let scratch = Scratch::new();
    // Without HMAC, flipping a bit of the initialisation vector flips the same bit of the first 16 encrypted bytes.
    let key = key()
        .with_cipher(CipherParameters {
            use_hmac: Some(false),
            plaintext_header_size: Some(32),
            salt: Some([9; 16]),
            ..Default::default()
        })
        .unwrap();
    let path = other(&scratch, "other.db", Some(&key));
    let mut bytes = fs::read(&path).unwrap();
    // Changes the schema version, a big-endian number at byte 40, from 1 to 0.
    bytes[PAGE - 16 + 43 - 32] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let main = scratch.open();
    attach(&main, &path, AttachKey::Key(&key)).unwrap();
    assert_eq!(integer(&main, "PRAGMA other.schema_version"), 0);
    assert_read(&main);
}

#[test]
fn attach_refuses_reserved_and_invalid_names() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let main = scratch.open();
    let attach_as = |name| main.attach(Location::File(&path), name, &AttachOptions::default());
    for name in ["main", "MAIN", "temp", "Temp", "", "a\0b"] {
        assert_eq!(attach_as(name).unwrap_err().code(), "STRONGROOM_ATTACH_NAME", "{name:?}");
    }
    for name in ["a b", "ä\"'`[", "select"] {
        attach_as(name).unwrap();
        assert_eq!(attach_as(name).unwrap_err().code(), "STRONGROOM_ATTACH_NAME", "{name:?}");
        let quoted = name.replace('"', "\"\"");
        assert_eq!(integer(&main, &format!("SELECT count(*) FROM \"{quoted}\".t")), 1);
        main.detach(name).unwrap();
    }
    assert_eq!(attached(&main), ["main"]);
}

#[test]
fn no_more_than_ten_databases_are_attached() {
    let main = memory();
    for number in 0..10 {
        main.attach(Location::Memory, &format!("a{number}"), &AttachOptions::default()).unwrap();
    }
    let error = main.attach(Location::Memory, "a10", &AttachOptions::default()).unwrap_err();
    assert!(matches!(error, AttachError::TooMany { limit: 10, .. }), "{error:?}");
    assert_eq!(error.code(), "STRONGROOM_ATTACH_LIMIT");
}

#[test]
fn each_path_that_cannot_be_opened_has_its_own_error() {
    let scratch = Scratch::new();
    let folder = scratch.folder();
    let main = scratch.open();
    let options = AttachOptions { must_exist: true, ..AttachOptions::default() };
    let attach = |path: &Path, options: &AttachOptions<'_>| {
        main.attach(Location::File(path), "other", options).unwrap_err()
    };
    let missing = attach(&folder.join("none.db"), &options);
    assert!(matches!(missing, AttachError::Open { source: OpenError::MissingFile { .. } }), "{missing:?}");
    let missing = attach(&folder.join("none.db"), &AttachOptions { read_only: true, ..Default::default() });
    assert!(matches!(missing, AttachError::Open { source: OpenError::MissingFile { .. } }), "{missing:?}");
    let no_folder = attach(&folder.join("none/a.db"), &AttachOptions::default());
    let AttachError::Open { source: OpenError::MissingDirectory { source, .. } } = no_folder else {
        panic!("{no_folder:?}")
    };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    let directory = attach(&folder, &AttachOptions::default());
    assert!(matches!(directory, AttachError::Open { source: OpenError::Directory { .. } }), "{directory:?}");
    let empty = attach(Path::new(""), &AttachOptions::default());
    assert!(matches!(empty, AttachError::Open { source: OpenError::EmptyPath }), "{empty:?}");
    assert!(!folder.join("none.db").exists());
    assert_eq!(attached(&main), ["main"]);
}

#[test]
fn a_path_that_looks_like_a_uri_is_a_path() {
    let scratch = Scratch::new();
    let main = scratch.open();
    let path = scratch.folder().join("file:a.db?mode=memory");
    attach(&main, &path, AttachKey::OfMain).unwrap();
    main.execute_batch("CREATE TABLE other.t (a)").unwrap();
    assert!(path.exists());
}

#[test]
fn a_file_can_be_attached_read_only() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let main = scratch.open();
    let read_only =
        AttachOptions { key: AttachKey::Key(&key()), read_only: true, ..AttachOptions::default() };
    main.attach(Location::File(&path), "other", &read_only).unwrap();
    assert_read(&main);
    let error = main.execute_batch("INSERT INTO other.t VALUES (1)").unwrap_err();
    assert_eq!(error.code(), "SQLITE_READONLY");
    main.execute_batch("CREATE TABLE t (a)").unwrap();
    main.detach("other").unwrap();
    // `read_only` does not apply to later attached databases.
    attach(&main, &path, AttachKey::Key(&key())).unwrap();
    main.execute_batch("INSERT INTO other.t VALUES (1)").unwrap();
}

#[test]
fn a_main_database_opened_with_must_exist_attaches_new_files() {
    let scratch = Scratch::new();
    scratch.open().execute_batch("CREATE TABLE t (a)").unwrap();
    let path = scratch.path();
    let open = |options: &OpenOptions| Database::open(Location::File(&path), &key(), options).unwrap();
    let main = open(&OpenOptions { must_exist: true, ..OpenOptions::default() });
    let new = scratch.folder().join("new.db");
    attach(&main, &new, AttachKey::OfMain).unwrap();
    main.execute_batch("CREATE TABLE other.t (a TEXT); INSERT INTO other.t VALUES ('in the other file')")
        .unwrap();
    assert_read(&main);
    main.close().unwrap();
    let main = open(&OpenOptions { read_only: true, ..OpenOptions::default() });
    let missing = attach(&main, &scratch.folder().join("newer.db"), AttachKey::OfMain).unwrap_err();
    assert!(matches!(missing, AttachError::Open { source: OpenError::MissingFile { .. } }), "{missing:?}");
    attach(&main, &new, AttachKey::OfMain).unwrap();
    assert_eq!(main.execute_batch("DELETE FROM other.t").unwrap_err().code(), "SQLITE_READONLY");
}

#[test]
fn attach_refuses_a_file_with_another_text_encoding() {
    let scratch = Scratch::new();
    for (name, key) in [("plain.db", None), ("encrypted.db", Some(key()))] {
        let path = scratch.folder().join(name);
        let location = Location::File(&path);
        let wide = match &key {
            Some(key) => Database::open(location, key, &OpenOptions::default()).unwrap(),
            None => Database::open_unencrypted(location, &OpenOptions::default()).unwrap(),
        };
        wide.execute_batch("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a)").unwrap();
        wide.close().unwrap();
        let main = scratch.open();
        main.execute_batch("CREATE TABLE IF NOT EXISTS t (a)").unwrap();
        let key = key.as_ref().map_or(AttachKey::Plain, AttachKey::Key);
        let error = attach(&main, &path, key).unwrap_err();
        assert!(matches!(error, AttachError::Encoding { .. }), "{name}: {error:?}");
        assert_eq!(attached(&main), ["main"]);
    }
}

#[test]
fn a_truncated_file_is_not_attached() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let good = fs::read(&path).unwrap();
    let main = scratch.open();
    for (length, code) in [(good.len() - 4_096, "SQLITE_CORRUPT"), (good.len() - 1, "STRONGROOM_TRUNCATED")] {
        fs::write(&path, &good[..length]).unwrap();
        assert_eq!(attach(&main, &path, AttachKey::Key(&key())).unwrap_err().code(), code, "{length} bytes");
        assert_eq!(attached(&main), ["main"]);
    }
}

#[test]
fn a_damaged_page_of_an_attached_file_is_an_error_and_leaves_the_main_database_usable() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let mut bytes = fs::read(&path).unwrap();
    bytes[4_096 + 100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let main = scratch.open();
    main.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (5)").unwrap();
    attach(&main, &path, AttachKey::Key(&key())).unwrap();
    assert_eq!(value(&main, "SELECT a FROM other.t", &[]).unwrap_err(), SqlError::PageAuthentication);
    assert_eq!(integer(&main, "SELECT a FROM t"), 5);
    let error = main.prepare("SELECT nonsense FROM t").unwrap_err();
    assert!(error.to_string().contains("no such column"), "{error}");
}

#[test]
fn attach_and_detach_fail_during_a_transaction() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let main = scratch.open();
    main.execute_batch("BEGIN").unwrap();
    let error = attach(&main, &path, AttachKey::OfMain).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_IN_TRANSACTION");
    main.execute_batch("COMMIT").unwrap();
    attach(&main, &path, AttachKey::OfMain).unwrap();
    main.execute_batch("BEGIN; INSERT INTO other.t VALUES (1)").unwrap();
    let error = main.detach("other").unwrap_err();
    assert!(matches!(error, AttachError::InUse { .. }), "{error:?}");
    assert_eq!(error.code(), "SQLITE_LOCKED");
    main.execute_batch("COMMIT").unwrap();
    let mut running = main.prepare("SELECT a FROM other.t").unwrap();
    assert!(running.step().unwrap().is_some());
    assert!(matches!(main.detach("other"), Err(AttachError::InUse { .. })));
    running.reset();
    main.detach("other").unwrap();
    assert_eq!(main.detach("other").unwrap_err().code(), "STRONGROOM_NOT_ATTACHED");
    assert_eq!(main.detach("main").unwrap_err().code(), "STRONGROOM_ATTACH_NAME");
}

#[test]
fn cached_statements_follow_the_attached_databases() {
    let scratch = Scratch::new();
    let path = other(&scratch, "other.db", Some(&key()));
    let main = scratch.open();
    main.execute_batch("CREATE TABLE u (a)").unwrap();
    let sql = "SELECT a FROM t";
    assert!(main.prepare(sql).is_err());
    for _ in 0..2 {
        attach(&main, &path, AttachKey::OfMain).unwrap();
        assert_eq!(value(&main, sql, &[]).unwrap(), text("in the other file"));
        main.detach("other").unwrap();
        assert!(main.prepare(sql).is_err());
    }
}

#[test]
fn memory_is_attached_with_and_without_a_key() {
    let scratch = Scratch::new();
    for main in [memory(), scratch.open()] {
        let own = Key::raw(&[3; 32]).unwrap();
        for (name, key) in [("a", AttachKey::OfMain), ("b", AttachKey::Plain), ("c", AttachKey::Key(&own))] {
            main.attach(Location::Memory, name, &AttachOptions { key, ..AttachOptions::default() }).unwrap();
            main.execute_batch(&format!("CREATE TABLE {name}.t (a); INSERT INTO {name}.t VALUES (1)"))
                .unwrap();
            assert_eq!(integer(&main, &format!("SELECT a FROM {name}.t")), 1);
        }
    }
}

#[test]
fn the_trace_shows_the_path_and_no_key() {
    use std::cell::RefCell;
    use std::rc::Rc;
    let scratch = Scratch::new();
    let secret = passphrase(CipherParameters::default());
    let path = other(&scratch, "it's.db", Some(&secret));
    let main = scratch.open();
    let seen: Rc<RefCell<Vec<String>>> = Rc::default();
    let notes = Rc::clone(&seen);
    main.set_trace(Some(Box::new(move |sql: &str| {
        notes.borrow_mut().push(sql.to_owned());
        std::ops::ControlFlow::Continue(())
    })));
    attach(&main, &path, AttachKey::Key(&secret)).unwrap();
    main.detach("other").unwrap();
    let escaped = path.display().to_string().replace('\'', "''");
    assert_eq!(*seen.borrow(), [format!("ATTACH '{escaped}' AS \"other\""), "DETACH \"other\"".to_owned()]);
}

#[test]
fn a_closed_database_attaches_nothing() {
    let main = memory();
    main.close().unwrap();
    let error = main.attach(Location::Memory, "a", &AttachOptions::default()).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_CLOSED");
    assert_eq!(main.detach("a").unwrap_err().code(), "STRONGROOM_CLOSED");
}
