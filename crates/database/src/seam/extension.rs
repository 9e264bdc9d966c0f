//! Loads extensions.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use rusqlite::Connection;
use vendored_sys::sqlite;

use super::core::text;
use super::{Core, Failure};

/// The longest message that a VFS writes about a library, including the library's path of up to 4096 bytes.
const MESSAGE_LENGTH: usize = 8_192;

impl Core {
    /// Loads the extension at `path`, and calls the function `entry`, or the function that SQLite derives from the path.
    ///
    /// The SQL function `load_extension` stays forbidden; `sqlite3_enable_load_extension` would allow it.
    pub(crate) fn load_extension(&self, path: &CStr, entry: Option<&CStr>) -> Result<(), Failure> {
        let _entered = self.enter();
        let db = self.open_db()?;
        self.allow(sqlite::SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, true)?;
        let mut message: *mut c_char = ptr::null_mut();
        // SAFETY: the connection is open, and stays open because the core is entered. Both texts end in NUL, and a null
        // entry is allowed. SQLite writes null or a text from its own allocator, which is copied and freed.
        let (code, message) = unsafe {
            let entry = entry.map_or(ptr::null(), CStr::as_ptr);
            let code = sqlite::sqlite3_load_extension(db, path.as_ptr(), entry, &raw mut message);
            let copy = text(message);
            sqlite::sqlite3_free(message.cast());
            (code, copy)
        };
        // The extension may have loaded another extension, or set the option itself.
        let forbidden = self.allow(sqlite::SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false);
        match code {
            sqlite::SQLITE_OK => forbidden,
            code => Err(Failure::Sqlite { code, message: message.unwrap_or_default() }),
        }
    }
}

/// Releases the locks of a connection that SQLite cannot close because an extension has left statements.
///
/// The extension may still finalize the statements, so the connection's memory stays until the process exits.
pub(super) fn release(connection: &Connection) {
    let mut statement: *mut sqlite::sqlite3_stmt = ptr::null_mut();
    // SAFETY: the connection is open, and the list has only live statements, none of which a reset removes.
    unsafe {
        let db = connection.handle();
        loop {
            statement = sqlite::sqlite3_next_stmt(db, statement);
            if statement.is_null() {
                break;
            }
            sqlite::sqlite3_reset(statement);
        }
    }
    // If no transaction is open, ROLLBACK fails, and the failure is ignored.
    let _ = connection.execute_batch("ROLLBACK");
}

/// Loads a library and unloads it again. Returns the system's message if the library does not load.
///
/// If `x` fails to load, SQLite tries `x.so`, and reports only that `x.so` does not exist.
pub(crate) fn try_library(path: &CStr) -> Option<String> {
    // SAFETY: a null name means the default VFS, which lives as long as the process.
    let vfs = unsafe { sqlite::sqlite3_vfs_find(ptr::null()) };
    // SAFETY: the pointer is null or the default VFS.
    let methods = unsafe { vfs.as_ref() }?;
    let (open, error, close) = (methods.xDlOpen?, methods.xDlError?, methods.xDlClose?);
    let mut message = [0_u8; MESSAGE_LENGTH];
    // SAFETY: the functions belong to this VFS, the path ends in NUL, and the VFS writes a text that ends in NUL and fits
    // into the buffer.
    unsafe {
        let library = open(vfs, path.as_ptr());
        if !library.is_null() {
            close(vfs, library);
            return None;
        }
        error(vfs, MESSAGE_LENGTH as c_int, message.as_mut_ptr().cast());
        text(message.as_ptr().cast())
    }
}
