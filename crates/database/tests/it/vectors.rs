//! Tests the public files that SQLCipher publishes for compatibility tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use strongroom_database::{Database, Location, OpenError, OpenOptions};
use strongroom_keys::{CipherParameters, Key, derive};

use crate::scratch::integer;

/// Returns the folder of the files, which are not part of this repository.
fn folder() -> Option<PathBuf> {
    let folder = env::var_os("STRONGROOM_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!(
            "skipped: SQLCipher's compatibility files are not available; set STRONGROOM_VECTORS to their folder"
        );
    }
    folder
}

fn open(path: &Path, compatibility: Option<u8>) -> Result<Database, OpenError> {
    let parameters = CipherParameters { compatibility, ..Default::default() };
    let key = Key::passphrase(b"testkey").unwrap().with_cipher(parameters).unwrap();
    let options = OpenOptions { read_only: true, ..Default::default() };
    Database::open(Location::File(path), &key, &options)
}

#[test]
fn files_of_sqlcipher_4_and_3_are_read() {
    let Some(folder) = folder() else { return };
    for (name, compatibility) in [("sqlcipher-4.0-testkey.db", None), ("sqlcipher-3.0-testkey.db", Some(3))] {
        let database = open(&folder.join(name), compatibility).unwrap();
        assert_eq!(integer(&database, "SELECT count(*) FROM t1"), 78_536, "{name}");
    }
}

#[test]
fn a_file_of_sqlcipher_3_requires_its_parameters() {
    let Some(folder) = folder() else { return };
    let error = open(&folder.join("sqlcipher-3.0-testkey.db"), None).unwrap_err();
    assert_eq!(error.code(), "STRONGROOM_WRONG_KEY");
    assert!(error.to_string().contains("other cipher parameters"), "{error}");
}

#[test]
fn a_derived_key_opens_a_file_of_sqlcipher() {
    let Some(folder) = folder() else { return };
    let path = folder.join("sqlcipher-4.0-testkey.db");
    let salt = fs::read(&path).unwrap()[..16].try_into().unwrap();
    let key = derive(b"testkey", &salt, &CipherParameters::default()).unwrap();
    let options = OpenOptions { read_only: true, ..Default::default() };
    let database = Database::open(Location::File(&path), &key, &options).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM t1"), 78_536);
}
