//! What can be wrong with a key.

use crate::parameters::{KDF_ITER_MAX, PAGE_SIZE_MAX, PAGE_SIZE_MIN};

/// Why something is no key.
///
/// No variant holds key bytes, so that a message never shows any.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A raw key that does not have 32 bytes.
    #[error(
        "a raw key has exactly 32 bytes, this one has {actual}: pass 32 random bytes, or use a passphrase instead"
    )]
    Length {
        /// The number of bytes that were given.
        actual: usize,
    },

    /// A passphrase without a single byte.
    #[error("the passphrase is empty: an empty passphrase would leave the database unencrypted")]
    Empty,

    /// A passphrase in the notation that SQLCipher reads as a raw key.
    #[error(
        "the passphrase is written as x'...' with hexadecimal digits, which SQLCipher takes for a raw key: \
         pass those bytes as a raw key, or choose another passphrase"
    )]
    RawNotation,

    /// A page size that SQLCipher does not have.
    #[error("page_size is {actual}: it is a power of two from {PAGE_SIZE_MIN} to {PAGE_SIZE_MAX}")]
    PageSize {
        /// The page size that was given, in bytes.
        actual: u32,
    },

    /// A number of iterations that cannot be counted.
    #[error("kdf_iter is {actual}: it is a number from 1 to {KDF_ITER_MAX}")]
    KdfIter {
        /// The number that was given.
        actual: u32,
    },

    /// A generation of SQLCipher's format that does not exist.
    #[error(
        "cipher_compatibility is {actual}: it is 1, 2, 3 or 4, the major version of SQLCipher that wrote the file"
    )]
    Compatibility {
        /// The number that was given.
        actual: u8,
    },

    /// OpenSSL gave no random bytes.
    #[error("OpenSSL's random generator gave no bytes: is the system's source of randomness available?")]
    Random {
        /// OpenSSL's own account of it.
        source: openssl::error::ErrorStack,
    },

    /// OpenSSL could not derive the key.
    #[error("OpenSSL could not derive a key from the passphrase: is there memory left?")]
    Derivation {
        /// OpenSSL's own account of it.
        source: openssl::error::ErrorStack,
    },

    /// A library of C that did not get ready.
    #[error("the cryptographic library did not get ready")]
    Init {
        /// What vendored-sys says of it.
        source: vendored_sys::InitError,
    },
}

impl KeyError {
    /// Every code that [`KeyError::code`] can answer.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_KEY_LENGTH",
        "STRONGROOM_KEY_EMPTY",
        "STRONGROOM_KEY_NOTATION",
        "STRONGROOM_KEY_PAGE_SIZE",
        "STRONGROOM_KEY_KDF_ITER",
        "STRONGROOM_KEY_COMPATIBILITY",
        "STRONGROOM_KEY_RANDOM",
        "STRONGROOM_KEY_DERIVATION",
        "STRONGROOM_INIT",
    ];

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "STRONGROOM_KEY_LENGTH",
            Self::Empty => "STRONGROOM_KEY_EMPTY",
            Self::RawNotation => "STRONGROOM_KEY_NOTATION",
            Self::PageSize { .. } => "STRONGROOM_KEY_PAGE_SIZE",
            Self::KdfIter { .. } => "STRONGROOM_KEY_KDF_ITER",
            Self::Compatibility { .. } => "STRONGROOM_KEY_COMPATIBILITY",
            Self::Random { .. } => "STRONGROOM_KEY_RANDOM",
            Self::Derivation { .. } => "STRONGROOM_KEY_DERIVATION",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}
