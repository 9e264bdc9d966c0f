//! Opens a connection and keeps the operating system's error.

use std::ffi::{CStr, c_int};
use std::io;
use std::ptr;

use rusqlite::functions::Context;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use vendored_sys::sqlite;

use super::core::text;
use super::{Core, vfs};

/// SQLite's failure to open a file.
pub(crate) struct OpenFailure {
    pub(crate) code: c_int,
    pub(crate) message: String,
    /// The operating system's error, if there was one.
    pub(crate) cause: Option<io::Error>,
}

/// Opens a connection without reading the file.
///
/// rusqlite's `open` loses the operating system's error. Without that error, a missing folder looks like a missing
/// permission.
pub(crate) fn open(path: &CStr, flags: OpenFlags) -> Result<Core, OpenFailure> {
    let flags = flags.bits() | sqlite::SQLITE_OPEN_EXRESCODE | sqlite::SQLITE_OPEN_NOMUTEX;
    let mut db = ptr::null_mut();
    vfs::register();
    // SAFETY: the path and the VFS's name end in NUL, and the result is local.
    let code = unsafe { sqlite::sqlite3_open_v2(path.as_ptr(), &raw mut db, flags, vfs::NAME.as_ptr()) };
    if code != sqlite::SQLITE_OK {
        // SAFETY: after a failure, SQLite returns a connection, or null if memory runs out; all three functions accept
        // null. The connection is closed below and not used again.
        let failure = unsafe {
            let errno = sqlite::sqlite3_system_errno(db);
            OpenFailure {
                code,
                message: text(sqlite::sqlite3_errmsg(db)).unwrap_or_default(),
                cause: (errno != 0).then(|| io::Error::from_raw_os_error(errno)),
            }
        };
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_close(db) };
        return Err(failure);
    }
    // SAFETY: the connection is open and has no other owner.
    match unsafe { Connection::from_handle_owned(db) } {
        Ok(connection) => Ok(Core::new(connection, db)),
        Err(error) => {
            Err(OpenFailure { code: sqlite::SQLITE_INTERNAL, message: error.to_string(), cause: None })
        }
    }
}

/// Returns SQLITE_LIMIT_LENGTH of the connection that runs an SQL function.
pub(crate) fn length_limit(context: &Context<'_>) -> usize {
    // SAFETY: a running function may read a limit, and the connection is not kept.
    let limit = unsafe { context.get_connection() }
        .and_then(|connection| connection.limit(Limit::SQLITE_LIMIT_LENGTH));
    limit.ok().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(0)
}
