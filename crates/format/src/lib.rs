//! The Strongroom file format, version 1: the header with its key slots, and the sealed pages.
//!
//! The crate reads no files and does not know SQLite. It turns a key and the first [`HEADER_LENGTH`] bytes of a file into
//! an [`Unlocked`] header, and seals and opens pages with XAES-256-GCM. All integers of the format are big-endian.
//!
//! A header consists of two copies. [`Header::read`] needs no key. [`Header::unlock`] opens a key slot, authenticates the
//! copy, and returns the data key in an [`Unlocked`]. [`Unlocked::page_sealer`] derives the page key.
//!
//! [`Unlocked::slots`] lists the slots. [`Unlocked::with_slot_added`], [`Unlocked::with_slot_removed`] and
//! [`Unlocked::with_slot_changed`] return a changed header for the caller to write. Those three take microseconds:
//! [`NewSlot::derive`] runs Argon2id before the caller locks the file.

mod argon2id;
#[expect(unsafe_code, reason = "the module calls C")]
mod argon2id_openssl;
#[expect(unsafe_code, reason = "the module calls C")]
mod cipher_context;
mod copy;
mod credential;
mod derive;
mod error;
mod field;
mod header;
mod label;
mod new_slot;
#[expect(unsafe_code, reason = "the functions take the raw buffers of SQLCipher")]
mod page;
mod random;
mod rotation;
mod slot;
mod slot_bytes;
mod slot_error;
mod slots;
mod unlocked;
#[expect(unsafe_code, reason = "the functions take the raw buffers of SQLCipher")]
mod xaes;

pub use argon2id::argon2id_runs;
pub use copy::{COPY_LENGTH, HEADER_LENGTH, MAGIC, MAX_PAGE_SIZE, MIN_PAGE_SIZE, SLOT_COUNT};
pub use credential::Credential;
pub use error::{FormatError, HeaderError, UnlockError};
pub use header::Header;
pub use label::MAX_LABEL_LENGTH;
pub use new_slot::NewSlot;
pub use page::PageSealer;
pub use random::random_nonce;
pub use slot::{Slot, SlotKind};
pub use slot_error::SlotError;
pub use unlocked::Unlocked;
pub use xaes::Xaes256Gcm;

/// The length of the nonce of XAES-256-GCM, in bytes.
pub const NONCE_LENGTH: usize = 24;

/// The length of the tag of XAES-256-GCM, in bytes.
pub const TAG_LENGTH: usize = 16;

/// The number of bytes at the end of each page that hold its nonce and its tag.
pub const RESERVED_LENGTH: usize = NONCE_LENGTH + TAG_LENGTH;

/// The length of a file's identity, in bytes.
pub const FILE_ID_LENGTH: usize = 16;

/// The length of every key of the format, in bytes.
const KEY_LENGTH: usize = 32;

/// The length of a slot's salt, in bytes.
const SALT_LENGTH: usize = 16;
