//! Compares this provider with SQLCipher's own provider, page by page.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use strongroom_keys::{CipherParameters, Key, PageKeys, SALT_LENGTH};

use super::counted::counts;
use super::*;
use crate::{AttachKey, AttachOptions, Database, Location, OpenOptions};

/// A provider's two functions for pages, and the context passed to them.
struct Side {
    provider: Provider,
    ctx: *mut c_void,
}

impl Side {
    /// Returns this provider with a new state, and SQLCipher's own provider.
    fn both() -> [Self; 2] {
        vendored_sys::init().unwrap();
        register_provider();
        let base = *base().unwrap();
        let own = Provider { hmac: Some(hmac), cipher: Some(cipher), ctx_free: Some(ctx_free), ..base };
        let mut ctx = ptr::null_mut();
        // SAFETY: the pointer is valid for a write.
        assert_eq!(unsafe { ctx_init(&raw mut ctx) }, OK);
        let none = ptr::null_mut();
        [Self { provider: own, ctx }, Self { provider: Provider { ctx_free: None, ..base }, ctx: none }]
    }

    /// Returns the code, and the HMAC of `page` without its last 64 bytes, which take the place of the page's own HMAC.
    fn hmac(&self, algorithm: c_int, key: &[u8], page: &[u8], number: &[u8]) -> (c_int, [u8; 64]) {
        let mut out = [0; 64];
        let length = |bytes: &[u8]| c_int::try_from(bytes.len()).unwrap();
        let content = &page[..page.len() - 64];
        // SAFETY: each length is that of its bytes, no HMAC is longer than 64 bytes, and the page continues for 64 bytes.
        let code = unsafe {
            self.provider.hmac.unwrap()(
                self.ctx,
                algorithm,
                key.as_ptr(),
                length(key),
                page.as_ptr(),
                length(content),
                number.as_ptr(),
                length(number),
                out.as_mut_ptr(),
            )
        };
        (code, out)
    }

    fn cipher(&self, mode: c_int, key: &[u8; 32], iv: &[u8; 16], text: &[u8]) -> (c_int, Vec<u8>) {
        // OpenSSL may write one more block than it reads.
        let mut out = vec![0; text.len() + 16];
        let length = c_int::try_from(text.len()).unwrap();
        // SAFETY: each length is that of its bytes.
        let code = unsafe {
            let cipher = self.provider.cipher.unwrap();
            cipher(self.ctx, mode, key.as_ptr(), 32, iv.as_ptr(), text.as_ptr(), length, out.as_mut_ptr())
        };
        (code, out)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some(free) = self.provider.ctx_free {
            // SAFETY: `ctx_init` created the context, which is freed exactly once.
            unsafe { free(&raw mut self.ctx) };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    /// Three keys for two contexts, so that contexts are both reused and replaced.
    #[test]
    fn pages_have_the_bytes_of_sqlciphers_provider(
        keys in any::<[[u8; 32]; 3]>(),
        iv in any::<[u8; 16]>(),
        number in any::<u32>(),
        size in (0..8_u32).prop_map(|power| 512_usize << power),
        start in any::<u64>(),
        calls in prop::collection::vec((0..3_usize, 0..3, 0..2), 1..12),
    ) {
        let [own, theirs] = Side::both();
        let bytes = start.to_le_bytes();
        let page: Vec<u8> = (0..size).map(|at| bytes[at % 8] ^ (at / 8) as u8 ^ (at / 2048) as u8).collect();
        for (key, algorithm, mode) in calls {
            let key = &keys[key];
            let mut given = *key;
            let expected = theirs.hmac(algorithm, key, &page, &number.to_le_bytes());
            prop_assert_eq!(expected.0, OK);
            prop_assert_eq!(own.hmac(algorithm, &given, &page, &number.to_le_bytes()), expected);
            let text = &page[..size - 48];
            let expected = theirs.cipher(mode, key, &iv, text);
            prop_assert_eq!(expected.0, OK);
            prop_assert_eq!(own.cipher(mode, &given, &iv, text), expected);
            // The same memory with another key, as after a rekey.
            given[0] ^= 1;
            prop_assert_eq!(
                own.hmac(algorithm, &given, &page, &[]),
                theirs.hmac(algorithm, &given, &page, &[])
            );
            prop_assert_eq!(own.cipher(mode, &given, &iv, text), theirs.cipher(mode, &given, &iv, text));
        }
    }
}

#[test]
fn calls_without_a_page_return_the_same_as_sqlciphers_provider() {
    let [own, theirs] = Side::both();
    let (key, iv, page) = ([7; 32], [9; 16], [1; 1024]);
    for (algorithm, key) in [(2, &key[..20]), (0, &[3; 100]), (3, &key), (-1, &key), (1, &[])] {
        let expected = theirs.hmac(algorithm, key, &page, b"1234");
        assert_eq!(own.hmac(algorithm, key, &page, b"1234"), expected, "{algorithm} {}", key.len());
    }
    for (mode, length) in [(DECRYPT, 0), (ENCRYPT, 0), (DECRYPT, 17), (ENCRYPT, 31), (DECRYPT, 16)] {
        let expected = theirs.cipher(mode, &key, &iv, &page[..length]);
        assert_eq!(own.cipher(mode, &key, &iv, &page[..length]), expected, "{mode} {length}");
    }
    assert_eq!(own.cipher(DECRYPT, &key, &iv, &page[..17]).0, ERROR, "a part of a block");
    assert_eq!(own.hmac(3, &key, &page, &[]).0, ERROR, "no such algorithm");
}

#[test]
fn random_bytes_fill_the_buffer() {
    let fill = |length| {
        let mut buffer = [0_u8; 80];
        // SAFETY: no length exceeds the buffer's.
        (unsafe { random(ptr::null_mut(), buffer.as_mut_ptr().cast(), length) }, buffer)
    };
    let ((code, first), (_, second)) = (fill(80), fill(80));
    assert_eq!(code, OK);
    assert!(first != second && first[60..] != [0; 20]);
    assert_eq!(fill(16).1[16..], [0; 64]);
    assert_eq!(fill(-1).0, ERROR);
}

#[test]
fn the_pages_of_sqlciphers_files_authenticate_and_decrypt_to_the_same_text() {
    let Some(folder) = env::var_os("STRONGROOM_VECTORS").map(PathBuf::from) else {
        println!(
            "skipped: SQLCipher's compatibility files are not available; set STRONGROOM_VECTORS to their folder"
        );
        return;
    };
    for (name, compatibility, hash, pages) in
        [("sqlcipher-4.0-testkey.db", None, 2, 239), ("sqlcipher-3.0-testkey.db", Some(3), 0, 1000)]
    {
        let parameters = CipherParameters { compatibility, ..Default::default() };
        let file = fs::read(folder.join(name)).unwrap();
        let key = Key::passphrase(b"testkey").unwrap().with_cipher(parameters).unwrap();
        let salt: [u8; SALT_LENGTH] = file[..SALT_LENGTH].try_into().unwrap();
        let keys = PageKeys::derive(&key, &salt).unwrap();
        let [size, reserved] =
            [parameters.effective_page_size(), parameters.reserved_bytes()].map(|length| length as usize);
        let cipher_key: &[u8; 32] = keys.cipher.first_chunk().unwrap();
        let [own, theirs] = Side::both();
        let failed = failed_pages();
        for (index, page) in file.chunks(size).enumerate() {
            let number = u32::try_from(index + 1).unwrap().to_le_bytes();
            let page = if index == 0 { &page[SALT_LENGTH..] } else { page };
            let (text, rest) = page.split_at(page.len() - reserved);
            let (iv, code) = rest.split_first_chunk().unwrap();
            // 64 bytes follow the content; the page's HMAC comes first.
            let mut content = [text, iv, code].concat();
            content.resize(text.len() + 16 + 64, 0);
            let computed = own.hmac(hash, &keys.hmac, &content, &number);
            assert_eq!(computed, theirs.hmac(hash, &keys.hmac, &content, &number), "{name} {index}");
            let length = [20, 32, 64][hash as usize];
            assert_eq!(computed.1[..length], code[..length], "{name} {index}");
            let plain = own.cipher(DECRYPT, cipher_key, iv, text);
            assert_eq!(plain, theirs.cipher(DECRYPT, cipher_key, iv, text), "{name} {index}");
            assert_eq!(own.cipher(ENCRYPT, cipher_key, iv, &plain.1[..text.len()]).1[..text.len()], *text);
        }
        assert_eq!(file.len() / size, pages, "{name}");
        // Other tests of this process also damage pages, so the count may only grow.
        assert!(failed_pages() >= failed);
    }
}

fn open(path: &Path) -> Database {
    Database::open(Location::File(path), &Key::raw(&[0x5a; 32]).unwrap(), &OpenOptions::default()).unwrap()
}

fn run(database: &Database, sql: &str) {
    let mut statement = database.prepare(sql).unwrap();
    while statement.step().unwrap().is_some() {}
}

/// SQLCipher's own provider creates two contexts for each page and direction.
#[test]
fn a_thousand_pages_take_four_contexts_and_closing_frees_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = open(&path);
    let before = counts::get();
    database
        .execute_batch(
            "PRAGMA cache_size = 10;
             CREATE TABLE t (v BLOB);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 1000)
             INSERT INTO t SELECT zeroblob(3900) FROM n",
        )
        .unwrap();
    run(&database, "SELECT sum(length(v)) FROM t");
    run(&database, "UPDATE t SET v = zeroblob(3800)");
    let after = counts::get();
    assert!(after.made - before.made <= 4, "{before:?} {after:?}");
    database.close().unwrap();
    assert_eq!(counts::get().live, 0);

    let before = counts::get();
    let database = open(&path);
    run(&database, "PRAGMA cache_size = 10");
    for _ in 0..2 {
        run(&database, "SELECT sum(length(v)) FROM t");
    }
    let after = counts::get();
    assert_eq!((after.made - before.made, after.live), (4, 4));
    drop(database);
    assert_eq!(counts::get().live, 0);
}

#[test]
fn a_rekey_leaves_the_contexts_of_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = open(&path);
    database.execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(1000000))").unwrap();
    database.rekey("main", &Key::raw(&[0xa5; 32]).unwrap(), &mut |_| true).unwrap();
    run(&database, "SELECT * FROM t");
    assert_eq!(counts::get().live, 4);
    database.close().unwrap();
    assert_eq!(counts::get().live, 0);
}

#[test]
fn each_attached_database_has_its_own_contexts_until_it_is_detached() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("test.db"));
    database.execute_batch("CREATE TABLE t (v)").unwrap();
    let main = counts::get().live;
    let key = Key::raw(&[0xa5; 32]).unwrap();
    let options = AttachOptions { key: AttachKey::Key(&key), ..Default::default() };
    database.attach(Location::File(&folder.path().join("other.db")), "other", &options).unwrap();
    database.execute_batch("CREATE TABLE other.t (v); INSERT INTO other.t VALUES (1)").unwrap();
    assert_eq!((main, counts::get().live), (4, 8));
    database.execute_batch("DETACH other").unwrap();
    assert_eq!(counts::get().live, 4);
}
