//! Locks the file of a connection's main database through SQLite's operating system layer.

use std::ptr;

use vendored_sys::sqlite;

use super::{Core, Failure};

impl Core {
    /// Locks the main database's file against every other connection until this one closes. Returns false if another
    /// connection reads or writes the file, or has it open in WAL mode.
    ///
    /// Needs no key. The connection cannot run statements afterwards, because its pager does not know about the lock.
    pub(crate) fn lock_file(&self) -> Result<bool, Failure> {
        let db = self.open_db()?;
        let mut file: *mut sqlite::sqlite3_file = ptr::null_mut();
        // SAFETY: the connection is open, the name ends in NUL, and SQLite writes one pointer. The file and its methods
        // live as long as the connection. SQLite itself takes the two lock levels in this order.
        let code = unsafe {
            let pointer = (&raw mut file).cast();
            let operation = sqlite::SQLITE_FCNTL_FILE_POINTER;
            let code = sqlite::sqlite3_file_control(db, c"main".as_ptr(), operation, pointer);
            self.check(code)?;
            let methods = file.as_ref().and_then(|file| file.pMethods.as_ref());
            let Some(lock) = methods.and_then(|methods| methods.xLock) else { return Ok(true) };
            match lock(file, sqlite::SQLITE_LOCK_SHARED) {
                sqlite::SQLITE_OK => lock(file, sqlite::SQLITE_LOCK_EXCLUSIVE),
                code => code,
            }
        };
        match code & 0xff {
            sqlite::SQLITE_OK => Ok(true),
            sqlite::SQLITE_BUSY => Ok(false),
            _ => Err(self.failure(code)),
        }
    }
}
