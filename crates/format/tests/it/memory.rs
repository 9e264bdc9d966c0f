//! Copies of secrets in the memory of the process. Only Linux shows its mappings.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::{env, iter};

use strongroom_format::{Header, NewSlot, Unlocked, Xaes256Gcm};
use strongroom_keys::{Key, RecoveryCode, SecretBytes};

/// Set in a child process that runs one test.
const ALONE: &str = "STRONGROOM_TEST_FORMAT_MEMORY_ALONE";
const LENGTH: usize = 32;
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

/// A recovery code has a text, which a person typed, and bytes, which a slot and a credential keep.
#[test]
fn a_recovery_code_leaves_no_copy() {
    if !is_alone("memory::a_recovery_code_leaves_no_copy") {
        return;
    }
    let owner = Key::raw(&[1; LENGTH]).unwrap();
    let created = Unlocked::create(&owner, PAGE as u32).unwrap();
    let typed = RecoveryCode::generate().unwrap().expose_text();
    let code = RecoveryCode::parse(str::from_utf8(&typed).unwrap()).unwrap();
    let (text, bytes) = (Known::of(&typed), Known::of(code.expose_bytes()));
    assert_eq!((text.count(), bytes.count()), (1, 1), "the test does not find the code once");
    let shown = code.expose_text();
    assert_eq!((text.count(), bytes.count()), (2, 1));
    drop((typed, shown));
    assert_eq!((text.count(), bytes.count()), (0, 1));

    let key = Key::recovery_code(&code);
    drop(code);
    assert_eq!(bytes.count(), 1);
    let slot = NewSlot::derive(&key).unwrap();
    assert_eq!(bytes.count(), 2);
    let (added, _) = created.with_slot_added(&slot, Some("code")).unwrap();
    let opened = Header::read(&added.header_bytes()).unwrap().unlock(&key).unwrap();
    assert_eq!(bytes.count(), 3);
    let again = Header::read(&added.header_bytes()).unwrap().unlock_again(&opened).unwrap();
    let changed = opened.with_slot_changed(opened.current_slot().unwrap(), Some(&slot), None).unwrap();
    let (rotated, _) = opened.for_rotation(&[&owner, &key], false).unwrap();
    assert_eq!(bytes.count(), 6);
    drop((slot, added, opened, again, changed, rotated));
    assert_eq!(bytes.count(), 1);
    drop(key);
    assert_eq!(bytes.count(), 0);
}

/// Adding a slot for a passphrase leaves no copy of the passphrase, with or without an error.
#[test]
fn a_new_slot_leaves_no_copy_of_its_passphrase() {
    if !is_alone("memory::a_new_slot_leaves_no_copy_of_its_passphrase") {
        return;
    }
    let known = Known::random();
    let key = Key::passphrase(&known.secret()).unwrap();
    let created = Unlocked::create(&Key::raw(&[1; LENGTH]).unwrap(), PAGE as u32).unwrap();
    let slot = NewSlot::derive(&key).unwrap();
    assert_eq!(known.count(), 1);
    let (added, _) = created.with_slot_added(&slot, None).unwrap();
    assert!(created.with_slot_added(&slot, Some("\n")).is_err());
    let header = Header::read(&added.header_bytes()).unwrap();
    let opened = header.unlock(&key).unwrap();
    assert!(header.unlock(&Key::passphrase(b"wrong").unwrap()).is_err());
    assert_eq!(known.count(), 1);
    drop(key);
    assert_eq!(known.count(), 0);
    drop((slot, opened));
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

/// A secret to search for.
struct Known {
    /// The secret with all bits inverted, which a search for the secret does not find.
    inverted: Vec<u8>,
}

impl Known {
    fn random() -> Self {
        let mut inverted = vec![0; LENGTH];
        openssl::rand::rand_bytes(&mut inverted).unwrap();
        Self { inverted }
    }

    fn of(secret: &[u8]) -> Self {
        Self { inverted: secret.iter().map(|byte| !byte).collect() }
    }

    /// Writes each byte of the secret directly to its place.
    fn secret(&self) -> SecretBytes {
        let mut secret = SecretBytes::zeroed(self.inverted.len());
        secret.iter_mut().zip(&self.inverted).for_each(|(byte, inverted)| *byte = !inverted);
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
        let wanted = &self.inverted[self.inverted.len() / 2..];
        let mut bytes = [0; PAGE + LENGTH];
        let bytes = &mut bytes[..PAGE + wanted.len() - 1];
        let mut count = 0;
        for (start, end) in ranges {
            for page in
                iter::successors(Some(start), |page| Some(page + PAGE as u64)).take_while(|page| *page < end)
            {
                let length = bytes.len().min((end - page) as usize);
                let read = memory.read_at(&mut bytes[..length], page).unwrap_or(0);
                let found = &mut bytes[..read];
                found.iter_mut().for_each(|byte| *byte = !*byte);
                count += found.windows(wanted.len()).filter(|window| *window == wanted).count();
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
