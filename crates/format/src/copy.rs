//! One of the two copies of a header: its layout, its checksum and its HMAC.

use std::fmt;

use openssl::error::ErrorStack;
use openssl::sha::sha256;

use crate::derive::hmac;
use crate::field::{field, put, u16_at, u32_at, u64_at};
use crate::slot_bytes::{Opener, SLOT_LENGTH, SlotBytes};
use crate::{FILE_ID_LENGTH, HeaderError};

/// The length of a header in bytes: two copies. Pages follow.
pub const HEADER_LENGTH: usize = 2 * COPY_LENGTH;

/// The length of one copy of the header, in bytes.
pub const COPY_LENGTH: usize = 4096;

/// The first bytes of each copy of the header.
pub const MAGIC: [u8; 16] = *b"\x89Strongroom\r\n\x1a\n\0";

/// The smallest page size, in bytes.
pub const MIN_PAGE_SIZE: u32 = 1024;

/// The largest page size, in bytes.
pub const MAX_PAGE_SIZE: u32 = 65_536;

/// The version of the format that this crate reads and writes.
const VERSION: u16 = 1;

/// The number of XAES-256-GCM.
const CIPHER: u16 = 1;

/// The number of slots of a header.
pub const SLOT_COUNT: usize = 8;

/// The places of the fields in a copy.
mod at {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 16;
    pub(super) const CIPHER: usize = 18;
    pub(super) const PAGE_SIZE: usize = 20;
    pub(super) const FILE_ID: usize = 24;
    pub(super) const GENERATION: usize = 40;
    pub(super) const SLOTS: usize = 64;
    pub(super) const HMAC: usize = 4032;
    pub(super) const CHECKSUM: usize = 4064;
}

/// A whole copy of a header: the magic and the checksum are right. The copy may still have been altered.
///
/// The bytes that version 1 leaves zero are kept as they are, since the HMAC covers them.
#[derive(Clone)]
pub(crate) struct HeaderCopy {
    bytes: Box<[u8; COPY_LENGTH]>,
    /// 0 for the first copy of the header, 1 for the second.
    index: usize,
}

impl HeaderCopy {
    /// Returns a copy without slots, in generation 1. [`Self::finish`] completes the copy.
    pub(crate) fn new(page_size: u32, file_id: &[u8; FILE_ID_LENGTH]) -> Self {
        let mut bytes = Box::new([0; COPY_LENGTH]);
        put(&mut *bytes, at::MAGIC, &MAGIC);
        put(&mut *bytes, at::VERSION, &VERSION.to_be_bytes());
        put(&mut *bytes, at::CIPHER, &CIPHER.to_be_bytes());
        put(&mut *bytes, at::PAGE_SIZE, &page_size.to_be_bytes());
        put(&mut *bytes, at::FILE_ID, file_id);
        let mut copy = Self { bytes, index: 1 };
        copy.set_generation(1);
        copy
    }

    /// Returns the copy with this index if `header` holds all of its bytes, its magic and a right checksum.
    pub(crate) fn find(header: &[u8], index: usize) -> Option<Self> {
        let bytes: &[u8; COPY_LENGTH] = header.get(index * COPY_LENGTH..)?.first_chunk()?;
        let is_whole = *field(bytes, at::MAGIC) == MAGIC
            && *field(bytes, at::CHECKSUM) == sha256(&bytes[..at::CHECKSUM]);
        is_whole.then(|| Self { bytes: Box::new(*bytes), index })
    }

    /// Checks the fields that decide whether this crate can read the copy.
    pub(crate) fn check(&self) -> Result<(), HeaderError> {
        let (version, cipher) = (u16_at(&*self.bytes, at::VERSION), u16_at(&*self.bytes, at::CIPHER));
        let page_size = self.page_size();
        match () {
            () if version != VERSION => Err(HeaderError::NewerVersion { version }),
            () if cipher != CIPHER => Err(HeaderError::UnknownCipher { cipher }),
            () if !is_page_size(page_size) => Err(HeaderError::InvalidPageSize { page_size }),
            () => Ok(()),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; COPY_LENGTH] {
        &self.bytes
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The version and the cipher, to which slots are bound.
    pub(crate) fn version_and_cipher(&self) -> &[u8; 4] {
        field(&*self.bytes, at::VERSION)
    }

    pub(crate) fn page_size(&self) -> u32 {
        u32_at(&*self.bytes, at::PAGE_SIZE)
    }

    pub(crate) fn file_id(&self) -> &[u8; FILE_ID_LENGTH] {
        field(&*self.bytes, at::FILE_ID)
    }

    pub(crate) fn generation(&self) -> u64 {
        u64_at(&*self.bytes, at::GENERATION)
    }

    pub(crate) fn set_generation(&mut self, generation: u64) {
        put(&mut *self.bytes, at::GENERATION, &generation.to_be_bytes());
    }

    pub(crate) fn slot(&self, index: usize) -> SlotBytes<'_> {
        SlotBytes::new(field(&*self.bytes, at::SLOTS + index * SLOT_LENGTH))
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotBytes<'_>> {
        (0..SLOT_COUNT).map(|index| self.slot(index))
    }

    pub(crate) fn set_slot(&mut self, index: usize, bytes: &[u8; SLOT_LENGTH]) {
        put(&mut *self.bytes, at::SLOTS + index * SLOT_LENGTH, bytes);
    }

    /// Names the slots in use in a message. Nothing is authenticated.
    pub(crate) fn listed_slots(&self) -> String {
        let used = self.slots().filter(|slot| slot.opener() != Opener::Nothing);
        let names: Vec<String> =
            used.map(|slot| format!("{} ({})", slot.id(), slot.opener().name())).collect();
        if names.is_empty() { "no slot in use".to_owned() } else { names.join(", ") }
    }

    /// Returns whether the HMAC is right.
    pub(crate) fn is_authentic(&self, header_key: &[u8]) -> Result<bool, ErrorStack> {
        let code = hmac(header_key, &self.bytes[..at::HMAC])?;
        Ok(openssl::memcmp::eq(&code, field::<32>(&*self.bytes, at::HMAC)))
    }

    /// Writes the HMAC and the checksum of the current content.
    pub(crate) fn finish(&mut self, header_key: &[u8]) -> Result<(), ErrorStack> {
        let code = hmac(header_key, &self.bytes[..at::HMAC])?;
        put(&mut *self.bytes, at::HMAC, &code);
        let checksum = sha256(&self.bytes[..at::CHECKSUM]);
        put(&mut *self.bytes, at::CHECKSUM, &checksum);
        Ok(())
    }
}

impl fmt::Debug for HeaderCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderCopy")
            .field("index", &self.index)
            .field("generation", &self.generation())
            .field("page_size", &self.page_size())
            .finish_non_exhaustive()
    }
}

/// Returns whether the format permits the page size.
pub(crate) fn is_page_size(page_size: u32) -> bool {
    page_size.is_power_of_two() && (MIN_PAGE_SIZE..=MAX_PAGE_SIZE).contains(&page_size)
}
