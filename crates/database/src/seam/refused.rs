//! Refuses SQLCipher's pragmas that can destroy a file or hide its key, and on a database in the Strongroom format all of
//! them.
//!
//! SQLite calls an authorizer while it prepares a statement, regardless of the spelling of the SQL.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use vendored_sys::sqlite;

use super::authority::Authority;
use super::core::text;
use super::{Core, Defaults, defaults, pending};
use crate::open::MAIN;

/// A refused pragma, the reason, and the replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) pragma: &'static str,
    pub(crate) why: &'static str,
    pub(crate) instead: &'static str,
    when: When,
}

impl Refused {
    /// Returns whether the entry is for the pragma of this name.
    fn matches(&self, name: &[u8]) -> bool {
        match self.pragma.strip_suffix('*') {
            Some(start) => starts_with(name, start.as_bytes()),
            None => name.eq_ignore_ascii_case(self.pragma.as_bytes()),
        }
    }
}

/// Returns whether SQLite takes the value of a pragma for true. Source: `sqlite3GetBoolean`.
fn is_true(value: &[u8]) -> bool {
    let number = str::from_utf8(value).ok().and_then(|value| value.parse::<i64>().ok());
    let words: [&[u8]; 3] = [b"on", b"yes", b"true"];
    number.is_some_and(|number| number != 0) || words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn starts_with(name: &[u8], start: &[u8]) -> bool {
    name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
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
/// `PRAGMA secure_delete = off` or `fast` on a database with a key.
const SECURE_DELETE: Refused = Refused {
    pragma: "secure_delete",
    why: "SQLite would not write some free pages of an encrypted database, and backups and db.check() would find them damaged",
    instead: "leave it on, as it is in every encrypted database",
    when: When::Always,
};
/// ATTACH in SQL, on a connection whose main database is in the Strongroom format.
const ATTACH: Refused = Refused {
    pragma: "ATTACH",
    why: "SQL passes no key to a database in the Strongroom format",
    instead: "use db.attach(path, name, { key }), or { plain: true } for a plain file",
    when: When::Always,
};
/// BEGIN, COMMIT, END and ROLLBACK in the SQL of a transaction that its owner begins and ends.
const BOUNDS: Refused = Refused {
    pragma: "TRANSACTION",
    why: "the transaction belongs to its owner",
    instead: "end the transaction through its owner",
    when: When::Always,
};
const DESTROYS: &str = "it can destroy the file if it fails";
const UNREADABLE: &str = "the next write would make the file unreadable";
/// Refused on databases in the Strongroom format.
const REFUSED_ON_STRONGROOM: [Refused; 7] = [
    Refused { pragma: "key", why: NOT_SQLCIPHER, instead: OPEN, when: When::Always },
    Refused { pragma: "hexkey", why: NOT_SQLCIPHER, instead: OPEN, when: When::Always },
    Refused { pragma: "textkey", why: NOT_SQLCIPHER, instead: OPEN, when: When::Always },
    Refused {
        pragma: "cipher_integrity_check",
        why: NOT_SQLCIPHER,
        instead: "use db.check()",
        when: When::Always,
    },
    Refused { pragma: "cipher_page_size", why: NOT_SQLCIPHER, instead: PAGE_SIZE, when: When::Always },
    Refused { pragma: "cipher_status", why: NOT_SQLCIPHER, instead: "use db.check()", when: When::Always },
    // Must be last: matches the start of a name.
    Refused { pragma: "cipher_*", why: NOT_SQLCIPHER, instead: MIGRATE, when: When::Always },
];
/// The pragmas that set a key.
const KEYS: [&[u8]; 3] = [b"key", b"hexkey", b"textkey"];
/// The starts of pragmas that concern the process and no file, and that are therefore allowed.
const OF_THE_PROCESS: [&[u8]; 4] =
    [b"cipher_log", b"cipher_memory_security", b"cipher_provider", b"cipher_version"];
const NOT_SQLCIPHER: &str = "the database is in the Strongroom format, not in SQLCipher's";
const OPEN: &str = "pass the key to new Database or db.attach()";
const PAGE_SIZE: &str = "use PRAGMA page_size";
const MIGRATE: &str = "pass the setting to new Database, or use Database.migrate()";

thread_local! {
    static LAST: Cell<Option<Refused>> = const { Cell::new(None) };
}

/// Returns the pragma that was refused last on this thread, once.
pub(crate) fn take_refused() -> Option<Refused> {
    LAST.take()
}

impl Core {
    /// From now on, refuses settings that would no longer fit the pages of the file.
    pub(crate) fn key_is_verified(&self) {
        self.authority.verified.set(true);
    }

    /// Calls `run`, during which SQLite compiles no BEGIN, COMMIT, END or ROLLBACK of the caller.
    pub(crate) fn without_bounds<T>(&self, run: impl FnOnce() -> T) -> T {
        let refused = self.authority.bounds_refused.replace(true);
        let result = run();
        self.authority.bounds_refused.set(refused);
        result
    }

    /// Sets the parameters that the target of VACUUM INTO gets, as SQLCipher's defaults. `None` changes no default.
    pub(crate) fn prepare_vacuum_into(&self, defaults: Option<Defaults>) {
        self.authority.for_vacuum_into.replace(defaults);
    }

    /// Calls `run`, which sets the cipher of a database that has not been read yet.
    pub(crate) fn with_settings<T>(&self, run: impl FnOnce() -> T) -> T {
        let verified = self.authority.verified.replace(false);
        let result = run();
        self.authority.verified.set(verified);
        result
    }

    /// Returns the databases that a statement uses, or `None` if SQLite cannot prepare it.
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
    defaults::restore();
    // SAFETY: `refuse_pragmas` passed the pointer.
    let Some(authority) = (unsafe { authority.cast::<Authority>().as_ref() }) else {
        return sqlite::SQLITE_OK;
    };
    if action == sqlite::SQLITE_ATTACH {
        // SAFETY: the name of the file is null, or ends in NUL.
        return unsafe { authorize_attach(authority, first) };
    }
    if action == sqlite::SQLITE_TRANSACTION
        && authority.bounds_refused.get()
        && authority.internal.get() == 0
        && authority.parsing.is_held()
    {
        LAST.set(Some(BOUNDS));
        return sqlite::SQLITE_DENY;
    }
    if action != sqlite::SQLITE_PRAGMA {
        // SAFETY: the name is null, or ends in NUL.
        unsafe { note_use(database) };
        return sqlite::SQLITE_OK;
    }
    if first.is_null() {
        return sqlite::SQLITE_OK;
    }
    // SAFETY: the first argument of this action is the pragma's name, and the database's name is null or ends in NUL.
    let (name, schema) = unsafe {
        let schema = if database.is_null() { MAIN } else { CStr::from_ptr(database) };
        (CStr::from_ptr(first).to_bytes(), schema)
    };
    // SAFETY: the value and the name of the database are null, or end in NUL.
    let (value, named) = unsafe {
        let bytes = |text: *const c_char| (!text.is_null()).then(|| CStr::from_ptr(text));
        (bytes(second), bytes(database))
    };
    if name.eq_ignore_ascii_case(b"secure_delete")
        && value.is_some_and(|value| !is_true(value.to_bytes()))
        && authority.has_key(named)
    {
        LAST.set(Some(SECURE_DELETE));
        return sqlite::SQLITE_DENY;
    }
    // The parse ends the hold.
    if authority.parsing.is_held() && KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
        // A database in the Strongroom format keeps its keys: the pragma is refused below.
        if authority.keys_of(schema.to_bytes()).is_none() {
            authority.set_key(schema, None);
        }
        pending::clear();
        defaults::hold();
    }
    if authority.internal.get() == 0
        && authority.keys_of(schema.to_bytes()).is_some()
        && !OF_THE_PROCESS.iter().any(|start| starts_with(name, start))
        && let Some(refused) = REFUSED_ON_STRONGROOM.iter().find(|refused| refused.matches(name))
    {
        LAST.set(Some(*refused));
        return sqlite::SQLITE_DENY;
    }
    let verified = authority.verified.get();
    let refused = REFUSED.iter().find(|refused| {
        let applies = match refused.when {
            When::Always => true,
            When::Set => !second.is_null(),
            When::SetLater => !second.is_null() && verified,
        };
        applies && refused.matches(name)
    });
    match refused {
        Some(refused) => {
            LAST.set(Some(*refused));
            sqlite::SQLITE_DENY
        }
        None => sqlite::SQLITE_OK,
    }
}

/// Allows an ATTACH, and prepares the encryption of the database that VACUUM attaches.
///
/// SQLCipher gives a database that SQL attaches without KEY the key of the main database, which fits no other file in the
/// Strongroom format.
///
/// # Safety
///
/// The name of the file is null, or ends in NUL.
unsafe fn authorize_attach(authority: &Authority, file: *const c_char) -> c_int {
    pending::clear();
    if authority.internal.get() != 0 {
        // The engine passes a key, or none.
        return sqlite::SQLITE_OK;
    }
    let keys = authority.keys_of(MAIN.to_bytes());
    // SAFETY: the caller upholds the contract.
    let file = if file.is_null() { None } else { Some(unsafe { CStr::from_ptr(file) }.to_bytes()) };
    let is_vacuum = !authority.parsing.is_held();
    if is_vacuum
        && file.is_some_and(|file| !file.is_empty())
        && let Some(defaults) = authority.for_vacuum_into.borrow().as_ref()
        && defaults::change(defaults).is_err()
    {
        return sqlite::SQLITE_DENY;
    }
    let Some(keys) = keys else { return sqlite::SQLITE_OK };
    if !is_vacuum {
        // The statement is the caller's own. Databases in memory and temporary databases have no key.
        if matches!(file, Some(b"" | b":memory:")) {
            return sqlite::SQLITE_OK;
        }
        LAST.set(Some(ATTACH));
        return sqlite::SQLITE_DENY;
    }
    // VACUUM attaches its temporary database, or the target of VACUUM INTO, while it runs.
    if file.is_none_or(<[u8]>::is_empty) {
        pending::set(Some(keys), None);
        return sqlite::SQLITE_OK;
    }
    match keys.for_new_file(keys.page_size()) {
        Ok(target) => {
            let header = target.header_bytes().to_vec();
            pending::set(Some(Arc::new(target)), Some(header));
            sqlite::SQLITE_OK
        }
        Err(_) => sqlite::SQLITE_DENY,
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
