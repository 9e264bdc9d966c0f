//! The errors of headers, of unlocking, and of creating files.

use openssl::error::ErrorStack;
use strongroom_keys::{KeyError, SlotId};

use crate::argon2id::{MAX_LANES, MAX_MEMORY, MAX_PASSES};
use crate::copy::{MAX_PAGE_SIZE, MIN_PAGE_SIZE};

/// An error of reading a header without a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Neither copy of the header has both the magic and a right checksum.
    #[error(
        "neither copy of the header is whole in the {length} bytes at the start of the file: restore the file from a \
         backup"
    )]
    Incomplete {
        /// The number of bytes that were read, at most 8,192.
        length: usize,
    },

    /// The file has a later version of the format.
    #[error(
        "the file has version {version} of the format, and this version reads version 1: update Strongroom"
    )]
    NewerVersion {
        /// The version of the format.
        version: u16,
    },

    /// This version does not have the file's cipher.
    #[error("the file has cipher {cipher}, and this version has only 1 (XAES-256-GCM): update Strongroom")]
    UnknownCipher {
        /// The number of the cipher.
        cipher: u16,
    },

    /// The header has a page size that the format does not permit.
    #[error(
        "the header has page size {page_size}, which is not a power of two from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}: \
         restore the file from a backup"
    )]
    InvalidPageSize {
        /// The page size, in bytes.
        page_size: u32,
    },
}

impl HeaderError {
    /// The codes that [`HeaderError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_HEADER_DAMAGED",
        "STRONGROOM_NEWER_VERSION",
        "STRONGROOM_UNKNOWN_CIPHER",
        "STRONGROOM_HEADER_PAGE_SIZE",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "STRONGROOM_HEADER_DAMAGED",
            Self::NewerVersion { .. } => "STRONGROOM_NEWER_VERSION",
            Self::UnknownCipher { .. } => "STRONGROOM_UNKNOWN_CIPHER",
            Self::InvalidPageSize { .. } => "STRONGROOM_HEADER_PAGE_SIZE",
        }
    }
}

/// An error of opening a header with a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// No slot opens with the key.
    #[error("the key is wrong: no slot of the header opens with the key")]
    WrongKey,

    /// The header has no slot for a key of this kind.
    #[error("no slot of the header takes {given}; the header has {found}: pass a key of that kind")]
    NoSlot {
        /// The kind of the given key.
        given: &'static str,
        /// The kinds of the slots in use.
        found: String,
    },

    /// The header has no slot with the identity that the key names, or the slot is for another kind of key.
    #[error("no slot {id} takes {given}; the header has {found}: pass the id of one of these slots, or none")]
    UnknownSlot {
        /// The identity that the key names.
        id: SlotId,
        /// The kind of the given key.
        given: &'static str,
        /// The identities and kinds of the slots in use.
        found: String,
    },

    /// No slot opens with the key, and this version cannot try the slot that is named here.
    #[error(
        "no slot of the header opens with the key, and slot {slot} has kind {kind} with key derivation {kdf}, which this \
         version does not have: update Strongroom"
    )]
    UnsupportedSlot {
        /// The index of the slot, from 0.
        slot: usize,
        /// The number of the slot's kind.
        kind: u8,
        /// The number of the slot's key derivation.
        kdf: u8,
    },

    /// No slot opens with the key, and the slot that is named here would take too much memory or time.
    #[error(
        "no slot of the header opens with the key, and slot {slot} asks for Argon2id with {memory} KiB, {passes} passes and \
         {lanes} lanes: the limits are 8 KiB for each lane to {MAX_MEMORY} KiB, 1 to {MAX_PASSES} passes and 1 to \
         {MAX_LANES} lanes; the header is damaged or was made to exhaust the machine"
    )]
    KdfLimit {
        /// The index of the slot, from 0.
        slot: usize,
        /// The memory, in KiB.
        memory: u32,
        /// The number of passes.
        passes: u32,
        /// The number of lanes.
        lanes: u32,
    },

    /// The header belongs to another file than the one that was unlocked.
    #[error("another file has replaced the file: close the database, and open it again")]
    OtherFile,

    /// A slot opens with the key, but no copy of the header is authentic.
    #[error("the key opens the file, but the header was altered: restore the file from a backup")]
    Altered,

    /// OpenSSL failed.
    #[error("cannot open the header: OpenSSL failed; the machine may be out of memory")]
    OpenSsl {
        /// OpenSSL's errors.
        source: ErrorStack,
    },

    /// A C library failed to initialise.
    #[error("{source}")]
    Init {
        /// The library's error.
        source: vendored_sys::InitError,
    },
}

impl UnlockError {
    /// The codes that [`UnlockError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_WRONG_KEY",
        "STRONGROOM_NO_SLOT",
        "STRONGROOM_UNKNOWN_SLOT",
        "STRONGROOM_UNSUPPORTED_SLOT",
        "STRONGROOM_KDF_LIMIT",
        "STRONGROOM_OTHER_FILE",
        "STRONGROOM_HEADER_ALTERED",
        "STRONGROOM_KEY_DERIVATION",
        "STRONGROOM_INIT",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongKey => "STRONGROOM_WRONG_KEY",
            Self::NoSlot { .. } => "STRONGROOM_NO_SLOT",
            Self::UnknownSlot { .. } => "STRONGROOM_UNKNOWN_SLOT",
            Self::UnsupportedSlot { .. } => "STRONGROOM_UNSUPPORTED_SLOT",
            Self::KdfLimit { .. } => "STRONGROOM_KDF_LIMIT",
            Self::OtherFile => "STRONGROOM_OTHER_FILE",
            Self::Altered => "STRONGROOM_HEADER_ALTERED",
            Self::OpenSsl { .. } => "STRONGROOM_KEY_DERIVATION",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}

impl From<ErrorStack> for UnlockError {
    fn from(source: ErrorStack) -> Self {
        Self::OpenSsl { source }
    }
}

/// An error of creating or changing a header, or of sealing a page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The format does not permit this page size.
    #[error("page_size is {actual}: pass a power of two from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}")]
    PageSize {
        /// The given page size, in bytes.
        actual: u32,
    },

    /// A new file cannot have a recovery code as its only key, and has no slot that a key could name.
    #[error("{source}")]
    Key {
        /// The reason.
        source: KeyError,
    },

    /// The header has the highest generation, so no update can follow.
    #[error("the header has the highest generation: copy the database into a new file")]
    LastGeneration,

    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes: check the system's source of randomness")]
    Random {
        /// The system's error.
        source: getrandom::Error,
    },

    /// OpenSSL failed.
    #[error("cannot derive or seal a key: OpenSSL failed; the machine may be out of memory")]
    OpenSsl {
        /// OpenSSL's errors.
        source: ErrorStack,
    },

    /// A C library failed to initialise.
    #[error("{source}")]
    Init {
        /// The library's error.
        source: vendored_sys::InitError,
    },
}

impl FormatError {
    /// The codes that [`FormatError::code`] can return.
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_KEY_PAGE_SIZE",
        "STRONGROOM_KEY_RECOVERY",
        "STRONGROOM_KEY_SLOT",
        "STRONGROOM_HEADER_ALTERED",
        "STRONGROOM_LAST_GENERATION",
        "STRONGROOM_KEY_RANDOM",
        "STRONGROOM_KEY_DERIVATION",
        "STRONGROOM_INIT",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PageSize { .. } => "STRONGROOM_KEY_PAGE_SIZE",
            Self::Key { source } => source.code(),
            Self::LastGeneration => "STRONGROOM_LAST_GENERATION",
            Self::Random { .. } => "STRONGROOM_KEY_RANDOM",
            Self::OpenSsl { .. } => "STRONGROOM_KEY_DERIVATION",
            Self::Init { .. } => "STRONGROOM_INIT",
        }
    }
}

impl From<ErrorStack> for FormatError {
    fn from(source: ErrorStack) -> Self {
        Self::OpenSsl { source }
    }
}
