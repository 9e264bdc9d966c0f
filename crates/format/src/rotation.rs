//! A new data key for the same slots.

use strongroom_keys::{Key, SecretBytes};

use crate::copy::HeaderCopy;
use crate::credential::Credentials;
use crate::label::Label;
use crate::random::{fill, random};
use crate::slot_bytes::SlotParts;
use crate::{Credential, FormatError, KEY_LENGTH, SLOT_COUNT, Slot, SlotError, UnlockError, Unlocked};

/// A slot whose credential is known.
struct Opened {
    index: usize,
    credential: Credential,
}

impl Unlocked {
    /// Returns the header of a new file with the same slots and the same page size, and the slots that were dropped.
    ///
    /// The identity of the file, the data key and the nonces are new, and the generation is 1. A slot can be wrapped anew
    /// only with its secret: each slot that this header's credential or one of `secrets` opens keeps its place, its
    /// identity, its label and its time. A slot for a passphrase keeps its salt and its parameters. The other slots are an
    /// error, or are dropped if `drop_others` is true.
    ///
    /// Each passphrase in `secrets` costs one run of Argon2id per slot for a passphrase that is still unopened; a
    /// passphrase that opens none of them costs a run for each of the other slots for passphrases.
    ///
    /// # Errors
    ///
    /// [`SlotError::NoSlotOpens`] for a secret that opens no slot. [`SlotError::SecretsMissing`] with the other slots,
    /// unless they may be dropped, and if no slot would be left. [`SlotError::Format`] if the system or OpenSSL fails.
    pub fn for_rotation(&self, secrets: &[&Key], drop_others: bool) -> Result<(Self, Vec<Slot>), SlotError> {
        let opened = self.opened_by(secrets)?;
        let others = self.slots_where(|index| opened.iter().all(|opened| opened.index != index))?;
        let current = opened.iter().find(|opened| Some(opened.index) == self.slot).or(opened.first());
        let Some(current) = current.filter(|_| drop_others || others.is_empty()) else {
            return Err(SlotError::SecretsMissing { slots: others });
        };
        let mut data_key = SecretBytes::zeroed(KEY_LENGTH);
        fill(&mut data_key)?;
        let mut rotated = Self {
            copy: HeaderCopy::new(self.page_size(), &random()?),
            slot: Some(current.index),
            data_key,
            credential: current.credential.duplicate(),
        };
        for Opened { index, credential } in &opened {
            let slot = self.copy.slot(*index);
            let label = &slot.label(&self.copy, &self.data_key)?.unwrap_or_else(Label::without_text);
            rotated.write_slot(*index, &SlotParts { id: slot.id(), credential, label })?;
        }
        rotated.finish()?;
        Ok((rotated, others))
    }

    /// Returns the slots that the own credential or a secret opens.
    fn opened_by(&self, secrets: &[&Key]) -> Result<Vec<Opened>, SlotError> {
        let mut opened = Vec::new();
        let all: Vec<usize> = (0..SLOT_COUNT).collect();
        self.open_slots(&mut Credentials::Ready(&self.credential), &all, &mut opened)?;
        for (index, secret) in secrets.iter().enumerate() {
            let mut credentials = Credentials::of(secret);
            let is_open = |index: &usize| opened.iter().any(|opened: &Opened| opened.index == *index);
            let (known, unknown): (Vec<usize>, Vec<usize>) = all.iter().partition(|index| is_open(index));
            let before = opened.len();
            self.open_slots(&mut credentials, &unknown, &mut opened)?;
            if opened.len() == before {
                let mut again = Vec::new();
                self.open_slots(&mut credentials, &known, &mut again)?;
                if again.is_empty() {
                    return Err(SlotError::NoSlotOpens { index });
                }
            }
        }
        Ok(opened)
    }

    /// Adds those of the slots that the credentials open.
    fn open_slots(
        &self,
        credentials: &mut Credentials<'_>,
        indexes: &[usize],
        opened: &mut Vec<Opened>,
    ) -> Result<(), FormatError> {
        for index in indexes.iter().copied() {
            let slot = self.copy.slot(index);
            let Some(credential) = credentials.for_slot(index, &slot).or_else(skipped)? else { continue };
            if slot.unwrap_key(&self.copy, &credential)?.is_some() {
                opened.push(Opened { index, credential });
            }
        }
        Ok(())
    }
}

/// Passes over a slot that this version does not try.
fn skipped(error: UnlockError) -> Result<Option<Credential>, FormatError> {
    match error {
        UnlockError::OpenSsl { source } => Err(source.into()),
        _ => Ok(None),
    }
}
