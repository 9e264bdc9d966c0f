//! What opens a slot.

use std::fmt;

use openssl::error::ErrorStack;
use strongroom_keys::{Key, SecretBytes};

use crate::argon2id::Argon2id;
use crate::derive::{hkdf, info};
use crate::random::random;
use crate::slot::SlotKind;
use crate::{FormatError, SALT_LENGTH, UnlockError};

/// What opened a slot: a raw key, or the key that was derived from a passphrase, with the derivation's salt and
/// parameters.
///
/// A credential opens a file without another run of Argon2id. The secret is in [`SecretBytes`].
pub struct Credential {
    secret: SecretBytes,
    /// `None` for a raw key.
    derivation: Option<Derivation>,
}

/// How a key-encryption key was derived from a passphrase.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Derivation {
    argon2id: Argon2id,
    salt: [u8; SALT_LENGTH],
}

impl Credential {
    /// Returns the credential for a new slot: the raw key, or a key that is derived from the passphrase with a new salt.
    pub(crate) fn new(key: &Key, argon2id: Argon2id) -> Result<Self, FormatError> {
        Ok(match Given::of(key) {
            Given::RawKey(bytes) => Self::raw(bytes),
            Given::Passphrase(passphrase) => {
                Self::derive(passphrase, Derivation { argon2id, salt: random()? })?
            }
        })
    }

    /// Copies the secret into new [`SecretBytes`].
    pub fn duplicate(&self) -> Self {
        Self { secret: SecretBytes::copy_of(&self.secret), derivation: self.derivation }
    }

    /// Returns whether both credentials open the same slots.
    pub fn is_same(&self, other: &Self) -> bool {
        self.derivation == other.derivation && openssl::memcmp::eq(&self.secret, &other.secret)
    }

    fn raw(bytes: &[u8]) -> Self {
        Self { secret: SecretBytes::copy_of(bytes), derivation: None }
    }

    fn derive(passphrase: &[u8], derivation: Derivation) -> Result<Self, ErrorStack> {
        let secret = derivation.argon2id.derive(passphrase, &derivation.salt)?;
        Ok(Self { secret, derivation: Some(derivation) })
    }

    /// Returns the parameters of a derived credential.
    pub(crate) fn argon2id(&self) -> Option<Argon2id> {
        self.derivation.map(|derivation| derivation.argon2id)
    }

    /// Returns the salt of the derivation, or a new salt for a raw key.
    pub(crate) fn salt_for_new_slot(&self) -> Result<[u8; SALT_LENGTH], FormatError> {
        self.derivation.map_or_else(random, |derivation| Ok(derivation.salt))
    }

    /// Returns the key that wraps the data key in a slot with this salt.
    pub(crate) fn key_encryption_key(&self, salt: &[u8; SALT_LENGTH]) -> Result<SecretBytes, ErrorStack> {
        match self.derivation {
            Some(_) => Ok(SecretBytes::copy_of(&self.secret)),
            None => hkdf(&self.secret, salt, info::RAW_KEY),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// The bytes of a caller's key.
enum Given<'a> {
    RawKey(&'a [u8]),
    Passphrase(&'a [u8]),
}

impl<'a> Given<'a> {
    fn of(key: &'a Key) -> Self {
        match (key.expose_raw(), key.expose_passphrase()) {
            (Some(bytes), _) => Self::RawKey(bytes),
            (None, passphrase) => Self::Passphrase(passphrase.unwrap_or_default()),
        }
    }
}

/// The credentials that one key gives for the slots of one header.
pub(crate) enum Credentials<'a> {
    /// A caller's key, and the credentials that were derived from it so far.
    Key { key: &'a Key, derived: Vec<Credential> },
    /// A credential that opened another header.
    Ready(&'a Credential),
}

impl<'a> Credentials<'a> {
    pub(crate) fn of(key: &'a Key) -> Self {
        Self::Key { key, derived: Vec::new() }
    }

    /// Returns whether the slot is for this kind of key.
    pub(crate) fn are_for(&self, kind: SlotKind) -> bool {
        match self.is_raw() {
            true => kind.is_for_raw_key(),
            false => kind.is_for_passphrase(),
        }
    }

    /// Names the kind of the key in a message.
    pub(crate) fn name(&self) -> &'static str {
        if self.is_raw() { "a raw key" } else { "a passphrase" }
    }

    /// Returns the credential for a slot, or `None` if a credential was derived with another salt or other parameters.
    pub(crate) fn for_slot(
        &mut self,
        slot: usize,
        kind: SlotKind,
        salt: &[u8; SALT_LENGTH],
    ) -> Result<Option<Credential>, UnlockError> {
        let derivation = match kind {
            SlotKind::Passphrase(argon2id) => Some(Derivation { argon2id, salt: *salt }),
            _ => None,
        };
        match self {
            Self::Ready(credential) => {
                Ok((credential.derivation == derivation).then(|| credential.duplicate()))
            }
            Self::Key { key, derived } => match (Given::of(key), derivation) {
                (Given::RawKey(bytes), None) => Ok(Some(Credential::raw(bytes))),
                (Given::Passphrase(passphrase), Some(derivation)) => {
                    derive_once(passphrase, derivation, derived, slot).map(Some)
                }
                _ => Ok(None),
            },
        }
    }

    fn is_raw(&self) -> bool {
        match self {
            Self::Ready(credential) => credential.derivation.is_none(),
            Self::Key { key, .. } => key.expose_raw().is_some(),
        }
    }
}

/// Derives a credential, unless the same derivation has run for another slot or for the other copy.
fn derive_once(
    passphrase: &[u8],
    derivation: Derivation,
    derived: &mut Vec<Credential>,
    slot: usize,
) -> Result<Credential, UnlockError> {
    if let Some(known) = derived.iter().find(|known| known.derivation == Some(derivation)) {
        return Ok(known.duplicate());
    }
    let Argon2id { memory, passes, lanes } = derivation.argon2id;
    if !derivation.argon2id.is_accepted() {
        return Err(UnlockError::KdfLimit { slot, memory, passes, lanes });
    }
    let credential = Credential::derive(passphrase, derivation)?;
    derived.push(credential.duplicate());
    Ok(credential)
}
