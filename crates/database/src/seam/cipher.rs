//! SQLCipher's keys of a connection's databases.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use strongroom_format::Unlocked;
use strongroom_keys::SecretBytes;
use vendored_sys::sqlite;

use crate::pragma::pragma;

use super::provider::failed_pages;
use super::{Core, Failure, pending};

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
        self.authority.set_key(schema, None);
        // SAFETY: the connection is open, the name ends in NUL, and the length is that of the key.
        let code = pending::with_keys(None, || unsafe {
            sqlite::sqlite3_key_v2(db, schema.as_ptr(), key.as_ptr().cast(), length)
        });
        self.check(code)
    }

    /// Sets the keys of the database `schema` in the Strongroom format.
    ///
    /// `unused` is a key in the form of [`Core::key`], which SQLCipher keeps but which encrypts nothing.
    pub(crate) fn key_sealed(
        &self,
        schema: &CStr,
        keys: &Arc<Unlocked>,
        unused: &[u8],
    ) -> Result<(), Failure> {
        let db = self.open_db()?;
        let length = c_int::try_from(unused.len()).unwrap_or(0);
        // SAFETY: as in `key`.
        let code = pending::with_keys(Some(Arc::clone(keys)), || unsafe {
            sqlite::sqlite3_key_v2(db, schema.as_ptr(), unused.as_ptr().cast(), length)
        });
        self.check(code)?;
        self.note_format(schema, keys);
        Ok(())
    }

    /// Returns the key of the database `schema` in the form that [`Core::key`] takes, or `None` without a key.
    ///
    /// The form is `x'<key><HMAC key><salt>'`, or a passphrase that SQLCipher has not used yet.
    pub(crate) fn keyspec(&self, schema: &CStr) -> Option<SecretBytes> {
        let db = self.open_db().ok()?;
        let (mut key, mut length) = (ptr::null_mut::<c_void>(), 0);
        // SAFETY: the connection is open, and the name ends in NUL. SQLCipher checks the index, and writes a pointer to its
        // own memory and the length. The memory is copied, then freed once by SQLCipher's function, which wipes it.
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

    /// Notes that the database `schema` is in the Strongroom format.
    pub(super) fn note_format(&self, schema: &CStr, keys: &Arc<Unlocked>) {
        self.authority.set_key(schema, Some(keys));
    }

    /// Forgets that a database of this name had a key, because it is detached, or because another database gets the name.
    pub(crate) fn forget_key(&self, schema: &CStr) {
        self.authority.forget_key(schema);
    }

    /// Returns whether the database `schema` has a key.
    pub(crate) fn is_keyed(&self, schema: &str) -> bool {
        self.with(|connection| pragma::<String>(connection, schema, "cipher_page_size")).is_ok()
    }

    /// Returns whether SQLCipher failed to decrypt or authenticate a page of the database `schema`. After such a failure,
    /// SQLCipher neither reads nor writes the database.
    pub(crate) fn cipher_failed(&self, schema: &str) -> bool {
        let status = self.with(|connection| pragma::<String>(connection, schema, "cipher_status"));
        status.is_ok_and(|status| status == "0")
    }
}

impl Core {
    /// Fails if a statement may have read a page that failed its authentication.
    ///
    /// For such a page, SQLCipher gives SQLite a page of zeros. The zeros stay in SQLite's cache, and a later statement
    /// would read them without an error too. A database with a failed page is therefore refused until it is closed.
    #[cold]
    pub(super) fn check_pages(&self, statement: NonNull<sqlite::sqlite3_stmt>) -> Result<(), Failure> {
        let now = failed_pages();
        let failed = self.failed_databases()?;
        if failed.is_empty() {
            self.sound.set(now);
            return Ok(());
        }
        // SAFETY: the statement is live, and its text ends in NUL and is copied.
        let sql = unsafe {
            let sql = sqlite::sqlite3_sql(statement.as_ptr());
            if sql.is_null() { None } else { Some(CStr::from_ptr(sql).to_owned()) }
        };
        // Statements that use no database, such as COMMIT, must still run, and so must statements on a sound database.
        let used = sql.and_then(|sql| self.databases_of(&sql));
        match used.is_none_or(|used| used.iter().any(|name| failed.contains(name))) {
            true => Err(page_failure()),
            false => Ok(()),
        }
    }

    /// Returns whether a page of one of the connection's databases has failed its authentication.
    pub(super) fn has_failed_page(&self) -> Result<bool, Failure> {
        Ok(!self.failed_databases()?.is_empty())
    }

    fn failed_databases(&self) -> Result<Vec<String>, Failure> {
        let failed =
            |name: &String| self.is_keyed(name) && (self.cipher_failed(name) || self.has_zeroed_page(name));
        Ok(self.schemas()?.into_iter().filter(failed).collect())
    }

    /// Returns whether SQLite has read a page of zeros from the file of the database `schema`.
    ///
    /// If auto_vacuum is on, SQLCipher mistakes a page of zeros for a page past the end of the file.
    pub(crate) fn has_zeroed_page(&self, schema: &str) -> bool {
        let Some(number) = self.zeroed_page(schema) else { return false };
        let size = self.with(|connection| pragma::<String>(connection, schema, "cipher_page_size"));
        let size = size.ok().and_then(|size| size.parse::<usize>().ok());
        let page = size.zip(CString::new(schema).ok()).and_then(|(size, name)| {
            let start = u64::from(number - 1) * size as u64;
            let length = self.file_start(&name, 0)?.length;
            (start + size as u64 <= length).then(|| self.file_part(&name, start, size)).flatten()
        });
        // A page that was past the end of the file may have been written since.
        let zeroed = page.is_some_and(|page| page.iter().all(|&byte| byte == 0));
        if !zeroed {
            self.forget_zeroed_page(schema);
        }
        zeroed
    }
}

/// Returns the failure for a call that SQLite ended without an error.
pub(super) fn page_failure() -> Failure {
    Failure::Sqlite {
        code: sqlite::SQLITE_CORRUPT,
        message: "a page of the encrypted database fails its authentication".to_owned(),
    }
}

unsafe extern "C" {
    /// Declared here because libsqlite3-sys omits SQLCipher's own functions. Source: sqlcipher.c.
    fn sqlcipherCodecGetKey(
        db: *mut sqlite::sqlite3,
        index: c_int,
        key: *mut *mut c_void,
        length: *mut c_int,
    );
    fn sqlcipher_find_db_index(db: *mut sqlite::sqlite3, schema: *const c_char) -> c_int;
    fn sqlcipher_free(memory: *mut c_void, size: u64);
}
