//! A key slot: a data key that is wrapped by a key-encryption key, and a sealed label.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use strongroom_keys::SecretBytes;

use crate::argon2id::Argon2id;
use crate::copy::HeaderCopy;
use crate::credential::Credential;
use crate::derive::{hkdf, info};
use crate::field::{field, put, u32_at};
use crate::random::random;
use crate::{FormatError, SALT_LENGTH, Xaes256Gcm, random_nonce};

/// The length of a slot in bytes.
pub(crate) const SLOT_LENGTH: usize = 256;

/// The length of the sealed label: 8 bytes of time, 2 of length, 94 of text.
const LABEL_LENGTH: usize = 104;

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
const HKDF: u8 = 1;
const ARGON2ID: u8 = 2;

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotKind {
    /// Nothing: the slot is free.
    Empty,
    /// A raw key.
    RawKey,
    /// A passphrase.
    Passphrase(Argon2id),
    /// Something that this version does not have.
    Unsupported { kind: u8, kdf: u8 },
}

impl SlotKind {
    /// Returns whether the slot is for a raw key, even if this version does not have the slot's key derivation.
    pub(crate) fn is_for_raw_key(self) -> bool {
        matches!(self, Self::RawKey | Self::Unsupported { kind: RAW_KEY, .. })
    }

    /// Returns whether the slot is for a passphrase, even if this version does not have the slot's key derivation.
    pub(crate) fn is_for_passphrase(self) -> bool {
        matches!(self, Self::Passphrase(_) | Self::Unsupported { kind: PASSPHRASE, .. })
    }

    /// Names the kind in a message.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Empty => "a free slot".to_owned(),
            Self::RawKey => "a raw key".to_owned(),
            Self::Passphrase(_) => "a passphrase".to_owned(),
            Self::Unsupported { kind, .. } => format!("a key of kind {kind}"),
        }
    }
}

/// A slot of a header.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    bytes: &'a [u8; SLOT_LENGTH],
}

impl<'a> Slot<'a> {
    pub(crate) fn new(bytes: &'a [u8; SLOT_LENGTH]) -> Self {
        Self { bytes }
    }

    pub(crate) fn kind(&self) -> SlotKind {
        let bytes = self.bytes;
        match (bytes[at::STATE], bytes[at::KIND], bytes[at::KDF]) {
            (EMPTY, ..) => SlotKind::Empty,
            (IN_USE, RAW_KEY, HKDF) => SlotKind::RawKey,
            (IN_USE, PASSPHRASE, ARGON2ID) => SlotKind::Passphrase(Argon2id {
                memory: u32_at(bytes, at::MEMORY),
                passes: u32_at(bytes, at::PASSES),
                lanes: u32_at(bytes, at::LANES),
            }),
            (_, kind, kdf) => SlotKind::Unsupported { kind, kdf },
        }
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
}

/// Returns a new slot of a header, which `credential` opens.
pub(crate) fn new_slot(
    copy: &HeaderCopy,
    credential: &Credential,
    data_key: &[u8],
) -> Result<[u8; SLOT_LENGTH], FormatError> {
    let mut bytes = [0; SLOT_LENGTH];
    bytes[at::STATE] = IN_USE;
    (bytes[at::KIND], bytes[at::KDF]) = match credential.argon2id() {
        None => (RAW_KEY, HKDF),
        Some(Argon2id { memory, passes, lanes }) => {
            put(&mut bytes, at::MEMORY, &memory.to_be_bytes());
            put(&mut bytes, at::PASSES, &passes.to_be_bytes());
            put(&mut bytes, at::LANES, &lanes.to_be_bytes());
            (PASSPHRASE, ARGON2ID)
        }
    };
    put(&mut bytes, at::ID, &random::<8>()?);
    let salt = credential.salt_for_new_slot()?;
    put(&mut bytes, at::SALT, &salt);

    let mut wrapped = SecretBytes::copy_of(data_key);
    let nonce = random_nonce()?;
    let mut cipher = Xaes256Gcm::new(field(&credential.key_encryption_key(&salt)?, 0))?;
    let tag = cipher.seal(&nonce, &key_data(copy, &bytes), &mut wrapped)?;
    put(&mut bytes, at::KEY_NONCE, &nonce);
    put(&mut bytes, at::KEY, &wrapped);
    put(&mut bytes, at::KEY_TAG, &tag);

    let mut label = [0; LABEL_LENGTH];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    put(&mut label, 0, &u64::try_from(now.as_millis()).unwrap_or_default().to_be_bytes());
    let nonce = random_nonce()?;
    let tag = label_cipher(copy, data_key)?.seal(&nonce, &label_data(copy, &bytes), &mut label)?;
    put(&mut bytes, at::LABEL_NONCE, &nonce);
    put(&mut bytes, at::LABEL, &label);
    put(&mut bytes, at::LABEL_TAG, &tag);
    Ok(bytes)
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
