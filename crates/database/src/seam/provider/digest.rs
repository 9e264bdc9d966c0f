//! OpenSSL's context of a hash function.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use openssl::error::ErrorStack;
use strongroom_keys::HashAlgorithm;
use vendored_sys::openssl as ffi;

use super::counted::Counted;

/// A context of a hash function. OpenSSL wipes the context before freeing it.
///
/// Exists because the crate `openssl` cannot copy the state of one context to another.
pub(super) struct Digest {
    context: NonNull<ffi::EVP_MD_CTX>,
    _counted: Counted,
}

impl Digest {
    /// Returns a context without a state: call [`Self::start`] or [`Self::copy_state`] next.
    pub(super) fn new() -> Result<Self, ErrorStack> {
        // SAFETY: the function has no preconditions, and returns null if memory runs out.
        let context = unsafe { ffi::EVP_MD_CTX_new() };
        let context = NonNull::new(context).ok_or_else(ErrorStack::get)?;
        Ok(Self { context, _counted: Counted::new() })
    }

    pub(super) fn start(&mut self, algorithm: HashAlgorithm) -> Result<(), ErrorStack> {
        // SAFETY: the context is live, and the function's description lives as long as the process.
        check(unsafe {
            let function = match algorithm {
                HashAlgorithm::Sha1 => ffi::EVP_sha1(),
                HashAlgorithm::Sha256 => ffi::EVP_sha256(),
                HashAlgorithm::Sha512 => ffi::EVP_sha512(),
            };
            ffi::EVP_DigestInit_ex(self.context.as_ptr(), function, ptr::null_mut())
        })
    }

    pub(super) fn copy_state(&mut self, from: &Self) -> Result<(), ErrorStack> {
        // SAFETY: both contexts are live, and distinct because one is borrowed mutably.
        check(unsafe { ffi::EVP_MD_CTX_copy_ex(self.context.as_ptr(), from.context.as_ptr()) })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) -> Result<(), ErrorStack> {
        // SAFETY: the context is live, and the length is that of the bytes. OpenSSL refuses a context without a state.
        check(unsafe { ffi::EVP_DigestUpdate(self.context.as_ptr(), bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Writes the digest to the start of `out`, and returns its length.
    pub(super) fn finish(&mut self, out: &mut [u8; MAX_LENGTH]) -> Result<usize, ErrorStack> {
        let mut length = 0;
        // SAFETY: the context is live, and no digest is longer than `out`.
        check(unsafe { ffi::EVP_DigestFinal_ex(self.context.as_ptr(), out.as_mut_ptr(), &raw mut length) })?;
        Ok(length as usize)
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        // SAFETY: the context is live, and nothing refers to it afterwards.
        unsafe { ffi::EVP_MD_CTX_free(self.context.as_ptr()) };
    }
}

/// EVP_MAX_MD_SIZE of openssl/evp.h.
pub(super) const MAX_LENGTH: usize = ffi::EVP_MAX_MD_SIZE as usize;

/// Takes the errors from OpenSSL's queue unless the function returned 1.
pub(super) fn check(result: c_int) -> Result<(), ErrorStack> {
    match result {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}
