//! AES-256-CBC of pages, with one context for all pages of a database.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use openssl::error::ErrorStack;
use vendored_sys::openssl as ffi;

use super::counted::Counted;
use super::digest::check;
use super::{DECRYPT, ENCRYPT, IV_LENGTH, KEY_LENGTH};

/// The length of a block of AES in bytes.
const BLOCK_LENGTH: c_int = 16;

/// Encrypts and decrypts pages.
///
/// Creating a context costs a third of a page's decryption; setting a key costs a tenth. The context is therefore kept, but
/// holds a key only during a page: OpenSSL's memory is neither locked nor excluded from core dumps.
#[derive(Default)]
pub(super) struct PageCipher {
    context: Option<Context>,
}

/// The text of a page, and the operation that SQLCipher requests.
pub(super) struct PageText<'a> {
    /// [`ENCRYPT`] or [`DECRYPT`].
    pub(super) mode: c_int,
    pub(super) key: &'a [u8; KEY_LENGTH],
    pub(super) iv: &'a [u8; IV_LENGTH],
    pub(super) from: *const u8,
    /// A multiple of [`BLOCK_LENGTH`].
    pub(super) length: c_int,
    pub(super) to: *mut u8,
}

impl PageText<'_> {
    /// Returns whether [`PageCipher::run`] handles the call.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.mode, ENCRYPT | DECRYPT) && self.length > 0 && self.length % BLOCK_LENGTH == 0
    }
}

impl PageCipher {
    /// Encrypts or decrypts, without padding.
    ///
    /// # Errors
    ///
    /// OpenSSL's errors; the context is then dropped. Fails if the text's length is not a multiple of [`BLOCK_LENGTH`].
    ///
    /// # Safety
    ///
    /// `text.from` and `text.to` point to `text.length` bytes each, which are either the same or do not overlap.
    pub(super) unsafe fn run(&mut self, text: &PageText<'_>) -> Result<(), ErrorStack> {
        // The context is put back only if every step succeeds.
        let mut context = match self.context.take() {
            Some(context) => context,
            None => Context::new()?,
        };
        // SAFETY: the caller upholds the contract.
        let written = unsafe { context.run(text)? };
        if written != text.length {
            return Err(ErrorStack::get());
        }
        context.forget_key()?;
        self.context = Some(context);
        Ok(())
    }
}

/// A context of AES-256-CBC. OpenSSL wipes the context before freeing it.
struct Context {
    context: NonNull<ffi::EVP_CIPHER_CTX>,
    _counted: Counted,
}

impl Context {
    fn new() -> Result<Self, ErrorStack> {
        // SAFETY: the function has no preconditions, and returns null if memory runs out.
        let context = unsafe { ffi::EVP_CIPHER_CTX_new() };
        let context = NonNull::new(context).ok_or_else(ErrorStack::get)?;
        let context = Self { context, _counted: Counted::new() };
        let pointer = context.context.as_ptr();
        // SAFETY: the context is live, and the cipher's description lives as long as the process.
        unsafe {
            let cipher = ffi::EVP_aes_256_cbc();
            check(ffi::EVP_CipherInit_ex(
                pointer,
                cipher,
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
                ENCRYPT,
            ))?;
            check(ffi::EVP_CIPHER_CTX_set_padding(pointer, 0))?;
        }
        Ok(context)
    }

    /// Returns the number of bytes written. For whole blocks without padding, `EVP_CipherFinal_ex` would write nothing.
    ///
    /// # Safety
    ///
    /// As for [`PageCipher::run`].
    unsafe fn run(&mut self, text: &PageText<'_>) -> Result<c_int, ErrorStack> {
        let mut written = 0;
        // SAFETY: the key is as long as AES-256 requires, the IV is as long as a block, and the caller guarantees the text.
        unsafe {
            self.set_key(text.mode, text.key, text.iv.as_ptr())?;
            check(ffi::EVP_CipherUpdate(
                self.context.as_ptr(),
                text.to,
                &raw mut written,
                text.from,
                text.length,
            ))?;
        }
        Ok(written)
    }

    /// Overwrites the expanded key. The mode is encryption, which has the cheapest key expansion.
    fn forget_key(&mut self) -> Result<(), ErrorStack> {
        // SAFETY: the key has the right length, and the IV stays.
        unsafe { self.set_key(ENCRYPT, &[0; KEY_LENGTH], ptr::null()) }
    }

    /// # Safety
    ///
    /// `iv` is null or has 16 bytes.
    unsafe fn set_key(
        &mut self,
        mode: c_int,
        key: &[u8; KEY_LENGTH],
        iv: *const u8,
    ) -> Result<(), ErrorStack> {
        // SAFETY: the context is live and has its cipher, whose key and IV have these lengths.
        check(unsafe {
            let cipher = ptr::null();
            ffi::EVP_CipherInit_ex(self.context.as_ptr(), cipher, ptr::null_mut(), key.as_ptr(), iv, mode)
        })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is live, and nothing refers to it afterwards.
        unsafe { ffi::EVP_CIPHER_CTX_free(self.context.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decrypt(cipher: &mut PageCipher) -> Result<[u8; 32], ErrorStack> {
        let mut to = [0; 32];
        let (key, iv, from) = (&[1; KEY_LENGTH], &[2; IV_LENGTH], [3; 32]);
        let text = PageText { mode: DECRYPT, key, iv, from: from.as_ptr(), length: 32, to: to.as_mut_ptr() };
        // SAFETY: both buffers have 32 bytes.
        unsafe { cipher.run(&text)? };
        Ok(to)
    }

    #[test]
    fn an_error_of_openssl_drops_the_context() {
        vendored_sys::init().unwrap();
        let mut cipher = PageCipher::default();
        let expected = decrypt(&mut cipher).unwrap();
        // SAFETY: the function has no preconditions. The context has no cipher.
        let blank = NonNull::new(unsafe { ffi::EVP_CIPHER_CTX_new() }).unwrap();
        cipher.context = Some(Context { context: blank, _counted: Counted::new() });
        assert!(decrypt(&mut cipher).is_err());
        assert!(cipher.context.is_none());
        assert!(ErrorStack::get().errors().is_empty(), "an error is left for another caller");
        assert_eq!(decrypt(&mut cipher).unwrap(), expected);
    }
}
