//! Tests that the linked libraries are the vendored ones.
#![cfg(feature = "vendored")]

use vendored_sys::versions;

/// Returns the version of a package in Cargo.lock. The crate cargo-lock is not used: it would become a dependency of this
/// crate, and the C layer is rebuilt whenever those dependencies change.
fn locked(package: &str) -> &'static str {
    let lock = include_str!("../../../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("\nname = \"{package}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap()
}

/// Returns the part of a version after `+`, which names the library that a -sys crate contains.
fn library_of(package: &str) -> &'static str {
    locked(package).split_once('+').unwrap().1
}

#[test]
fn openssl_is_the_version_of_openssl_src_on_the_long_term_line() {
    let linked = versions().unwrap().openssl;
    assert_eq!(linked, library_of("openssl-src"));
    assert!(linked.starts_with("3.5."), "{linked} is not on the release line that is supported to 2030");
}

#[test]
fn sqlcipher_and_its_sqlite_are_the_versions_of_sqlcipher_src() {
    let linked = versions().unwrap();
    // sqlcipher-4.20.0-sqlite-3.54.1-libtomcrypt-1.18.2
    let parts: Vec<&str> = library_of("sqlcipher-src").split('-').collect();
    assert_eq!((parts[0], parts[2]), ("sqlcipher", "sqlite"));
    assert_eq!(linked.sqlcipher.unwrap(), format!("{} community", parts[1]));
    assert_eq!(linked.sqlite, parts[3]);
}

#[test]
fn zstd_is_the_version_of_zstd_sys() {
    assert_eq!(format!("zstd.{}", versions().unwrap().zstd), library_of("zstd-sys"));
}

#[test]
fn sqlcipher_encrypts_with_the_linked_openssl() {
    let provider = crate::compile_options::pragma("cipher_provider_version");
    assert!(provider[0].starts_with(&format!("OpenSSL {} ", versions().unwrap().openssl)), "{provider:?}");
}
