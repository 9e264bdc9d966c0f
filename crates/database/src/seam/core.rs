//! A connection and its live statements.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use rusqlite::Connection;
use vendored_sys::sqlite;

use super::authority::{Authority, Internal};
use super::bound::Bound;
use super::callback::CallbackFailures;
use super::cipher::page_failure;
use super::extension::release;
use super::interrupt::Hook;
use super::provider::{failed_pages, failed_pages_here};
use super::refused::refuse_pragmas;
use super::schema_lock::SchemaLock;
use crate::CallbackError;
use crate::pragma::pragma;
use crate::registry::Listed;

/// The failure of a call into SQLite.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core is closed.
    Closed,
    /// A call or a row keeps the core from closing.
    Busy,
    /// SQLite failed, with this extended result code and message.
    Sqlite { code: c_int, message: String },
    /// A callback of the caller failed.
    Callback(CallbackError),
}

/// A connection, open or closed.
pub(crate) struct Core {
    db: Cell<*mut sqlite::sqlite3>,
    entered: Cell<u32>,
    /// `true` if the database is an image that was opened read-only. SQLite does not report this property.
    pub(super) read_only: Cell<bool>,
    /// The live statements, each with the memory to which its parameters refer.
    statements: RefCell<HashMap<NonNull<sqlite::sqlite3_stmt>, Rc<RefCell<Bound>>>>,
    /// The running backups that read from this connection.
    backups: RefCell<HashSet<NonNull<sqlite::sqlite3_backup>>>,
    /// The errors of the caller's functions, aggregates and virtual tables.
    pub(super) failures: CallbackFailures,
    /// Held while SQLite parses a statement.
    pub(super) schema_lock: SchemaLock,
    /// The header of an image in the Strongroom format.
    header: RefCell<Option<Vec<u8>>>,
    /// The file's entry in the list of open files. Dropped before the connection.
    listed: RefCell<Option<Listed>>,
    connection: RefCell<Option<Connection>>,
    /// The process's number of failed pages when this connection was last known to be sound.
    pub(super) sound: Cell<u32>,
    /// The hook of a connection with an interrupter. Declared after the connection, so that the connection is dropped first.
    pub(super) hook: OnceCell<Box<Hook>>,
    /// The state that the connection's authorizer reads. Declared last, so that the connection is dropped first.
    pub(super) authority: Box<Authority>,
}

impl Core {
    pub(super) fn new(connection: Connection, db: *mut sqlite::sqlite3) -> Self {
        let schema_lock = SchemaLock::default();
        let authority = Box::new(Authority::new(schema_lock.clone()));
        // SAFETY: the connection is open, and is closed before the box is dropped.
        unsafe { refuse_pragmas(db, &authority) };
        Self {
            sound: Cell::new(failed_pages()),
            authority,
            db: Cell::new(db),
            entered: Cell::new(0),
            read_only: Cell::new(false),
            statements: RefCell::default(),
            backups: RefCell::default(),
            failures: CallbackFailures::default(),
            schema_lock,
            connection: RefCell::new(Some(connection)),
            header: RefCell::default(),
            listed: RefCell::default(),
            hook: OnceCell::new(),
        }
    }

    /// Keeps the file listed as open until the connection is closed.
    pub(crate) fn keep_listed(&self, listed: Listed) {
        self.listed.replace(Some(listed));
    }

    /// Keeps the header of the image that becomes the main database.
    pub(crate) fn keep_header(&self, header: Vec<u8>) {
        self.header.replace(Some(header));
    }

    pub(super) fn kept_header(&self) -> Option<Vec<u8>> {
        self.header.borrow().clone()
    }

    /// Runs `call` with rusqlite's connection. Not for the hot path.
    pub(crate) fn with<T>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Failure> {
        if self.schema_lock.is_held() {
            return Err(Failure::Busy);
        }
        let _entered = self.enter();
        let _internal = Internal::begin(&self.authority);
        let connection = self.connection.borrow();
        let Some(connection) = &*connection else { return Err(Failure::Closed) };
        let failed = failed_pages_here();
        let result = call(connection).map_err(|error| self.callback_failure(failure_of(&error)))?;
        if failed != failed_pages_here() && self.has_failed_page()? {
            return Err(page_failure());
        }
        Ok(result)
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.db.get().is_null()
    }

    /// Keeps the core open while the returned value exists.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.entered.set(self.entered.get() + 1);
        Entered { core: self }
    }

    /// Ends every backup, finalizes every statement and closes the connection. An open transaction is rolled back.
    pub(crate) fn close(&self) -> Result<(), Failure> {
        if !self.is_open() {
            return Ok(());
        }
        if self.entered.get() != 0 {
            return Err(Failure::Busy);
        }
        self.ignore_interrupts();
        self.db.set(ptr::null_mut());
        for raw in self.backups.take() {
            // SAFETY: the copy is live, because it was in `backups`. The copy's owner keeps the target open, and no longer
            // uses the copy, because `db` is null.
            unsafe { sqlite::sqlite3_backup_finish(raw.as_ptr()) };
        }
        let statements = self.statements.take();
        for (raw, bound) in statements {
            // SAFETY: the statement is live, because it was in `statements`. The statement's owner no longer uses it,
            // because `db` is null, and no row points into it, because `entered` is 0.
            unsafe { sqlite::sqlite3_finalize(raw.as_ptr()) };
            bound.borrow_mut().clear();
        }
        // The entry must be removed before the connection is closed: afterwards, another file may reuse the inode
        // number of a removed file.
        self.listed.take();
        self.authority.forget_keys();
        match self.connection.take() {
            Some(connection) => connection.close().or_else(|(connection, error)| match failure_of(&error) {
                Failure::Sqlite { code: sqlite::SQLITE_BUSY, .. } => {
                    release(&connection);
                    Ok(())
                }
                failure => Err(failure),
            }),
            None => Ok(()),
        }
    }

    /// Registers a statement for `close` to finalize.
    pub(super) fn remember(&self, raw: NonNull<sqlite::sqlite3_stmt>, bound: &Rc<RefCell<Bound>>) {
        self.statements.borrow_mut().insert(raw, Rc::clone(bound));
    }

    /// Unregisters a statement that its owner finalizes. Returns false if `close` has already finalized the statement.
    pub(super) fn forget(&self, raw: NonNull<sqlite::sqlite3_stmt>) -> bool {
        self.is_open() && self.statements.borrow_mut().remove(&raw).is_some()
    }

    /// Registers a copy for `close` to end.
    pub(super) fn remember_backup(&self, raw: NonNull<sqlite::sqlite3_backup>) {
        self.backups.borrow_mut().insert(raw);
    }

    /// Unregisters a copy that its owner ends. Returns false if `close` has already ended the copy.
    pub(super) fn forget_backup(&self, raw: NonNull<sqlite::sqlite3_backup>) -> bool {
        self.is_open() && self.backups.borrow_mut().remove(&raw)
    }

    pub(crate) fn is_autocommit(&self) -> bool {
        // SAFETY: the connection is open.
        self.open_db().is_ok_and(|db| unsafe { sqlite::sqlite3_get_autocommit(db) } != 0)
    }

    /// Returns whether a transaction writes to a database of the connection.
    pub(crate) fn is_writing(&self) -> bool {
        self.transaction_state(None) == sqlite::SQLITE_TXN_WRITE
    }

    /// Returns whether a statement or a transaction reads from the database `schema`, or from any database.
    pub(crate) fn is_reading(&self, schema: Option<&CStr>) -> bool {
        self.transaction_state(schema) > sqlite::SQLITE_TXN_NONE
    }

    /// Returns SQLITE_TXN_NONE, _READ or _WRITE for a database, or the highest state of all databases.
    fn transaction_state(&self, schema: Option<&CStr>) -> c_int {
        let schema = schema.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: the connection is open, and the name ends in NUL. A null pointer means every database.
        self.open_db().map_or(sqlite::SQLITE_TXN_NONE, |db| unsafe { sqlite::sqlite3_txn_state(db, schema) })
    }

    /// Returns whether the database `schema` is read-only. For a database that is not attached, returns false.
    pub(crate) fn is_read_only(&self, schema: &CStr) -> bool {
        // SAFETY: the connection is open, and the name ends in NUL.
        let reported =
            self.open_db().is_ok_and(|db| unsafe { sqlite::sqlite3_db_readonly(db, schema.as_ptr()) } == 1);
        reported || (self.read_only.get() && schema == c"main")
    }

    /// Returns whether `PRAGMA query_only` forbids the connection to write.
    pub(crate) fn is_query_only(&self) -> bool {
        let on = self.with(|connection| pragma::<i64>(connection, "main", "query_only"));
        on.is_ok_and(|on| on != 0)
    }

    /// Returns whether the connection has a database of this name.
    pub(crate) fn is_attached(&self, schema: &CStr) -> bool {
        // SAFETY: the connection is open, and the name ends in NUL.
        self.open_db().is_ok_and(|db| unsafe { sqlite::sqlite3_db_readonly(db, schema.as_ptr()) } != -1)
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

    /// Returns SQLITE_LIMIT_LENGTH, the size of the largest string, blob or row in bytes.
    pub(crate) fn length_limit(&self) -> usize {
        // SAFETY: the connection is open, and a negative value changes nothing.
        self.open_db()
            .map_or(0, |db| unsafe { sqlite::sqlite3_limit(db, sqlite::SQLITE_LIMIT_LENGTH, -1) })
            .try_into()
            .unwrap_or(0)
    }

    /// Returns the pointer of the open connection.
    pub(super) fn open_db(&self) -> Result<*mut sqlite::sqlite3, Failure> {
        let db = self.db.get();
        if db.is_null() { Err(Failure::Closed) } else { Ok(db) }
    }

    /// Returns the pointer of the open connection if no call and no row uses the connection: a call must not replace a
    /// function in use.
    pub(super) fn unused_db(&self) -> Result<*mut sqlite::sqlite3, Failure> {
        if self.entered.get() == 0 { self.open_db() } else { Err(Failure::Busy) }
    }

    /// Turns the result code of the last call into a failure.
    pub(super) fn check(&self, code: c_int) -> Result<(), Failure> {
        if code == sqlite::SQLITE_OK { Ok(()) } else { Err(self.failure(code)) }
    }

    /// Returns the error of the connection's last call.
    #[cold]
    pub(super) fn last_failure(&self) -> Failure {
        // SAFETY: the connection is open.
        self.open_db()
            .map_or(Failure::Closed, |db| self.failure(unsafe { sqlite::sqlite3_extended_errcode(db) }))
    }

    /// Returns the byte of the SQL at which the last compilation failed, if the failure concerns a token.
    #[cold]
    pub(crate) fn error_offset(&self) -> Option<usize> {
        // SAFETY: the connection is open.
        let offset = unsafe { sqlite::sqlite3_error_offset(self.open_db().ok()?) };
        usize::try_from(offset).ok()
    }

    /// Returns the failure for a code that a call below the connection returned, so that the connection's message does not
    /// belong to it.
    #[cold]
    pub(crate) fn failure_of_code(code: c_int) -> Failure {
        // SAFETY: SQLite returns a constant string for every code.
        let message = unsafe { text(sqlite::sqlite3_errstr(code)) }.unwrap_or_default();
        Failure::Sqlite { code, message }
    }

    #[cold]
    pub(super) fn failure(&self, code: c_int) -> Failure {
        let Ok(db) = self.open_db() else { return Failure::Closed };
        // SAFETY: the connection is open; the message is copied before anything else is called.
        let message = unsafe { text(sqlite::sqlite3_errmsg(db)) }.unwrap_or_default();
        self.callback_failure(Failure::Sqlite { code, message: clearer(code).unwrap_or(message) })
    }

    /// Replaces SQLite's failure by the error of the callback that caused it.
    #[cold]
    fn callback_failure(&self, failure: Failure) -> Failure {
        let Failure::Sqlite { code: sqlite::SQLITE_ERROR, message } = &failure else { return failure };
        self.failures.take(message).map_or(failure, Failure::Callback)
    }
}

/// Keeps one running call counted until this value is dropped.
pub(crate) struct Entered<'a> {
    core: &'a Core,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.core.entered.set(self.core.entered.get() - 1);
    }
}

/// Copies a C string, or returns `None` for a null pointer.
///
/// # Safety
///
/// The pointer is null, or ends in NUL and stays valid during the call.
pub(super) unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller upholds the contract.
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

/// Returns a clearer message for codes whose SQLite message calls a read an attempt to write.
fn clearer(code: c_int) -> Option<String> {
    let message = "a process crashed inside a transaction, and a read-only connection cannot roll it back: open the \
                   database once for writing";
    matches!(code, sqlite::SQLITE_READONLY_ROLLBACK | sqlite::SQLITE_READONLY_RECOVERY)
        .then(|| message.to_owned())
}
