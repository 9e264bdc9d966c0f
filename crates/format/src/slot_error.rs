//! The errors of changing key slots.

use openssl::error::ErrorStack;
use strongroom_keys::SlotId;

use crate::label::MAX_LABEL_LENGTH;
use crate::{FormatError, SLOT_COUNT, Slot};

/// An error of adding, removing or changing key slots.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// All slots are in use.
    #[error("all {SLOT_COUNT} key slots are in use: remove a slot first")]
    Full,

    /// Another slot has this raw key or recovery code.
    #[error("slot {id} already has this key: remove or change that slot, or give another key")]
    Duplicate {
        /// The other slot.
        id: SlotId,
    },

    /// Without this slot, no key that this version supports would open the file.
    #[error("slot {id} is the last key slot that opens the file: add another slot first")]
    Last {
        /// The slot.
        id: SlotId,
    },

    /// The header has no slot with this identity.
    #[error("the file has no key slot {id}; it has {found}")]
    Unknown {
        /// The identity that the caller passed.
        id: SlotId,
        /// The identities and kinds of the slots in use.
        found: String,
    },

    /// The slot that opened the header was removed.
    #[error("the key slot that opened the file was removed: open the file with another key")]
    Removed,

    /// The label is too long.
    #[error("the label has {length} bytes in UTF-8: pass at most {MAX_LABEL_LENGTH}")]
    LabelLength {
        /// The length of the given label, in bytes of UTF-8.
        length: usize,
    },

    /// The label contains a control character.
    #[error("character {position} of the label is the control character {character:?}: leave it out")]
    LabelCharacter {
        /// The character.
        character: char,
        /// The number of the character, from 1.
        position: usize,
    },

    /// Slots would be lost, because the file gets a new data key and their secrets were not passed.
    #[error(
        "the new data key needs the secrets of all slots, and none of the given secrets opens {}: pass them, or drop these \
         slots", listed(.slots)
    )]
    SecretsMissing {
        /// The slots that would be lost.
        slots: Vec<Slot>,
    },

    /// A secret opens no slot.
    #[error("secrets[{index}] is wrong: no slot of the header opens with it")]
    NoSlotOpens {
        /// The index of the secret, from 0.
        index: usize,
    },

    /// The header could not be made.
    #[error("{source}")]
    Format {
        /// The cause.
        source: FormatError,
    },
}

impl SlotError {
    /// The codes that [`SlotError::code`] can return, without those of [`FormatError`].
    pub const CODES: &'static [&'static str] = &[
        "STRONGROOM_SLOTS_FULL",
        "STRONGROOM_DUPLICATE_SLOT",
        "STRONGROOM_LAST_SLOT",
        "STRONGROOM_UNKNOWN_SLOT",
        "STRONGROOM_KEY_CHANGED",
        "STRONGROOM_SLOT_LABEL",
        "STRONGROOM_SLOT_SECRETS",
        "STRONGROOM_WRONG_KEY",
    ];

    /// Returns the stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "STRONGROOM_SLOTS_FULL",
            Self::Duplicate { .. } => "STRONGROOM_DUPLICATE_SLOT",
            Self::Last { .. } => "STRONGROOM_LAST_SLOT",
            Self::Unknown { .. } => "STRONGROOM_UNKNOWN_SLOT",
            Self::Removed => "STRONGROOM_KEY_CHANGED",
            Self::LabelLength { .. } | Self::LabelCharacter { .. } => "STRONGROOM_SLOT_LABEL",
            Self::SecretsMissing { .. } => "STRONGROOM_SLOT_SECRETS",
            Self::NoSlotOpens { .. } => "STRONGROOM_WRONG_KEY",
            Self::Format { source } => source.code(),
        }
    }
}

impl From<FormatError> for SlotError {
    fn from(source: FormatError) -> Self {
        Self::Format { source }
    }
}

impl From<ErrorStack> for SlotError {
    fn from(source: ErrorStack) -> Self {
        FormatError::from(source).into()
    }
}

/// Names slots in a message for a caller who has opened the file, so with their labels. Escapes control characters, which
/// another program may have written.
fn listed(slots: &[Slot]) -> String {
    let names = slots.iter().map(|Slot { id, kind, label, .. }| match label {
        Some(label) => format!("slot {id} ({}, {label:?})", kind.name()),
        None => format!("slot {id} ({})", kind.name()),
    });
    names.collect::<Vec<_>>().join(", ")
}
