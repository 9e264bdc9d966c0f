//! The state of each database of a connection: the keys that replace SQLCipher's, and OpenSSL's contexts.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int};
use std::ptr;
use std::sync::Arc;

use strongroom_format::Unlocked;
use strongroom_keys::{HashAlgorithm, PageKeys, SALT_LENGTH, SecretBytes};

use crate::pragma::pragma;

use super::super::{Core, Failure};
use super::failed_page::FailedPage;
use super::page_cipher::{PageCipher, PageText};
use super::page_hmac::PageHmacs;
use super::sealed::Sealed;
use super::{DECRYPT, ERROR, KEY_LENGTH, OK};
use crate::seam::vfs::is_past_end;

impl Core {
    /// Writes pages of the database `schema` with `keys` from now on; `None` restores the database's own keys.
    ///
    /// Pages are still read, and written to the rollback journal, with the database's own keys. The database must have read
    /// a page.
    pub(crate) fn write_with(&self, schema: &str, keys: Option<PageKeys>) -> Result<(), Failure> {
        self.with_state(schema, |state| match keys {
            Some(keys) if !state.reading_cipher.get().is_null() => {
                state.exchange_for(Exchange::Writes(keys));
                true
            }
            Some(_) => false,
            None => {
                state.exchange_for(Exchange::None);
                true
            }
        })
    }

    /// Reads and writes pages of the database `schema` with `keys` from now on.
    pub(crate) fn exchange_keys(&self, schema: &str, keys: PageKeys) -> Result<(), Failure> {
        self.with_state(schema, |state| {
            state.exchange_for(Exchange::All { keys, ciphers: Vec::new(), hmacs: Vec::new() });
            true
        })
    }

    /// Returns the keys of [`Core::exchange_keys`] in the form of [`Core::keyspec`], as long as SQLCipher still has the old
    /// keys.
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

    /// Returns the number of the last page of zeros that the database `schema` read, or `None`.
    pub(crate) fn zeroed_page(&self, schema: &str) -> Option<u32> {
        let mut zeroed = 0;
        let asked = self.with_state(schema, |state| {
            zeroed = state.zeroed().get();
            true
        });
        asked.ok().and((zeroed != 0).then_some(zeroed))
    }

    /// Forgets the last page of zeros that the database `schema` read.
    pub(in super::super) fn forget_zeroed_page(&self, schema: &str) {
        let _ = self.with_state(schema, |state| {
            state.zeroed().set(0);
            true
        });
    }

    /// Reads the unused page `page` of the database `schema` as zeros if the page fails its authentication; 0 ends this.
    pub(crate) fn tolerate_unused_page(&self, schema: &str, page: u32) -> Result<(), Failure> {
        self.with_state(schema, |state| {
            state.sealed.as_ref().map_or(&state.unused, |sealed| &sealed.unused).set(page);
            true
        })
    }

    /// Returns the keys of the database `schema` if it has the Strongroom format.
    pub(crate) fn unlocked(&self, schema: &str) -> Option<Arc<Unlocked>> {
        let mut unlocked = None;
        let asked = self.with_state(schema, |state| {
            unlocked = state.sealed.as_ref().map(|sealed| Arc::clone(&sealed.unlocked.borrow()));
            true
        });
        asked.ok().and(unlocked)
    }

    /// Replaces the credential that opened the database `schema`. The data key is the same.
    pub(crate) fn exchange_unlocked(&self, schema: &CStr, unlocked: Arc<Unlocked>) {
        self.note_format(schema, &unlocked);
        let _ = self.with_state(&schema.to_string_lossy(), |state| {
            if let Some(sealed) = &state.sealed {
                sealed.unlocked.replace(unlocked);
            }
            true
        });
    }

    /// Returns the number of the page of the database `schema`, which has the Strongroom format, that failed last.
    pub(crate) fn failed_page(&self, schema: &str) -> Option<u32> {
        let mut failed = 0;
        let asked = self.with_state(schema, |state| {
            failed = state.sealed.as_ref().map_or(0, |sealed| sealed.failed.get());
            true
        });
        asked.ok().and((failed != 0).then_some(failed))
    }

    /// Calls `use_state` with the state of the database `schema`. SQLCipher passes the state to the provider when it
    /// returns the provider's name.
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
/// A connection belongs to one thread, so no state is shared.
pub(super) struct State {
    /// The keys of a database in the Strongroom format. SQLCipher's keys are then random numbers that nothing uses.
    pub(super) sealed: Option<Sealed>,
    /// The address of the key that decrypts pages.
    reading_cipher: Cell<*const u8>,
    /// The address of the HMAC key that authenticates pages read from the file.
    reading_hmac: Cell<*const u8>,
    last_hmac: Cell<*const u8>,
    /// The number of the page of zeros that was read last, or 0.
    zeroed: Cell<u32>,
    /// The number of an unused page that is read as zeros, or 0.
    unused: Cell<u32>,
    /// `true` if the next page to decrypt is that page.
    is_unused: Cell<bool>,
    /// `true` if the next HMAC is for a page that has just been encrypted.
    encrypting: Cell<bool>,
    exchange: RefCell<Exchange>,
    hmacs: RefCell<PageHmacs>,
    cipher: RefCell<PageCipher>,
}

/// The keys that replace SQLCipher's.
enum Exchange {
    None,
    Writes(PageKeys),
    /// Overwrites each of SQLCipher's copies at its next use. The exchange ends when all copies are overwritten.
    All {
        keys: PageKeys,
        ciphers: Vec<*const u8>,
        hmacs: Vec<*const u8>,
    },
}

/// The number of copies of a key that SQLCipher keeps.
const COPIES: usize = 2;

thread_local! {
    /// The state of the database that last returned the provider's name.
    static ASKED: Cell<*const State> = const { Cell::new(ptr::null()) };
}

impl State {
    pub(super) fn new(sealed: Option<Sealed>) -> Self {
        Self {
            sealed,
            reading_cipher: Cell::new(ptr::null()),
            reading_hmac: Cell::new(ptr::null()),
            last_hmac: Cell::new(ptr::null()),
            zeroed: Cell::new(0),
            unused: Cell::new(0),
            is_unused: Cell::new(false),
            encrypting: Cell::new(false),
            exchange: RefCell::new(Exchange::None),
            hmacs: RefCell::default(),
            cipher: RefCell::default(),
        }
    }

    fn zeroed(&self) -> &Cell<u32> {
        self.sealed.as_ref().map_or(&self.zeroed, |sealed| &sealed.zeroed)
    }

    /// Sets the exchange, and frees the contexts of the previous keys.
    fn exchange_for(&self, exchange: Exchange) {
        self.exchange.replace(exchange);
        self.hmacs.borrow_mut().forget();
    }

    /// Remembers the state for [`Core::with_state`].
    pub(super) fn remember_asked(state: *const Self) {
        ASKED.set(state);
    }

    /// Returns the key that encrypts or decrypts the next page instead of SQLCipher's key `given`.
    pub(super) fn cipher_key(&self, mode: c_int, given: *const u8, length: usize) -> *const u8 {
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

    /// Computes the HMAC of a page's content and number. Unless the page is new, compares the result with the page's own
    /// HMAC.
    ///
    /// # Safety
    ///
    /// The content, the first of `parts`, is in SQLCipher's buffer. The page's HMAC follows the content.
    pub(super) unsafe fn hmac_page(
        &self,
        algorithm: HashAlgorithm,
        key: &[u8; KEY_LENGTH],
        parts: [&[u8]; 2],
        out: &mut [u8],
    ) -> c_int {
        // SQLCipher encrypts a page before it computes the page's HMAC, but decrypts a page after that.
        let is_new = self.encrypting.replace(false);
        if self.hmacs.borrow_mut().compute(algorithm, key, parts, out).is_err() {
            return ERROR;
        }
        let [content, number] = parts;
        // The page number, in the default order.
        let number = number.try_into().map_or(0, u32::from_le_bytes);
        if !is_new && number != 0 && number == self.unused.get() {
            // SQLCipher compares the page's own HMAC with itself, and then decrypts the page.
            // SAFETY: the caller upholds the contract: the HMAC follows the content, and is as long as `out`.
            unsafe {
                ptr::copy_nonoverlapping(content.as_ptr().add(content.len()), out.as_mut_ptr(), out.len())
            };
            self.is_unused.set(true);
            return OK;
        }
        // SAFETY: the caller upholds the contract.
        let failed = if is_new { None } else { unsafe { FailedPage::check(content, out) } };
        if let Some(FailedPage::Zeros) = failed
            && !is_past_end(number)
        {
            self.zeroed.set(number);
        }
        OK
    }

    /// Encrypts or decrypts a page.
    ///
    /// # Safety
    ///
    /// As for [`PageCipher::run`].
    pub(super) unsafe fn cipher_page(&self, text: &PageText<'_>) -> c_int {
        if text.mode == DECRYPT && self.is_unused.replace(false) {
            let length = usize::try_from(text.length).unwrap_or(0);
            // SAFETY: the caller upholds the contract.
            unsafe { ptr::write_bytes(text.to, 0, length) };
            return OK;
        }
        // SAFETY: the caller upholds the contract.
        match unsafe { self.cipher.borrow_mut().run(text) } {
            Ok(()) => OK,
            Err(_) => ERROR,
        }
    }

    /// Returns the key of the next HMAC instead of SQLCipher's key `given`.
    pub(super) fn hmac_key(&self, given: *const u8, length: usize) -> *const u8 {
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

/// Overwrites SQLCipher's copy of a key, unless the copy is already overwritten.
fn overwrite(copy: *const u8, key: &[u8], length: usize, done: &mut Vec<*const u8>) {
    if done.contains(&copy) || key.len() != length {
        return;
    }
    // SAFETY: SQLCipher passes a key of `length` bytes in its own, writable memory. Nothing else uses this memory during
    // the call.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), copy.cast_mut(), length) };
    done.push(copy);
}
