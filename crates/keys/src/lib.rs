//! Key material: raw keys and passphrases, with their cipher parameters.
//!
//! A [`Key`] comes only from 32 bytes, from a passphrase, from [`derive()`], or from OpenSSL's generator, and SQLCipher
//! accepts every `Key`. The bytes of a key are [`SecretBytes`], and appear in no `Debug` output and no error. The crate knows
//! no file and no SQL.
#![forbid(unsafe_code)]

mod derive;
mod error;
mod key;
mod limits;
mod locked_memory;
mod page_keys;
mod parameters;
mod secret_bytes;

pub use derive::{SALT_LENGTH, derive, generate_salt};
pub use error::KeyError;
pub use key::{Key, RAW_LENGTH};
pub use page_keys::PageKeys;
pub use parameters::{CipherParameters, HashAlgorithm, PageNumberOrder};
pub use secret_bytes::SecretBytes;
