//! Tests that the public files of each SQLCipher version convert to version 4, to plain, and back.

use std::env;
use std::fs;
use std::path::PathBuf;

use strongroom_keys::{CipherParameters, Key, PageNumberOrder};

use crate::migrating::{convert, open, version};
use crate::scratch::{Owned, Scratch, assert_intact, integer, rows};

/// The names of the files, and the version and the parameters that SQLCipher's tests use for each file.
fn vectors() -> [(&'static str, CipherParameters); 6] {
    let of = |version| CipherParameters { compatibility: Some(version), ..CipherParameters::default() };
    let big = CipherParameters { hmac_page_number: Some(PageNumberOrder::Big), ..of(2) };
    let beta = CipherParameters { hmac_salt_mask: Some(0), fast_kdf_iter: Some(4_000), ..of(2) };
    [
        ("sqlcipher-1.1.8-testkey.db", of(1)),
        ("sqlcipher-2.0-beta-testkey.db", beta),
        ("sqlcipher-2.0-be-testkey.db", big),
        ("sqlcipher-2.0-le-testkey.db", of(2)),
        ("sqlcipher-3.0-testkey.db", of(3)),
        ("sqlcipher-4.0-testkey.db", of(4)),
    ]
}

#[test]
fn each_public_file_converts_to_version_4_to_plain_and_back() {
    let Some(folder) = env::var_os("STRONGROOM_VECTORS").map(PathBuf::from) else {
        println!(
            "skipped: SQLCipher's compatibility files are not available; set STRONGROOM_VECTORS to their folder"
        );
        return;
    };
    for (name, parameters) in vectors() {
        let (scratch, four) = (Scratch::new(), version(4));
        if !folder.join(name).is_file() {
            println!("skipped: the folder in STRONGROOM_VECTORS does not contain {name}");
            continue;
        }
        fs::copy(folder.join(name), scratch.path()).unwrap();
        let own = Key::passphrase(b"testkey").unwrap().with_cipher(parameters).unwrap();
        let content = |key: Option<&Key>| -> Vec<Vec<Owned>> {
            let database = open(&scratch.path(), key);
            assert!(integer(&database, "SELECT count(*) FROM t1") > 0, "{name}");
            rows(&database, "SELECT rowid, * FROM t1", &[]).unwrap()
        };
        let before = content(Some(&own));
        for (from, to) in [
            (Some(&own), Some(&four)),
            (Some(&four), None),
            (None, Some(&own)),
            (Some(&own), None),
            (None, Some(&four)),
        ] {
            convert(&scratch.path(), from, to).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(content(to) == before, "{name} has other rows after a conversion");
        }
        assert_intact(&open(&scratch.path(), Some(&four)));
    }
}
