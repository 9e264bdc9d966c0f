//! Makes OpenSSL and SQLCipher ready, once, and in the one order that is safe.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::ptr;
use std::sync::OnceLock;

use crate::sqlite;

/// Makes OpenSSL and SQLCipher ready for use. Every call after the first only answers what the first did.
///
/// It must come before anything else that touches OpenSSL: OpenSSL decides on its first use whether it reads a
/// configuration file, and one that it reads (`OPENSSL_CONF`, or a file in its compiled-in directory) may load
/// code into the process and change what its algorithms are.
///
/// # Errors
///
/// [`InitError`] when a library cannot get ready: no memory, or no source of randomness.
pub fn init() -> Result<(), InitError> {
    static DONE: OnceLock<Result<(), InitError>> = OnceLock::new();
    *DONE.get_or_init(|| {
        // SAFETY: the function is safe on any thread and takes no settings when the pointer is null.
        let ready = unsafe { OPENSSL_init_crypto(NO_LOAD_CONFIG | NO_ATEXIT, ptr::null()) };
        if ready != 1 {
            return Err(InitError::OpenSsl);
        }
        // SAFETY: the function is safe on any thread. It runs sqlcipher_extra_init, which registers the
        // OpenSSL provider and draws random bytes, so it comes second.
        match unsafe { sqlite::sqlite3_initialize() } {
            sqlite::SQLITE_OK => Ok(()),
            code => Err(InitError::SqlCipher { code }),
        }
    })
}

/// A library of C that cannot get ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitError {
    /// `OPENSSL_init_crypto` failed.
    OpenSsl,
    /// `sqlite3_initialize` failed.
    SqlCipher {
        /// SQLite's result code.
        code: c_int,
    },
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = "is there memory left, and a source of randomness (getrandom or /dev/urandom)?";
        match self {
            Self::OpenSsl => write!(f, "OpenSSL cannot be initialised: {cause}"),
            Self::SqlCipher { code } => write!(f, "SQLCipher cannot be initialised (code {code}): {cause}"),
        }
    }
}

impl std::error::Error for InitError {}

/// OPENSSL_INIT_NO_LOAD_CONFIG of openssl/crypto.h.
const NO_LOAD_CONFIG: u64 = 0x80;

/// OPENSSL_INIT_NO_ATEXIT of openssl/crypto.h: at exit, OpenSSL would free what threads still use.
const NO_ATEXIT: u64 = 0x0008_0000;

unsafe extern "C" {
    /// Declared here because openssl-sys leaves it out. Source: openssl/crypto.h.
    fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
}
