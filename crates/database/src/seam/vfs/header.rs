//! The header of a Strongroom file, read and written through SQLite's own file handle.
//!
//! A second descriptor cannot be used: on POSIX, closing it would release the locks of every connection in this process.
//! Source: "How To Corrupt An SQLite Database File", section 2.2.

use std::ffi::{CStr, c_int};
use std::time::{Duration, Instant};

use strongroom_format::HEADER_LENGTH;
use vendored_sys::sqlite::{self, sqlite3_file};

use super::file::DatabaseFile;
use super::header_lock::{HeaderLock, pause};
use crate::seam::{Core, Failure};

/// The pause between two attempts to lock a file.
const ATTEMPT: Duration = Duration::from_millis(2);

/// The start of a file as it lies on the disk.
pub(crate) struct FileOnDisk {
    /// The first bytes, at most as many as a header has.
    pub(crate) start: Vec<u8>,
    /// The length of the file in bytes.
    pub(crate) length: u64,
    /// Whether the connection may create the file.
    pub(crate) creates: bool,
}

/// The outcome of creating a header.
pub(crate) enum Created {
    /// The header is written and synced.
    New,
    /// Another connection has created a header meanwhile.
    Existed(FileOnDisk),
}

/// The outcome of changing a header.
pub(crate) enum HeaderChange {
    /// Both copies are written and synced.
    Both,
    /// The new header is in effect, but only one copy could be written.
    One(Failure),
    /// The file has the old header or the new one: neither could be synced.
    Unknown(Failure),
}

impl Core {
    /// Reads the start of the file of the database `schema`. Returns `None` for an in-memory database.
    ///
    /// The header of an image is returned as if the image were a file.
    ///
    /// # Errors
    ///
    /// The failure of reading. A file that cannot be read must not be taken for an in-memory database, which has no header.
    pub(crate) fn on_disk(&self, schema: &CStr) -> Result<Option<FileOnDisk>, Failure> {
        if schema == c"main"
            && let Some(start) = self.kept_header()
        {
            let length = start.len() as u64;
            return Ok(Some(FileOnDisk { start, length, creates: false }));
        }
        // SAFETY: `with_database_file` passes an open file of the layer.
        let found = self.with_database_file(schema, |file| unsafe { on_disk(file) });
        found.transpose().map_err(Self::failure_of_code)
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
                let found = on_disk(file)?;
                if !is_free(&found) {
                    return Ok(Created::Existed(found));
                }
                check(DatabaseFile::write_header(file, header))?;
                Ok(Created::New)
            }
        })?;
        Ok(created.unwrap_or(Created::New))
    }

    /// Changes the header under the header's own lock: `change` returns the new content of each copy, and the offsets of the
    /// copies in the order in which they are written. The second copy is written after the first has been synced and
    /// compared with the disk.
    ///
    /// Waits for other changes of the header for at most the connection's busy timeout. For an in-memory database, returns
    /// `None`.
    ///
    /// # Errors
    ///
    /// The failure; the file then keeps its old header.
    pub(crate) fn change_header<E>(
        &self,
        schema: &CStr,
        change: impl FnOnce(&FileOnDisk) -> Result<(Vec<u8>, [u64; 2]), E>,
    ) -> Result<Option<Result<HeaderChange, E>>, Failure> {
        let timeout = self.busy_timeout()?;
        let changed = self.with_database_file(schema, |file| {
            // SAFETY: `with_database_file` passes an open file of the layer.
            unsafe {
                let _lock = HeaderLock::take(file, timeout, self.present_interrupter())?;
                let found = on_disk(file)?;
                match change(&found) {
                    Ok((copy, offsets)) => replace(file, &found, &copy, offsets).map(Ok),
                    Err(error) => Ok(Err(error)),
                }
            }
        });
        changed.transpose().map_err(Self::failure_of_code)
    }

    fn busy_timeout(&self) -> Result<Duration, Failure> {
        let timeout = self.with(|connection| {
            connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, u32>(0))
        })?;
        Ok(Duration::from_millis(timeout.into()))
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
        let timeout = self.busy_timeout()?;
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
                    pause(self.present_interrupter(), ATTEMPT)?;
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
unsafe fn on_disk(file: *mut sqlite3_file) -> Result<FileOnDisk, c_int> {
    // SAFETY: the caller upholds the contract.
    unsafe {
        let length = DatabaseFile::length_below(file).ok_or(sqlite::SQLITE_IOERR_FSTAT)?;
        let mut start = vec![0; HEADER_LENGTH.min(usize::try_from(length).unwrap_or(HEADER_LENGTH))];
        check(DatabaseFile::read_below(file, &mut start, 0))?;
        Ok(FileOnDisk { start, length, creates: DatabaseFile::creates(file) })
    }
}

/// Writes a copy of the header at each offset, one after the other.
///
/// # Errors
///
/// The code of a failure that left the old header in place.
///
/// # Safety
///
/// `file` is an open file of the layer.
unsafe fn replace(
    file: *mut sqlite3_file,
    found: &FileOnDisk,
    copy: &[u8],
    offsets: [u64; 2],
) -> Result<HeaderChange, c_int> {
    // SAFETY: the caller upholds the contract.
    let write = |copy: &[u8], offset| unsafe { write_copy(file, copy, offset) };
    if let Err(code) = write(copy, offsets[0]) {
        // A part of the new copy may be on the disk, or may get there later.
        let start = usize::try_from(offsets[0]).map_err(|_| sqlite::SQLITE_INTERNAL)?;
        let before = found.start.get(start..start + copy.len()).ok_or(code)?;
        return match write(before, offsets[0]) {
            Ok(()) => Err(code),
            Err(_) => Ok(HeaderChange::Unknown(Core::failure_of_code(code))),
        };
    }
    Ok(match write(copy, offsets[1]) {
        Ok(()) => HeaderChange::Both,
        Err(code) => HeaderChange::One(Core::failure_of_code(code)),
    })
}

/// Writes and syncs a copy of the header, and compares it with the disk.
///
/// # Safety
///
/// `file` is an open file of the layer.
unsafe fn write_copy(file: *mut sqlite3_file, copy: &[u8], offset: u64) -> Result<(), c_int> {
    let offset = sqlite::sqlite3_int64::try_from(offset).map_err(|_| sqlite::SQLITE_INTERNAL)?;
    let mut written = vec![0; copy.len()];
    // SAFETY: the caller upholds the contract.
    unsafe {
        check(DatabaseFile::write_below(file, copy, offset))?;
        check(DatabaseFile::sync_below(file))?;
        check(DatabaseFile::read_below(file, &mut written, offset))?;
    }
    if written == copy { Ok(()) } else { Err(sqlite::SQLITE_IOERR_DATA) }
}

fn check(code: c_int) -> Result<(), c_int> {
    if code == sqlite::SQLITE_OK { Ok(()) } else { Err(code) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use strongroom_keys::{Format, Key};

    use super::*;
    use crate::{Database, Interrupter, Location, OpenOptions};

    /// A wait that is not interrupted ends with another error, and the test fails.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn an_interrupt_ends_the_wait_for_the_lock_of_a_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let open = || {
            let key = Key::raw(&[1; 32]).unwrap().with_format(Format::Strongroom).unwrap();
            let options = OpenOptions { busy_timeout: PATIENCE, ..OpenOptions::default() };
            Database::open(Location::File(&path), &key, &options).unwrap()
        };
        let rekey = |database: &Database| {
            let to = Key::raw(&[2; 32]).unwrap();
            database.rekey("main", &to, &mut |_| true).map_err(|error| error.code())
        };
        let holder = open();
        // SAFETY: `with_database_file` passes an open file of the layer, which stays open until the lock is dropped.
        let held = holder.session.core.with_database_file(c"main", |file| unsafe {
            HeaderLock::take(file, Duration::ZERO, None).unwrap()
        });
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let waiting = scope.spawn(move || {
                let database = open();
                sender.send(database.interrupter()).unwrap();
                rekey(&database)
            });
            let interrupter: Interrupter = receiver.recv().unwrap();
            while interrupter.waits() == 0 {
                assert!(!waiting.is_finished(), "the rekey has ended without a wait");
                thread::yield_now();
            }
            interrupter.interrupt();
            assert_eq!(waiting.join().unwrap(), Err("STRONGROOM_CANCELLED"));
        });
        drop(held);
        assert_eq!(rekey(&holder), Ok(()));
    }
}
