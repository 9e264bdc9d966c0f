//! OpenSSL's context of a cipher.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use openssl::error::ErrorStack;
use vendored_sys::openssl as ffi;

use crate::{KEY_LENGTH, TAG_LENGTH};

/// The direction of a cipher, as OpenSSL numbers it.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Decrypt = 0,
    Encrypt = 1,
}

/// A context of one cipher. OpenSSL wipes the context before freeing it.
///
/// Padding stays on, and pads nothing: GCM has none, and ECB encrypts whole blocks without an end. OpenSSL would repeat a
/// change of the padding at each message, which costs a tenth of a page.
///
/// Exists because the crate `openssl` needs an output buffer that is one block longer than the text, and cannot read from
/// one raw buffer and write to another.
pub(crate) struct CipherContext {
    context: NonNull<ffi::EVP_CIPHER_CTX>,
}

// SAFETY: OpenSSL's contexts belong to no thread, and every method that changes a context borrows it mutably.
unsafe impl Send for CipherContext {}

/// The largest number of bytes per call, because OpenSSL takes lengths as C's int. A multiple of every block.
const MAX_UPDATE: usize = 1 << 30;

impl CipherContext {
    /// Returns a context of AES-256-ECB without a key.
    pub(crate) fn aes_256_ecb() -> Result<Self, ErrorStack> {
        // SAFETY: the function has no preconditions, and the description lives as long as the process.
        Self::new(unsafe { ffi::EVP_aes_256_ecb() })
    }

    /// Returns a context of AES-256-GCM without a key. Nonces have 12 bytes.
    pub(crate) fn aes_256_gcm() -> Result<Self, ErrorStack> {
        // SAFETY: as above.
        Self::new(unsafe { ffi::EVP_aes_256_gcm() })
    }

    /// Returns a context without a cipher, whose every use fails.
    #[cfg(test)]
    pub(crate) fn blank() -> Self {
        // SAFETY: the function has no preconditions.
        let context = unsafe { ffi::EVP_CIPHER_CTX_new() };
        Self { context: NonNull::new(context).unwrap() }
    }

    fn new(cipher: *const ffi::EVP_CIPHER) -> Result<Self, ErrorStack> {
        // SAFETY: the function has no preconditions, and returns null if memory runs out.
        let context = unsafe { ffi::EVP_CIPHER_CTX_new() };
        let context = Self { context: NonNull::new(context).ok_or_else(ErrorStack::get)? };
        let pointer = context.context.as_ptr();
        // SAFETY: the context is live, and the cipher's description lives as long as the process. OpenSSL looks up the
        // implementation here, once for the context.
        unsafe {
            let none = ptr::null();
            let mode = Mode::Encrypt as c_int;
            check(ffi::EVP_CipherInit_ex(pointer, cipher, ptr::null_mut(), none, none, mode))?;
        }
        Ok(context)
    }

    /// Sets the key of AES-256-ECB.
    pub(crate) fn set_key(&mut self, mode: Mode, key: &[u8; KEY_LENGTH]) -> Result<(), ErrorStack> {
        // SAFETY: ECB reads no nonce.
        unsafe { self.init(mode, key, ptr::null()) }
    }

    /// Sets the key and the nonce of AES-256-GCM, and starts a message.
    pub(crate) fn start(
        &mut self,
        mode: Mode,
        key: &[u8; KEY_LENGTH],
        nonce: &[u8; 12],
    ) -> Result<(), ErrorStack> {
        // SAFETY: 12 bytes are GCM's default.
        unsafe { self.init(mode, key, nonce.as_ptr()) }
    }

    /// # Safety
    ///
    /// `nonce` has the cipher's length, or is null.
    unsafe fn init(
        &mut self,
        mode: Mode,
        key: &[u8; KEY_LENGTH],
        nonce: *const u8,
    ) -> Result<(), ErrorStack> {
        let (pointer, cipher) = (self.context.as_ptr(), ptr::null());
        // SAFETY: the context is live and keeps its cipher, whose key has this length.
        check(unsafe {
            ffi::EVP_CipherInit_ex(pointer, cipher, ptr::null_mut(), key.as_ptr(), nonce, mode as c_int)
        })
    }

    /// Authenticates bytes that the message does not contain.
    pub(crate) fn update_associated_data(&mut self, data: &[u8]) -> Result<(), ErrorStack> {
        // SAFETY: the length is that of the data, and a null output marks associated data.
        unsafe { self.update_chunks(data.as_ptr(), ptr::null_mut(), data.len()) }
    }

    /// Encrypts or decrypts.
    ///
    /// # Safety
    ///
    /// `from` and `to` point to `length` bytes each, which are either the same or do not overlap. A block cipher needs
    /// whole blocks.
    pub(crate) unsafe fn update(
        &mut self,
        from: *const u8,
        to: *mut u8,
        length: usize,
    ) -> Result<(), ErrorStack> {
        // SAFETY: the caller upholds the contract.
        unsafe { self.update_chunks(from, to, length) }
    }

    /// # Safety
    ///
    /// As for [`Self::update`]; `to` may be null.
    unsafe fn update_chunks(
        &mut self,
        from: *const u8,
        to: *mut u8,
        length: usize,
    ) -> Result<(), ErrorStack> {
        let mut done = 0;
        while done < length {
            let part = (length - done).min(MAX_UPDATE);
            // SAFETY: `done` is below `length`.
            let (from, to) = unsafe { (from.add(done), if to.is_null() { to } else { to.add(done) }) };
            let mut written = 0;
            // SAFETY: the context is live, and the caller guarantees the buffers. `part` fits C's int.
            check(unsafe {
                ffi::EVP_CipherUpdate(self.context.as_ptr(), to, &raw mut written, from, part as c_int)
            })?;
            // GCM and ECB write the whole blocks that they read.
            if written != part as c_int {
                return Err(ErrorStack::get());
            }
            done += part;
        }
        Ok(())
    }

    /// Ends a message of AES-256-GCM. Returns its tag.
    pub(crate) fn finish_sealing(&mut self, tag: &mut [u8; TAG_LENGTH]) -> Result<(), ErrorStack> {
        check(self.finish())?;
        // SAFETY: the context is live, and the tag has the given length.
        unsafe { self.control(ffi::EVP_CTRL_GCM_GET_TAG, tag.as_mut_ptr()) }
    }

    /// Ends a message of AES-256-GCM. Returns whether the tag is right.
    pub(crate) fn finish_opening(&mut self, tag: &[u8; TAG_LENGTH]) -> Result<bool, ErrorStack> {
        // SAFETY: the context is live, and OpenSSL only reads the tag.
        unsafe { self.control(ffi::EVP_CTRL_GCM_SET_TAG, tag.as_ptr().cast_mut())? };
        let authentic = self.finish() == 1;
        if !authentic {
            // A wrong tag must leave no error for another caller.
            drop(ErrorStack::get());
        }
        Ok(authentic)
    }

    fn finish(&mut self) -> c_int {
        let mut block = [0; 16];
        let mut written = 0;
        // SAFETY: the context is live, and the buffer has room for a block. GCM writes nothing.
        unsafe { ffi::EVP_CipherFinal(self.context.as_ptr(), block.as_mut_ptr(), &raw mut written) }
    }

    /// # Safety
    ///
    /// `tag` has [`TAG_LENGTH`] bytes, and `command` reads or writes a tag.
    unsafe fn control(&mut self, command: c_int, tag: *mut u8) -> Result<(), ErrorStack> {
        let (pointer, length) = (self.context.as_ptr(), TAG_LENGTH as c_int);
        // SAFETY: the caller upholds the contract, and the context is live.
        check(unsafe { ffi::EVP_CIPHER_CTX_ctrl(pointer, command, length, tag.cast()) })
    }
}

impl Drop for CipherContext {
    fn drop(&mut self) {
        // SAFETY: the context is live, and nothing refers to it afterwards.
        unsafe { ffi::EVP_CIPHER_CTX_free(self.context.as_ptr()) };
    }
}

/// Takes the errors from OpenSSL's queue unless the function returned 1.
fn check(result: c_int) -> Result<(), ErrorStack> {
    match result {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}
