//! The memory that holds the bytes of a key, and its content after the key is dropped. Only Linux shows both.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::{env, iter};

use strongroom_keys::{CipherParameters, Key, PageKeys, RecoveryCode, SALT_LENGTH, SecretBytes, derive};

/// Set in a child process that runs one test.
const ALONE: &str = "STRONGROOM_TEST_MEMORY_ALONE";
/// Set in a child process that may lock little memory.
const LIMITED: &str = "STRONGROOM_TEST_MEMORY_LIMITED";
/// An upper bound for the memory that the tests lock: a few pages of 64 KiB, the largest pages of Linux.
const NEEDED: u64 = 1 << 20;

#[test]
fn the_bytes_of_a_key_are_locked_and_not_dumped() {
    if let Some(limit) = lock_limit().filter(|limit| *limit < NEEDED) {
        println!("skipped: the system lets this process lock {limit} bytes, and the tests need {NEEDED}");
        return;
    }
    if !is_alone("memory::the_bytes_of_a_key_are_locked_and_not_dumped") {
        return;
    }
    let [raw, passphrase, derived] = keys();
    let pages = PageKeys::derive(&raw, &[1; SALT_LENGTH]).unwrap();
    let texts = [&raw, &passphrase, &derived].map(|key| key.expose_for_sqlcipher().unwrap());
    let mut places: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    places.extend([raw.expose_raw().unwrap(), derived.expose_raw().unwrap(), &pages.cipher, &pages.hmac]);
    let code = RecoveryCode::generate().unwrap();
    let (text, key) = (code.expose_text(), Key::recovery_code(&code));
    places.extend([code.expose_bytes(), &text, key.expose_recovery_code().unwrap()]);
    let long = SecretBytes::zeroed(100_000);
    places.extend([&long[..1], &long[99_999..]]);
    for place in places {
        assert!(has_flag(place, "lo"), "a mapping isn't locked");
        assert!(has_flag(place, "dd"), "a mapping is dumped");
    }
    let heap = vec![1; 32];
    assert!(
        !has_flag(&heap, "lo") && !has_flag(&heap, "dd"),
        "the test reads the flags of the wrong mapping"
    );
}

#[test]
fn a_dropped_key_leaves_no_bytes_in_memory() {
    for key in keys() {
        let text = key.expose_for_sqlcipher().unwrap();
        for secret in [key.expose_raw().unwrap_or(&text), &text] {
            assert!(
                is_at(address(secret), &inverted(secret)),
                "the test doesn't find the bytes of a live key"
            );
        }
        let places =
            [key.expose_raw().unwrap_or(&text), &text].map(|secret| (address(secret), inverted(secret)));
        drop((key, text));
        for (address, inverted) in places {
            assert!(!is_at(address, &inverted), "the bytes outlive their key");
        }
    }
}

#[test]
fn a_dropped_recovery_code_leaves_no_bytes_in_memory() {
    let code = RecoveryCode::generate().unwrap();
    let (text, key) = (code.expose_text(), Key::recovery_code(&code));
    let secrets = [code.expose_bytes(), &text, key.expose_recovery_code().unwrap()];
    let places = secrets.map(|secret| (address(secret), inverted(secret)));
    assert!(places.iter().all(|(address, inverted)| is_at(*address, inverted)));
    drop((code, text, key));
    for (address, inverted) in places {
        assert!(!is_at(address, &inverted), "the bytes outlive their code");
    }
}

/// Debian and Docker long limited a process to 64 KiB of locked memory, less than twenty keys need.
#[test]
fn a_limit_on_locked_memory_does_not_prevent_keys() {
    if env::var_os(LIMITED).is_some() {
        let keys: Vec<Key> = iter::repeat_with(|| Key::generate().unwrap()).take(1000).collect();
        let secrets: Vec<&[u8]> = keys.iter().filter_map(Key::expose_raw).collect();
        assert!(has_flag(secrets[0], "lo"), "the first key is not locked");
        assert!(!has_flag(secrets[999], "lo"), "the last key is locked");
        assert!(has_flag(secrets[999], "dd"), "the last key is dumped");
        assert_eq!(keys[999].expose_for_sqlcipher().unwrap().len(), 67);
        drop(keys);
        assert!(
            has_flag(Key::generate().unwrap().expose_raw().unwrap(), "lo"),
            "a key is not locked after the others were dropped"
        );
        return;
    }
    // The limit does not apply to root, so the child loses the capability to lock memory.
    let mut command = match may_lock_all() {
        true => Command::new("setpriv"),
        false => Command::new("env"),
    };
    if may_lock_all() {
        command.arg("--bounding-set=-ipc_lock");
    }
    let output = command
        .args(["sh", "-c", "ulimit -l 256 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "memory::a_limit_on_locked_memory_does_not_prevent_keys", "--nocapture"])
        .env(LIMITED, "1")
        .output();
    let Ok(output) = output else {
        println!("skipped: the program setpriv is not installed");
        return;
    };
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

/// Returns whether this process runs one test only. Otherwise, runs the test in such a process: other tests map memory while
/// the kernel lists the mappings.
fn is_alone(test: &str) -> bool {
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

/// A raw key, a passphrase and a derived key.
fn keys() -> [Key; 3] {
    let passphrase = b"correct horse battery staple";
    let parameters = CipherParameters { kdf_iter: Some(1), ..CipherParameters::default() };
    let derived = derive(passphrase, &[1; SALT_LENGTH], &parameters);
    [Key::generate().unwrap(), Key::passphrase(passphrase).unwrap(), derived.unwrap()]
}

fn address(secret: &[u8]) -> u64 {
    secret.as_ptr() as u64
}

/// Returns an inverted copy, which a search for the secret does not find.
fn inverted(secret: &[u8]) -> Vec<u8> {
    secret.iter().map(|byte| !byte).collect()
}

/// Returns whether the memory at an address holds a secret. Unmapped memory does not.
fn is_at(address: u64, inverted: &[u8]) -> bool {
    let mut found = vec![0; inverted.len()];
    let read = File::open("/proc/self/mem").unwrap().read_exact_at(&mut found, address);
    read.is_ok() && found.iter().zip(inverted).all(|(found, inverted)| *found == !inverted)
}

/// Returns whether the kernel reports a flag for the mapping that holds `place`: `lo` for locked, `dd` for not dumped.
fn has_flag(place: &[u8], flag: &str) -> bool {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut holds = false;
    for line in maps.lines() {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some((start, end)) = first.split_once('-') {
            let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16).unwrap());
            holds = (start..end).contains(&address(place));
        } else if holds && first == "VmFlags:" {
            return rest.split_whitespace().any(|found| found == flag);
        }
    }
    panic!("/proc/self/smaps has no mapping with flags at {:#x}", address(place));
}

/// Returns the number of bytes that the process may lock, or `None` without a limit.
fn lock_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory")).unwrap();
    line.split_whitespace().next().unwrap().parse().ok()
}

/// Returns whether the process has the capability CAP_IPC_LOCK, number 14.
fn may_lock_all() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(line.trim(), 16).unwrap() & (1 << 14) != 0
}
