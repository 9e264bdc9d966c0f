//! Attaches databases, and lists the databases of a connection.

use std::ffi::c_int;
use std::io;
use std::ptr;

use rusqlite::Connection;
use vendored_sys::sqlite;

use super::{Core, Failure, OpenFailure};

/// SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE and SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE of sqlite3.h. Bindings to SQLite before
/// 3.49 lack these constants.
const ENABLE_ATTACH_CREATE: c_int = 1020;
const ENABLE_ATTACH_WRITE: c_int = 1021;

/// The rights with which ATTACH opens a file. The main database's rights limit these rights.
pub(crate) struct AttachFlags {
    pub(crate) write: bool,
    pub(crate) create: bool,
}

impl Core {
    /// Calls `attach`; meanwhile, ATTACH opens files with these rights. Returns the operating system's error with a
    /// failure.
    pub(crate) fn with_attach_flags(
        &self,
        flags: &AttachFlags,
        attach: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
    ) -> Result<(), OpenFailure> {
        let denied = [(ENABLE_ATTACH_WRITE, flags.write), (ENABLE_ATTACH_CREATE, flags.create)];
        let denied = denied.into_iter().filter(|(_, allowed)| !allowed).map(|(option, _)| option);
        let attached = denied.clone().try_for_each(|option| self.allow(option, false));
        let attached = attached.and_then(|()| self.with(attach));
        let attached = attached.map_err(|failure| match failure {
            Failure::Sqlite { code, message } => OpenFailure { code, message, cause: self.system_error() },
            Failure::Closed | Failure::Busy | Failure::Callback(_) => OpenFailure {
                code: sqlite::SQLITE_MISUSE,
                message: "the connection is not open".to_owned(),
                cause: None,
            },
        });
        for option in denied {
            // Allowing a denied right again fails only for a closed connection.
            let _ = self.allow(option, true);
        }
        attached
    }

    /// Returns the names of the databases of the connection.
    pub(crate) fn schemas(&self) -> Result<Vec<String>, Failure> {
        self.with(|connection| {
            let mut list = connection.prepare("PRAGMA database_list")?;
            list.query_map([], |row| row.get(1))?.collect()
        })
    }

    /// Sets or clears an option of `sqlite3_db_config`.
    pub(super) fn allow(&self, option: c_int, allowed: bool) -> Result<(), Failure> {
        let db = self.open_db()?;
        // SAFETY: the connection is open, and the options take an int and a pointer that may be null.
        let code =
            unsafe { sqlite::sqlite3_db_config(db, option, c_int::from(allowed), ptr::null_mut::<c_int>()) };
        self.check(code)
    }

    /// Returns the operating system's error that caused the last failure, or `None`.
    fn system_error(&self) -> Option<io::Error> {
        let db = self.open_db().ok()?;
        // SAFETY: the connection is open.
        let errno = unsafe { sqlite::sqlite3_system_errno(db) };
        (errno != 0).then(|| io::Error::from_raw_os_error(errno))
    }
}
