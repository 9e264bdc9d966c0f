//! SQLCipher's provider of cryptography, with keys that can be changed while a file is open.
//!
//! SQLCipher encrypts a page through the functions of a provider, and passes each of them the key. This provider calls
//! SQLCipher's own one for OpenSSL, and may pass another key. SQLCipher keeps two copies of each key: one decrypts pages and
//! encrypts the rollback journal, the other encrypts pages. Their addresses tell them apart, so that a transaction can write
//! pages with a new key while the old one still reads the file and its journal.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use strongroom_keys::{HashAlgorithm, PageKeys, SALT_LENGTH, SecretBytes};

use crate::pragma::pragma;

use super::{Core, Failure};

/// Registers the provider, once for the process, before the first connection. SQLCipher must be initialised.
pub(crate) fn register_provider() {
    BASE.get_or_init(|| {
        let mut base = Provider::default();
        // SAFETY: the function fills in the pointers of the struct, whose layout is that of SQLCipher.
        unsafe { sqlcipher_openssl_setup(&raw mut base) };
        let own = Provider {
            init: None,
            shutdown: None,
            get_provider_name: Some(get_provider_name),
            hmac: Some(hmac),
            cipher: Some(cipher),
            ctx_init: Some(ctx_init),
            ctx_free: Some(ctx_free),
            ..base
        };
        // SAFETY: the memory has the size and the alignment of the struct. SQLCipher, which allocated it, also frees it when
        // the process exits. Without memory, SQLCipher goes on with its own provider, and keys cannot be exchanged.
        unsafe {
            let memory: *mut Provider = sqlcipher_malloc(size_of::<Provider>() as u64).cast();
            if !memory.is_null() {
                memory.write(own);
                sqlcipher_register_provider(memory);
            }
        }
        base
    });
}

impl Core {
    /// Writes pages of the database `schema` with `keys` from now on, or with its own ones again for `None`.
    ///
    /// Pages are still read, and written to the rollback journal, with the database's own keys. The database must have read
    /// a page.
    pub(crate) fn write_with(&self, schema: &str, keys: Option<PageKeys>) -> Result<(), Failure> {
        self.with_state(schema, |state| match keys {
            Some(keys) if !state.reading_cipher.get().is_null() => {
                state.exchange.replace(Exchange::Writes(keys));
                true
            }
            Some(_) => false,
            None => {
                state.exchange.replace(Exchange::None);
                true
            }
        })
    }

    /// Reads and writes pages of the database `schema` with `keys` from now on.
    pub(crate) fn exchange_keys(&self, schema: &str, keys: PageKeys) -> Result<(), Failure> {
        self.with_state(schema, |state| {
            state.exchange.replace(Exchange::All { keys, ciphers: Vec::new(), hmacs: Vec::new() });
            true
        })
    }

    /// Returns the keys of [`Core::exchange_keys`] in the form of [`Core::keyspec`], while SQLCipher still has the old ones.
    pub(crate) fn exchanged_keyspec(&self, schema: &str, salt: &[u8; SALT_LENGTH]) -> Option<SecretBytes> {
        let mut keyspec = None;
        let asked = self.with_state(schema, |state| {
            if let Exchange::All { keys, .. } = &*state.exchange.borrow() {
                keyspec = Some(keys.keyspec(salt));
            }
            true
        });
        asked.ok().and(keyspec)
    }

    /// Returns the number of a page of zeros that the database `schema` read, if there was one.
    pub(crate) fn zeroed_page(&self, schema: &str) -> Option<u32> {
        let mut zeroed = 0;
        let asked = self.with_state(schema, |state| {
            zeroed = state.zeroed.get();
            true
        });
        asked.ok().and((zeroed != 0).then_some(zeroed))
    }

    /// Forgets the page of zeros that the database `schema` read.
    pub(super) fn forget_zeroed_page(&self, schema: &str) {
        let _ = self.with_state(schema, |state| {
            state.zeroed.set(0);
            true
        });
    }

    /// Calls `use_state` with the state of the database `schema`, which SQLCipher tells when asked for the provider's name.
    fn with_state(&self, schema: &str, use_state: impl FnOnce(&State) -> bool) -> Result<(), Failure> {
        let state = self.with(|connection| {
            ASKED.set(ptr::null());
            pragma::<String>(connection, schema, "cipher_provider")?;
            Ok(ASKED.replace(ptr::null()))
        })?;
        // SAFETY: SQLCipher has passed the pointer during the pragma. The state lives as long as the database has its key,
        // and nothing else runs on this thread until `use_state` returns.
        let used = unsafe { state.as_ref() }.is_some_and(use_state);
        match used {
            true => Ok(()),
            false => Err(Failure::Sqlite {
                code: vendored_sys::sqlite::SQLITE_MISUSE,
                message: "the database has not used its key yet".to_owned(),
            }),
        }
    }
}

/// The state of one database of a connection.
///
/// A connection belongs to one thread, so that nothing here is shared.
struct State {
    /// The address of the key that decrypts pages.
    reading_cipher: Cell<*const u8>,
    /// The address of the HMAC key that authenticates pages that are read.
    reading_hmac: Cell<*const u8>,
    last_hmac: Cell<*const u8>,
    /// The number of a page of zeros that was read last, or 0.
    zeroed: Cell<u32>,
    /// Whether the next HMAC is that of a page that has just been encrypted.
    encrypting: Cell<bool>,
    exchange: RefCell<Exchange>,
}

/// The keys that take the place of SQLCipher's.
enum Exchange {
    None,
    Writes(PageKeys),
    /// Overwrites SQLCipher's copies at their next use, and ends when each copy has been overwritten.
    All {
        keys: PageKeys,
        ciphers: Vec<*const u8>,
        hmacs: Vec<*const u8>,
    },
}

/// The number of copies that SQLCipher keeps of a key.
const COPIES: usize = 2;

thread_local! {
    /// The state of the database that was asked for the provider's name last.
    static ASKED: Cell<*const State> = const { Cell::new(ptr::null()) };
}

/// SQLCipher's provider for OpenSSL.
static BASE: OnceLock<Provider> = OnceLock::new();

/// Counts the pages of all connections that failed their authentication.
static FAILED_PAGES: AtomicU32 = AtomicU32::new(0);

/// Returns the number of pages that failed their authentication in this process.
///
/// SQLCipher gives SQLite a page of zeros for such a page, and fails at the next page. If the page is the last one of a
/// value, SQLite would return the zeros as a part of the value.
#[inline]
pub(super) fn failed_pages() -> u32 {
    FAILED_PAGES.load(Ordering::Relaxed)
}

/// SQLCIPHER_DECRYPT of sqlcipher.c.
const DECRYPT: c_int = 0;
/// SQLITE_ERROR, with which a provider reports a failure.
const ERROR: c_int = vendored_sys::sqlite::SQLITE_ERROR;
const OK: c_int = vendored_sys::sqlite::SQLITE_OK;

impl State {
    fn cipher_key(&self, mode: c_int, given: *const u8, length: usize) -> *const u8 {
        self.encrypting.set(mode != DECRYPT);
        if mode == DECRYPT {
            self.reading_cipher.set(given);
            self.reading_hmac.set(self.last_hmac.get());
        }
        let Ok(mut exchange) = self.exchange.try_borrow_mut() else { return given };
        match &mut *exchange {
            Exchange::None => given,
            Exchange::Writes(keys) if mode != DECRYPT && given != self.reading_cipher.get() => {
                keys.cipher.as_ptr()
            }
            Exchange::Writes(_) => given,
            Exchange::All { keys, ciphers, .. } => {
                overwrite(given, &keys.cipher, length, ciphers);
                exchange.end_if_done();
                given
            }
        }
    }

    fn hmac_key(&self, given: *const u8, length: usize) -> *const u8 {
        self.last_hmac.set(given);
        let Ok(mut exchange) = self.exchange.try_borrow_mut() else { return given };
        match &mut *exchange {
            Exchange::None => given,
            Exchange::Writes(keys) if given != self.reading_hmac.get() => keys.hmac.as_ptr(),
            Exchange::Writes(_) => given,
            Exchange::All { keys, hmacs, .. } => {
                overwrite(given, &keys.hmac, length, hmacs);
                exchange.end_if_done();
                given
            }
        }
    }
}

impl Exchange {
    fn end_if_done(&mut self) {
        if let Self::All { ciphers, hmacs, .. } = self
            && ciphers.len() == COPIES
            && (hmacs.len() == COPIES || hmacs.is_empty())
        {
            *self = Self::None;
        }
    }
}

/// Overwrites SQLCipher's copy of a key, unless it has been overwritten before.
fn overwrite(copy: *const u8, key: &[u8], length: usize, done: &mut Vec<*const u8>) {
    if done.contains(&copy) || key.len() != length {
        return;
    }
    // SAFETY: SQLCipher passes a key of `length` bytes in memory of its own, which it allocated writable and which no one
    // else uses during the call.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), copy.cast_mut(), length) };
    done.push(copy);
}

unsafe extern "C" fn ctx_init(ctx: *mut *mut c_void) -> c_int {
    let state = Box::new(State {
        reading_cipher: Cell::new(ptr::null()),
        reading_hmac: Cell::new(ptr::null()),
        last_hmac: Cell::new(ptr::null()),
        zeroed: Cell::new(0),
        encrypting: Cell::new(false),
        exchange: RefCell::new(Exchange::None),
    });
    // SAFETY: SQLCipher passes the place of its pointer.
    unsafe { *ctx = Box::into_raw(state).cast() };
    OK
}

unsafe extern "C" fn ctx_free(ctx: *mut *mut c_void) -> c_int {
    // SAFETY: the pointer is null, or `ctx_init` made it and SQLCipher frees it once.
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
    ASKED.set(ctx.cast());
    c"openssl".as_ptr()
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
    let Some(base) = BASE.get().and_then(|base| base.hmac) else { return ERROR };
    let length = usize::try_from(key_length).unwrap_or(0);
    // SAFETY: `ctx` is null or the state that `ctx_init` made; the other arguments are SQLCipher's, except for a key of the
    // same length. SQLCipher's own provider does not use its context.
    unsafe {
        let key = ctx.cast::<State>().as_ref().map_or(key, |state| state.hmac_key(key, length));
        let code = base(
            ptr::null_mut(),
            algorithm,
            key,
            key_length,
            first,
            first_length,
            second,
            second_length,
            out,
        );
        // SQLCipher encrypts a page before it computes its HMAC, and decrypts a page afterwards.
        if let Some(state) = ctx.cast::<State>().as_ref()
            && !state.encrypting.replace(false)
            && let Some(failed) = failed_page(algorithm, first, first_length, out)
        {
            FAILED_PAGES.fetch_add(1, Ordering::Relaxed);
            if let (FailedPage::Zeros, Ok(4)) = (failed, usize::try_from(second_length)) {
                // The page number, in the default order.
                state.zeroed.set(u32::from_le_bytes(*second.cast::<[u8; 4]>()));
            }
        }
        code
    }
}

/// A page whose HMAC is not the one that the file has.
enum FailedPage {
    /// Every byte is zero.
    Zeros,
    Other,
}

/// Compares the HMAC of a page.
///
/// # Safety
///
/// `first` is the start of a page's content in SQLCipher's buffer, which has the HMAC behind the content, and `out` holds the
/// HMAC that was computed.
unsafe fn failed_page(
    algorithm: c_int,
    first: *const u8,
    first_length: c_int,
    out: *const u8,
) -> Option<FailedPage> {
    let algorithms = [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512];
    let algorithm = algorithms.get(usize::try_from(algorithm).ok()?)?;
    let offset = usize::try_from(first_length).ok()?;
    let length = algorithm.digest_length() as usize;
    // SAFETY: SQLCipher compares the same bytes after this call.
    let (page, computed) =
        unsafe { (slice::from_raw_parts(first, offset + length), slice::from_raw_parts(out, length)) };
    if page[offset..] == *computed {
        return None;
    }
    match page.iter().all(|&byte| byte == 0) {
        true => Some(FailedPage::Zeros),
        false => Some(FailedPage::Other),
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
    let Some(base) = BASE.get().and_then(|base| base.cipher) else { return ERROR };
    let size = usize::try_from(key_length).unwrap_or(0);
    // SAFETY: as in `hmac`.
    unsafe {
        let key = ctx.cast::<State>().as_ref().map_or(key, |state| state.cipher_key(mode, key, size));
        base(ptr::null_mut(), mode, key, key_length, iv, from, length, to)
    }
}

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
type OfContext = unsafe extern "C" fn(*mut c_void) -> c_int;
type NameOf = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// `struct sqlcipher_provider` of sqlcipher.c. A function that this module neither calls nor replaces has no signature.
///
/// vendored-sys pins the version of SQLCipher. The tests of rekey fail for another layout.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Provider {
    init: Option<unsafe extern "C" fn() -> c_int>,
    shutdown: Option<unsafe extern "C" fn()>,
    get_provider_name: Option<NameOf>,
    add_random: Option<unsafe extern "C" fn()>,
    random: Option<unsafe extern "C" fn()>,
    hmac: Option<Hmac>,
    kdf: Option<unsafe extern "C" fn()>,
    cipher: Option<CipherPage>,
    get_cipher: Option<NameOf>,
    get_key_sz: Option<OfContext>,
    get_iv_sz: Option<OfContext>,
    get_block_sz: Option<OfContext>,
    get_hmac_sz: Option<unsafe extern "C" fn()>,
    ctx_init: Option<unsafe extern "C" fn(*mut *mut c_void) -> c_int>,
    ctx_free: Option<unsafe extern "C" fn(*mut *mut c_void) -> c_int>,
    fips_status: Option<OfContext>,
    get_provider_version: Option<NameOf>,
    next: Option<&'static Provider>,
}

unsafe extern "C" {
    fn sqlcipher_malloc(size: u64) -> *mut c_void;
    fn sqlcipher_openssl_setup(provider: *mut Provider) -> c_int;
    fn sqlcipher_register_provider(provider: *mut Provider) -> c_int;
}
