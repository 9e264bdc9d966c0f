//! Key material: raw keys and passphrases, with their cipher parameters, and recovery codes.
//!
//! A [`Key`] can be created only from 32 bytes, from a passphrase, from a [`RecoveryCode`], by [`derive()`], or by OpenSSL's
//! generator. SQLCipher accepts every `Key` but a recovery code. The bytes of a key are [`SecretBytes`], and appear in no `Debug` output and no error. The crate
//! reads no files and runs no SQL.
#![forbid(unsafe_code)]

mod derive;
mod error;
mod key;
mod limits;
mod locked_memory;
mod page_keys;
mod parameters;
mod recovery_code;
mod secret_bytes;
mod slot_id;

pub use derive::{SALT_LENGTH, derive, generate_salt};
pub use error::KeyError;
pub use key::{Format, Key, RAW_LENGTH};
pub use page_keys::PageKeys;
pub use parameters::{CipherParameters, HashAlgorithm, PageNumberOrder};
pub use recovery_code::{CODE_LENGTH, RecoveryCode, RecoveryCodeProblem};
pub use secret_bytes::SecretBytes;
pub use slot_id::{SLOT_ID_LENGTH, SlotId};
