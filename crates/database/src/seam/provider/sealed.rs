//! The pages of a database in the Strongroom format: XAES-256-GCM in the two steps in which SQLCipher calls a provider.
//!
//! SQLCipher calls `cipher` and then `hmac` for a page that it encrypts, and `hmac` and then `cipher` for a page that it
//! decrypts. The second call does the whole work, in one pass, as in any library; the first only remembers its arguments.
//! `hmac` alone gets the page number, which the AEAD authenticates.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::sync::Arc;
use std::{ptr, slice};

use strongroom_format::{
    FILE_ID_LENGTH, FormatError, NONCE_LENGTH, PageSealer, TAG_LENGTH, Unlocked, random_nonce,
};

use super::failed_page::count_failure;
use super::{DECRYPT, ENCRYPT, ERROR, OK};
use crate::seam::vfs::is_past_end;

/// The keys of one database, and the page that SQLCipher is about to encrypt or decrypt.
pub(super) struct Sealed {
    pub(super) unlocked: RefCell<Arc<Unlocked>>,
    sealer: RefCell<PageSealer>,
    begun: Cell<Begun>,
    /// The number of the page that failed last, or 0.
    pub(super) failed: Cell<u32>,
    /// The number of the page of zeros that was read last, or 0.
    pub(super) zeroed: Cell<u32>,
    /// The number of an unused page that is read as zeros if it fails, or 0.
    pub(super) unused: Cell<u32>,
}

/// The first of SQLCipher's two calls, which the second must match.
#[derive(Clone, Copy)]
enum Begun {
    Nothing,
    /// `cipher` has been called to encrypt the page.
    Encryption {
        from: *const u8,
        to: *mut u8,
        length: usize,
    },
    /// `hmac` has been called to authenticate the page.
    Decryption {
        from: *const u8,
        length: usize,
        number: u32,
        nonce: [u8; NONCE_LENGTH],
        tag: [u8; TAG_LENGTH],
    },
}

impl Sealed {
    pub(super) fn new(unlocked: Arc<Unlocked>) -> Result<Self, FormatError> {
        let sealer = RefCell::new(unlocked.page_sealer()?);
        Ok(Self {
            unlocked: RefCell::new(unlocked),
            sealer,
            begun: Cell::new(Begun::Nothing),
            failed: Cell::new(0),
            zeroed: Cell::new(0),
            unused: Cell::new(0),
        })
    }

    /// Writes a new nonce to the start of a page's reserved bytes. The tag replaces the rest.
    pub(super) fn reserve(reserved: &mut [u8]) -> c_int {
        let Some((nonce, rest)) = reserved.split_first_chunk_mut::<NONCE_LENGTH>() else { return ERROR };
        rest.fill(0);
        match random_nonce() {
            Ok(random) => {
                *nonce = random;
                OK
            }
            Err(_) => ERROR,
        }
    }

    /// Encrypting: remembers the page for `hmac`. Decrypting: decrypts and authenticates the page of the last `hmac`.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes, which do not overlap.
    pub(super) unsafe fn cipher(&self, mode: c_int, from: *const u8, length: c_int, to: *mut u8) -> c_int {
        let begun = self.begun.replace(Begun::Nothing);
        let Ok(length) = usize::try_from(length) else { return ERROR };
        match (mode, begun) {
            (ENCRYPT, _) => {
                // If SQLCipher wrote the page without calling `hmac`, the page would be zeros, which no reader accepts.
                // SAFETY: the caller upholds the contract.
                unsafe { ptr::write_bytes(to, 0, length) };
                self.begun.set(Begun::Encryption { from, to, length });
                OK
            }
            (DECRYPT, Begun::Decryption { from: read, length: expected, number, nonce, tag })
                if read == from && expected == length =>
            {
                let Ok(mut sealer) = self.sealer.try_borrow_mut() else { return ERROR };
                // SAFETY: the caller upholds the contract.
                match unsafe { sealer.open(number, from, to, length, &nonce, &tag) } {
                    Ok(true) => OK,
                    Ok(false) if number == self.unused.get() => {
                        // SAFETY: the caller upholds the contract.
                        unsafe { ptr::write_bytes(to, 0, length) };
                        OK
                    }
                    Ok(false) => {
                        self.failed.set(number);
                        count_failure();
                        ERROR
                    }
                    Err(_) => ERROR,
                }
            }
            _ => ERROR,
        }
    }

    /// Encrypts or decrypts a page. `content` points to the page's ciphertext of `length` bytes, which the nonce and the tag
    /// follow.
    ///
    /// Encrypting writes the tag to `out`. Decrypting remembers the page for `cipher`, and copies the page's own tag to `out`,
    /// so that SQLCipher's comparison succeeds: `cipher` authenticates. The comparison fails only for a page of zeros, which
    /// SQLCipher must recognise as past the end of the file if auto_vacuum is on.
    ///
    /// # Safety
    ///
    /// `content` is in SQLCipher's buffer of a page, and `out` has room for a tag.
    pub(super) unsafe fn hmac(&self, content: *const u8, length: usize, number: u32, out: *mut u8) -> c_int {
        let begun = self.begun.replace(Begun::Nothing);
        // SAFETY: the caller upholds the contract.
        let nonce = unsafe { content.add(length).cast::<[u8; NONCE_LENGTH]>().read() };
        if let Begun::Encryption { from, to, length: expected } = begun {
            if !ptr::eq(to, content) || expected != length {
                return ERROR;
            }
            let Ok(mut sealer) = self.sealer.try_borrow_mut() else { return ERROR };
            let mut tag = [0; TAG_LENGTH];
            // SAFETY: `cipher` got both pointers from the same call of SQLCipher's function. On page 1, SQLCipher has written
            // its salt before `to`, which is the identity of another file if VACUUM has copied the key.
            let sealed = unsafe {
                if number == 1 {
                    ptr::copy_nonoverlapping(
                        sealer.file_id().as_ptr(),
                        to.sub(FILE_ID_LENGTH),
                        FILE_ID_LENGTH,
                    );
                }
                sealer.seal(number, from, to, length, &nonce, &mut tag)
            };
            // SAFETY: the caller upholds the contract.
            unsafe { out.cast::<[u8; TAG_LENGTH]>().write(tag) };
            return if sealed.is_ok() { OK } else { ERROR };
        }
        // SAFETY: the caller upholds the contract.
        let tag = unsafe { content.add(length + NONCE_LENGTH).cast::<[u8; TAG_LENGTH]>().read() };
        let is_blank = nonce == [0; NONCE_LENGTH] && tag == [0; TAG_LENGTH];
        let compared = match is_blank && number != self.unused.get() {
            true => {
                // SAFETY: the caller upholds the contract.
                let text = unsafe { slice::from_raw_parts(content, length) };
                self.failed.set(number);
                if text.iter().all(|&byte| byte == 0) && !is_past_end(number) {
                    self.zeroed.set(number);
                }
                count_failure();
                [0xff; TAG_LENGTH]
            }
            false => {
                self.begun.set(Begun::Decryption { from: content, length, number, nonce, tag });
                tag
            }
        };
        // SAFETY: the caller upholds the contract.
        unsafe { out.cast::<[u8; TAG_LENGTH]>().write(compared) };
        OK
    }
}
