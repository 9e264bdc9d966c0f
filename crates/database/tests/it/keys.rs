//! Tests right, wrong, missing and superfluous keys.

use std::fs;

use strongroom_database::{Database, Location, OpenError, OpenOptions};
use strongroom_keys::{CipherParameters, HashAlgorithm, Key, PageNumberOrder, derive};

use crate::scratch::{Owned, Scratch, assert_intact, integer, key, rows, text, value};

const PLAINTEXT: &str = "the quick brown fox jumps over the lazy dog";

fn fill(database: &Database) {
    database.execute_batch("CREATE TABLE foxes (story TEXT)").unwrap();
    rows(database, "INSERT INTO foxes VALUES (?)", &[text(PLAINTEXT)]).unwrap();
}

fn assert_filled(database: &Database) {
    assert_eq!(value(database, "SELECT story FROM foxes", &[]).unwrap(), text(PLAINTEXT));
    assert_intact(database);
}

/// A passphrase with few iterations, so that a test can derive its key quickly.
fn passphrase(compatibility: Option<u8>, page_size: Option<u32>) -> Key {
    let parameters = CipherParameters { kdf_iter: Some(500), page_size, compatibility, ..Default::default() };
    Key::passphrase(b"correct 'horse' \0 \xff").unwrap().with_cipher(parameters).unwrap()
}

#[test]
fn the_file_holds_no_plaintext() {
    let scratch = Scratch::new();
    fill(&scratch.open());
    let bytes = fs::read(scratch.path()).unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    for plain in [PLAINTEXT.as_bytes(), b"foxes", b"CREATE TABLE", b"SQLite format 3", &[0x5a; 8]] {
        assert!(!holds(plain), "{:?}", String::from_utf8_lossy(plain));
    }
}

#[test]
fn a_wrong_key_has_its_own_error_and_changes_nothing() {
    let scratch = Scratch::new();
    fill(&scratch.open());
    let before = fs::read(scratch.path()).unwrap();
    let wrong = [
        Key::raw(&[0x5b; 32]).unwrap(),
        passphrase(None, None),
        Key::raw(&[0x5a; 32])
            .unwrap()
            .with_cipher(CipherParameters { compatibility: Some(3), ..Default::default() })
            .unwrap(),
    ];
    for key in wrong {
        let error = scratch.open_with(&key).unwrap_err();
        assert!(matches!(error, OpenError::WrongKey { .. }), "{error:?}");
        assert_eq!(error.code(), "STRONGROOM_WRONG_KEY");
        assert!(!error.to_string().contains("5a5a") && !error.to_string().contains("horse"), "{error}");
    }
    assert!(fs::read(scratch.path()).unwrap() == before);
    assert_filled(&scratch.open());
}

#[test]
fn opening_a_plain_database_with_a_key_reports_that_the_database_is_plain() {
    let scratch = Scratch::new();
    fill(&scratch.open_plain());
    let before = fs::read(scratch.path()).unwrap();
    let error = scratch.open_with(&key()).unwrap_err();
    assert!(matches!(error, OpenError::NotEncrypted { .. }), "{error:?}");
    assert_eq!(error.code(), "STRONGROOM_NOT_ENCRYPTED");
    assert!(fs::read(scratch.path()).unwrap() == before);
    assert_eq!(value(&scratch.open_plain(), "SELECT story FROM foxes", &[]).unwrap(), text(PLAINTEXT));
}

#[test]
fn an_encrypted_database_without_a_key_fails_at_its_first_statement() {
    let scratch = Scratch::new();
    fill(&scratch.open());
    let before = fs::read(scratch.path()).unwrap();
    let database = scratch.open_plain();
    for attempt in [
        database.prepare("SELECT * FROM foxes").map(drop),
        database.execute_batch("CREATE TABLE t (a)"),
        database.prepare("PRAGMA user_version").and_then(|mut statement| statement.step().map(drop)),
    ] {
        let error = attempt.unwrap_err();
        assert_eq!(error.code(), "SQLITE_NOTADB");
        assert!(error.to_string().contains("encrypted"), "{error}");
    }
    database.close().unwrap();
    assert!(fs::read(scratch.path()).unwrap() == before);
}

#[test]
fn the_first_statement_of_a_connection_without_a_key_may_set_the_key() {
    let scratch = Scratch::new();
    fill(&scratch.open());
    let database = scratch.open_plain();
    database.execute_batch(&format!("PRAGMA key = \"x'{}'\"", "5a".repeat(32))).unwrap();
    assert_filled(&database);
    // PRAGMA key works every time, even as a prepared statement.
    for _ in 0..2 {
        let database = scratch.open_plain();
        let sql = format!("PRAGMA key = \"x'{}'\"", "5a".repeat(32));
        rows(&database, &sql, &[]).unwrap();
        assert_filled(&database);
    }
    let database = scratch.open_plain();
    database.execute_batch("PRAGMA key = 'wrong'").unwrap();
    assert_eq!(database.prepare("SELECT * FROM foxes").unwrap_err().code(), "SQLITE_NOTADB");
}

#[test]
fn passphrases_and_their_parameters_open_the_files_that_they_wrote() {
    for compatibility in [None, Some(4), Some(3), Some(2), Some(1)] {
        for page_size in [None, Some(1024), Some(8192), Some(65536)] {
            let scratch = Scratch::new();
            let key = passphrase(compatibility, page_size);
            fill(&scratch.open_with(&key).unwrap());
            let database = scratch.open_with(&key).unwrap();
            assert_eq!(value(&database, "SELECT story FROM foxes", &[]).unwrap(), text(PLAINTEXT));
            let expected = i64::from(key.parameters().effective_page_size());
            let length = fs::metadata(scratch.path()).unwrap().len();
            assert_eq!(length as i64, integer(&database, "PRAGMA page_count") * expected, "{key:?}");
            // Pages of SQLCipher 1 have no HMAC to check.
            if compatibility != Some(1) {
                assert_intact(&database);
            }
        }
    }
}

#[test]
fn the_default_parameters_match_sqlcipher_4() {
    let scratch = Scratch::new();
    let key = Key::passphrase(b"correct horse").unwrap();
    fill(&scratch.open_with(&key).unwrap());
    let explicit = CipherParameters {
        kdf_iter: Some(256_000),
        page_size: Some(4096),
        compatibility: Some(4),
        ..Default::default()
    };
    assert_filled(&scratch.open_with(&key.with_cipher(explicit).unwrap()).unwrap());
}

#[test]
fn a_derived_key_opens_the_file_that_the_passphrase_wrote() {
    for compatibility in [None, Some(3), Some(2)] {
        let scratch = Scratch::new();
        let parameters = CipherParameters { kdf_iter: Some(700), compatibility, ..Default::default() };
        let written = Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap();
        fill(&scratch.open_with(&written).unwrap());
        let salt = fs::read(scratch.path()).unwrap()[..16].try_into().unwrap();
        assert_filled(&scratch.open_with(&derive(b"correct horse", &salt, &parameters).unwrap()).unwrap());
        let other = derive(b"correct horsf", &salt, &parameters).unwrap();
        assert_eq!(scratch.open_with(&other).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    }
}

#[test]
fn a_file_with_other_content_is_not_a_database() {
    let scratch = Scratch::new();
    for content in ["a".repeat(100), "b".repeat(4095), "c".repeat(10_000), "d".repeat(512)] {
        fs::write(scratch.path(), &content).unwrap();
        let error = scratch.open_with(&key()).unwrap_err();
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{} bytes: {error:?}", content.len());
        assert_eq!(error.code(), "SQLITE_NOTADB");
        let length = format!("its length, {} bytes, is not a multiple of the page size", content.len());
        assert!(error.to_string().contains(&length), "{error}");
        let database = scratch.open_plain();
        assert_eq!(database.prepare("SELECT * FROM t").unwrap_err().code(), "SQLITE_NOTADB");
        drop(database);
        assert_eq!(fs::read_to_string(scratch.path()).unwrap(), content);
    }
}

#[test]
fn debug_output_does_not_show_the_key() {
    let scratch = Scratch::new();
    let database = scratch.open_with(&passphrase(None, None)).unwrap();
    let statement = database.prepare("SELECT 1").unwrap();
    let options = OpenOptions::default();
    let shown = format!("{database:?} {statement:?} {options:?} {:?}", Location::File(&scratch.path()));
    assert!(!shown.contains("horse"), "{shown}");
}

#[test]
fn the_right_key_opens_a_file_of_any_page_size() {
    for (compatibility, page_size) in
        [(None, 1024), (None, 8192), (None, 65536), (Some(3), 4096), (Some(2), 2048)]
    {
        let scratch = Scratch::new();
        fill(&scratch.open_with(&passphrase(compatibility, Some(page_size))).unwrap());
        let database = scratch.open_with(&passphrase(compatibility, None)).unwrap();
        assert_filled(&database);
        database.execute_batch("INSERT INTO foxes VALUES ('another')").unwrap();
        drop(database);
        assert_eq!(value_of_page_size(&scratch, compatibility, page_size), page_size);
        let other = passphrase(compatibility, Some(if page_size == 4096 { 8192 } else { 4096 }));
        assert!(scratch.open_with(&other).is_err(), "an explicit page size is the only size that is tried");
    }
}

fn value_of_page_size(scratch: &Scratch, compatibility: Option<u8>, page_size: u32) -> u32 {
    let database = scratch.open_with(&passphrase(compatibility, Some(page_size))).unwrap();
    let Owned::Text(size) = value(&database, "PRAGMA cipher_page_size", &[]).unwrap() else { panic!() };
    size.parse().unwrap()
}

#[test]
fn each_set_of_parameters_opens_only_the_files_that_it_wrote() {
    let one = CipherParameters { kdf_iter: Some(500), ..Default::default() };
    let all = [
        one,
        CipherParameters { kdf_algorithm: Some(HashAlgorithm::Sha256), ..one },
        CipherParameters { hmac_algorithm: Some(HashAlgorithm::Sha256), ..one },
        CipherParameters { hmac_algorithm: Some(HashAlgorithm::Sha1), ..one },
        CipherParameters { use_hmac: Some(false), ..one },
        CipherParameters { hmac_page_number: Some(PageNumberOrder::Big), ..one },
        CipherParameters { fast_kdf_iter: Some(7), ..one },
        CipherParameters { hmac_salt_mask: Some(0), ..one },
        CipherParameters { plaintext_header_size: Some(32), salt: Some([7; 16]), ..one },
        CipherParameters { salt: Some([8; 16]), ..one },
    ];
    let key = |parameters| Key::passphrase(b"correct horse").unwrap().with_cipher(parameters).unwrap();
    for (index, &written) in all.iter().enumerate() {
        let scratch = Scratch::new();
        fill(&scratch.open_with(&key(written)).unwrap());
        let again = scratch.open_with(&key(written)).unwrap();
        assert_eq!(value(&again, "SELECT story FROM foxes", &[]).unwrap(), text(PLAINTEXT));
        drop(again);
        for (other, &parameters) in all.iter().enumerate() {
            // An explicit salt is stored in the file, where the default parameters find it.
            let same = index == other || (index == 9 && other == 0);
            assert_eq!(scratch.open_with(&key(parameters)).is_ok(), same, "{written:?}\n{parameters:?}");
        }
    }
}

/// SQLite accepts the plaintext header. With a wrong key, SQLite mistook the rest of the page for damage, and the error
/// advised the user to restore the file from a copy. Without the option for the plaintext header, the file looked like
/// a plain file, and the error advised the user to encrypt the file.
#[test]
fn a_plaintext_header_hides_neither_a_wrong_key_nor_the_encryption() {
    let header = CipherParameters {
        kdf_iter: Some(500),
        plaintext_header_size: Some(32),
        salt: Some([7; 16]),
        ..Default::default()
    };
    let key = |text: &[u8], cipher| Key::passphrase(text).unwrap().with_cipher(cipher).unwrap();
    for cipher in [header, CipherParameters { hmac_algorithm: Some(HashAlgorithm::Sha1), ..header }] {
        let scratch = Scratch::new();
        fill(&scratch.open_with(&key(b"correct horse", cipher)).unwrap());
        let code = |key: &Key| scratch.open_with(key).err().unwrap().code();
        assert_eq!(code(&key(b"wrong", cipher)), "STRONGROOM_WRONG_KEY");
        assert_eq!(
            code(&key(b"correct horse", CipherParameters { salt: Some([8; 16]), ..cipher })),
            "STRONGROOM_WRONG_KEY"
        );
        let without = CipherParameters { plaintext_header_size: None, ..cipher };
        assert_eq!(code(&key(b"correct horse", without)), "STRONGROOM_WRONG_KEY");
        assert!(scratch.open_with(&key(b"correct horse", cipher)).is_ok());
    }
}

/// When the connection of the failed attempt closed, it checkpointed the log that a crash had left.
#[test]
fn a_wrong_key_changes_no_file() {
    let scratch = Scratch::new();
    let (database, log) = (scratch.path(), scratch.folder().join("test.db-wal"));
    let writer = scratch.open_with(&key()).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    let crashed = [&database, &log].map(|file| (file.clone(), fs::read(file).unwrap()));
    drop(writer);
    let restore = || crashed.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let unchanged = || crashed.iter().all(|(file, bytes)| fs::read(file).is_ok_and(|now| now == *bytes));
    restore();
    let wrong = Key::raw(&[9; 32]).unwrap();
    assert_eq!(scratch.open_with(&wrong).err().unwrap().code(), "STRONGROOM_WRONG_KEY");
    assert!(unchanged());
    let again = scratch.open_with(&key()).unwrap();
    assert_eq!(integer(&again, "SELECT a FROM t"), 1);
    drop(again);
    assert!(!log.exists(), "the right key moves the log into the file");
}
