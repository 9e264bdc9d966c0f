//! OpenSSL's Argon2id.

use std::ffi::{CStr, c_uint};
use std::ptr::{self, NonNull};

use openssl::error::ErrorStack;
use vendored_sys::openssl as ffi;

use crate::argon2id::Argon2id;

/// More inputs of Argon2id, which the format does not use. RFC 9106's test vector does.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'a> {
    pub(crate) name: &'static CStr,
    pub(crate) bytes: &'a [u8],
}

/// Derives `key` with Argon2id, version 1.3, on this thread alone.
///
/// Exists because the crate `openssl` copies the passphrase into memory that OpenSSL frees without wiping it. These
/// parameters point to the caller's memory; OpenSSL's own copy is wiped.
///
/// # Errors
///
/// OpenSSL's errors: it is out of memory, or older than version 3.2, or built without Argon2.
pub(crate) fn derive(
    argon2id: &Argon2id,
    passphrase: &[u8],
    salt: &[u8],
    more: &[Octets<'_>],
    key: &mut [u8],
) -> Result<(), ErrorStack> {
    let context = Context::new()?;
    let Argon2id { mut memory, mut passes, mut lanes } = *argon2id;
    let mut parameters = vec![
        octets(Octets { name: c"pass", bytes: passphrase }),
        octets(Octets { name: c"salt", bytes: salt }),
        number(c"memcost", &mut memory),
        number(c"iter", &mut passes),
        number(c"lanes", &mut lanes),
    ];
    parameters.extend(more.iter().copied().map(octets));
    // SAFETY: the function has no preconditions.
    parameters.push(unsafe { ffi::OSSL_PARAM_construct_end() });
    let (pointer, length) = (context.0.as_ptr(), key.len());
    // SAFETY: the context is live. The key has the given length. The last parameter ends the list, and the others point to
    // values that live until the end of this function.
    match unsafe { ffi::EVP_KDF_derive(pointer, key.as_mut_ptr(), length, parameters.as_ptr()) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

fn octets(octets: Octets<'_>) -> ffi::OSSL_PARAM {
    let (name, bytes) = (octets.name.as_ptr(), octets.bytes);
    // SAFETY: the function stores the two pointers. OpenSSL only reads the inputs of a derivation.
    unsafe { ffi::OSSL_PARAM_construct_octet_string(name, bytes.as_ptr().cast_mut().cast(), bytes.len()) }
}

fn number(name: &'static CStr, value: &mut c_uint) -> ffi::OSSL_PARAM {
    // SAFETY: the function stores the two pointers.
    unsafe { ffi::OSSL_PARAM_construct_uint(name.as_ptr(), value) }
}

/// A context of Argon2id. OpenSSL wipes the context before freeing it.
struct Context(NonNull<ffi::EVP_KDF_CTX>);

impl Context {
    fn new() -> Result<Self, ErrorStack> {
        // SAFETY: null selects the default library context and no properties. The name ends with a zero.
        let function = unsafe { ffi::EVP_KDF_fetch(ptr::null_mut(), c"ARGON2ID".as_ptr(), ptr::null()) };
        let function = NonNull::new(function).ok_or_else(ErrorStack::get)?;
        // SAFETY: the function is live. The context holds a reference to it.
        let context = unsafe {
            let context = ffi::EVP_KDF_CTX_new(function.as_ptr());
            ffi::EVP_KDF_free(function.as_ptr());
            context
        };
        NonNull::new(context).map(Self).ok_or_else(ErrorStack::get)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is live, and nothing refers to it afterwards.
        unsafe { ffi::EVP_KDF_CTX_free(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9106, section 5.3.
    #[test]
    fn the_published_vector() {
        vendored_sys::init().unwrap();
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
            0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ];
        let more = [Octets { name: c"secret", bytes: &[3; 8] }, Octets { name: c"ad", bytes: &[4; 12] }];
        let mut key = [0; 32];
        let argon2id = Argon2id { memory: 32, passes: 3, lanes: 4 };
        derive(&argon2id, &[1; 32], &[2; 16], &more, &mut key).unwrap();
        assert_eq!(key, expected);
    }

    #[test]
    fn an_error_of_openssl_is_returned_and_not_left_behind() {
        vendored_sys::init().unwrap();
        // RFC 9106 asks for 8 KiB for each lane.
        let argon2id = Argon2id { memory: 31, passes: 1, lanes: 4 };
        let error = derive(&argon2id, b"a", &[2; 16], &[], &mut [0; 32]).unwrap_err();
        assert!(!error.errors().is_empty());
        assert!(ErrorStack::get().errors().is_empty());
    }
}
