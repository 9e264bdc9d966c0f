//! SQLCipher's private struct for a provider.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::{IV_LENGTH, KEY_LENGTH, OK};

/// `struct sqlcipher_provider` of sqlcipher.c. Functions that this crate neither calls nor replaces are declared without
/// their arguments.
///
/// vendored-sys pins the version of SQLCipher. The test `provider_layout` compares the fields with SQLCipher's source.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Provider {
    pub(super) init: Option<unsafe extern "C" fn() -> c_int>,
    pub(super) shutdown: Option<unsafe extern "C" fn()>,
    pub(super) get_provider_name: Option<NameOf>,
    pub(super) add_random: Option<unsafe extern "C" fn()>,
    pub(super) random: Option<Random>,
    pub(super) hmac: Option<Hmac>,
    pub(super) kdf: Option<unsafe extern "C" fn()>,
    pub(super) cipher: Option<CipherPage>,
    pub(super) get_cipher: Option<NameOf>,
    pub(super) get_key_sz: Option<OfContext>,
    pub(super) get_iv_sz: Option<OfContext>,
    pub(super) get_block_sz: Option<OfContext>,
    pub(super) get_hmac_sz: Option<unsafe extern "C" fn(*mut c_void, c_int) -> c_int>,
    pub(super) ctx_init: Option<unsafe extern "C" fn(*mut *mut c_void) -> c_int>,
    pub(super) ctx_free: Option<unsafe extern "C" fn(*mut *mut c_void) -> c_int>,
    pub(super) fips_status: Option<OfContext>,
    pub(super) get_provider_version: Option<NameOf>,
    pub(super) next: Option<&'static Provider>,
}

type NameOf = unsafe extern "C" fn(*mut c_void) -> *const c_char;
type OfContext = unsafe extern "C" fn(*mut c_void) -> c_int;
type Random = unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int;
type Hmac = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *mut u8,
) -> c_int;
type CipherPage =
    unsafe extern "C" fn(*mut c_void, c_int, *const u8, c_int, *const u8, *const u8, c_int, *mut u8) -> c_int;

impl Provider {
    /// Returns SQLCipher's own provider for OpenSSL.
    ///
    /// `None` means that the linked SQLCipher has another struct or another cipher. With the feature `system`, a
    /// distribution's SQLCipher may have any version.
    pub(super) fn of_sqlcipher() -> Option<Self> {
        let mut filled = Filled { provider: Self::default(), beyond: [0; 8] };
        // SAFETY: the function fills in the pointers of the struct. `Filled` has space for a longer struct.
        let code = unsafe { sqlcipher_openssl_setup((&raw mut filled).cast()) };
        let own = filled.provider;
        let is_filled = code == OK && filled.beyond == [0; 8] && own.is_whole();
        is_filled.then_some(own).filter(Self::has_our_lengths)
    }

    /// Returns whether exactly those functions are set that SQLCipher 4.20 sets. Older structs lacked `init`.
    fn is_whole(&self) -> bool {
        self.init.is_none()
            && self.shutdown.is_none()
            && self.next.is_none()
            && self.get_provider_name.is_some()
            && self.add_random.is_some()
            && self.random.is_some()
            && self.hmac.is_some()
            && self.kdf.is_some()
            && self.cipher.is_some()
            && self.get_cipher.is_some()
            && self.get_key_sz.is_some()
            && self.get_iv_sz.is_some()
            && self.get_block_sz.is_some()
            && self.get_hmac_sz.is_some()
            && self.ctx_init.is_some()
            && self.ctx_free.is_some()
            && self.fips_status.is_some()
            && self.get_provider_version.is_some()
    }

    /// Returns whether the functions return the values of AES-256-CBC in OpenSSL.
    fn has_our_lengths(&self) -> bool {
        let (Some(name), Some(key), Some(iv), Some(block), Some(hmac)) =
            (self.get_provider_name, self.get_key_sz, self.get_iv_sz, self.get_block_sz, self.get_hmac_sz)
        else {
            return false;
        };
        let none = ptr::null_mut();
        // SAFETY: SQLCipher's own functions do not use their context, and the name is a constant.
        unsafe {
            CStr::from_ptr(name(none)) == NAME
                && [key(none), iv(none), block(none)] == [KEY_LENGTH as c_int, IV_LENGTH as c_int, 16]
                && [hmac(none, 0), hmac(none, 1), hmac(none, 2)] == [20, 32, 64]
        }
    }
}

/// The name of SQLCipher's provider for OpenSSL. This crate's provider keeps this name, which `PRAGMA cipher_provider`
/// shows.
pub(super) const NAME: &CStr = c"openssl";

#[repr(C)]
struct Filled {
    provider: Provider,
    /// Zeros, unless the linked SQLCipher has a longer struct.
    beyond: [usize; 8],
}

unsafe extern "C" {
    fn sqlcipher_openssl_setup(provider: *mut Provider) -> c_int;
}
