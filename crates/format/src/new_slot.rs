//! The key of a slot that is to be added.

use strongroom_keys::Key;

use crate::argon2id::Argon2id;
use crate::{Credential, FormatError};

/// A key that is ready for a slot: Argon2id has run, with a salt of its own.
///
/// The secret is in `SecretBytes`.
#[derive(Debug)]
pub struct NewSlot {
    pub(crate) credential: Credential,
}

impl NewSlot {
    /// Prepares a key for a slot. The name of a slot in the key ([`Key::slot`]) has no effect.
    ///
    /// A passphrase costs one run of Argon2id with 64 MiB, 3 passes and 4 lanes, about 0.1 s; a raw key and a recovery code
    /// cost microseconds. Call this function before the file is locked.
    ///
    /// # Errors
    ///
    /// [`FormatError::Random`], [`FormatError::OpenSsl`] or [`FormatError::Init`] if the system or OpenSSL fails.
    pub fn derive(key: &Key) -> Result<Self, FormatError> {
        Self::derive_with(key, Argon2id::NEW)
    }

    pub(crate) fn derive_with(key: &Key, argon2id: Argon2id) -> Result<Self, FormatError> {
        vendored_sys::init().map_err(|source| FormatError::Init { source })?;
        Ok(Self { credential: Credential::new(key, argon2id)? })
    }
}
