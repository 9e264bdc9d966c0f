//! The page size of the file that VACUUM INTO creates.
//!
//! SQLCipher gives the cipher of the new file the process's default page size, and SQLite gives the file the source's.
//! Where both differ, SQLCipher writes past the end of SQLite's pages, or SQLite writes memory that follows SQLCipher's
//! buffer into the file. Seen with SQLCipher 4.20. The default therefore is the source's page size while VACUUM attaches
//! the file.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::OpenFlags;

use super::{Core, open};
use crate::pragma::pragma;

const PRAGMA: &str = "cipher_default_page_size";

/// Held while a thread has changed the default, which all threads share.
static CHANGED: Mutex<()> = Mutex::new(());

/// A changed default, which is restored when this value is dropped.
pub(super) struct DefaultPageSize {
    /// A connection of its own: the connection that vacuums is inside a call.
    connection: Core,
    before: String,
    /// Declared last, so that the default is restored before another thread changes it.
    _changed: MutexGuard<'static, ()>,
}

impl DefaultPageSize {
    /// Changes the default. The size is in bytes. Returns `None` if memory runs out.
    pub(super) fn change(size: u32) -> Option<Self> {
        let changed = CHANGED.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = open(c":memory:", OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
        let before = connection.with(|connection| pragma::<String>(connection, "main", PRAGMA)).ok()?;
        connection.with(|connection| connection.pragma_update(None, PRAGMA, size)).ok()?;
        Some(Self { connection, before, _changed: changed })
    }
}

impl Drop for DefaultPageSize {
    fn drop(&mut self) {
        // After a failure, only SQL that attaches a file in SQLCipher's format would notice: the engine sets page sizes itself.
        let _ = self.connection.with(|connection| connection.pragma_update(None, PRAGMA, &self.before));
    }
}
