//! Tests that `OPENSSL_CONF` does not affect the process.
//!
//! Each test runs itself again in a child process, with a configuration file that plain OpenSSL obeys. The file requires
//! FIPS implementations, which OpenSSL lacks, so no digest works.

use std::path::PathBuf;
use std::process::{Command, exit};
use std::{env, fs, ptr};

use vendored_sys::openssl;

const CHILD: &str = "VENDORED_SYS_TEST_CHILD";

/// Exit codes of a child. The test harness uses neither.
const WORKS: i32 = 10;
const FAILS: i32 = 11;

const CONFIGURATION: &str = "\
openssl_conf = sections
[sections]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
";

/// Returns whether SHA-256 works in a separate process that has the configuration file and calls `first`.
fn digest_works_after(first: fn(), test: &str) -> bool {
    if env::var_os(CHILD).is_some() {
        first();
        // The crate openssl makes this call on its first use. Without a preceding init, the call reads the configuration.
        openssl::init();
        exit(if digest_works() { WORKS } else { FAILS });
    }
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.cnf"));
    fs::write(&file, CONFIGURATION).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("configuration::{test}"), "--nocapture"])
        .env("OPENSSL_CONF", file)
        .env(CHILD, "1")
        .output()
        .unwrap();
    match output.status.code() {
        Some(WORKS) => true,
        Some(FAILS) => false,
        code => panic!("the child exited with {code:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn digest_works() -> bool {
    let (mut digest, mut length, input) = ([0; 64], 0, b"abc");
    // SAFETY: the names end in NUL, the input has the given length, and the output is as long as any digest.
    let done = unsafe {
        let (context, properties) = (ptr::null_mut(), ptr::null());
        let (data, output) = (input.as_ptr().cast(), digest.as_mut_ptr());
        openssl::EVP_Q_digest(
            context,
            c"SHA256".as_ptr(),
            properties,
            data,
            input.len(),
            output,
            &raw mut length,
        )
    };
    done == 1 && length == 32 && digest[0] == 0xba
}

#[test]
fn a_configuration_file_has_no_effect_after_init() {
    let works =
        digest_works_after(|| vendored_sys::init().unwrap(), "a_configuration_file_has_no_effect_after_init");
    assert!(works);
}

#[test]
fn a_configuration_file_has_no_effect_after_versions() {
    let ask = || drop(vendored_sys::versions().unwrap());
    assert!(digest_works_after(ask, "a_configuration_file_has_no_effect_after_versions"));
}

/// Shows that the file takes effect if `init` is not called first, so the tests above prove something.
#[test]
fn the_configuration_file_disables_every_digest_without_init() {
    assert!(!digest_works_after(|| (), "the_configuration_file_disables_every_digest_without_init"));
}

#[test]
fn init_may_be_called_repeatedly_from_any_thread() {
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(vendored_sys::init)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Ok(()));
    }
    assert_eq!(vendored_sys::init(), Ok(()));
    assert!(digest_works());
}
