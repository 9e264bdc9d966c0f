//! What is linked is what is vendored.
#![cfg(feature = "vendored")]

use vendored_sys::versions;

/// The version of a package in Cargo.lock. The crate cargo-lock would be a dependency of this one, whose closure keys the C
/// layer.
fn locked(package: &str) -> &'static str {
    let lock = include_str!("../../../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("\nname = \"{package}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap()
}

/// What follows `+` in a version, where each -sys crate says what it brings.
fn brings(package: &str) -> &'static str {
    locked(package).split_once('+').unwrap().1
}

#[test]
fn openssl_is_the_one_that_openssl_src_brings_on_its_long_term_line() {
    let linked = versions().unwrap().openssl;
    assert_eq!(linked, brings("openssl-src"));
    assert!(linked.starts_with("3.5."), "{linked} is not on the line that is supported to 2030");
}

#[test]
fn sqlcipher_and_its_sqlite_are_those_that_sqlcipher_src_brings() {
    let linked = versions().unwrap();
    // sqlcipher-4.20.0-sqlite-3.54.1-libtomcrypt-1.18.2
    let parts: Vec<&str> = brings("sqlcipher-src").split('-').collect();
    assert_eq!((parts[0], parts[2]), ("sqlcipher", "sqlite"));
    assert_eq!(linked.sqlcipher.unwrap(), format!("{} community", parts[1]));
    assert_eq!(linked.sqlite, parts[3]);
}

#[test]
fn zstd_is_the_one_that_zstd_sys_brings() {
    assert_eq!(format!("zstd.{}", versions().unwrap().zstd), brings("zstd-sys"));
}

#[test]
fn sqlcipher_encrypts_with_the_openssl_that_is_linked() {
    let provider = crate::compile_options::pragma("cipher_provider_version");
    assert!(provider[0].starts_with(&format!("OpenSSL {} ", versions().unwrap().openssl)), "{provider:?}");
}
