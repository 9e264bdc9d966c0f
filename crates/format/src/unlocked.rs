//! A header that a key opened.

use std::fmt;

use openssl::error::ErrorStack;
use strongroom_keys::{Key, KeyError, SecretBytes, SlotId};

use crate::argon2id::Argon2id;
use crate::copy::{COPY_LENGTH, HEADER_LENGTH, HeaderCopy, is_page_size};
use crate::derive::{hkdf, info};
use crate::field::field;
use crate::header::offset;
use crate::label::Label;
use crate::random::{fill, random};
use crate::slot_bytes::SlotParts;
use crate::slots::new_id;
use crate::{Credential, FILE_ID_LENGTH, FormatError, KEY_LENGTH, PageSealer, Xaes256Gcm};

/// A header that a key opened: the file's data key, the content of the header, and the credential.
///
/// The secrets are in [`SecretBytes`]. [`Unlocked::duplicate`] copies them into new memory.
pub struct Unlocked {
    pub(crate) copy: HeaderCopy,
    /// The slot that the credential opens. `None` after its removal.
    pub(crate) slot: Option<usize>,
    pub(crate) data_key: SecretBytes,
    pub(crate) credential: Credential,
}

impl Unlocked {
    /// Returns the header of a new file: a random identity, a random data key, one slot for the key, and generation 1.
    ///
    /// A passphrase costs one run of Argon2id with 64 MiB, 3 passes and 4 lanes, the second recommended set of RFC 9106
    /// (section 4). `page_size` is in bytes.
    ///
    /// # Errors
    ///
    /// [`FormatError::PageSize`]. [`FormatError::Key`] for a recovery code, which a person may lose more easily than a file,
    /// and for a key that names a slot. [`FormatError::Random`], [`FormatError::OpenSsl`] or [`FormatError::Init`] if the
    /// system or OpenSSL fails.
    pub fn create(key: &Key, page_size: u32) -> Result<Self, FormatError> {
        Self::create_with(key, page_size, Argon2id::NEW)
    }

    pub(crate) fn create_with(key: &Key, page_size: u32, argon2id: Argon2id) -> Result<Self, FormatError> {
        vendored_sys::init().map_err(|source| FormatError::Init { source })?;
        if !is_page_size(page_size) {
            return Err(FormatError::PageSize { actual: page_size });
        }
        let checked = match key.is_recovery_code() {
            true => Err(KeyError::RecoveryCodeForNewFile),
            false => key.check_names_no_slot(),
        };
        checked.map_err(|source| FormatError::Key { source })?;
        Self::new_file(Credential::new(key, argon2id)?, page_size)
    }

    /// Returns the header of a new file that the same credential opens, without a run of Argon2id.
    ///
    /// The identity, the data key and the nonces are new. The file has one slot, without a label. A slot for a passphrase has
    /// the same salt and parameters.
    ///
    /// # Errors
    ///
    /// [`FormatError::PageSize`]; [`FormatError::Random`] or [`FormatError::OpenSsl`] if the system or OpenSSL fails.
    pub fn for_new_file(&self, page_size: u32) -> Result<Self, FormatError> {
        if !is_page_size(page_size) {
            return Err(FormatError::PageSize { actual: page_size });
        }
        Self::new_file(self.credential.duplicate(), page_size)
    }

    fn new_file(credential: Credential, page_size: u32) -> Result<Self, FormatError> {
        let mut data_key = SecretBytes::zeroed(KEY_LENGTH);
        fill(&mut data_key)?;
        let copy = HeaderCopy::new(page_size, &random()?);
        let (id, label) = (new_id(&copy)?, Label::without_text());
        let mut unlocked = Self { copy, slot: Some(0), data_key, credential: credential.duplicate() };
        unlocked.write_slot(0, &SlotParts { id, credential: &credential, label: &label })?;
        unlocked.finish()?;
        Ok(unlocked)
    }

    pub(crate) fn opened(
        copy: HeaderCopy,
        slot: usize,
        data_key: SecretBytes,
        credential: Credential,
    ) -> Self {
        Self { copy, slot: Some(slot), data_key, credential }
    }

    /// Returns whether both headers have one data key, in constant time.
    pub(crate) fn has_data_key_of(&self, other: &Self) -> bool {
        openssl::memcmp::eq(&self.data_key, &other.data_key)
    }

    /// Returns the header with another current slot, if the credential opens the slot with this identity.
    pub(crate) fn with_current_slot(mut self, id: Option<SlotId>) -> Result<Self, ErrorStack> {
        for (index, slot) in self.copy.slots().enumerate().filter(|(_, slot)| Some(slot.id()) == id) {
            let is_for_credential = slot.opener() == self.credential.opener();
            if is_for_credential && slot.unwrap_key(&self.copy, &self.credential)?.is_some() {
                self.slot = Some(index);
                break;
            }
        }
        Ok(self)
    }

    /// Copies the secrets into new [`SecretBytes`].
    pub fn duplicate(&self) -> Self {
        Self {
            copy: self.copy.clone(),
            slot: self.slot,
            data_key: SecretBytes::copy_of(&self.data_key),
            credential: self.credential.duplicate(),
        }
    }

    /// Returns both copies of the header, as a new file has them.
    pub fn header_bytes(&self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..COPY_LENGTH].copy_from_slice(self.copy_bytes());
        bytes[COPY_LENGTH..].copy_from_slice(self.copy_bytes());
        bytes
    }

    /// Returns one copy of the header.
    pub fn copy_bytes(&self) -> &[u8; COPY_LENGTH] {
        self.copy.bytes()
    }

    /// Returns the offsets, in bytes, at which an update writes [`Unlocked::copy_bytes`], in this order.
    ///
    /// The first offset is that of the copy that did not open the file: the older, torn or altered one. The caller writes
    /// this copy, syncs, reads the copy back, and only then writes the other copy and syncs.
    pub fn write_order(&self) -> [u64; 2] {
        [offset(1 - self.copy.index()), offset(self.copy.index())]
    }

    /// Returns a sealer of the file's pages.
    ///
    /// # Errors
    ///
    /// [`FormatError::OpenSsl`].
    pub fn page_sealer(&self) -> Result<PageSealer, FormatError> {
        let page_key = hkdf(&self.data_key, self.file_id(), info::PAGES)?;
        Ok(PageSealer::new(Xaes256Gcm::new(field(&page_key, 0))?, self.file_id()))
    }

    /// Returns what opened the file.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Returns the page size in bytes.
    pub fn page_size(&self) -> u32 {
        self.copy.page_size()
    }

    /// Returns the file's identity.
    pub fn file_id(&self) -> &[u8; FILE_ID_LENGTH] {
        self.copy.file_id()
    }

    /// Returns the generation, which each update of the header raises by one.
    pub fn generation(&self) -> u64 {
        self.copy.generation()
    }

    /// Writes the HMAC and the checksum.
    pub(crate) fn finish(&mut self) -> Result<(), FormatError> {
        let header_key = hkdf(&self.data_key, self.copy.file_id(), info::HEADER)?;
        self.copy.finish(&header_key)?;
        Ok(())
    }
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlocked").field("copy", &self.copy).field("slot", &self.slot).finish_non_exhaustive()
    }
}
