//! Initialises OpenSSL and SQLCipher, once, and in the only safe order.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::ptr;
use std::sync::OnceLock;

use crate::sqlite;

/// Initialises OpenSSL and SQLCipher. Every later call only returns the result of the first call.
///
/// Call this function before anything else uses OpenSSL. On its first use, OpenSSL decides whether to read a configuration
/// file (`OPENSSL_CONF`, or a file in its compiled-in folder). Such a file may load code into the process and replace
/// algorithms.
///
/// # Errors
///
/// [`InitError`] if a library fails to initialise, for lack of memory or of a source of randomness.
pub fn init() -> Result<(), InitError> {
    static DONE: OnceLock<Result<(), InitError>> = OnceLock::new();
    *DONE.get_or_init(|| {
        // SAFETY: the function is safe on any thread, and a null pointer means no settings.
        let ready = unsafe { OPENSSL_init_crypto(NO_LOAD_CONFIG | NO_ATEXIT, ptr::null()) };
        if ready != 1 {
            return Err(InitError::OpenSsl);
        }
        // SAFETY: the function is safe on any thread. SQLCipher comes second, because its sqlcipher_extra_init registers
        // the OpenSSL provider and reads random bytes.
        match unsafe { sqlite::sqlite3_initialize() } {
            sqlite::SQLITE_OK => Ok(()),
            code => Err(InitError::SqlCipher { code }),
        }
    })
}

/// A C library that failed to initialise.
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
        let remedy = "check that memory and a source of randomness (getrandom or /dev/urandom) are available";
        match self {
            Self::OpenSsl => write!(f, "cannot initialise OpenSSL; {remedy}"),
            Self::SqlCipher { code } => write!(f, "cannot initialise SQLCipher (code {code}); {remedy}"),
        }
    }
}

impl std::error::Error for InitError {}

/// OPENSSL_INIT_NO_LOAD_CONFIG of openssl/crypto.h.
const NO_LOAD_CONFIG: u64 = 0x80;

/// OPENSSL_INIT_NO_ATEXIT of openssl/crypto.h: at exit, OpenSSL would free memory that threads still use.
const NO_ATEXIT: u64 = 0x0008_0000;

unsafe extern "C" {
    /// Declared here because openssl-sys omits the function. Source: openssl/crypto.h.
    fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
}
