//! A cryptography provider for SQLCipher. The provider keeps OpenSSL's contexts from page to page, and can change the keys
//! of an open file.
//!
//! SQLCipher encrypts a page through the functions of a provider, and passes the key to each call. SQLCipher's own provider
//! for OpenSSL looks up the algorithms and creates contexts for each page. This provider keeps contexts for each database
//! of a connection, and passes every call that is not for a page to SQLCipher's own provider.
//!
//! This provider may also use a key other than SQLCipher's. SQLCipher keeps two copies of each key: the first decrypts
//! pages and encrypts the rollback journal, the second encrypts pages. The provider distinguishes the copies by address. A
//! transaction can therefore write pages with a new key, while the old key still reads the file and its journal.
//!
//! A database in the Strongroom format has a state of its own kind, whose lengths SQLCipher reads before the first page.

mod counted;
mod digest;
mod failed_page;
mod layout;
mod page_cipher;
mod page_hmac;
mod sealed;
mod state;
#[cfg(test)]
mod tests;

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::OnceLock;

use openssl::rand::rand_bytes;
use strongroom_format::{NONCE_LENGTH, RESERVED_LENGTH, TAG_LENGTH};
use strongroom_keys::HashAlgorithm;

use self::layout::{NAME, Provider};
use self::page_cipher::PageText;
use self::sealed::Sealed;
use self::state::State;

#[cfg(test)]
pub(crate) use self::counted::derivations::get as derivations;
pub(super) use self::failed_page::{failed_pages, failed_pages_here};

use super::pending;

/// Registers the provider, once per process, before the first connection. SQLCipher must be initialised.
pub(crate) fn register_provider() {
    BASE.get_or_init(|| {
        // If SQLCipher has another struct, it keeps its own provider, and keys cannot be exchanged.
        let base = Provider::of_sqlcipher()?;
        let own = Provider {
            get_provider_name: Some(get_provider_name),
            random: Some(random),
            hmac: Some(hmac),
            #[cfg(test)]
            kdf: Some(counted::derivations::function()),
            cipher: Some(cipher),
            ctx_init: Some(ctx_init),
            ctx_free: Some(ctx_free),
            get_iv_sz: Some(get_iv_sz),
            get_block_sz: Some(get_block_sz),
            get_hmac_sz: Some(get_hmac_sz),
            ..base
        };
        // SAFETY: the memory has the size and the alignment of the struct. SQLCipher, which allocated it, also frees it
        // when the process exits. If memory runs out, SQLCipher keeps its own provider too.
        unsafe {
            let memory: *mut Provider = sqlcipher_malloc(size_of::<Provider>() as u64).cast();
            if !memory.is_null() {
                memory.write(own);
                sqlcipher_register_provider(memory);
            }
        }
        Some(base)
    });
}

/// SQLCipher's provider for OpenSSL.
static BASE: OnceLock<Option<Provider>> = OnceLock::new();

fn base() -> Option<&'static Provider> {
    BASE.get()?.as_ref()
}

/// SQLCIPHER_DECRYPT of sqlcipher.c.
const DECRYPT: c_int = 0;
/// SQLCIPHER_ENCRYPT of sqlcipher.c.
const ENCRYPT: c_int = 1;
/// SQLITE_ERROR, with which a provider reports a failure.
const ERROR: c_int = vendored_sys::sqlite::SQLITE_ERROR;
const OK: c_int = vendored_sys::sqlite::SQLITE_OK;
/// The length of a key of AES-256 in bytes, and of a page's HMAC.
const KEY_LENGTH: usize = 32;
/// The length of an initialisation vector in bytes.
const IV_LENGTH: usize = 16;

unsafe extern "C" fn ctx_init(ctx: *mut *mut c_void) -> c_int {
    let Ok(sealed) = pending::take_keys().map(Sealed::new).transpose() else { return ERROR };
    // SAFETY: SQLCipher passes the address of its pointer.
    unsafe { *ctx = Box::into_raw(Box::new(State::new(sealed))).cast() };
    OK
}

unsafe extern "C" fn get_iv_sz(ctx: *mut c_void) -> c_int {
    // SAFETY: `ctx` is null or the state that `ctx_init` created.
    match unsafe { sealed(ctx) } {
        Some(_) => NONCE_LENGTH as c_int,
        None => IV_LENGTH as c_int,
    }
}

/// Returns the number to a multiple of which SQLCipher rounds the reserved bytes.
unsafe extern "C" fn get_block_sz(ctx: *mut c_void) -> c_int {
    // SAFETY: as in `get_iv_sz`.
    match unsafe { sealed(ctx) } {
        // Nonce and tag have 40 bytes.
        Some(_) => 8,
        None => IV_LENGTH as c_int,
    }
}

unsafe extern "C" fn get_hmac_sz(ctx: *mut c_void, algorithm: c_int) -> c_int {
    // SAFETY: as in `get_iv_sz`. SQLCipher's own function does not use its context.
    unsafe {
        if sealed(ctx).is_some() {
            return TAG_LENGTH as c_int;
        }
        base().and_then(|base| base.get_hmac_sz).map_or(0, |size| size(ptr::null_mut(), algorithm))
    }
}

/// Returns the keys of a database in the Strongroom format.
///
/// # Safety
///
/// `ctx` is null or the state that `ctx_init` created.
unsafe fn sealed<'s>(ctx: *mut c_void) -> Option<&'s Sealed> {
    // SAFETY: the caller upholds the contract.
    unsafe { ctx.cast::<State>().as_ref() }.and_then(|state| state.sealed.as_ref())
}

unsafe extern "C" fn ctx_free(ctx: *mut *mut c_void) -> c_int {
    // SAFETY: the pointer is null, or `ctx_init` created it and SQLCipher frees it exactly once.
    unsafe {
        let state: *mut State = (*ctx).cast();
        *ctx = ptr::null_mut();
        if !state.is_null() {
            drop(Box::from_raw(state));
        }
    }
    OK
}

unsafe extern "C" fn get_provider_name(ctx: *mut c_void) -> *const c_char {
    State::remember_asked(ctx.cast());
    NAME.as_ptr()
}

/// Calls OpenSSL's generator, as SQLCipher's own function does, but without the mutex that serialises all threads.
///
/// OpenSSL before 1.1 needed the mutex. Since then, each thread has a generator, which reseeds itself after a fork. Random
/// bytes must not be buffered here: after a fork, both processes would use the same bytes.
unsafe extern "C" fn random(ctx: *mut c_void, buffer: *mut c_void, length: c_int) -> c_int {
    let Ok(length) = usize::try_from(length) else { return ERROR };
    // SAFETY: SQLCipher passes a buffer of this length, which is initialised.
    let bytes = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    // Other lengths are for salts, which this format does not use.
    // SAFETY: `ctx` is null or the state that `ctx_init` created.
    if length == RESERVED_LENGTH && unsafe { sealed(ctx) }.is_some() {
        return Sealed::reserve(bytes);
    }
    match rand_bytes(bytes) {
        Ok(()) => OK,
        Err(_) => ERROR,
    }
}

unsafe extern "C" fn hmac(
    ctx: *mut c_void,
    algorithm: c_int,
    key: *const u8,
    key_length: c_int,
    first: *const u8,
    first_length: c_int,
    second: *const u8,
    second_length: c_int,
    out: *mut u8,
) -> c_int {
    // SAFETY: `ctx` is null or the state that `ctx_init` created. The other arguments are SQLCipher's, except for a
    // replaced key of the same length. SQLCipher's own provider does not use its context.
    unsafe {
        let length = usize::try_from(key_length).unwrap_or(0);
        let state = ctx.cast::<State>().as_ref();
        if let Some(sealed) = state.and_then(|state| state.sealed.as_ref()) {
            // The page number, in SQLCipher's default order.
            let number = bytes(second, second_length).and_then(|number| number.try_into().ok());
            let length = usize::try_from(first_length).ok().and_then(|all| all.checked_sub(NONCE_LENGTH));
            let (Some(number), Some(length)) = (number, length) else { return ERROR };
            return sealed.hmac(first, length, u32::from_le_bytes(number), out);
        }
        let key = state.map_or(key, |state| state.hmac_key(key, length));
        if let (Some(state), KEY_LENGTH) = (state, length)
            && let Some(algorithm) = hash_algorithm(algorithm)
            && let Some(key) = key.cast::<[u8; KEY_LENGTH]>().as_ref()
            && let Some(first) = bytes(first, first_length)
            && let Some(second) = bytes(second, second_length)
        {
            let out = slice::from_raw_parts_mut(out, algorithm.digest_length() as usize);
            return state.hmac_page(algorithm, key, [first, second], out);
        }
        let Some(hmac) = base().and_then(|base| base.hmac) else { return ERROR };
        let none = ptr::null_mut();
        hmac(none, algorithm, key, key_length, first, first_length, second, second_length, out)
    }
}

unsafe extern "C" fn cipher(
    ctx: *mut c_void,
    mode: c_int,
    key: *const u8,
    key_length: c_int,
    iv: *const u8,
    from: *const u8,
    length: c_int,
    to: *mut u8,
) -> c_int {
    // SAFETY: as in `hmac`. An IV has the length that the provider returns to SQLCipher.
    unsafe {
        let state = ctx.cast::<State>().as_ref();
        if let Some(sealed) = state.and_then(|state| state.sealed.as_ref()) {
            return sealed.cipher(mode, from, length, to);
        }
        let size = usize::try_from(key_length).unwrap_or(0);
        let key = state.map_or(key, |state| state.cipher_key(mode, key, size));
        if let (Some(state), KEY_LENGTH) = (state, size)
            && let (Some(key), Some(iv)) =
                (key.cast::<[u8; KEY_LENGTH]>().as_ref(), iv.cast::<[u8; IV_LENGTH]>().as_ref())
            && let text = (PageText { mode, key, iv, from, length, to })
            && text.is_whole()
        {
            return state.cipher_page(&text);
        }
        let Some(cipher) = base().and_then(|base| base.cipher) else { return ERROR };
        cipher(ptr::null_mut(), mode, key, key_length, iv, from, length, to)
    }
}

/// Returns SQLCipher's hash function with this number, `SQLCIPHER_HMAC_SHA1` and so on.
fn hash_algorithm(number: c_int) -> Option<HashAlgorithm> {
    [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512]
        .get(usize::try_from(number).ok()?)
        .copied()
}

/// # Safety
///
/// `start` is null or points to `length` bytes during SQLCipher's call.
unsafe fn bytes<'a>(start: *const u8, length: c_int) -> Option<&'a [u8]> {
    let length = usize::try_from(length).ok()?;
    // SAFETY: the caller upholds the contract.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, length) })
}

unsafe extern "C" {
    fn sqlcipher_malloc(size: u64) -> *mut c_void;
    fn sqlcipher_register_provider(provider: *mut Provider) -> c_int;
}
