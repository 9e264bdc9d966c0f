//! Copies of secrets in the memory of the process. Only Linux shows its mappings.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::{env, iter};

use strongroom_format::{Header, Unlocked, Xaes256Gcm};
use strongroom_keys::{Key, SecretBytes};

/// Set in a child process that runs one test.
const ALONE: &str = "STRONGROOM_TEST_FORMAT_MEMORY_ALONE";
const LENGTH: usize = 32;
const HALF: usize = LENGTH / 2;
const PAGE: usize = 4096;

#[test]
fn openssl_keeps_no_expanded_key_between_calls() {
    if !is_alone("memory::openssl_keeps_no_expanded_key_between_calls") {
        return;
    }
    let known = Known::random();
    let secret = known.secret();
    assert_eq!(known.count(), 1, "the test does not find the secret once");
    // An expanded key starts with the key.
    let mut cipher = Xaes256Gcm::new(secret[..].try_into().unwrap()).unwrap();
    assert_eq!(known.count(), 2);
    let mut text = [1; 100];
    let tag = cipher.seal(&[2; 24], b"", &mut text).unwrap();
    assert_eq!(known.count(), 2);
    assert!(cipher.open(&[2; 24], b"", &mut text, &tag).unwrap());
    assert_eq!(known.count(), 2);
    drop(cipher);
    assert_eq!(known.count(), 1);
    drop(secret);
    assert_eq!(known.count(), 0);
}

/// Deriving from a key, by HKDF or by Argon2id, leaves no copy in memory that OpenSSL has freed.
#[test]
fn a_file_leaves_no_copy_of_its_key() {
    if !is_alone("memory::a_file_leaves_no_copy_of_its_key") {
        return;
    }
    for is_raw in [true, false] {
        let known = Known::random();
        let secret = known.secret();
        let key = if is_raw { Key::raw(&secret) } else { Key::passphrase(&secret) }.unwrap();
        drop(secret);
        assert_eq!(known.count(), 1);
        let created = Unlocked::create(&key, PAGE as u32).unwrap();
        let unlocked = Header::read(&created.header_bytes()).unwrap().unlock(&key).unwrap();
        // A raw key is its own credential.
        assert_eq!(known.count(), if is_raw { 3 } else { 1 }, "raw: {is_raw}");
        drop((created, unlocked));
        assert_eq!(known.count(), 1, "raw: {is_raw}");
        drop(key);
        assert_eq!(known.count(), 0, "raw: {is_raw}");
    }
}

/// Returns whether this process runs one test only. Otherwise, runs the test in such a process: other tests would change
/// the memory during the search.
fn is_alone(test: &str) -> bool {
    vendored_sys::init().unwrap();
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    false
}

/// A random secret.
struct Known {
    /// The secret with all bits inverted, which a search for the secret does not find.
    inverted: [u8; LENGTH],
}

impl Known {
    fn random() -> Self {
        let mut inverted = [0; LENGTH];
        openssl::rand::rand_bytes(&mut inverted).unwrap();
        Self { inverted }
    }

    /// Writes each byte of the secret directly to its place.
    fn secret(&self) -> SecretBytes {
        let mut secret = SecretBytes::zeroed(LENGTH);
        secret.iter_mut().zip(self.inverted).for_each(|(byte, inverted)| *byte = !inverted);
        secret
    }

    /// Counts the places in the writable memory of the process that hold the secret's second half. The allocator may have
    /// overwritten the start of freed memory.
    fn count(&self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let ranges = maps.lines().filter(|line| line.contains(" rw")).map(range).collect::<Vec<_>>();
        // The buffer has one place, so the search never reads a copy that the search made. Each page is read with the start
        // of the next page, for a secret that crosses the border.
        let mut bytes = [0; PAGE + HALF - 1];
        let mut count = 0;
        for (start, end) in ranges {
            for page in
                iter::successors(Some(start), |page| Some(page + PAGE as u64)).take_while(|page| *page < end)
            {
                let wanted = bytes.len().min((end - page) as usize);
                let read = memory.read_at(&mut bytes[..wanted], page).unwrap_or(0);
                let found = &mut bytes[..read];
                found.iter_mut().for_each(|byte| *byte = !*byte);
                count += found.windows(HALF).filter(|window| **window == self.inverted[HALF..]).count();
            }
        }
        count
    }
}

/// The addresses of a mapping, from its line in `/proc/self/maps`.
fn range(line: &str) -> (u64, u64) {
    let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
    let number = |digits| u64::from_str_radix(digits, 16).unwrap();
    (number(start), number(end))
}
