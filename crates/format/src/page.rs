//! The sealed pages of one file.

use std::fmt;

use openssl::error::ErrorStack;
use zeroize::Zeroizing;

use crate::field::field;
use crate::{
    FILE_ID_LENGTH, FormatError, NONCE_LENGTH, RESERVED_LENGTH, TAG_LENGTH, Xaes256Gcm, random_nonce,
};

/// The first 16 bytes of a SQLite database. A sealed page 1 has the file's identity in their place.
pub(crate) const SQLITE_MAGIC: [u8; FILE_ID_LENGTH] = *b"SQLite format 3\0";

/// Seals and opens the pages of one file: holds its page key and its identity.
///
/// A page's associated data are the file's identity and the page's number. A page of another file, or a page at another
/// place, is therefore not authentic.
pub struct PageSealer {
    cipher: Xaes256Gcm,
    /// The file's identity, then the number of the current page.
    associated_data: [u8; FILE_ID_LENGTH + 4],
}

impl PageSealer {
    pub(crate) fn new(cipher: Xaes256Gcm, file_id: &[u8; FILE_ID_LENGTH]) -> Self {
        let mut associated_data = [0; FILE_ID_LENGTH + 4];
        associated_data[..FILE_ID_LENGTH].copy_from_slice(file_id);
        Self { cipher, associated_data }
    }

    /// Encrypts the content of the page with this number, counted from 1, and returns the content's tag.
    ///
    /// The content is the page without its last [`RESERVED_LENGTH`] bytes; for page 1, also without its first
    /// [`FILE_ID_LENGTH`] bytes. Each call needs a new nonce of [`random_nonce`].
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `to` and `tag` are then unspecified.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes each, which are either the same or do not overlap.
    pub unsafe fn seal(
        &mut self,
        number: u32,
        from: *const u8,
        to: *mut u8,
        length: usize,
        nonce: &[u8; NONCE_LENGTH],
        tag: &mut [u8; TAG_LENGTH],
    ) -> Result<(), ErrorStack> {
        self.set_number(number);
        // SAFETY: the caller upholds the contract.
        unsafe { self.cipher.seal_raw(nonce, &self.associated_data, from, to, length, tag) }
    }

    /// Decrypts the content of the page with this number. Returns whether the content is authentic; `to` holds zeros if it
    /// is not.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. `to` then holds zeros.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes each, which are either the same or do not overlap.
    pub unsafe fn open(
        &mut self,
        number: u32,
        from: *const u8,
        to: *mut u8,
        length: usize,
        nonce: &[u8; NONCE_LENGTH],
        tag: &[u8; TAG_LENGTH],
    ) -> Result<bool, ErrorStack> {
        self.set_number(number);
        // SAFETY: the caller upholds the contract.
        unsafe { self.cipher.open_raw(nonce, &self.associated_data, from, to, length, tag) }
    }

    /// Returns whether a whole sealed page is authentic. Page 1 must also start with the file's identity.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors.
    pub fn authenticate(&mut self, page: &[u8], number: u32) -> Result<bool, ErrorStack> {
        let mut copy = Zeroizing::new(page.to_vec());
        self.open_page(&mut copy, number)
    }

    /// Decrypts a whole page in place. Returns whether the page is authentic.
    ///
    /// An authentic page 1 then starts with SQLite's magic string. The nonce and the tag stay. The content of a page that
    /// is not authentic is zeros, or unchanged if page 1 does not start with the file's identity, or if the page is shorter
    /// than its fixed parts.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors. The content is then zeros.
    pub fn open_page(&mut self, page: &mut [u8], number: u32) -> Result<bool, ErrorStack> {
        let (file_id, is_first) = (*self.file_id(), number == 1);
        let Some(Parts { start, content, reserved }) = Parts::of(page, number) else { return Ok(false) };
        if is_first && *start != file_id {
            return Ok(false);
        }
        self.set_number(number);
        let (nonce, tag) = (field(reserved, 0), field(reserved, NONCE_LENGTH));
        let authentic = self.cipher.open(nonce, &self.associated_data, content, tag)?;
        if authentic && is_first {
            start.copy_from_slice(&SQLITE_MAGIC);
        }
        Ok(authentic)
    }

    /// Encrypts a whole page in place, with a nonce from the operating system. Page 1 then starts with the file's identity.
    ///
    /// # Errors
    ///
    /// [`FormatError::Random`], [`FormatError::OpenSsl`], or [`FormatError::PageSize`] if the page is shorter than its fixed
    /// parts.
    pub fn seal_page(&mut self, page: &mut [u8], number: u32) -> Result<(), FormatError> {
        let (file_id, length) = (*self.file_id(), page.len());
        let Some(Parts { start, content, reserved }) = Parts::of(page, number) else {
            return Err(FormatError::PageSize { actual: u32::try_from(length).unwrap_or(u32::MAX) });
        };
        self.set_number(number);
        let nonce = random_nonce()?;
        let sealed = self.cipher.seal(&nonce, &self.associated_data, content);
        let tag = sealed.map_err(|source| FormatError::OpenSsl { source })?;
        if number == 1 {
            start.copy_from_slice(&file_id);
        }
        reserved[..NONCE_LENGTH].copy_from_slice(&nonce);
        reserved[NONCE_LENGTH..].copy_from_slice(&tag);
        Ok(())
    }

    /// Returns the file's identity.
    pub fn file_id(&self) -> &[u8; FILE_ID_LENGTH] {
        field(&self.associated_data, 0)
    }

    fn set_number(&mut self, number: u32) {
        self.associated_data[FILE_ID_LENGTH..].copy_from_slice(&number.to_be_bytes());
    }
}

impl fmt::Debug for PageSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageSealer(..)")
    }
}

/// The parts of a whole page.
struct Parts<'a> {
    /// The file's identity on page 1, nothing on other pages.
    start: &'a mut [u8],
    content: &'a mut [u8],
    /// The nonce and the tag.
    reserved: &'a mut [u8],
}

impl<'a> Parts<'a> {
    fn of(page: &'a mut [u8], number: u32) -> Option<Self> {
        let (start, rest) = page.split_at_mut_checked(if number == 1 { FILE_ID_LENGTH } else { 0 })?;
        let (content, reserved) = rest.split_at_mut_checked(rest.len().checked_sub(RESERVED_LENGTH)?)?;
        Some(Self { start, content, reserved })
    }
}
