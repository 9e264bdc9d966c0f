//! A connection and what is alive on it.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use rusqlite::Connection;
use vendored_sys::sqlite;

use super::RawStatement;

/// Why a call into SQLite did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core was closed before.
    Closed,
    /// The core cannot be closed now.
    Busy,
    /// SQLite's extended result code and message.
    Sqlite { code: c_int, message: String },
}

/// A connection, open or closed.
pub(crate) struct Core {
    db: Cell<*mut sqlite::sqlite3>,
    entered: Cell<u32>,
    statements: RefCell<HashSet<NonNull<sqlite::sqlite3_stmt>>>,
    connection: RefCell<Option<Connection>>,
}

impl Core {
    pub(super) fn new(connection: Connection, db: *mut sqlite::sqlite3) -> Self {
        Self {
            db: Cell::new(db),
            entered: Cell::new(0),
            statements: RefCell::default(),
            connection: RefCell::new(Some(connection)),
        }
    }

    /// rusqlite's view of the connection, for what it does well and what is not hot.
    pub(crate) fn with<T>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Failure> {
        let _entered = self.enter();
        match &*self.connection.borrow() {
            Some(connection) => call(connection).map_err(|error| failure_of(&error)),
            None => Err(Failure::Closed),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.db.get().is_null()
    }

    /// Keeps the core open for as long as the answer lives.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.entered.set(self.entered.get() + 1);
        Entered { core: self }
    }

    /// Gives SQLCipher the key, in the form that `sqlite3_key_v2` takes.
    pub(crate) fn key(&self, key: &[u8]) -> Result<(), Failure> {
        let db = self.open_db()?;
        let length = c_int::try_from(key.len()).map_err(|_| Failure::Sqlite {
            code: sqlite::SQLITE_TOOBIG,
            message: "the passphrase has two gigabytes or more".to_owned(),
        })?;
        // SAFETY: the connection is open, the name ends in NUL, and the length is that of the key.
        let code = unsafe { sqlite::sqlite3_key_v2(db, c"main".as_ptr(), key.as_ptr().cast(), length) };
        self.check(code)
    }

    /// Prepares the first statement of `sql` from the byte `start` on. The answer has how many bytes it takes, and no
    /// statement where there is none before the next semicolon.
    pub(crate) fn prepare(
        self: &Rc<Self>,
        sql: &CStr,
        start: usize,
        persistent: bool,
    ) -> Result<(Option<RawStatement>, usize), Failure> {
        let _entered = self.enter();
        let db = self.open_db()?;
        // The NUL is counted, which tells SQLite that it need not copy the text to have one. SQLite's own limit on the
        // length is lower than a C int's, so that it is never reached with a length cut off here.
        let sql = sql.to_bytes_with_nul().get(start..).unwrap_or(b"\0");
        let length = c_int::try_from(sql.len()).unwrap_or(c_int::MAX);
        let flags: c_uint = if persistent { sqlite::SQLITE_PREPARE_PERSISTENT } else { 0 };
        let mut raw = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let text: *const c_char = sql.as_ptr().cast();
        // SAFETY: the connection is open, the text has at least `length` bytes, and both results are local.
        let code =
            unsafe { sqlite::sqlite3_prepare_v3(db, text, length, flags, &raw mut raw, &raw mut tail) };
        self.check(code)?;
        let rest = sql.len() - 1;
        let used = if tail.is_null() { rest } else { (tail.addr() - text.addr()).min(rest) };
        let statement = NonNull::new(raw).map(|raw| {
            self.statements.borrow_mut().insert(raw);
            RawStatement::new(Rc::clone(self), raw)
        });
        Ok((statement, used))
    }

    /// Finalizes every statement and closes the connection. An open transaction is rolled back.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        if !self.is_open() {
            return Ok(());
        }
        if self.entered.get() != 0 {
            return Err(Failure::Busy);
        }
        self.db.set(ptr::null_mut());
        let statements = self.statements.take();
        for raw in statements {
            // SAFETY: it is live, for it stands in `statements`, and `db` is null now, so that its owner no longer
            // touches it. Nothing is entered, so that no row points into it.
            unsafe { sqlite::sqlite3_finalize(raw.as_ptr()) };
        }
        match self.connection.take() {
            Some(connection) => connection.close().map_err(|(_, error)| failure_of(&error)),
            None => Ok(()),
        }
    }

    /// Forgets a statement that its owner finalizes. The answer is false where closing has done so already.
    pub(super) fn forget(&self, raw: NonNull<sqlite::sqlite3_stmt>) -> bool {
        self.is_open() && self.statements.borrow_mut().remove(&raw)
    }

    pub(crate) fn is_autocommit(&self) -> bool {
        // SAFETY: the connection is open.
        self.open_db().is_ok_and(|db| unsafe { sqlite::sqlite3_get_autocommit(db) } != 0)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        // SAFETY: the connection is open, and the name ends in NUL.
        self.open_db().is_ok_and(|db| unsafe { sqlite::sqlite3_db_readonly(db, c"main".as_ptr()) } == 1)
    }

    pub(crate) fn changes(&self) -> u64 {
        // SAFETY: the connection is open.
        self.open_db().map_or(0, |db| unsafe { sqlite::sqlite3_changes64(db) }.unsigned_abs())
    }

    pub(crate) fn total_changes(&self) -> u64 {
        // SAFETY: the connection is open.
        self.open_db().map_or(0, |db| unsafe { sqlite::sqlite3_total_changes64(db) }.unsigned_abs())
    }

    pub(crate) fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the connection is open.
        self.open_db().map_or(0, |db| unsafe { sqlite::sqlite3_last_insert_rowid(db) })
    }

    /// Whether SQLCipher could not decrypt or authenticate a page, after which it reads and writes no more.
    pub(crate) fn cipher_failed(&self) -> bool {
        let status = self.with(|connection| {
            connection.pragma_query_value(None, "cipher_status", |row| row.get::<_, String>(0))
        });
        status.is_ok_and(|status| status == "0")
    }

    /// The first bytes of the file, with zeros where it is shorter, and its length; nothing where it cannot be read.
    ///
    /// It goes through the connection's own file. On POSIX a file that is opened besides gives up, when it is closed, the
    /// locks of every connection that this process has to it. Source: "How To Corrupt An SQLite Database File", 2.2.
    pub(crate) fn file_start<const N: usize>(&self) -> Option<([u8; N], u64)> {
        let db = self.open_db().ok()?;
        let mut file: *mut sqlite::sqlite3_file = ptr::null_mut();
        let (mut start, mut length) = ([0; N], 0);
        let wanted = c_int::try_from(N).ok()?;
        // SAFETY: the connection is open, the name ends in NUL, and SQLite writes one pointer. The file and its methods
        // are the connection's, live as long as it, and `start` has room for the bytes that are asked for.
        let codes = unsafe {
            let pointer = (&raw mut file).cast();
            let code = sqlite::sqlite3_file_control(
                db,
                c"main".as_ptr(),
                sqlite::SQLITE_FCNTL_FILE_POINTER,
                pointer,
            );
            if code != sqlite::SQLITE_OK {
                return None;
            }
            let methods = file.as_ref()?.pMethods.as_ref()?;
            let read = methods.xRead?(file, start.as_mut_ptr().cast(), wanted, 0);
            (read, methods.xFileSize?(file, &raw mut length))
        };
        match codes {
            (sqlite::SQLITE_OK | sqlite::SQLITE_IOERR_SHORT_READ, sqlite::SQLITE_OK) => {
                Some((start, u64::try_from(length).ok()?))
            }
            _ => None,
        }
    }

    /// SQLITE_LIMIT_LENGTH: the longest string, blob or row, in bytes.
    pub(crate) fn length_limit(&self) -> usize {
        // SAFETY: the connection is open, and a negative value only asks.
        self.open_db()
            .map_or(0, |db| unsafe { sqlite::sqlite3_limit(db, sqlite::SQLITE_LIMIT_LENGTH, -1) })
            .try_into()
            .unwrap_or(0)
    }

    /// The open connection.
    pub(super) fn open_db(&self) -> Result<*mut sqlite::sqlite3, Failure> {
        let db = self.db.get();
        if db.is_null() { Err(Failure::Closed) } else { Ok(db) }
    }

    /// The failure that a result code of the last call stands for.
    pub(super) fn check(&self, code: c_int) -> Result<(), Failure> {
        if code == sqlite::SQLITE_OK { Ok(()) } else { Err(self.failure(code)) }
    }

    #[cold]
    pub(super) fn failure(&self, code: c_int) -> Failure {
        let Ok(db) = self.open_db() else { return Failure::Closed };
        // SAFETY: the connection is open; the message is copied before anything else is called.
        let message = unsafe { text(sqlite::sqlite3_errmsg(db)) }.unwrap_or_default();
        Failure::Sqlite { code, message: clearer(code).unwrap_or(message) }
    }
}

/// Counts as one call under way.
pub(crate) struct Entered<'a> {
    core: &'a Core,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.core.entered.set(self.core.entered.get() - 1);
    }
}

/// A copy of a C string, and `None` for a null pointer.
///
/// # Safety
///
/// The pointer is null, or ends in NUL and stays valid during the call.
pub(super) unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller answers for it.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

fn failure_of(error: &rusqlite::Error) -> Failure {
    match error {
        rusqlite::Error::SqliteFailure(inner, message) => Failure::Sqlite {
            code: inner.extended_code,
            message: clearer(inner.extended_code)
                .unwrap_or_else(|| message.clone().unwrap_or_else(|| inner.to_string())),
        },
        other => Failure::Sqlite { code: sqlite::SQLITE_ERROR, message: other.to_string() },
    }
}

/// A message of our own where SQLite's misleads: it calls a read an attempt to write.
fn clearer(code: c_int) -> Option<String> {
    let message = "a process ended in the middle of a transaction, and reading alone cannot undo what it left: \
                   open the database once without read-only";
    matches!(code, sqlite::SQLITE_READONLY_ROLLBACK | sqlite::SQLITE_READONLY_RECOVERY)
        .then(|| message.to_owned())
}
