//! The errors of keys.

use crate::limits::{MAX_KDF_ITER, MAX_PAGE_SIZE, MIN_PAGE_SIZE};
use crate::{RecoveryCodeProblem, SlotId};

/// An error of creating or deriving a key.
///
/// No variant holds key bytes, so no message can show them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A raw key does not have 32 bytes.
    #[error("the raw key has {actual} bytes instead of 32: pass 32 random bytes, or a passphrase")]
    Length {
        /// The given number of bytes.
        actual: usize,
    },

    /// The passphrase is empty.
    #[error(
        "the passphrase is empty, and SQLCipher would leave the database unencrypted: pass a passphrase of at \
         least one byte"
    )]
    Empty,

    /// The passphrase has the notation of a raw key, and SQLCipher would read it as one.
    #[error(
        "SQLCipher reads the passphrase x'...' with hexadecimal digits as a raw key: pass its bytes as a raw key, or \
         choose another passphrase"
    )]
    RawNotation,

    /// SQLCipher does not support this page size.
    #[error("page_size is {actual}: pass a power of two from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}")]
    PageSize {
        /// The given page size, in bytes.
        actual: u32,
    },

    /// The number of iterations is out of range.
    #[error("kdf_iter is {actual}: pass a number from 1 to {MAX_KDF_ITER}")]
    KdfIter {
        /// The given number.
        actual: u32,
    },

    /// SQLCipher has no major version with this number.
    #[error(
        "cipher_compatibility is {actual}: pass the major version of SQLCipher that wrote the file, 1 to 4"
    )]
    Compatibility {
        /// The given version.
        actual: u8,
    },

    /// SQLCipher cannot leave this number of bytes unencrypted.
    #[error("plaintext_header_size is {actual}: pass a multiple of 16 from 0 to {limit}")]
    PlaintextHeader {
        /// The given number of bytes.
        actual: u32,
        /// The largest number of bytes.
        limit: u32,
    },

    /// A file with a plaintext header does not hold its salt.
    #[error("a file with a plaintext header does not hold its salt: also pass the 16-byte salt")]
    MissingSalt,

    /// A parameter of SQLCipher's format was set for a file in the Strongroom format.
    #[error(
        "the option \"{parameter}\" belongs to SQLCipher's format, and the format is \"strongroom\": leave the option out, \
         or choose the format \"sqlcipher\""
    )]
    Parameter {
        /// The name of the parameter.
        parameter: &'static str,
    },

    /// A text is not a recovery code: a typing error.
    #[error("the recovery code has a typing error: {problem}")]
    RecoveryCode {
        /// The difference from a recovery code.
        problem: RecoveryCodeProblem,
    },

    /// A new file cannot have a recovery code as its only key.
    #[error(
        "a new file needs a key or a passphrase, not a recovery code; db.keys.add() then adds a recovery code"
    )]
    RecoveryCodeForNewFile,

    /// SQLCipher's format has no recovery codes.
    #[error(
        "a recovery code opens only an existing file in the format \"strongroom\": pass the key or the passphrase of a file in \
         SQLCipher's format, and of a new file"
    )]
    RecoveryCodeForSqlCipher,

    /// A text is not the identity of a key slot.
    #[error(
        "\"{given}\" is not the id of a key slot: pass the 16 hexadecimal digits that db.keys.list() shows"
    )]
    SlotId {
        /// The given text, escaped.
        given: String,
    },

    /// A key names a slot, but only an existing file in the Strongroom format has slots.
    #[error(
        "the key is for slot {slot}, but only an existing file in the format \"strongroom\" has slots: leave the slot out"
    )]
    SlotWithoutFile {
        /// The slot that the key names.
        slot: SlotId,
    },

    /// OpenSSL returned no random bytes.
    #[error(
        "cannot generate a key: OpenSSL returned no random bytes; check the system's source of randomness"
    )]
    Random {
        /// OpenSSL's errors.
        source: openssl::error::ErrorStack,
    },

    /// OpenSSL could not derive the key.
    #[error("cannot derive a key from the passphrase: OpenSSL failed; the machine may be out of memory")]
    Derivation {
        /// OpenSSL's errors.
        source: openssl::error::ErrorStack,
    },

    /// A C library failed to initialise.
    #[error("{source}")]
    Init {
        /// The library's error.
        source: vendored_sys::InitError,
    },
}

impl KeyError {
    /// The codes that [`KeyError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_KEY_LENGTH",
        "STRONGROOM_KEY_EMPTY",
        "STRONGROOM_KEY_NOTATION",
        "STRONGROOM_KEY_PAGE_SIZE",
        "STRONGROOM_KEY_KDF_ITER",
        "STRONGROOM_KEY_COMPATIBILITY",
        "STRONGROOM_KEY_PLAINTEXT_HEADER",
        "STRONGROOM_KEY_SALT",
        "STRONGROOM_KEY_PARAMETER",
        "STRONGROOM_RECOVERY_CODE",
        "STRONGROOM_KEY_RECOVERY",
        "STRONGROOM_KEY_SLOT",
        "STRONGROOM_KEY_RANDOM",
        "STRONGROOM_KEY_DERIVATION",
        "STRONGROOM_INIT",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "STRONGROOM_KEY_LENGTH",
            Self::Empty => "STRONGROOM_KEY_EMPTY",
            Self::RawNotation => "STRONGROOM_KEY_NOTATION",
            Self::PageSize { .. } => "STRONGROOM_KEY_PAGE_SIZE",
            Self::KdfIter { .. } => "STRONGROOM_KEY_KDF_ITER",
            Self::Compatibility { .. } => "STRONGROOM_KEY_COMPATIBILITY",
            Self::PlaintextHeader { .. } => "STRONGROOM_KEY_PLAINTEXT_HEADER",
            Self::MissingSalt => "STRONGROOM_KEY_SALT",
            Self::Parameter { .. } => "STRONGROOM_KEY_PARAMETER",
            Self::RecoveryCode { .. } => "STRONGROOM_RECOVERY_CODE",
            Self::RecoveryCodeForNewFile | Self::RecoveryCodeForSqlCipher => "STRONGROOM_KEY_RECOVERY",
            Self::SlotId { .. } | Self::SlotWithoutFile { .. } => "STRONGROOM_KEY_SLOT",
            Self::Random { .. } => "STRONGROOM_KEY_RANDOM",
            Self::Derivation { .. } => "STRONGROOM_KEY_DERIVATION",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}
