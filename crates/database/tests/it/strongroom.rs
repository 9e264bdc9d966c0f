//! Tests files in the Strongroom format: how they are created and recognised, and what each operation does with them.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use strongroom_database::{
    AttachKey, AttachOptions, Database, Location, Migration, OpenError, OpenOptions, SqlError, migrate,
};
use strongroom_keys::{CipherParameters, Format, Key, RecoveryCode};

use crate::scratch::{Owned, Scratch, assert_sound, integer, rows, text, value};

/// The first bytes of a file in the Strongroom format.
pub(crate) const MAGIC: &[u8] = b"\x89Strongroom\r\n\x1a\n\0";
pub(crate) const HEADER: usize = 8_192;

pub(crate) fn sealed() -> Key {
    Key::raw(&[0x5a; 32]).unwrap().with_format(Format::Strongroom).unwrap()
}

/// The same key without a format.
pub(crate) fn plain_key() -> Key {
    Key::raw(&[0x5a; 32]).unwrap()
}

pub(crate) fn other_key() -> Key {
    Key::raw(&[0xa5; 32]).unwrap()
}

pub(crate) fn page_size(size: u32) -> Key {
    let parameters = CipherParameters { page_size: Some(size), ..CipherParameters::default() };
    plain_key().with_cipher(parameters).unwrap().with_format(Format::Strongroom).unwrap()
}

pub(crate) fn open(path: &Path, key: &Key) -> Result<Database, OpenError> {
    Database::open(Location::File(path), key, &OpenOptions::default())
}

/// Fills a database with tables, indexes, overflow pages and free pages.
pub(crate) fn fill(database: &Database) {
    database
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             CREATE INDEX i ON t (v);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 2000)
             INSERT INTO t SELECT i, printf('secret-%0100d', i) FROM n;
             INSERT INTO t VALUES (9999, zeroblob(100000));
             CREATE TABLE gone AS SELECT * FROM t;
             DROP TABLE gone",
        )
        .unwrap();
}

pub(crate) fn assert_filled(database: &Database) {
    assert_eq!(integer(database, "SELECT count(*) FROM t"), 2001);
    assert_eq!(
        value(database, "SELECT v FROM t WHERE id = 77", &[]).unwrap(),
        text(&format!("secret-{:0100}", 77))
    );
    assert_sound(database);
}

pub(crate) fn is_strongroom(path: &Path) -> bool {
    fs::read(path).unwrap().starts_with(MAGIC)
}

/// Asserts that a file and its companions hold no text of the database.
pub(crate) fn assert_sealed(path: &Path) {
    for ending in ["", "-wal", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let Ok(bytes) = fs::read(name) else { continue };
        for text in [&b"secret-"[..], b"CREATE TABLE", b"SQLite format"] {
            assert!(!bytes.windows(text.len()).any(|window| window == text), "{ending}");
        }
    }
}

#[test]
fn every_page_size_and_journal_mode_works() {
    for size in [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536] {
        for journal in ["delete", "truncate", "persist", "memory", "wal"] {
            let scratch = Scratch::new();
            let database = open(&scratch.path(), &page_size(size)).unwrap();
            assert_eq!(
                value(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap(),
                text(journal)
            );
            fill(&database);
            database
                .execute_batch(
                    "BEGIN; DELETE FROM t WHERE id < 1000; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; ROLLBACK",
                )
                .unwrap();
            assert_filled(&database);
            assert_sealed(&scratch.path());
            database.close().unwrap();
            assert_sealed(&scratch.path());
            // The header holds the page size, so the key needs none.
            let database = open(&scratch.path(), &plain_key()).unwrap();
            assert_eq!(value(&database, "PRAGMA page_size", &[]).unwrap(), Owned::Integer(size.into()));
            assert_filled(&database);
        }
    }
}

#[test]
fn a_file_is_recognised_without_a_format() {
    let scratch = Scratch::new();
    let path = scratch.path();
    fill(&open(&path, &sealed()).unwrap());
    assert!(is_strongroom(&path));
    for key in [plain_key(), sealed()] {
        assert_filled(&open(&path, &key).unwrap());
    }
    let refused = |key: &Key| open(&path, key).unwrap_err().code();
    assert_eq!(refused(&plain_key().with_format(Format::SqlCipher).unwrap()), "STRONGROOM_OTHER_FORMAT");
    assert_eq!(refused(&other_key()), "STRONGROOM_WRONG_KEY");
    assert_eq!(refused(&Key::passphrase(b"horse").unwrap()), "STRONGROOM_WRONG_KEY");
    let with_parameters = CipherParameters { compatibility: Some(4), ..CipherParameters::default() };
    assert_eq!(refused(&plain_key().with_cipher(with_parameters).unwrap()), "STRONGROOM_KEY_PARAMETER");
    let without_key = Database::open_unencrypted(Location::File(&path), &OpenOptions::default());
    assert_eq!(without_key.unwrap_err().code(), "STRONGROOM_KEY_REQUIRED");
    // Nothing above has changed the file.
    assert_filled(&open(&path, &plain_key()).unwrap());
}

#[test]
fn files_of_other_formats_are_refused() {
    let scratch = Scratch::new();
    scratch.open_plain().execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(open(&scratch.path(), &sealed()).unwrap_err().code(), "STRONGROOM_OTHER_FORMAT");
    let other = Scratch::new();
    fill(&open(&other.path(), &plain_key()).unwrap());
    assert!(!is_strongroom(&other.path()));
    assert_eq!(open(&other.path(), &sealed()).unwrap_err().code(), "STRONGROOM_OTHER_FORMAT");
    assert_filled(&open(&other.path(), &plain_key()).unwrap());
}

#[test]
fn a_passphrase_opens_its_file() {
    let scratch = Scratch::new();
    let key = || Key::passphrase(b"correct horse").unwrap();
    fill(&open(&scratch.path(), &key().with_format(Format::Strongroom).unwrap()).unwrap());
    assert_filled(&open(&scratch.path(), &key()).unwrap());
    assert_eq!(
        open(&scratch.path(), &Key::passphrase(b"x").unwrap()).unwrap_err().code(),
        "STRONGROOM_WRONG_KEY"
    );
    assert_eq!(open(&scratch.path(), &plain_key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
}

#[test]
fn a_new_file_is_recognised_before_its_first_page() {
    let scratch = Scratch::new();
    open(&scratch.path(), &sealed()).unwrap().close().unwrap();
    assert_eq!(fs::metadata(scratch.path()).unwrap().len(), HEADER as u64);
    assert_eq!(open(&scratch.path(), &other_key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    let database = open(&scratch.path(), &plain_key()).unwrap();
    fill(&database);
    assert_filled(&database);
}

/// The header is written when a database is opened, so a crash can leave a part of the header, and no page.
#[test]
fn an_interrupted_creation_is_begun_anew() {
    let scratch = Scratch::new();
    open(&scratch.path(), &sealed()).unwrap().close().unwrap();
    let header = fs::read(scratch.path()).unwrap();
    for length in [0, 1, 15, 16, 100, 512, 4_095] {
        fs::write(scratch.path(), &header[..length]).unwrap();
        let database = open(&scratch.path(), &sealed()).unwrap();
        database.execute_batch("CREATE TABLE t (a)").unwrap();
        drop(database);
        assert_eq!(
            integer(&open(&scratch.path(), &plain_key()).unwrap(), "SELECT count(*) FROM t"),
            0,
            "{length}"
        );
    }
    // A whole first copy is enough.
    fs::write(scratch.path(), &header[..5_000]).unwrap();
    assert_eq!(open(&scratch.path(), &other_key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
}

/// A file that was cut off within its header became a new database of any key, even with the option that the file must
/// exist, with a recovery code's advice to pass another key, and in a conversion.
#[test]
fn a_part_of_a_header_is_no_existing_file() {
    let scratch = Scratch::new();
    open(&scratch.path(), &sealed()).unwrap().close().unwrap();
    let header = fs::read(scratch.path()).unwrap();
    let code = Key::recovery_code(&RecoveryCode::generate().unwrap());
    let must_exist = OpenOptions { must_exist: true, ..OpenOptions::default() };
    let read_only = OpenOptions { read_only: true, ..OpenOptions::default() };
    for length in [16, 100, 4_095] {
        fs::write(scratch.path(), &header[..length]).unwrap();
        let path = scratch.path();
        let migration = Migration {
            path: &path,
            folder: None,
            from: Some(&sealed()),
            to: None,
            keep: None,
            timeout: Duration::ZERO,
        };
        for refused in [
            Database::open(Location::File(&path), &sealed(), &must_exist).map(drop),
            Database::open(Location::File(&path), &sealed(), &read_only).map(drop),
            Database::open(Location::File(&path), &code, &OpenOptions::default()).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.code(), "STRONGROOM_DAMAGED_HEADER", "{error}");
            assert!(
                error.to_string().contains("restore the file from a backup (nothing was written"),
                "{error}"
            );
        }
        let error = migrate(&migration, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_DAMAGED_HEADER", "{error}");
        let main = Database::open(Location::Memory, &sealed(), &OpenOptions::default()).unwrap();
        let options = AttachOptions { must_exist: true, ..AttachOptions::default() };
        let error = main.attach(Location::File(&path), "other", &options).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_DAMAGED_HEADER", "{error}");
        assert_eq!(fs::read(&path).unwrap(), header[..length], "{length}");
    }
}

#[test]
fn pragmas_of_sqlcipher_are_refused() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    for pragma in [
        "key = 'a'",
        "hexkey = '00'",
        "rekey = 'a'",
        "main.rekey = 'a'",
        "cipher_page_size = 1024",
        "cipher_integrity_check",
        "cipher_hmac_algorithm",
        "CIPHER_SETTINGS",
        "\"main\".cipher_salt",
        "cipher_migrate",
    ] {
        let refused = database.execute_batch(&format!("PRAGMA {pragma}")).unwrap_err();
        assert_eq!(refused.code(), "STRONGROOM_PRAGMA_REFUSED", "{pragma}");
        assert!(
            ["Strongroom format", "db.rekey()", "Database.migrate()"]
                .iter()
                .any(|advice| refused.to_string().contains(advice)),
            "{refused}"
        );
    }
    assert_filled(&database);
    // These concern the process.
    database.execute_batch("PRAGMA cipher_version; PRAGMA cipher_memory_security").unwrap();
    // A database of another format on the same connection keeps its pragmas.
    let key = other_key();
    let options = AttachOptions { key: AttachKey::Key(&key), ..AttachOptions::default() };
    database.attach(Location::File(&scratch.folder().join("c")), "c", &options).unwrap();
    assert_eq!(rows(&database, "PRAGMA c.cipher_page_size", &[]).unwrap(), [[text("4096")]]);
}

/// Without secure_delete, SQLite does not write a page that one transaction takes and frees. The page would be zeros, which
/// no check and no backup accepts.
#[test]
fn secure_delete_stays_on_in_an_encrypted_database() {
    for key in [sealed(), plain_key()] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &key).unwrap();
        for value in ["OFF", "fast", "0", "no", "'false'"] {
            for schema in ["", "main."] {
                let refused = database.execute_batch(&format!("PRAGMA {schema}secure_delete = {value}"));
                assert_eq!(refused.unwrap_err().code(), "STRONGROOM_PRAGMA_REFUSED", "{value}");
            }
        }
        database.execute_batch("PRAGMA secure_delete = ON; PRAGMA secure_delete(1)").unwrap();
        assert_eq!(integer(&database, "PRAGMA secure_delete"), 1);
    }
    let plain = Scratch::new().open_plain();
    plain.execute_batch("PRAGMA secure_delete = OFF").unwrap();
    // A plain database may take the name of an encrypted one.
    let scratch = Scratch::new();
    let attach = |name: &str, key: AttachKey<'_>| {
        let options = AttachOptions { key, ..AttachOptions::default() };
        plain.attach(Location::File(&scratch.folder().join(name)), "a", &options).unwrap();
    };
    attach("encrypted", AttachKey::Key(&sealed()));
    assert!(plain.execute_batch("PRAGMA a.secure_delete = OFF").is_err());
    plain.detach("a").unwrap();
    attach("plain", AttachKey::Plain);
    plain.execute_batch("PRAGMA a.secure_delete = OFF; PRAGMA secure_delete = OFF").unwrap();
}

/// The second copy of the header is enough, even if the first does not show the format.
#[test]
fn one_copy_of_the_header_is_enough() {
    let scratch = Scratch::new();
    fill(&open(&scratch.path(), &sealed()).unwrap());
    let bytes = fs::read(scratch.path()).unwrap();
    for damaged in [0..16, 0..512, 0..HEADER / 2, HEADER / 2..HEADER] {
        let mut changed = bytes.clone();
        changed[damaged.clone()].fill(0);
        fs::write(scratch.path(), &changed).unwrap();
        assert_filled(&open(&scratch.path(), &plain_key()).unwrap());
        assert_eq!(
            open(&scratch.path(), &other_key()).unwrap_err().code(),
            "STRONGROOM_WRONG_KEY",
            "{damaged:?}"
        );
    }
}

#[test]
fn rekey_changes_the_header_alone() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &sealed()).unwrap();
        database.execute_batch(&format!("PRAGMA journal_mode = {journal}")).unwrap();
        fill(&database);
        let reader = open(&scratch.path(), &plain_key()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
        let before = fs::read(scratch.path()).unwrap();
        database.rekey("main", &other_key(), &mut |_| true).unwrap();
        let after = fs::read(scratch.path()).unwrap();
        assert!(before[..HEADER] != after[..HEADER] && before[HEADER..] == after[HEADER..]);
        assert_eq!(after[..HEADER / 2], after[HEADER / 2..HEADER]);
        // Neither connection notices.
        assert_filled(&reader);
        reader.execute_batch("COMMIT; INSERT INTO t VALUES (0, 'x'); DELETE FROM t WHERE id = 0").unwrap();
        assert_filled(&database);
        assert_eq!(open(&scratch.path(), &plain_key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
        assert_filled(&open(&scratch.path(), &other_key()).unwrap());
        // The connection that opened the removed slot changes nothing.
        assert_eq!(
            reader.rekey("main", &sealed(), &mut |_| true).unwrap_err().code(),
            "STRONGROOM_KEY_CHANGED"
        );
        database.rekey("main", &Key::passphrase(b"horse").unwrap(), &mut |_| true).unwrap();
        database.rekey("main", &sealed(), &mut |_| true).unwrap();
        assert_filled(&open(&scratch.path(), &plain_key()).unwrap());
    }
}

#[test]
fn damage_names_the_page() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    drop(database);
    let bytes = fs::read(scratch.path()).unwrap();
    let damaged = |page: usize, offset: usize| {
        let mut changed = bytes.clone();
        changed[HEADER + (page - 1) * 4_096 + offset] ^= 1;
        fs::write(scratch.path(), changed).unwrap();
    };
    for offset in [0, 15, 16, 100, 4_055, 4_056, 4_079, 4_080, 4_095] {
        damaged(1, offset);
        let error = open(&scratch.path(), &plain_key()).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_DAMAGED_PAGE", "{offset} {error}");
        assert!(error.to_string().contains("page 1 "), "{error}");
    }
    fs::write(scratch.path(), &bytes).unwrap();
    let database = open(&scratch.path(), &plain_key()).unwrap();
    let root = integer(&database, "SELECT rootpage FROM sqlite_schema WHERE name = 't'");
    drop(database);
    damaged(usize::try_from(root).unwrap(), 7);
    let database = open(&scratch.path(), &plain_key()).unwrap();
    let error = rows(&database, "SELECT sum(length(v)) FROM t", &[]).unwrap_err();
    assert!(matches!(error, SqlError::DamagedPage { page, .. } if i64::from(page) == root), "{error}");
    drop(database);
    let database = open(&scratch.path(), &plain_key()).unwrap();
    let report = database.check("main", &mut |_| true).unwrap();
    assert!(report.authenticated && !report.problems.is_empty());
}

/// SQLite takes a file of no bytes for a new database, and would write pages that nobody could open without the header. In
/// WAL mode, SQLite does not ask for the length of the file.
#[test]
fn a_file_that_loses_its_header_while_it_is_open_is_not_written() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    fs::File::options().write(true).open(scratch.path()).unwrap().set_len(0).unwrap();
    let written = database.execute_batch("CREATE TABLE u (a); INSERT INTO u VALUES (1)");
    assert_eq!(written.unwrap_err().code(), "SQLITE_CORRUPT");
}
