//! SQLCipher's keys of a connection's databases.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::slice;

use strongroom_keys::SecretBytes;
use vendored_sys::sqlite;

use crate::pragma::pragma;

use super::{Core, Failure};

impl Core {
    /// Sets the key of the database `schema`, in the form that `sqlite3_key_v2` takes.
    ///
    /// SQLCipher ignores the call if it has read or written a page of the database with another key.
    pub(crate) fn key(&self, schema: &CStr, key: &[u8]) -> Result<(), Failure> {
        let db = self.open_db()?;
        let length = c_int::try_from(key.len()).map_err(|_| Failure::Sqlite {
            code: sqlite::SQLITE_TOOBIG,
            message: "the passphrase is longer than 2 GB: use a shorter one".to_owned(),
        })?;
        // SAFETY: the connection is open, the name ends in NUL, and the length is that of the key.
        let code = unsafe { sqlite::sqlite3_key_v2(db, schema.as_ptr(), key.as_ptr().cast(), length) };
        self.check(code)
    }

    /// Returns the key of the database `schema` in the form that [`Core::key`] takes, or `None` without a key.
    ///
    /// The form is `x'<key><HMAC key><salt>'`, or a passphrase that SQLCipher has not used yet.
    pub(crate) fn keyspec(&self, schema: &CStr) -> Option<SecretBytes> {
        let db = self.open_db().ok()?;
        let (mut key, mut length) = (ptr::null_mut::<c_void>(), 0);
        // SAFETY: the connection is open, the name ends in NUL, and SQLCipher checks the index, and writes a pointer to
        // memory of its own and its length. The memory is copied, then freed once by SQLCipher's function, which wipes it.
        unsafe {
            let index = sqlcipher_find_db_index(db, schema.as_ptr());
            sqlcipherCodecGetKey(db, index, &raw mut key, &raw mut length);
            let size = usize::try_from(length).ok()?;
            if key.is_null() {
                return None;
            }
            let copy = SecretBytes::copy_of(slice::from_raw_parts(key.cast::<u8>(), size));
            sqlcipher_free(key, size as u64);
            (size > 0).then_some(copy)
        }
    }

    /// Whether the database `schema` has a key.
    pub(crate) fn is_keyed(&self, schema: &str) -> bool {
        self.with(|connection| pragma::<String>(connection, schema, "cipher_page_size")).is_ok()
    }

    /// Whether SQLCipher failed to decrypt or authenticate a page of the database `schema`. After that it neither reads nor
    /// writes the database.
    pub(crate) fn cipher_failed(&self, schema: &str) -> bool {
        let status = self.with(|connection| pragma::<String>(connection, schema, "cipher_status"));
        status.is_ok_and(|status| status == "0")
    }
}

impl Core {
    /// Fails if a page of one of the connection's databases has failed its authentication.
    ///
    /// A statement that met the page may have ended without an error: see [`failed_pages`](super::provider::failed_pages).
    #[cold]
    pub(super) fn check_pages(&self) -> Result<(), Failure> {
        let failed = self.schemas()?.iter().any(|name| self.is_keyed(name) && self.cipher_failed(name));
        match failed {
            true => Err(Failure::Sqlite {
                code: sqlite::SQLITE_CORRUPT,
                message: "a page of the encrypted database fails its authentication".to_owned(),
            }),
            false => Ok(()),
        }
    }
}

unsafe extern "C" {
    /// Declared here because libsqlite3-sys leaves SQLCipher's own functions out. Source: sqlcipher.c.
    fn sqlcipherCodecGetKey(
        db: *mut sqlite::sqlite3,
        index: c_int,
        key: *mut *mut c_void,
        length: *mut c_int,
    );
    fn sqlcipher_find_db_index(db: *mut sqlite::sqlite3, schema: *const c_char) -> c_int;
    fn sqlcipher_free(memory: *mut c_void, size: u64);
}
