//! A key slot, as a caller sees it.

use std::time::SystemTime;

use strongroom_keys::SlotId;

/// The kind of key that opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotKind {
    /// A raw key of 32 bytes.
    RawKey,
    /// A passphrase, by Argon2id.
    Passphrase,
    /// A recovery code of 16 bytes.
    RecoveryCode,
    /// A key of a later version, or a passphrase with parameters of Argon2id beyond this version's limits.
    Unsupported,
}

impl SlotKind {
    /// Names the key in a message, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::RawKey => "a raw key",
            Self::Passphrase => "a passphrase",
            Self::RecoveryCode => "a recovery code",
            Self::Unsupported => "a key that this version does not support",
        }
    }
}

/// A key slot in use, without key material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The identity, which stays when the slot gets a new key or a new label.
    pub id: SlotId,
    /// The kind of key that opens the slot.
    pub kind: SlotKind,
    /// The label that the slot's owner gave.
    pub label: Option<String>,
    /// The time at which the slot got its present key, by the clock of the machine that wrote the slot. In milliseconds.
    /// `None` if the sealed label cannot be read: a program with the data key has damaged it.
    pub created: Option<SystemTime>,
    /// Whether this slot opened the header.
    pub is_current: bool,
}
