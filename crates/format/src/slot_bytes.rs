//! The bytes of a key slot: a data key that is wrapped by a key-encryption key, and a sealed label.

use openssl::error::ErrorStack;
use strongroom_keys::{SLOT_ID_LENGTH, SecretBytes, SlotId};

use crate::argon2id::Argon2id;
use crate::copy::HeaderCopy;
use crate::credential::Credential;
use crate::derive::{hkdf, info};
use crate::field::{field, put, u32_at};
use crate::label::{LABEL_LENGTH, Label};
use crate::{FormatError, SALT_LENGTH, SlotKind, Xaes256Gcm, random_nonce};

/// The length of a slot in bytes.
pub(crate) const SLOT_LENGTH: usize = 256;

/// The places of the fields in a slot.
mod at {
    pub(super) const STATE: usize = 0;
    pub(super) const KIND: usize = 1;
    pub(super) const KDF: usize = 2;
    pub(super) const MEMORY: usize = 4;
    pub(super) const PASSES: usize = 8;
    pub(super) const LANES: usize = 12;
    pub(super) const ID: usize = 16;
    pub(super) const SALT: usize = 24;
    /// The end of the bytes that both seals authenticate.
    pub(super) const BOUND_END: usize = 40;
    pub(super) const KEY_NONCE: usize = 40;
    pub(super) const KEY: usize = 64;
    pub(super) const KEY_TAG: usize = 96;
    pub(super) const LABEL_NONCE: usize = 112;
    pub(super) const LABEL: usize = 136;
    pub(super) const LABEL_TAG: usize = 240;
}

const EMPTY: u8 = 0;
const IN_USE: u8 = 1;
const RAW_KEY: u8 = 1;
const PASSPHRASE: u8 = 2;
const RECOVERY_CODE: u8 = 3;
const HKDF: u8 = 1;
const ARGON2ID: u8 = 2;

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Nothing: the slot is free.
    Nothing,
    RawKey,
    Passphrase(Argon2id),
    RecoveryCode,
    /// A key that this version does not have.
    Unsupported {
        kind: u8,
        kdf: u8,
    },
}

impl Opener {
    /// Returns whether the slot is for a key of this kind, even if this version does not have the slot's key derivation.
    pub(crate) fn takes(self, given: SlotKind) -> bool {
        let number = match self {
            Self::Nothing => return false,
            Self::RawKey => RAW_KEY,
            Self::Passphrase(_) => PASSPHRASE,
            Self::RecoveryCode => RECOVERY_CODE,
            Self::Unsupported { kind, .. } => kind,
        };
        match given {
            SlotKind::RawKey => number == RAW_KEY,
            SlotKind::Passphrase => number == PASSPHRASE,
            SlotKind::RecoveryCode => number == RECOVERY_CODE,
            SlotKind::Unsupported => false,
        }
    }

    /// Returns the kind of the slot that a caller sees, or `None` for a free slot.
    pub(crate) fn slot_kind(self) -> Option<SlotKind> {
        match self {
            Self::Nothing => None,
            Self::RawKey => Some(SlotKind::RawKey),
            Self::Passphrase(argon2id) if argon2id.is_accepted() => Some(SlotKind::Passphrase),
            Self::RecoveryCode => Some(SlotKind::RecoveryCode),
            Self::Passphrase(_) | Self::Unsupported { .. } => Some(SlotKind::Unsupported),
        }
    }

    /// Names the key in a message.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Nothing => "no key".to_owned(),
            Self::RawKey => SlotKind::RawKey.name().to_owned(),
            Self::Passphrase(_) => SlotKind::Passphrase.name().to_owned(),
            Self::RecoveryCode => SlotKind::RecoveryCode.name().to_owned(),
            Self::Unsupported { kind, .. } => format!("a key of kind {kind}"),
        }
    }
}

/// A slot of a header.
#[derive(Clone, Copy)]
pub(crate) struct SlotBytes<'a> {
    bytes: &'a [u8; SLOT_LENGTH],
}

impl<'a> SlotBytes<'a> {
    pub(crate) fn new(bytes: &'a [u8; SLOT_LENGTH]) -> Self {
        Self { bytes }
    }

    pub(crate) fn opener(&self) -> Opener {
        let bytes = self.bytes;
        match (bytes[at::STATE], bytes[at::KIND], bytes[at::KDF]) {
            (EMPTY, ..) => Opener::Nothing,
            (IN_USE, RAW_KEY, HKDF) => Opener::RawKey,
            (IN_USE, PASSPHRASE, ARGON2ID) => Opener::Passphrase(Argon2id {
                memory: u32_at(bytes, at::MEMORY),
                passes: u32_at(bytes, at::PASSES),
                lanes: u32_at(bytes, at::LANES),
            }),
            (IN_USE, RECOVERY_CODE, HKDF) => Opener::RecoveryCode,
            (_, kind, kdf) => Opener::Unsupported { kind, kdf },
        }
    }

    pub(crate) fn id(&self) -> SlotId {
        SlotId(*field::<SLOT_ID_LENGTH>(self.bytes, at::ID))
    }

    pub(crate) fn salt(&self) -> &'a [u8; SALT_LENGTH] {
        field(self.bytes, at::SALT)
    }

    /// Unwraps the data key. Returns `None` if the credential is not the slot's.
    pub(crate) fn unwrap_key(
        &self,
        copy: &HeaderCopy,
        credential: &Credential,
    ) -> Result<Option<SecretBytes>, ErrorStack> {
        let mut key = SecretBytes::copy_of(&self.bytes[at::KEY..at::KEY_TAG]);
        let mut cipher = Xaes256Gcm::new(field(&credential.key_encryption_key(self.salt())?, 0))?;
        let (nonce, tag) = (field(self.bytes, at::KEY_NONCE), field(self.bytes, at::KEY_TAG));
        let is_right = cipher.open(nonce, &key_data(copy, self.bytes), &mut key, tag)?;
        Ok(is_right.then_some(key))
    }

    /// Opens the label. Returns `None` if the label is not authentic or not a label: a program with the data key has written it.
    ///
    /// # Errors
    ///
    /// OpenSSL's error.
    pub(crate) fn label(&self, copy: &HeaderCopy, data_key: &[u8]) -> Result<Option<Label>, FormatError> {
        let mut label: [u8; LABEL_LENGTH] = *field(self.bytes, at::LABEL);
        let (nonce, tag) = (field(self.bytes, at::LABEL_NONCE), field(self.bytes, at::LABEL_TAG));
        let data = label_data(copy, self.bytes);
        let is_open = label_cipher(copy, data_key)?.open(nonce, &data, &mut label, tag)?;
        Ok(if is_open { Label::from_bytes(&label) } else { None })
    }

    /// Returns the slot with another label.
    pub(crate) fn with_label(
        &self,
        copy: &HeaderCopy,
        data_key: &[u8],
        label: &Label,
    ) -> Result<[u8; SLOT_LENGTH], FormatError> {
        let mut bytes = *self.bytes;
        seal_label(&mut bytes, copy, data_key, label)?;
        Ok(bytes)
    }
}

/// The parts of a new slot.
pub(crate) struct SlotParts<'a> {
    pub(crate) id: SlotId,
    /// The key of the slot.
    pub(crate) credential: &'a Credential,
    pub(crate) label: &'a Label,
}

/// Returns a new slot of a header.
pub(crate) fn new_slot(
    copy: &HeaderCopy,
    data_key: &[u8],
    parts: &SlotParts<'_>,
) -> Result<[u8; SLOT_LENGTH], FormatError> {
    let SlotParts { id, credential, label } = parts;
    let mut bytes = [0; SLOT_LENGTH];
    bytes[at::STATE] = IN_USE;
    (bytes[at::KIND], bytes[at::KDF]) = match credential.opener() {
        Opener::Passphrase(Argon2id { memory, passes, lanes }) => {
            put(&mut bytes, at::MEMORY, &memory.to_be_bytes());
            put(&mut bytes, at::PASSES, &passes.to_be_bytes());
            put(&mut bytes, at::LANES, &lanes.to_be_bytes());
            (PASSPHRASE, ARGON2ID)
        }
        Opener::RecoveryCode => (RECOVERY_CODE, HKDF),
        _ => (RAW_KEY, HKDF),
    };
    put(&mut bytes, at::ID, &id.0);
    let salt = credential.salt_for_new_slot()?;
    put(&mut bytes, at::SALT, &salt);

    let mut wrapped = SecretBytes::copy_of(data_key);
    let nonce = random_nonce()?;
    let mut cipher = Xaes256Gcm::new(field(&credential.key_encryption_key(&salt)?, 0))?;
    let tag = cipher.seal(&nonce, &key_data(copy, &bytes), &mut wrapped)?;
    put(&mut bytes, at::KEY_NONCE, &nonce);
    put(&mut bytes, at::KEY, &wrapped);
    put(&mut bytes, at::KEY_TAG, &tag);
    seal_label(&mut bytes, copy, data_key, label)?;
    Ok(bytes)
}

/// Seals the label of a slot with a new nonce.
fn seal_label(
    bytes: &mut [u8; SLOT_LENGTH],
    copy: &HeaderCopy,
    data_key: &[u8],
    label: &Label,
) -> Result<(), FormatError> {
    let mut label = label.to_bytes();
    let nonce = random_nonce()?;
    let tag = label_cipher(copy, data_key)?.seal(&nonce, &label_data(copy, bytes), &mut label)?;
    put(bytes, at::LABEL_NONCE, &nonce);
    put(bytes, at::LABEL, &label);
    put(bytes, at::LABEL_TAG, &tag);
    Ok(())
}

fn label_cipher(copy: &HeaderCopy, data_key: &[u8]) -> Result<Xaes256Gcm, ErrorStack> {
    Xaes256Gcm::new(field(&hkdf(data_key, copy.file_id(), info::LABELS)?, 0))
}

/// Returns the associated data of a wrapped data key.
fn key_data(copy: &HeaderCopy, slot: &[u8; SLOT_LENGTH]) -> Vec<u8> {
    let bound = &slot[..at::BOUND_END];
    [b"Strongroom 1 data key", &copy.version_and_cipher()[..], copy.file_id(), bound].concat()
}

/// Returns the associated data of a label.
fn label_data(copy: &HeaderCopy, slot: &[u8; SLOT_LENGTH]) -> Vec<u8> {
    [b"Strongroom 1 label", &copy.file_id()[..], &slot[..at::BOUND_END]].concat()
}
