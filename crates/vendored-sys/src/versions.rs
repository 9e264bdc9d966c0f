//! Reads the versions of the libraries from the libraries themselves.

use std::ffi::{CStr, c_char};
use std::ptr;

use crate::{InitError, init, openssl, sqlite, zstd};

/// The versions of the linked libraries, as reported at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versions {
    /// OpenSSL's version, such as `3.5.5`.
    pub openssl: String,
    /// SQLite's version, such as `3.54.1`.
    pub sqlite: String,
    /// SQLCipher's version, such as `4.20.0 community`, or `None` if the library is plain SQLite.
    pub sqlcipher: Option<String>,
    /// zstd's version, such as `1.5.7`.
    pub zstd: String,
}

/// Asks each library for its version.
///
/// # Errors
///
/// [`InitError`] if the libraries fail to initialise.
pub fn versions() -> Result<Versions, InitError> {
    init()?;
    Ok(Versions {
        openssl: openssl_version(),
        // SAFETY: the function returns a constant string.
        sqlite: unsafe { text(sqlite::sqlite3_libversion()) }.unwrap_or_default(),
        sqlcipher: cipher_version()?,
        // SAFETY: the function returns a constant string.
        zstd: unsafe { text(zstd::ZSTD_versionString()) }.unwrap_or_default(),
    })
}

/// Returns the version in OPENSSL_VERSION of openssl/crypto.h, such as "OpenSSL 3.5.5 27 Jan 2026". Every version of
/// OpenSSL has this text.
fn openssl_version() -> String {
    // SAFETY: the function returns a constant string, for any key.
    let line = unsafe { text(openssl::OpenSSL_version(openssl::OPENSSL_VERSION)) }.unwrap_or_default();
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Returns SQLCipher's version. SQLCipher has only a pragma for its version, for which plain SQLite returns no row.
fn cipher_version() -> Result<Option<String>, InitError> {
    let mut database = ptr::null_mut();
    let mut statement = ptr::null_mut();
    // SAFETY: both handles come from the calls just before their use, and the strings end in NUL. The column is copied
    // before its statement is finalized. Closing or finalizing a null handle does nothing.
    let (code, version) = unsafe {
        let mut code = sqlite::sqlite3_open(c":memory:".as_ptr(), &raw mut database);
        if code == sqlite::SQLITE_OK {
            let sql = c"PRAGMA cipher_version".as_ptr();
            code = sqlite::sqlite3_prepare_v2(database, sql, -1, &raw mut statement, ptr::null_mut());
        }
        let mut version = None;
        if code == sqlite::SQLITE_OK {
            code = sqlite::sqlite3_step(statement);
            if code == sqlite::SQLITE_ROW {
                version = text(sqlite::sqlite3_column_text(statement, 0).cast());
            }
        }
        sqlite::sqlite3_finalize(statement);
        sqlite::sqlite3_close(database);
        (code, version)
    };
    match code {
        sqlite::SQLITE_ROW | sqlite::SQLITE_DONE => Ok(version),
        code => Err(InitError::SqlCipher { code }),
    }
}

/// # Safety
///
/// `pointer` is null, or points to a string that ends in NUL and lives until this function returns.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller upholds the contract.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
