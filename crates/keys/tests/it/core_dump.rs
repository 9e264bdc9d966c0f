//! Searches the core dump of a process that holds a key.

#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt;
use std::process::{self, Command, Stdio};
use std::{env, fs, hint};

use strongroom_keys::{Key, SecretBytes};

/// Makes a child process create a key and abort.
const ABORTS: &str = "STRONGROOM_TEST_CORE_DUMP_ABORTS";
/// SIGABRT.
const ABORTED: i32 = 6;
const LENGTH: usize = 32;

#[test]
fn a_core_dump_lacks_the_key() {
    if env::var_os(ABORTS).is_some() {
        return hold_and_abort();
    }
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        .args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "core_dump::a_core_dump_lacks_the_key", "--nocapture"])
        .env(ABORTS, "1")
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    // The dump is named `core` or `core.<pid>`, unless a program receives it.
    let dump =
        fs::read_dir(folder.path()).unwrap().next().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let Some(dump) = dump.filter(|_| status.core_dumped()) else {
        assert!(status.signal() == Some(ABORTED) || status.code().is_some_and(|code| code != 0), "{status}");
        let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
        println!("skipped: the kernel does not write dumps into the current folder ({})", pattern.trim());
        return;
    };
    let holds = |pattern: fn(usize) -> u8| {
        let bytes: Vec<u8> = (0..LENGTH).map(pattern).collect();
        dump.windows(LENGTH).any(|window| window == bytes)
    };
    assert!(holds(public_byte), "the dump lacks the heap's pattern, so it proves nothing");
    assert!(!holds(secret_byte), "the dump contains the key");
}

/// Aborts with two patterns in memory: one in keys, and one on the heap.
fn hold_and_abort() {
    let mut secret = SecretBytes::zeroed(LENGTH);
    let mut public = vec![0; LENGTH];
    // Each byte is written directly to its place: an array on the stack would be in the dump.
    for index in 0..LENGTH {
        secret[index] = secret_byte(index);
        public[index] = public_byte(index);
    }
    let key = Key::raw(&secret).unwrap();
    let text = key.expose_for_sqlcipher().unwrap();
    hint::black_box((&key, &text, &secret, &public));
    process::abort();
}

/// Both functions are opaque to the compiler, which would otherwise turn their results into constants.
fn secret_byte(index: usize) -> u8 {
    hint::black_box(index as u8).wrapping_mul(73) ^ 0xa5
}

fn public_byte(index: usize) -> u8 {
    hint::black_box(index as u8).wrapping_mul(91) ^ 0x3c
}
