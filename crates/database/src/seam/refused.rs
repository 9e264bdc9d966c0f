//! Refuses the pragmas of SQLCipher that can destroy a file.
//!
//! SQLite asks an authorizer before it prepares a statement, whatever the spelling of the SQL.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use vendored_sys::sqlite;

/// A refused pragma, and the method that takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) pragma: &'static str,
    pub(crate) instead: &'static str,
}

/// SQLCipher runs these while SQLite prepares the statement, even for EXPLAIN. Source: `sqlite3Pragma` and
/// `sqlcipher_codec_pragma`.
const REFUSED: [Refused; 4] = [
    Refused { pragma: "rekey", instead: "db.rekey()" },
    Refused { pragma: "hexrekey", instead: "db.rekey()" },
    Refused { pragma: "textrekey", instead: "db.rekey()" },
    Refused { pragma: "cipher_migrate", instead: "Database.migrate()" },
];

thread_local! {
    static LAST: Cell<Option<Refused>> = const { Cell::new(None) };
}

/// Returns the pragma that was refused last on this thread, once.
pub(crate) fn take_refused() -> Option<Refused> {
    LAST.take()
}

/// Sets the authorizer of a connection.
///
/// # Safety
///
/// The connection is open.
pub(super) unsafe fn refuse_pragmas(db: *mut sqlite::sqlite3) -> c_int {
    // SAFETY: the caller guarantees the connection, and the callback needs no data.
    unsafe { sqlite::sqlite3_set_authorizer(db, Some(authorize), ptr::null_mut()) }
}

unsafe extern "C" fn authorize(
    _: *mut c_void,
    action: c_int,
    first: *const c_char,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    if action != sqlite::SQLITE_PRAGMA || first.is_null() {
        return sqlite::SQLITE_OK;
    }
    // SAFETY: the first argument of this action is the pragma's name, which ends in NUL.
    let name = unsafe { CStr::from_ptr(first) }.to_bytes();
    match REFUSED.iter().find(|refused| name.eq_ignore_ascii_case(refused.pragma.as_bytes())) {
        Some(refused) => {
            LAST.set(Some(*refused));
            sqlite::SQLITE_DENY
        }
        None => sqlite::SQLITE_OK,
    }
}
