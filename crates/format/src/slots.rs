//! Lists and changes the key slots of an unlocked header.

use strongroom_keys::SlotId;

use crate::copy::HeaderCopy;
use crate::label::Label;
use crate::random::random;
use crate::slot_bytes::{Opener, SLOT_LENGTH, SlotParts, new_slot};
use crate::{FormatError, NewSlot, SLOT_COUNT, Slot, SlotError, SlotKind, Unlocked};

impl Unlocked {
    /// Lists the slots in use, in the order of the header, with their labels.
    ///
    /// # Errors
    ///
    /// [`FormatError::OpenSsl`].
    pub fn slots(&self) -> Result<Vec<Slot>, FormatError> {
        self.slots_where(|_| true)
    }

    /// Lists the slots in use at some places.
    pub(crate) fn slots_where(&self, is_listed: impl Fn(usize) -> bool) -> Result<Vec<Slot>, FormatError> {
        let listed = (0..SLOT_COUNT).filter(|index| is_listed(*index));
        listed.filter_map(|index| Some(self.slot(index, self.kind(index)?))).collect()
    }

    /// Returns the slot that the credential opens, or `None` after its removal.
    pub fn current_slot(&self) -> Option<SlotId> {
        self.slot.map(|index| self.copy.slot(index).id())
    }

    /// Returns the header with one more slot, and the new slot's identity.
    ///
    /// The generation is one higher. The caller holds the lock of the header and has read the header under this lock. To
    /// write the update, see [`Unlocked::write_order`]. With an empty label, the slot has none.
    ///
    /// # Errors
    ///
    /// [`SlotError::Full`]; [`SlotError::Duplicate`]; [`SlotError::LabelLength`] or [`SlotError::LabelCharacter`]; [`SlotError::Format`] with
    /// [`FormatError::LastGeneration`], or if the system or OpenSSL fails.
    pub fn with_slot_added(&self, new: &NewSlot, label: Option<&str>) -> Result<(Self, SlotId), SlotError> {
        let label = Label::new(label)?;
        let index = self.copy.slots().position(|slot| slot.opener() == Opener::Nothing);
        let index = index.ok_or(SlotError::Full)?;
        self.require_new(new, None)?;
        let mut changed = self.next()?;
        let id = new_id(&changed.copy)?;
        changed.write_slot(index, &SlotParts { id, credential: &new.credential, label: &label })?;
        changed.finish()?;
        Ok((changed, id))
    }

    /// Returns the header without a slot, whose place consists of zeros. Otherwise as [`Unlocked::with_slot_added`].
    ///
    /// If the current slot is removed, the returned value still holds the data key and the credential, but the credential
    /// no longer opens the file.
    ///
    /// # Errors
    ///
    /// [`SlotError::Unknown`]. [`SlotError::Last`] if this version supports no other slot. [`SlotError::Format`] as for
    /// [`Unlocked::with_slot_added`].
    pub fn with_slot_removed(&self, id: SlotId) -> Result<Self, SlotError> {
        let index = self.find(id)?;
        let opens = |other: usize| !matches!(self.kind(other), None | Some(SlotKind::Unsupported));
        if !(0..SLOT_COUNT).any(|other| other != index && opens(other)) {
            return Err(SlotError::Last { id });
        }
        let mut changed = self.next()?;
        changed.copy.set_slot(index, &[0; SLOT_LENGTH]);
        changed.slot = changed.slot.filter(|current| *current != index);
        changed.finish()?;
        Ok(changed)
    }

    /// Returns the header after a slot got a new key, a new label, or both. Otherwise as [`Unlocked::with_slot_added`].
    ///
    /// The identity stays. `None` for the key keeps the slot's key, its salt and its time. `None` for the label keeps the
    /// label; `Some(None)` removes it. If the current slot gets a new key, the returned value has the new credential.
    ///
    /// # Errors
    ///
    /// [`SlotError::Unknown`]; otherwise as for [`Unlocked::with_slot_added`], without [`SlotError::Full`].
    pub fn with_slot_changed(
        &self,
        id: SlotId,
        new: Option<&NewSlot>,
        label: Option<Option<&str>>,
    ) -> Result<Self, SlotError> {
        let index = self.find(id)?;
        let slot = self.copy.slot(index);
        let mut new_label = slot.label(&self.copy, &self.data_key)?.unwrap_or_else(Label::without_text);
        if let Some(text) = label {
            new_label = new_label.with_text(text)?;
        }
        let mut changed = self.next()?;
        match new {
            Some(new @ NewSlot { credential }) => {
                self.require_new(new, Some(index))?;
                let label = &new_label.with_present_time();
                changed.write_slot(index, &SlotParts { id, credential, label })?;
                if self.slot == Some(index) {
                    changed.credential = credential.duplicate();
                }
            }
            None => {
                let bytes = slot.with_label(&self.copy, &self.data_key, &new_label)?;
                changed.copy.set_slot(index, &bytes);
            }
        }
        changed.finish()?;
        Ok(changed)
    }

    /// Returns the header after a new key has replaced the key that opened the file.
    ///
    /// # Errors
    ///
    /// [`SlotError::Removed`] if the slot of the old key was removed; otherwise as for [`Unlocked::with_slot_changed`].
    pub fn with_key(&self, new: &NewSlot) -> Result<Self, SlotError> {
        let id = self.current_slot().ok_or(SlotError::Removed)?;
        self.with_slot_changed(id, Some(new), None)
    }

    /// Fails if the key opens another slot than the one at `except`: the other slot would keep the key after a removal.
    ///
    /// A passphrase is derived with a new salt, and is not compared: a comparison would cost a run of Argon2id for each slot.
    fn require_new(&self, new: &NewSlot, except: Option<usize>) -> Result<(), SlotError> {
        if matches!(new.credential.opener(), Opener::Passphrase(_)) {
            return Ok(());
        }
        for (index, slot) in self.copy.slots().enumerate() {
            let is_candidate = Some(index) != except && slot.opener() == new.credential.opener();
            if is_candidate && slot.unwrap_key(&self.copy, &new.credential)?.is_some() {
                return Err(SlotError::Duplicate { id: slot.id() });
            }
        }
        Ok(())
    }

    /// Returns the index of the slot in use with this identity.
    fn find(&self, id: SlotId) -> Result<usize, SlotError> {
        let index =
            (0..SLOT_COUNT).find(|index| self.kind(*index).is_some() && self.copy.slot(*index).id() == id);
        index.ok_or_else(|| SlotError::Unknown { id, found: self.copy.listed_slots() })
    }

    pub(crate) fn kind(&self, index: usize) -> Option<SlotKind> {
        self.copy.slot(index).opener().slot_kind()
    }

    fn slot(&self, index: usize, kind: SlotKind) -> Result<Slot, FormatError> {
        let bytes = self.copy.slot(index);
        let (id, is_current) = (bytes.id(), self.slot == Some(index));
        let label = bytes.label(&self.copy, &self.data_key)?;
        let created = label.as_ref().and_then(Label::created);
        Ok(Slot { id, kind, label: label.and_then(Label::into_text), created, is_current })
    }

    /// Returns a copy in the next generation, without its HMAC.
    fn next(&self) -> Result<Self, FormatError> {
        let generation = self.generation().checked_add(1).ok_or(FormatError::LastGeneration)?;
        let mut next = self.duplicate();
        next.copy.set_generation(generation);
        Ok(next)
    }

    pub(crate) fn write_slot(&mut self, index: usize, parts: &SlotParts<'_>) -> Result<(), FormatError> {
        let slot = new_slot(&self.copy, &self.data_key, parts)?;
        self.copy.set_slot(index, &slot);
        Ok(())
    }
}

/// Returns a random identity that no slot of the header has.
pub(crate) fn new_id(copy: &HeaderCopy) -> Result<SlotId, FormatError> {
    loop {
        let id = SlotId(random()?);
        // A free slot has an identity of zeros.
        if id != SlotId([0; 8]) && copy.slots().all(|slot| slot.id() != id) {
            return Ok(id);
        }
    }
}
