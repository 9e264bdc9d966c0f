//! Tests images: the bytes that `serialize` returns, and databases that open from bytes.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use strongroom_database::{BackupKey, Database, ImageError, Location, OpenError, OpenOptions, SqlError};
use strongroom_keys::{CipherParameters, Key};

use crate::backup::{FILL, complete, content, listing, open, open_plain, other_key};
use crate::scratch::{Scratch, assert_intact, integer, key, memory, rows, text, value};

const PLAIN_HEADER: &[u8] = b"SQLite format 3\0";

fn open_image(image: &[u8]) -> Database {
    Database::open_unencrypted(Location::Image(image), &OpenOptions::default()).unwrap()
}

fn open_encrypted(image: &[u8], key: &Key) -> Result<Database, OpenError> {
    Database::open(Location::Image(image), key, &OpenOptions::default())
}

fn read_only() -> OpenOptions {
    OpenOptions { read_only: true, ..OpenOptions::default() }
}

#[test]
fn an_image_is_plain_and_opens_without_a_key() {
    for mode in ["delete", "wal"] {
        let scratch = Scratch::new();
        for database in [scratch.open(), scratch.open_plain(), memory()] {
            rows(&database, &format!("PRAGMA journal_mode = {mode}"), &[]).ok();
            if database.execute_batch(FILL).is_err() {
                continue; // A plain connection cannot read the encrypted file.
            }
            let image = database.serialize("main").unwrap();
            assert!(image.starts_with(PLAIN_HEADER));
            assert_eq!(image[18..20], [1, 1], "an image is not in WAL mode");
            let copy = open_image(&image);
            assert_eq!(content(&copy, "t"), content(&database, "t"));
            assert_eq!(value(&copy, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
            assert_eq!(copy.serialize("main").unwrap(), image);
            copy.execute_batch("INSERT INTO t SELECT a + 1000, zeroblob(100000) FROM t").unwrap();
            assert_eq!(value(&copy, "PRAGMA integrity_check", &[]).unwrap(), text("ok"));
        }
    }
}

#[test]
fn an_image_of_an_encrypted_database_opens_in_plain_sqlite() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = scratch.folder().join("image.db");
    fs::write(&path, database.serialize("main").unwrap()).unwrap();
    let sql = "PRAGMA integrity_check; SELECT count(*) FROM t";
    let Ok(output) = Command::new("sqlite3").arg(&path).arg(sql).output() else {
        return println!("skipped: no sqlite3 on PATH");
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n100\n");
}

#[test]
fn reserved_bytes_hold_zeros_and_two_images_of_one_state_are_equal() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let image = database.serialize("main").unwrap();
    drop(database);
    let database = scratch.open();
    assert_eq!(database.serialize("main").unwrap(), image);
    assert_eq!(image[20], 80);
    assert!(image.chunks(4096).all(|page| page[4096 - 80..].iter().all(|&byte| byte == 0)));
}

#[test]
fn an_image_shows_an_open_transaction_and_an_attached_database() {
    let scratch = Scratch::new();
    let attached = scratch.folder().join("attached.db");
    open(&attached, &other_key()).execute_batch(FILL).unwrap();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE small (a); BEGIN; INSERT INTO small VALUES (1)").unwrap();
    let image = database.serialize("main").unwrap();
    assert_eq!(integer(&open_image(&image), "SELECT count(*) FROM small"), 1);
    let encrypted = database.serialize_encrypted("main", None).unwrap();
    assert_eq!(integer(&open_encrypted(&encrypted, &key()).unwrap(), "SELECT count(*) FROM small"), 1);
    database.execute_batch("COMMIT").unwrap();

    let attach = format!("ATTACH '{}' AS other KEY \"x'{}'\"", attached.display(), "17".repeat(32));
    database.execute_batch(&attach).unwrap();
    let image = database.serialize("other").unwrap();
    assert_eq!(integer(&open_image(&image), "SELECT count(*) FROM t"), 100);
    let encrypted = database.serialize_encrypted("other", None).unwrap();
    assert_eq!(integer(&open_encrypted(&encrypted, &other_key()).unwrap(), "SELECT count(*) FROM t"), 100);
    let error = database.serialize("another").unwrap_err();
    assert!(matches!(&error, ImageError::UnknownDatabase { name } if name == "another"));
    assert_eq!(error.code(), "STRONGROOM_NOT_ATTACHED");
    database.close().unwrap();
    let error = database.serialize("main").unwrap_err();
    assert!(matches!(&error, ImageError::Sql { source: SqlError::Closed, .. }));
}

/// If the pages of the main database have reserved bytes, SQLCipher attaches VACUUM's temporary database with the main
/// database's key. A plain database has no key, so VACUUM failed with "unable to open database: ".
#[test]
fn a_plain_image_of_an_encrypted_database_cannot_vacuum_but_its_plain_backup_can() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let image = open_image(&database.serialize("main").unwrap());
    let other = scratch.folder().join("other.db");
    for sql in ["VACUUM", &format!("VACUUM INTO '{}'", other.display()), "ATTACH ':memory:' AS m"] {
        let error = image.execute_batch(sql).unwrap_err();
        assert!(matches!(error, SqlError::RoomForCipher), "{sql}: {error:?}");
        assert_eq!(error.code(), "SQLITE_MISUSE");
    }
    let copy = scratch.folder().join("copy.db");
    complete(image.backup("main", &copy, BackupKey::Plain).unwrap()).unwrap();
    assert_eq!(fs::read(&copy).unwrap()[20], 0, "reserved bytes");
    let copy = open_plain(&copy);
    copy.execute_batch(&format!("VACUUM; VACUUM INTO '{}'", other.display())).unwrap();
    assert_eq!(content(&copy, "t"), content(&database, "t"));
    assert_eq!(content(&open_plain(&other), "t"), content(&database, "t"));
    let error = copy.execute_batch("ATTACH '/no/such/folder/a.db' AS m").unwrap_err();
    assert_eq!(error.code(), "SQLITE_CANTOPEN");
}

#[test]
fn an_encrypted_image_is_a_file_and_opens_from_memory() {
    for mode in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = scratch.open();
        rows(&database, &format!("PRAGMA journal_mode = {mode}"), &[]).unwrap();
        database.execute_batch(FILL).unwrap();
        let before = listing(&scratch.folder());
        let image = database.serialize_encrypted("main", None).unwrap();
        assert_eq!(listing(&scratch.folder()), before, "nothing is written");
        assert!(!image.starts_with(PLAIN_HEADER));
        assert_eq!(image[..16], fs::read(scratch.path()).unwrap()[..16], "the salt of the file");

        let path = scratch.folder().join("image.db");
        fs::write(&path, &image).unwrap();
        for copy in [open(&path, &key()), open_encrypted(&image, &key()).unwrap()] {
            assert_intact(&copy);
            assert_eq!(content(&copy, "t"), content(&database, "t"));
            copy.execute_batch("INSERT INTO t VALUES (101, zeroblob(100000))").unwrap();
            assert_intact(&copy);
            assert!(copy.serialize("main").unwrap().starts_with(PLAIN_HEADER));
            let again = copy.serialize_encrypted("main", None).unwrap();
            assert_eq!(integer(&open_encrypted(&again, &key()).unwrap(), "SELECT count(*) FROM t"), 101);
        }
        assert_eq!(open_encrypted(&image, &other_key()).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    }
}

#[test]
fn the_bytes_of_an_encrypted_file_open_in_every_journal_mode_and_page_size() {
    for mode in ["delete", "wal"] {
        for page_size in [None, Some(16384)] {
            let scratch = Scratch::new();
            let parameters = CipherParameters { page_size, ..CipherParameters::default() };
            let database = scratch.open_with(&key().with_cipher(parameters).unwrap()).unwrap();
            rows(&database, &format!("PRAGMA journal_mode = {mode}"), &[]).unwrap();
            database.execute_batch(FILL).unwrap();
            let expected = content(&database, "t");
            database.close().unwrap();
            let bytes = fs::read(scratch.path()).unwrap();
            let copy = open_encrypted(&bytes, &key()).unwrap();
            assert_eq!(content(&copy, "t"), expected);
            copy.execute_batch("UPDATE t SET b = 'new'").unwrap();
            assert_intact(&copy);
            assert!(!copy.is_read_only());

            let copy = Database::open(Location::Image(&bytes), &key(), &read_only()).unwrap();
            assert_eq!(content(&copy, "t"), expected);
            assert_eq!(copy.execute_batch("DELETE FROM t").unwrap_err().code(), "SQLITE_READONLY");
            assert!(copy.is_read_only());
        }
    }
}

#[test]
fn an_image_can_have_another_key_if_the_pages_have_room_for_its_cipher() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let cipher = |compatibility| CipherParameters { compatibility, kdf_iter: Some(10), ..Default::default() };
    let passphrase = |cipher| Key::passphrase(b"other").unwrap().with_cipher(cipher).unwrap();
    let image = database.serialize_encrypted("main", Some(&passphrase(cipher(None)))).unwrap();
    let copy = open_encrypted(&image, &passphrase(cipher(None))).unwrap();
    assert_intact(&copy);
    assert_eq!(content(&copy, "t"), content(&database, "t"));

    let error = database.serialize_encrypted("main", Some(&passphrase(cipher(Some(3))))).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_OTHER_LAYOUT");
    let shown = error.to_string();
    assert!(
        shown.contains("with 48 reserved bytes") && shown.contains("4096 bytes with 80 reserved bytes"),
        "{shown}"
    );

    // The plain image keeps the reserved bytes.
    let plain = open_image(&database.serialize("main").unwrap());
    let image = plain.serialize_encrypted("main", Some(&key())).unwrap();
    assert_intact(&open_encrypted(&image, &key()).unwrap());
    assert_eq!(plain.serialize_encrypted("main", None).unwrap_err().code(), "STRONGROOM_NOT_ENCRYPTED");
    let plain = Database::open_unencrypted(Location::Memory, &OpenOptions::default()).unwrap();
    plain.execute_batch(FILL).unwrap();
    let error = plain.serialize_encrypted("main", Some(&key())).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_OTHER_LAYOUT");
}

#[test]
fn an_empty_database_has_an_empty_image() {
    let database = memory();
    assert_eq!(database.serialize("main").unwrap(), b"");
    assert_eq!(database.serialize_encrypted("main", None).unwrap(), b"");
    open_image(b"").execute_batch(FILL).unwrap();
    let copy = open_encrypted(b"", &key()).unwrap();
    copy.execute_batch(FILL).unwrap();
    assert_intact(&copy);
    let read_only = Database::open_unencrypted(Location::Image(b""), &read_only()).unwrap();
    assert!(read_only.execute_batch("CREATE TABLE t (a)").is_err());
}

#[test]
fn a_read_only_image_refuses_changes() {
    let database = memory();
    database.execute_batch(FILL).unwrap();
    let image = database.serialize("main").unwrap();
    let copy = Database::open_unencrypted(Location::Image(&image), &read_only()).unwrap();
    assert_eq!(content(&copy, "t"), content(&database, "t"));
    let error = copy.execute_batch("INSERT INTO t VALUES (0, 0)").unwrap_err();
    assert_eq!(error.code(), "SQLITE_READONLY");
    assert!(copy.is_read_only());
    assert_eq!(copy.serialize("main").unwrap(), image);
}

#[test]
fn defensive_mode_applies_to_images() {
    let copy = open_image(&{
        let database = memory();
        database.execute_batch(FILL).unwrap();
        database.serialize("main").unwrap()
    });
    assert!(copy.execute_batch("UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1").is_err());
    let error = copy.execute_batch("PRAGMA writable_schema = 1; DELETE FROM sqlite_schema");
    assert!(error.is_err());
    assert_eq!(integer(&copy, "SELECT count(*) FROM t"), 100);
}

#[test]
fn opening_an_image_with_a_key_reports_what_is_wrong() {
    let database = memory();
    database.execute_batch(FILL).unwrap();
    let plain = database.serialize("main").unwrap();
    let encrypted = database.serialize_encrypted("main", None).unwrap();
    let code = |image: &[u8]| open_encrypted(image, &key()).unwrap_err().code();
    assert_eq!(code(&plain), "STRONGROOM_NOT_ENCRYPTED");
    assert_eq!(code(&encrypted[..encrypted.len() - 4096]), "SQLITE_CORRUPT");
    assert_eq!(code(&encrypted[..encrypted.len() - 100]), "STRONGROOM_TRUNCATED");
    assert_eq!(code(&encrypted[..1000]), "SQLITE_NOTADB");
    assert_eq!(code(&[7; 100]), "SQLITE_NOTADB");
    let shown = open_encrypted(&[7; 4096], &key()).unwrap_err().to_string();
    assert!(shown.contains("the image") && !shown.contains("07"), "{shown}");
    assert_eq!(format!("{:?}", Location::Image(b"secret")), "Image(6 bytes)");
}

#[test]
fn garbage_is_an_error_at_the_first_statement() {
    for garbage in
        [&[0_u8; 1][..], &[0xff; 99], &[7; 512], &[0; 4096], &[0xff; 100_000], b"SQLite format 3\0"]
    {
        let database = open_image(garbage);
        assert!(rows(&database, "SELECT * FROM sqlite_schema", &[]).is_err());
        database.close().unwrap();
    }
}

// The caller controls every byte of the header and the length, so neither is trusted.
#[test]
fn no_header_makes_sqlite_read_past_the_image() {
    let database = memory();
    database.execute_batch("PRAGMA auto_vacuum = FULL").unwrap();
    database
        .execute_batch("CREATE TABLE t (a); CREATE INDEX i ON t (a); INSERT INTO t VALUES (randomblob(9000))")
        .unwrap();
    let image = database.serialize("main").unwrap();
    let use_image = |image: &[u8]| {
        let database = open_image(image);
        let _ = rows(&database, "SELECT * FROM t", &[]);
        let _ = rows(&database, "PRAGMA integrity_check", &[]);
        let _ = database.execute_batch("INSERT INTO t VALUES (zeroblob(20000)); DELETE FROM t; VACUUM");
        let _ = database.serialize("main");
        let _ = database.serialize_encrypted("main", Some(&key()));
    };
    for position in 0..108 {
        for byte in [0, 1, 2, 3, 0x7f, 0x80, 0xff, image[position].wrapping_add(1)] {
            let mut changed = image.clone();
            changed[position] = byte;
            use_image(&changed);
        }
    }
    for length in [0, 1, 15, 16, 18, 19, 20, 99, 100, 101, 511, 512, 4095, 4096, 4097, image.len() - 1] {
        use_image(&image[..length]);
    }
    for page_size in [0_u16, 1, 2, 256, 512, 1024, 32768] {
        let mut changed = image.clone();
        changed[16..18].copy_from_slice(&page_size.to_be_bytes());
        use_image(&changed);
    }
}

#[test]
fn the_bytes_of_the_public_version_3_file_open() {
    let Some(vectors) = env::var_os("STRONGROOM_VECTORS") else {
        return println!(
            "skipped: SQLCipher's compatibility files are not available; set STRONGROOM_VECTORS to their folder"
        );
    };
    let bytes = fs::read(Path::new(&vectors).join("sqlcipher-3.0-testkey.db")).unwrap();
    let parameters = CipherParameters { compatibility: Some(3), ..CipherParameters::default() };
    let key = Key::passphrase(b"testkey").unwrap().with_cipher(parameters).unwrap();
    let database = open_encrypted(&bytes, &key).unwrap();
    let image = database.serialize("main").unwrap();
    assert_eq!(content(&open_image(&image), "t1"), content(&database, "t1"));
    let scratch = Scratch::new();
    let path = scratch.folder().join("image.db");
    fs::write(&path, &image).unwrap();
    assert_eq!(content(&open_plain(&path), "t1"), content(&database, "t1"));
}

// SQLCipher gives SQLite zeros for a damaged page, without an error.
#[test]
fn a_damaged_page_of_the_source_is_an_error() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    database.close().unwrap();
    let mut bytes = fs::read(scratch.path()).unwrap();
    bytes[20 * 4096 + 10] ^= 1;
    fs::write(scratch.path(), &bytes).unwrap();
    let plain = scratch.open().serialize("main").unwrap_err();
    let encrypted = scratch.open().serialize_encrypted("main", Some(&other_key())).unwrap_err();
    let image = open_encrypted(&bytes, &key()).unwrap().serialize("main").unwrap_err();
    for error in [plain, encrypted, image] {
        assert!(matches!(error, ImageError::Sql { source: SqlError::PageAuthentication, .. }), "{error:?}");
    }
}

/// The test limits the address space in a child process, because other tests may share the parent's memory.
#[cfg(target_os = "linux")]
#[test]
fn running_out_of_memory_is_an_error() {
    const CHILD: &str = "STRONGROOM_TEST_SHORT_OF_MEMORY";
    if env::var_os(CHILD).is_none() {
        let output = Command::new("sh")
            .args([
                "-c",
                "ulimit -v 400000; exec \"$0\" --exact image::running_out_of_memory_is_an_error --nocapture",
            ])
            .arg(env::current_exe().unwrap())
            .env(CHILD, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
        return;
    }
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE big (x)").unwrap();
    for _ in 0..40 {
        database.execute_batch("INSERT INTO big VALUES (zeroblob(10000000))").unwrap();
    }
    let plain = database.serialize("main").unwrap_err();
    assert_eq!(plain.code(), "SQLITE_NOMEM", "{plain}");
    let encrypted = database.serialize_encrypted("main", None).unwrap_err();
    assert_eq!(encrypted.code(), "SQLITE_NOMEM", "{encrypted}");
    assert_eq!(integer(&database, "SELECT count(*) FROM big"), 40);
}
