//! The header of a Strongroom file, read and written through SQLite's own file handle.
//!
//! A second descriptor cannot be used: on POSIX, closing it would release the locks of every connection in this process.
//! Source: "How To Corrupt An SQLite Database File", section 2.2.

use std::ffi::{CStr, c_int};
use std::thread;
use std::time::{Duration, Instant};

use strongroom_format::HEADER_LENGTH;
use vendored_sys::sqlite::{self, sqlite3_file};

use super::file::DatabaseFile;
use crate::seam::{Core, Failure};

/// The pause between two attempts to lock a file.
const ATTEMPT: Duration = Duration::from_millis(2);

/// The start of a file as it lies on the disk.
pub(crate) struct FileOnDisk {
    /// The first bytes, at most as many as a header has.
    pub(crate) start: Vec<u8>,
    /// The length of the file in bytes.
    pub(crate) length: u64,
}

/// The outcome of creating a header.
pub(crate) enum Created {
    /// The header is written and synced.
    New,
    /// Another connection has created a header meanwhile.
    Existed(FileOnDisk),
}

impl Core {
    /// Reads the start of the file of the database `schema`. Returns `None` for an in-memory database, and if reading fails.
    ///
    /// The header of an image is returned as if the image were a file.
    pub(crate) fn on_disk(&self, schema: &CStr) -> Option<FileOnDisk> {
        if schema == c"main"
            && let Some(start) = self.kept_header()
        {
            let length = start.len() as u64;
            return Some(FileOnDisk { start, length });
        }
        // SAFETY: `with_database_file` passes an open file of the layer.
        self.with_database_file(schema, |file| unsafe { on_disk(file) }).flatten()
    }

    /// Writes the header of a new file. The call takes the file's exclusive lock, and writes only if `is_free` then accepts the
    /// file.
    ///
    /// Waits for locks of other connections for at most the connection's busy timeout. For an in-memory database, writes
    /// nothing.
    pub(crate) fn create_header(
        &self,
        schema: &CStr,
        header: &[u8],
        is_free: impl Fn(&FileOnDisk) -> bool,
    ) -> Result<Created, Failure> {
        let created = self.locked(schema, sqlite::SQLITE_LOCK_EXCLUSIVE, |file| {
            // SAFETY: `locked` passes an open file of the layer.
            unsafe {
                let found = on_disk(file).ok_or(sqlite::SQLITE_IOERR_READ)?;
                if !is_free(&found) {
                    return Ok(Created::Existed(found));
                }
                check(DatabaseFile::write_header(file, header))?;
                Ok(Created::New)
            }
        })?;
        Ok(created.unwrap_or(Created::New))
    }

    /// Changes the header: `change` returns the new content of each copy, and the offsets of the copies in the order in which
    /// they are written. The second copy is written after the first has been synced and compared with the disk.
    ///
    /// The caller's write transaction excludes other changes. For an in-memory database, changes nothing.
    pub(crate) fn change_header<E>(
        &self,
        schema: &CStr,
        change: impl FnOnce(&FileOnDisk) -> Result<(Vec<u8>, [u64; 2]), E>,
    ) -> Result<Result<(), E>, Failure> {
        let changed = self.with_database_file(schema, |file| {
            // SAFETY: `with_database_file` passes an open file of the layer.
            unsafe {
                let found = on_disk(file).ok_or(sqlite::SQLITE_IOERR_READ)?;
                match change(&found) {
                    Ok((copy, offsets)) => replace(file, &copy, offsets).map(Ok),
                    Err(error) => Ok(Err(error)),
                }
            }
        });
        changed.unwrap_or(Ok(Ok(()))).map_err(Self::failure_of_code)
    }

    /// Moves the pages of the database `schema` behind the header, which the file has. An in-memory database has no header.
    pub(crate) fn move_pages(&self, schema: &CStr, page_size: u32) {
        // SAFETY: `with_database_file` passes an open file of the layer.
        self.with_database_file(schema, |file| unsafe { DatabaseFile::move_pages(file, page_size) });
    }

    /// Calls `run` with a lock on the file of the database `schema`. Returns `None` for an in-memory database.
    ///
    /// The lock is taken below SQLite's pager, and the pager's own lock is restored afterwards.
    fn locked<T>(
        &self,
        schema: &CStr,
        level: c_int,
        run: impl FnOnce(*mut sqlite3_file) -> Result<T, c_int>,
    ) -> Result<Option<T>, Failure> {
        let timeout = self.with(|connection| {
            connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, u32>(0))
        })?;
        let timeout = Duration::from_millis(timeout.into());
        let begun = Instant::now();
        let locked = self.with_database_file(schema, |file| {
            // SAFETY: `with_database_file` passes an open file of the layer, whose methods SQLite's VFS sets.
            unsafe {
                let methods = (*file).pMethods.as_ref().ok_or(sqlite::SQLITE_INTERNAL)?;
                let (Some(lock), Some(unlock), Some(control)) =
                    (methods.xLock, methods.xUnlock, methods.xFileControl)
                else {
                    return Err(sqlite::SQLITE_INTERNAL);
                };
                let mut before: c_int = 0;
                control(file, sqlite::SQLITE_FCNTL_LOCKSTATE, (&raw mut before).cast());
                loop {
                    let code = if before < level { take(file, lock, level) } else { sqlite::SQLITE_OK };
                    if code == sqlite::SQLITE_OK {
                        let result = run(file);
                        if before < level {
                            unlock(file, before);
                        }
                        return result;
                    }
                    unlock(file, before);
                    if code & 0xff != sqlite::SQLITE_BUSY || begun.elapsed() >= timeout {
                        return Err(code);
                    }
                    thread::sleep(ATTEMPT);
                }
            }
        });
        locked.transpose().map_err(Self::failure_of_code)
    }

    /// Calls `run` with the layer's file of the database `schema`, or returns `None` for an in-memory database.
    pub(super) fn with_database_file<T>(
        &self,
        schema: &CStr,
        run: impl FnOnce(*mut sqlite3_file) -> T,
    ) -> Option<T> {
        self.with_file(schema, |file, _| {
            // SAFETY: `with_file` passes an open file.
            unsafe { DatabaseFile::of(file) }.map(|_| run(file))
        })
    }
}

/// # Safety
///
/// `file` is an open file.
unsafe fn take(
    file: *mut sqlite3_file,
    lock: unsafe extern "C" fn(*mut sqlite3_file, c_int) -> c_int,
    level: c_int,
) -> c_int {
    // SAFETY: the caller upholds the contract. SQLite itself takes the levels in this order.
    unsafe {
        match lock(file, sqlite::SQLITE_LOCK_SHARED) {
            sqlite::SQLITE_OK => lock(file, level),
            code => code,
        }
    }
}

/// # Safety
///
/// `file` is an open file of the layer.
unsafe fn on_disk(file: *mut sqlite3_file) -> Option<FileOnDisk> {
    // SAFETY: the caller upholds the contract.
    unsafe {
        let length = DatabaseFile::length_below(file)?;
        let mut start = vec![0; HEADER_LENGTH.min(usize::try_from(length).unwrap_or(HEADER_LENGTH))];
        let code = DatabaseFile::read_below(file, &mut start, 0);
        (code == sqlite::SQLITE_OK).then_some(FileOnDisk { start, length })
    }
}

/// Writes a copy of the header at each offset, one after the other.
///
/// # Safety
///
/// `file` is an open file of the layer.
unsafe fn replace(file: *mut sqlite3_file, copy: &[u8], offsets: [u64; 2]) -> Result<(), c_int> {
    for offset in offsets {
        let offset = sqlite::sqlite3_int64::try_from(offset).map_err(|_| sqlite::SQLITE_INTERNAL)?;
        let mut written = vec![0; copy.len()];
        // SAFETY: the caller upholds the contract.
        unsafe {
            check(DatabaseFile::write_below(file, copy, offset))?;
            check(DatabaseFile::sync_below(file))?;
            check(DatabaseFile::read_below(file, &mut written, offset))?;
        }
        if written != copy {
            return Err(sqlite::SQLITE_IOERR_DATA);
        }
    }
    Ok(())
}

fn check(code: c_int) -> Result<(), c_int> {
    if code == sqlite::SQLITE_OK { Ok(()) } else { Err(code) }
}
