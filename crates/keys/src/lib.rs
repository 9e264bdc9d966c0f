//! Key material: raw keys and passphrases, with the cipher parameters that belong to them.
//!
//! A [`Key`] comes from 32 bytes, from a passphrase, from [`derive()`], or from OpenSSL's generator, and from nowhere
//! else; whoever holds one holds something that SQLCipher accepts. Its bytes are zeroised when it is dropped and
//! appear in no `Debug` output and in no error.
#![forbid(unsafe_code)]

mod derive;
mod error;
mod key;
mod parameters;

pub use derive::{SALT_LENGTH, derive};
pub use error::KeyError;
pub use key::{Key, RAW_LENGTH};
pub use parameters::CipherParameters;
