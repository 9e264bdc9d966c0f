//! Reads and locks the files of a connection through SQLite's operating system layer.

use std::ffi::{CStr, CString, c_int};
use std::ptr;

use vendored_sys::sqlite;

use super::{Core, Failure};

impl Core {
    /// Returns SQLite's path of the file of the database `schema`, or `None` for an in-memory database.
    pub(crate) fn file_name(&self, schema: &CStr) -> Option<CString> {
        let db = self.open_db().ok()?;
        // SAFETY: the connection is open, and the name ends in NUL. The result is null or ends in NUL, and is copied.
        let name = unsafe {
            let name = sqlite::sqlite3_db_filename(db, schema.as_ptr());
            if name.is_null() {
                return None;
            }
            CStr::from_ptr(name).to_owned()
        };
        (!name.is_empty()).then_some(name)
    }

    /// Reads the start and the length of the file of the database `schema`, or returns `None` if reading fails.
    pub(crate) fn file_start(&self, schema: &CStr, wanted: usize) -> Option<FileStart> {
        let bytes = self.file_part(schema, 0, wanted)?;
        let mut length = 0;
        // SAFETY: `with_file` passes an open file and its methods.
        let code = self
            .with_file(schema, |file, methods| Some(unsafe { methods.xFileSize?(file, &raw mut length) }))?;
        let length = u64::try_from(length).ok().filter(|_| code == sqlite::SQLITE_OK)?;
        Some(FileStart { bytes, length })
    }

    /// Reads a part of the file of the database `schema`. Bytes past the end of the file are zeros.
    pub(crate) fn file_part(&self, schema: &CStr, offset: u64, length: usize) -> Option<Vec<u8>> {
        let (offset, wanted) = (i64::try_from(offset).ok()?, c_int::try_from(length).ok()?);
        let mut bytes = vec![0; length];
        let into = bytes.as_mut_ptr().cast();
        // SAFETY: `with_file` passes an open file and its methods, and `bytes` has room for the bytes read.
        let code = self
            .with_file(schema, |file, methods| Some(unsafe { methods.xRead?(file, into, wanted, offset) }))?;
        matches!(code, sqlite::SQLITE_OK | sqlite::SQLITE_IOERR_SHORT_READ).then_some(bytes)
    }

    /// Calls `read` with the connection's own handle for the file of the database `schema`.
    ///
    /// A second descriptor cannot be used: on POSIX, closing it would release the locks of every connection in this
    /// process. Source: "How To Corrupt An SQLite Database File", section 2.2.
    pub(super) fn with_file<T>(
        &self,
        schema: &CStr,
        read: impl FnOnce(*mut sqlite::sqlite3_file, &sqlite::sqlite3_io_methods) -> Option<T>,
    ) -> Option<T> {
        let db = self.open_db().ok()?;
        let mut file: *mut sqlite::sqlite3_file = ptr::null_mut();
        // SAFETY: the connection is open, the name ends in NUL, and SQLite writes one pointer. The file and its methods live
        // as long as the database is attached.
        let methods = unsafe {
            let code = sqlite::sqlite3_file_control(
                db,
                schema.as_ptr(),
                sqlite::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            );
            if code != sqlite::SQLITE_OK {
                return None;
            }
            file.as_ref()?.pMethods.as_ref()?
        };
        read(file, methods)
    }

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

/// The start of a file.
pub(crate) struct FileStart {
    /// The first bytes, padded with zeros for a shorter file.
    pub(crate) bytes: Vec<u8>,
    /// The length of the file.
    pub(crate) length: u64,
}
