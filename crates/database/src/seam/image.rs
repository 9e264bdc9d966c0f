//! Databases whose file is a block of memory.

use std::ffi::{CStr, c_int};
use std::{ptr, slice};

use vendored_sys::sqlite;

use super::{Core, Failure};
use crate::open::PLAIN_HEADER;

impl Core {
    /// Replaces the main database with a copy of the bytes of a database file.
    ///
    /// rusqlite's function cannot take an empty image, and its databases cannot grow beyond a gigabyte.
    pub(crate) fn deserialize(&self, image: &[u8], read_only: bool) -> Result<(), Failure> {
        let db = self.open_db()?;
        let length = sqlite::sqlite3_int64::try_from(image.len()).map_err(|_| out_of_memory(image.len()))?;
        let mut flags = sqlite::SQLITE_DESERIALIZE_FREEONCLOSE;
        flags |= match read_only {
            true => sqlite::SQLITE_DESERIALIZE_READONLY,
            false => sqlite::SQLITE_DESERIALIZE_RESIZEABLE,
        };
        let mut limit = sqlite::sqlite3_int64::MAX;
        // SAFETY: the connection is open and the name ends in NUL. SQLite owns the allocation of `length` bytes, and frees
        // it even if the call fails. An empty image is a null pointer with a length of 0.
        let code = unsafe {
            let mut bytes: *mut u8 = ptr::null_mut();
            if !image.is_empty() {
                bytes = sqlite::sqlite3_malloc64(length.unsigned_abs()).cast();
                if bytes.is_null() {
                    return Err(out_of_memory(image.len()));
                }
                ptr::copy_nonoverlapping(image.as_ptr(), bytes, image.len());
                leave_wal(slice::from_raw_parts_mut(bytes, image.len()));
            }
            let code = sqlite::sqlite3_deserialize(db, c"main".as_ptr(), bytes, length, length, flags);
            if code == sqlite::SQLITE_OK {
                let pointer = (&raw mut limit).cast();
                sqlite::sqlite3_file_control(db, c"main".as_ptr(), sqlite::SQLITE_FCNTL_SIZE_LIMIT, pointer);
            }
            code
        };
        self.check(code)?;
        self.read_only.set(read_only);
        Ok(())
    }

    /// Copies the bytes of the file of a database created by [`Core::deserialize`]. The bytes are encrypted if the
    /// database has a key.
    pub(crate) fn stored_bytes(&self) -> Result<Vec<u8>, Failure> {
        let db = self.open_db()?;
        let mut length: sqlite::sqlite3_int64 = -1;
        // SAFETY: the connection is open, the name ends in NUL, and SQLite writes one integer. With NOCOPY, SQLite returns
        // a pointer to its own memory, or null if the database is empty or not in such memory. The bytes are copied before
        // anything else is called.
        unsafe {
            let flags = sqlite::SQLITE_SERIALIZE_NOCOPY;
            let bytes = sqlite::sqlite3_serialize(db, c"main".as_ptr(), &raw mut length, flags);
            match usize::try_from(length) {
                Ok(length) if !bytes.is_null() => {
                    let mut copy = Vec::new();
                    copy.try_reserve_exact(length).map_err(|_| out_of_memory(length))?;
                    copy.extend_from_slice(slice::from_raw_parts(bytes, length));
                    Ok(copy)
                }
                Ok(0) => Ok(Vec::new()),
                _ => Err(self.last_failure()),
            }
        }
    }

    /// Returns the number of unused bytes at the end of each page, or `None` for an unknown database.
    pub(crate) fn reserved_bytes(&self, schema: &CStr) -> Result<Option<u32>, Failure> {
        let db = self.open_db()?;
        let mut reserved: c_int = -1;
        // SAFETY: the connection is open, the name ends in NUL, and SQLite replaces one negative integer.
        let code = unsafe {
            let pointer = (&raw mut reserved).cast();
            sqlite::sqlite3_file_control(db, schema.as_ptr(), sqlite::SQLITE_FCNTL_RESERVE_BYTES, pointer)
        };
        Ok((code == sqlite::SQLITE_OK).then(|| u32::try_from(reserved).ok()).flatten())
    }
}

/// Takes a plain image out of WAL mode: an in-memory database cannot have a write-ahead log.
///
/// Bytes 18 and 19 are 2 for a database in WAL mode. Source: SQLite's file format, section 1.3.3.
pub(crate) fn leave_wal(image: &mut [u8]) {
    if image.starts_with(PLAIN_HEADER) {
        for version in image.iter_mut().take(20).skip(18).filter(|version| **version == 2) {
            *version = 1;
        }
    }
}

fn out_of_memory(length: usize) -> Failure {
    Failure::Sqlite {
        code: sqlite::SQLITE_NOMEM,
        message: format!("not enough memory for the {length} bytes of the image"),
    }
}
