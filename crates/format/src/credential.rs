//! What opens a slot.

use std::fmt;

use openssl::error::ErrorStack;
use strongroom_keys::{Key, SecretBytes, SlotId};

use crate::argon2id::Argon2id;
use crate::derive::{hkdf, info};
use crate::random::random;
use crate::slot_bytes::{Opener, SlotBytes};
use crate::{FormatError, SALT_LENGTH, SlotKind, UnlockError};

/// What opened a slot: a raw key, a recovery code, or the key that was derived from a passphrase, with the derivation's salt
/// and parameters.
///
/// A credential opens a file without another run of Argon2id. The secret is in [`SecretBytes`].
pub struct Credential {
    secret: SecretBytes,
    origin: Origin,
}

/// The origin of a credential's secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    RawKey,
    RecoveryCode,
    Passphrase(Derivation),
}

/// How a key-encryption key was derived from a passphrase.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Derivation {
    argon2id: Argon2id,
    salt: [u8; SALT_LENGTH],
}

impl Credential {
    /// Returns the credential for a new slot: the raw key, the recovery code, or a key that is derived from the passphrase
    /// with a new salt.
    pub(crate) fn new(key: &Key, argon2id: Argon2id) -> Result<Self, FormatError> {
        Ok(match Given::of(key) {
            Given::RawKey(bytes) => Self::copied(bytes, Origin::RawKey),
            Given::RecoveryCode(bytes) => Self::copied(bytes, Origin::RecoveryCode),
            Given::Passphrase(passphrase) => {
                Self::derive(passphrase, Derivation { argon2id, salt: random()? })?
            }
        })
    }

    /// Copies the secret into new [`SecretBytes`].
    pub fn duplicate(&self) -> Self {
        Self::copied(&self.secret, self.origin)
    }

    /// Returns whether both credentials open the same slots.
    pub fn is_same(&self, other: &Self) -> bool {
        // Secrets of one origin have one length.
        self.origin == other.origin && openssl::memcmp::eq(&self.secret, &other.secret)
    }

    fn copied(bytes: &[u8], origin: Origin) -> Self {
        Self { secret: SecretBytes::copy_of(bytes), origin }
    }

    fn derive(passphrase: &[u8], derivation: Derivation) -> Result<Self, ErrorStack> {
        let secret = derivation.argon2id.derive(passphrase, &derivation.salt)?;
        Ok(Self { secret, origin: Origin::Passphrase(derivation) })
    }

    /// Returns the kind and the parameters that a slot for this credential holds.
    pub(crate) fn opener(&self) -> Opener {
        match self.origin {
            Origin::RawKey => Opener::RawKey,
            Origin::RecoveryCode => Opener::RecoveryCode,
            Origin::Passphrase(derivation) => Opener::Passphrase(derivation.argon2id),
        }
    }

    /// Returns the salt of the derivation, or a new salt for another origin.
    pub(crate) fn salt_for_new_slot(&self) -> Result<[u8; SALT_LENGTH], FormatError> {
        match self.origin {
            Origin::Passphrase(derivation) => Ok(derivation.salt),
            Origin::RawKey | Origin::RecoveryCode => random(),
        }
    }

    /// Returns the key that wraps the data key in a slot with this salt.
    pub(crate) fn key_encryption_key(&self, salt: &[u8; SALT_LENGTH]) -> Result<SecretBytes, ErrorStack> {
        match self.origin {
            Origin::RawKey => hkdf(&self.secret, salt, info::RAW_KEY),
            Origin::RecoveryCode => hkdf(&self.secret, salt, info::RECOVERY_CODE),
            Origin::Passphrase(_) => Ok(SecretBytes::copy_of(&self.secret)),
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
    RecoveryCode(&'a [u8]),
}

impl<'a> Given<'a> {
    fn of(key: &'a Key) -> Self {
        match (key.expose_raw(), key.expose_recovery_code(), key.expose_passphrase()) {
            (Some(bytes), ..) => Self::RawKey(bytes),
            (_, Some(bytes), _) => Self::RecoveryCode(bytes),
            (.., passphrase) => Self::Passphrase(passphrase.unwrap_or_default()),
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

    /// Returns the kind of slot that the key opens.
    pub(crate) fn kind(&self) -> SlotKind {
        match self {
            Self::Ready(credential) => match credential.origin {
                Origin::RawKey => SlotKind::RawKey,
                Origin::RecoveryCode => SlotKind::RecoveryCode,
                Origin::Passphrase(_) => SlotKind::Passphrase,
            },
            Self::Key { key, .. } => match Given::of(key) {
                Given::RawKey(_) => SlotKind::RawKey,
                Given::RecoveryCode(_) => SlotKind::RecoveryCode,
                Given::Passphrase(_) => SlotKind::Passphrase,
            },
        }
    }

    /// Returns the only slot to try, or `None` for all.
    pub(crate) fn only_slot(&self) -> Option<SlotId> {
        match self {
            Self::Key { key, .. } => key.slot(),
            Self::Ready(_) => None,
        }
    }

    /// Returns the credential for a slot. `None` if the slot is not for this kind of key, or if a credential was derived with
    /// another salt or other parameters, or if the key is for another slot.
    ///
    /// # Errors
    ///
    /// [`UnlockError::UnsupportedSlot`], [`UnlockError::KdfLimit`], [`UnlockError::OpenSsl`].
    pub(crate) fn for_slot(
        &mut self,
        index: usize,
        slot: &SlotBytes<'_>,
    ) -> Result<Option<Credential>, UnlockError> {
        let opener = slot.opener();
        if !opener.takes(self.kind()) || self.only_slot().is_some_and(|id| id != slot.id()) {
            return Ok(None);
        }
        let origin = match opener {
            Opener::RawKey => Origin::RawKey,
            Opener::RecoveryCode => Origin::RecoveryCode,
            Opener::Passphrase(argon2id) => Origin::Passphrase(Derivation { argon2id, salt: *slot.salt() }),
            Opener::Unsupported { kind, kdf } => {
                return Err(UnlockError::UnsupportedSlot { slot: index, kind, kdf });
            }
            Opener::Nothing => return Ok(None),
        };
        match self {
            Self::Ready(credential) => Ok((credential.origin == origin).then(|| credential.duplicate())),
            Self::Key { key, derived } => match (Given::of(key), origin) {
                (Given::Passphrase(passphrase), Origin::Passphrase(derivation)) => {
                    derive_once(passphrase, derivation, derived, index).map(Some)
                }
                (Given::RawKey(bytes) | Given::RecoveryCode(bytes), origin) => {
                    Ok(Some(Credential::copied(bytes, origin)))
                }
                _ => Ok(None),
            },
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
    if let Some(known) = derived.iter().find(|known| known.origin == Origin::Passphrase(derivation)) {
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

#[cfg(test)]
mod tests {
    use strongroom_keys::RecoveryCode;

    use super::*;

    /// The section "Test values" of docs/format.md, which a test compares with two other implementations.
    #[test]
    fn key_encryption_keys_have_the_documented_values() {
        vendored_sys::init().unwrap();
        let salt: [u8; SALT_LENGTH] = std::array::from_fn(|index| 0x30 + index as u8);
        let raw: Vec<u8> = (0x40..=0x5f).collect();
        let raw = Credential::new(&Key::raw(&raw).unwrap(), Argon2id::NEW).unwrap();
        let code = RecoveryCode::parse("3ZYC-4ZUV-3K8G-LYY3-J2FE-F9VK-JUUM-63GN").unwrap();
        let code = Credential::new(&Key::recovery_code(&code), Argon2id::NEW).unwrap();
        let derivation = Derivation { argon2id: Argon2id::NEW, salt };
        let passphrase = Credential::derive(b"correct horse battery staple", derivation).unwrap();
        for (credential, expected) in [
            (raw, "45be2c39d1b503afa1bb2f162aaa3e6fcb8636447bf4b865408fe29f2683311e"),
            (passphrase, "093a3722a7e8ba778e782d0d09f79f755261aa16466081017f19edd448872fd8"),
            (code, "9647faa4541d8bea54d72358313f6cebe7454efc1fc7cb00eb6a79530c3ec4eb"),
        ] {
            let key = credential.key_encryption_key(&salt).unwrap();
            let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digits, expected);
        }
    }
}
