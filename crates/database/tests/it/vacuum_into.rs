//! Tests VACUUM INTO: the target has the key and the parameters of the source.

use std::fs;
use std::path::Path;
use std::thread;

use strongroom_database::{Database, Location, OpenOptions};
use strongroom_keys::{CipherParameters, Format, HashAlgorithm, Key, PageNumberOrder};

use crate::scratch::{Scratch, assert_sound, integer, text, value};

fn key(parameters: CipherParameters) -> Key {
    Key::raw(&[0x5a; 32]).unwrap().with_cipher(parameters).unwrap()
}

fn open(path: &Path, key: &Key) -> Database {
    Database::open(Location::File(path), key, &OpenOptions::default()).unwrap()
}

fn filled(path: &Path, key: &Key) -> Database {
    let database = open(path, key);
    database
        .execute_batch(
            "CREATE TABLE t (v); WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 3000)
             INSERT INTO t SELECT zeroblob(i % 700) FROM n",
        )
        .unwrap();
    database
}

/// SQLCipher gives the target the process's default parameters. The target of a database with other parameters could not be
/// opened by anyone.
#[test]
fn the_target_has_the_parameters_of_the_source() {
    let none = CipherParameters::default();
    let parameters = [
        none,
        CipherParameters { page_size: Some(1_024), ..none },
        CipherParameters { page_size: Some(65_536), ..none },
        CipherParameters { hmac_algorithm: Some(HashAlgorithm::Sha256), ..none },
        CipherParameters { use_hmac: Some(false), ..none },
        CipherParameters { compatibility: Some(3), ..none },
        CipherParameters { compatibility: Some(1), page_size: Some(8_192), ..none },
        CipherParameters { plaintext_header_size: Some(32), salt: Some([7; 16]), ..none },
        CipherParameters { fast_kdf_iter: Some(9), ..none },
    ];
    for parameters in parameters {
        let scratch = Scratch::new();
        let database = filled(&scratch.path(), &key(parameters));
        let target = scratch.folder().join("into.db");
        database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).unwrap();
        let copy = open(&target, &key(parameters));
        assert_eq!(integer(&copy, "SELECT count(*) FROM t"), 3000, "{parameters:?}");
        assert_sound(&copy);
        // The next database has SQLCipher's own defaults again, even if it sets none.
        let other = Scratch::new();
        let plain = other.open_plain();
        plain.execute_batch("PRAGMA key = 'horse'; CREATE TABLE t (a)").unwrap();
        let size = value(&plain, "PRAGMA cipher_page_size", &[]).unwrap();
        assert_eq!(size, text("4096"), "{parameters:?}");
    }
}

#[test]
fn a_failed_vacuum_restores_the_defaults() {
    let scratch = Scratch::new();
    let parameters = CipherParameters { page_size: Some(8_192), ..CipherParameters::default() };
    let database = filled(&scratch.path(), &key(parameters));
    fs::write(scratch.folder().join("there"), "something").unwrap();
    for target in ["there", "no/folder"] {
        let into = format!("VACUUM INTO '{}'", scratch.folder().join(target).display());
        assert!(database.execute_batch(&into).is_err());
        let other = Scratch::new();
        let plain = other.open_plain();
        plain.execute_batch("PRAGMA key = 'horse'; CREATE TABLE t (a)").unwrap();
        let size = value(&plain, "PRAGMA cipher_page_size", &[]).unwrap();
        assert_eq!(size, text("4096"), "{target}");
    }
    assert_eq!(fs::read(scratch.folder().join("there")).unwrap(), b"something");
}

#[test]
fn a_parameter_without_a_default_is_refused() {
    let scratch = Scratch::new();
    let parameters =
        CipherParameters { hmac_page_number: Some(PageNumberOrder::Big), ..CipherParameters::default() };
    let database = filled(&scratch.path(), &key(parameters));
    let into = format!("VACUUM INTO '{}'", scratch.folder().join("into.db").display());
    assert_eq!(database.execute_batch(&into).unwrap_err().code(), "STRONGROOM_VACUUM_REFUSED");
}

#[test]
fn threads_vacuum_databases_of_different_layouts_at_the_same_time() {
    thread::scope(|scope| {
        for size in [1_024, 2_048, 8_192, 16_384] {
            scope.spawn(move || {
                let parameters = CipherParameters { page_size: Some(size), ..CipherParameters::default() };
                let scratch = Scratch::new();
                let sealed = size > 4_096;
                let key = || match sealed {
                    true => key(parameters).with_format(Format::Strongroom).unwrap(),
                    false => key(parameters),
                };
                let database = filled(&scratch.path(), &key());
                for round in 0..10 {
                    let target = scratch.folder().join(format!("{round}.db"));
                    database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).unwrap();
                    assert_eq!(integer(&open(&target, &key()), "SELECT count(*) FROM t"), 3000);
                }
            });
        }
    });
}
