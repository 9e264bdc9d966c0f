//! Tests VACUUM INTO of encrypted databases with each page size.
//!
//! SQLCipher gave the cipher of the new file its default page size of 4,096 bytes, and SQLite gave the file the source's.
//! With smaller pages, SQLCipher wrote past the end of SQLite's buffers, and the process crashed. With larger pages, each
//! page ended with memory that follows SQLCipher's buffer, in clear, and the rows were lost.

use std::path::Path;
use std::thread;

use strongroom_database::{Database, Location, OpenOptions};
use strongroom_keys::{CipherParameters, Format, Key};

use crate::scratch::{Scratch, assert_sound, integer, rows, text};

const PAGE_SIZES: [u32; 7] = [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

fn key(format: Format, page_size: u32) -> Key {
    let parameters = CipherParameters { page_size: Some(page_size), ..CipherParameters::default() };
    Key::raw(&[0x5a; 32]).unwrap().with_cipher(parameters).unwrap().with_format(format).unwrap()
}

/// The key that opens a file. The header of a Strongroom file holds the page size.
fn opener(format: Format, page_size: u32) -> Key {
    match format {
        Format::Strongroom => Key::raw(&[0x5a; 32]).unwrap(),
        _ => key(format, page_size),
    }
}

fn open(path: &Path, key: &Key) -> Database {
    Database::open(Location::File(path), key, &OpenOptions::default()).unwrap()
}

fn fill(database: &Database) {
    database
        .execute_batch(
            "PRAGMA cache_size = 10; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE);
             WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 2000)
             INSERT INTO t SELECT i, printf('%0100d', i) FROM n",
        )
        .unwrap();
}

fn vacuum_into(database: &Database, target: &Path) {
    database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).unwrap();
}

fn assert_filled(database: &Database, page_size: u32) {
    assert_eq!(integer(database, "PRAGMA page_size"), i64::from(page_size));
    assert_eq!(integer(database, "SELECT sum(CAST(v AS INTEGER) = id) FROM t"), 2000);
    assert_sound(database);
    assert!(database.check("main", &mut |_| true).unwrap().is_ok());
}

#[test]
fn the_copy_has_the_page_size_of_its_source() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        for page_size in PAGE_SIZES {
            for vacuum in ["NONE", "FULL"] {
                let scratch = Scratch::new();
                let database = open(&scratch.path(), &key(format, page_size));
                database.execute_batch(&format!("PRAGMA auto_vacuum = {vacuum}")).unwrap();
                fill(&database);
                let target = scratch.folder().join("into.db");
                vacuum_into(&database, &target);
                assert_filled(&open(&target, &opener(format, page_size)), page_size);
                assert_filled(&database, page_size);
            }
        }
    }
}

/// The default page size is a setting of the process, so a copy must leave it as it was.
#[test]
fn a_copy_leaves_the_default_of_sqlcipher() {
    let default = |database: &Database| rows(database, "PRAGMA cipher_default_page_size", &[]).unwrap();
    let other = Scratch::new();
    let sqlcipher = other.open();
    for format in [Format::SqlCipher, Format::Strongroom] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &key(format, 16_384));
        fill(&database);
        vacuum_into(&database, &scratch.folder().join("into.db"));
        assert_eq!(default(&sqlcipher), [[text("4096")]]);
        let missing = scratch.folder().join("missing/into.db");
        assert!(database.execute_batch(&format!("VACUUM INTO '{}'", missing.display())).is_err());
        assert_eq!(default(&sqlcipher), [[text("4096")]]);
    }
}

#[test]
fn threads_copy_databases_of_different_page_sizes_at_once() {
    thread::scope(|scope| {
        for page_size in PAGE_SIZES {
            scope.spawn(move || {
                let format =
                    if page_size.trailing_zeros() % 2 == 0 { Format::SqlCipher } else { Format::Strongroom };
                let scratch = Scratch::new();
                let database = open(&scratch.path(), &key(format, page_size));
                fill(&database);
                for number in 0..10 {
                    let target = scratch.folder().join(format!("{number}.db"));
                    vacuum_into(&database, &target);
                    assert_filled(&open(&target, &opener(format, page_size)), page_size);
                }
            });
        }
    });
}
