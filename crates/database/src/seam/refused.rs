//! Refuses SQLCipher's pragmas that can destroy a file or hide its key.
//!
//! SQLite calls an authorizer while it prepares a statement, regardless of the spelling of the SQL.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use vendored_sys::sqlite;

use super::Core;
use super::core::text;

/// A refused pragma, the reason, and the replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) pragma: &'static str,
    pub(crate) why: &'static str,
    pub(crate) instead: &'static str,
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// Refused only with a value.
    Set,
    /// Refused only with a value, on a connection whose key was verified.
    SetLater,
}

/// The refused pragmas. SQLCipher runs each of them while SQLite prepares the statement, even for EXPLAIN. Source:
/// `sqlite3Pragma` and `sqlcipher_codec_pragma`.
const REFUSED: [Refused; 9] = [
    Refused { pragma: "rekey", why: DESTROYS, instead: "use db.rekey()", when: When::Always },
    Refused { pragma: "hexrekey", why: DESTROYS, instead: "use db.rekey()", when: When::Always },
    Refused { pragma: "textrekey", why: DESTROYS, instead: "use db.rekey()", when: When::Always },
    Refused {
        pragma: "cipher_migrate",
        why: DESTROYS,
        instead: "use Database.migrate()",
        when: When::Always,
    },
    Refused {
        pragma: "cipher_store_pass",
        why: "it hides the key from backups and from databases that are attached",
        instead: "keep the passphrase in the program",
        when: When::Set,
    },
    Refused {
        pragma: "cipher_hmac_salt_mask",
        why: "it changes every database of the process",
        instead: "use the option hmacSaltMask",
        when: When::Set,
    },
    Refused { pragma: "cipher_hmac_pgno", why: UNREADABLE, instead: MIGRATE, when: When::SetLater },
    Refused {
        pragma: "cipher_plaintext_header_size",
        why: UNREADABLE,
        instead: MIGRATE,
        when: When::SetLater,
    },
    Refused { pragma: "cipher_salt", why: UNREADABLE, instead: MIGRATE, when: When::SetLater },
];
const DESTROYS: &str = "it can destroy the file if it fails";
const UNREADABLE: &str = "the next write would make the file unreadable";
const MIGRATE: &str = "pass the setting to new Database, or use Database.migrate()";

thread_local! {
    static LAST: Cell<Option<Refused>> = const { Cell::new(None) };
}

/// Returns the pragma that was refused last on this thread, once.
pub(crate) fn take_refused() -> Option<Refused> {
    LAST.take()
}

/// The state that a connection's authorizer reads.
#[derive(Default)]
pub(crate) struct Authority {
    /// `true` if the connection's key was verified.
    verified: Cell<bool>,
}

impl Core {
    /// From now on, refuses settings that would no longer fit the pages of the file.
    pub(crate) fn key_is_verified(&self) {
        self.authority.verified.set(true);
    }

    /// Calls `run`, which sets the cipher of a database that has not been read yet.
    pub(crate) fn with_settings<T>(&self, run: impl FnOnce() -> T) -> T {
        let verified = self.authority.verified.replace(false);
        let result = run();
        self.authority.verified.set(verified);
        result
    }

    /// Returns the databases that a statement uses, or `None` if SQLite cannot tell.
    pub(super) fn databases_of(&self, sql: &CStr) -> Option<Vec<String>> {
        let db = self.open_db().ok()?;
        USED.set(Some(Vec::new()));
        let mut statement = ptr::null_mut();
        // SAFETY: the connection is open, the text ends in NUL, the result is local, and finalizing a null pointer is allowed.
        let code = unsafe {
            let code =
                sqlite::sqlite3_prepare_v3(db, sql.as_ptr(), -1, 0, &raw mut statement, ptr::null_mut());
            sqlite::sqlite3_finalize(statement);
            code
        };
        let used = USED.take();
        if code == sqlite::SQLITE_OK { used } else { None }
    }
}

thread_local! {
    /// The databases that the statement being prepared uses. `None` except during `databases_of`.
    static USED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Sets the authorizer of a connection.
///
/// # Safety
///
/// The connection is open, and is closed before `authority` is dropped.
pub(super) unsafe fn refuse_pragmas(db: *mut sqlite::sqlite3, authority: &Authority) {
    let data = ptr::from_ref(authority).cast_mut().cast();
    // SAFETY: the caller guarantees the connection. The only failure, of a connection that is not open, cannot occur.
    unsafe { sqlite::sqlite3_set_authorizer(db, Some(authorize), data) };
}

unsafe extern "C" fn authorize(
    authority: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    _: *const c_char,
) -> c_int {
    if action != sqlite::SQLITE_PRAGMA {
        // SAFETY: the name is null, or ends in NUL.
        unsafe { note_use(database) };
        return sqlite::SQLITE_OK;
    }
    if first.is_null() {
        return sqlite::SQLITE_OK;
    }
    // SAFETY: the first argument of this action is the pragma's name, which ends in NUL. `refuse_pragmas` passed the pointer.
    let (name, authority) =
        unsafe { (CStr::from_ptr(first).to_bytes(), authority.cast::<Authority>().as_ref()) };
    let verified = authority.is_some_and(|authority| authority.verified.get());
    let refused = REFUSED.iter().find(|refused| {
        let applies = match refused.when {
            When::Always => true,
            When::Set => !second.is_null(),
            When::SetLater => !second.is_null() && verified,
        };
        applies && name.eq_ignore_ascii_case(refused.pragma.as_bytes())
    });
    match refused {
        Some(refused) => {
            LAST.set(Some(*refused));
            sqlite::SQLITE_DENY
        }
        None => sqlite::SQLITE_OK,
    }
}

/// # Safety
///
/// The name is null, or ends in NUL.
unsafe fn note_use(database: *const c_char) {
    USED.with(|used| {
        let Ok(mut used) = used.try_borrow_mut() else { return };
        let Some(used) = used.as_mut() else { return };
        // SAFETY: the caller upholds the contract.
        if let Some(name) = unsafe { text(database) }
            && !used.contains(&name)
        {
            used.push(name);
        }
    });
}
