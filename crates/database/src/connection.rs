//! A database that is open, until it is closed.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::fmt;
use std::rc::Rc;

use strongroom_keys::Key;
use vendored_sys::sqlite;

use crate::cache::Cache;
use crate::lexer::{is_blank, tokens};
use crate::redact::{holds_secret, redact};
use crate::seam::{Core, Failure, RawStatement, Step};
use crate::statement::Meta;
use crate::{Behavior, Location, OpenError, OpenOptions, SqlError, Statement, Transaction, Value, open};

/// A database: a cheap handle, whose clones all mean the same connection.
///
/// It stays on its thread. It is closed by [`Database::close`], or when the last handle and statement are dropped.
#[derive(Clone)]
pub struct Database {
    inner: Rc<Inner>,
}

/// What all handles and statements of a database share.
pub(crate) struct Inner {
    // first, so that idle statements go before the connection
    cache: RefCell<Cache>,
    /// Counts what has run that may have changed the schema.
    schema: Cell<u64>,
    core: Rc<Core>,
    trace: RefCell<Option<Trace>>,
    traced: Cell<bool>,
    savepoints: Cell<u64>,
    /// Whether it was opened with a key, so that the state of the cipher says something.
    keyed: bool,
}

/// What [`Database::set_trace`] calls with each statement.
pub type Trace = Box<dyn FnMut(&str)>;

impl Database {
    /// Opens or creates an encrypted database and verifies the key.
    ///
    /// A file that is new or empty has nothing to verify; the first write encrypts it. A database in memory takes the key
    /// as well, and never writes anything.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which tells a wrong key, a plain database, a file that is none and one that is cut off from each
    /// other as far as bytes can. The file is left as it is.
    pub fn open(location: Location<'_>, key: &Key, options: &OpenOptions) -> Result<Self, OpenError> {
        let core = open::connect(location, options)?;
        open::unlock(&core, location, key)?;
        open::verify(&core, location, key)?;
        Ok(Self::new(core, true))
    }

    /// Opens or creates a database without encryption. Nothing is read before the first statement, so that
    /// `PRAGMA key` may still be that.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. A file that is encrypted or no database is found by the first statement.
    pub fn open_unencrypted(location: Location<'_>, options: &OpenOptions) -> Result<Self, OpenError> {
        Ok(Self::new(open::connect(location, options)?, false))
    }

    fn new(core: Rc<Core>, keyed: bool) -> Self {
        Self {
            inner: Rc::new(Inner {
                cache: RefCell::default(),
                schema: Cell::new(0),
                core,
                trace: RefCell::default(),
                traced: Cell::new(false),
                savepoints: Cell::new(0),
                keyed,
            }),
        }
    }

    /// Prepares the one statement that the SQL is, or takes it from the cache, if it waits there.
    ///
    /// # Errors
    ///
    /// [`SqlError::NoStatement`], [`SqlError::MultipleStatements`], [`SqlError::NulInSql`], what SQLite reports, and
    /// [`SqlError::Closed`].
    pub fn prepare(&self, sql: &str) -> Result<Statement, SqlError> {
        let inner = &self.inner;
        if !inner.is_open() {
            return Err(SqlError::Closed);
        }
        if let Some((raw, meta)) = inner.cache.borrow_mut().take(sql) {
            return Ok(Statement::new(Rc::clone(inner), raw, meta));
        }
        let text = c_text(sql)?;
        let mut start = 0;
        while start < sql.len() {
            let (raw, used) = inner.prepare_first(&text, start, true)?;
            start += used.max(1);
            if let Some(raw) = raw {
                if !sql.get(start..).is_none_or(is_blank) {
                    return Err(SqlError::MultipleStatements);
                }
                let meta = Rc::new(Meta::new(&raw, &redact(sql), is_cacheable(sql)));
                return Ok(Statement::new(Rc::clone(inner), raw, meta));
            }
        }
        Err(SqlError::NoStatement)
    }

    /// Runs every statement of the SQL, one after the other. Rows are left out.
    ///
    /// # Errors
    ///
    /// What SQLite reports of the first statement that fails; those before it have run. [`SqlError::NulInSql`] and
    /// [`SqlError::Closed`].
    pub fn execute_batch(&self, sql: &str) -> Result<(), SqlError> {
        let inner = &self.inner;
        if !inner.is_open() {
            return Err(SqlError::Closed);
        }
        let text = c_text(sql)?;
        let mut start = 0;
        while start < sql.len() {
            let (raw, used) = inner.prepare_first(&text, start, false)?;
            let this = sql.get(start..start + used).unwrap_or_default();
            start += used.max(1);
            let Some(mut raw) = raw else { continue };
            inner.trace(|| raw.expanded_sql(), this.trim());
            let run = loop {
                match raw.step() {
                    Ok(Step::Row) => {}
                    Ok(Step::Done) => break Ok(()),
                    Err(failure) => break Err(inner.explain(failure)),
                }
            };
            if !keeps_schema(this) {
                inner.schema_may_differ();
            }
            run?;
        }
        Ok(())
    }

    /// Begins a transaction, or a savepoint where one is open.
    ///
    /// # Errors
    ///
    /// What SQLite reports, such as SQLITE_BUSY, and [`SqlError::Closed`].
    pub fn transaction(&self, behavior: Behavior) -> Result<Transaction<'_>, SqlError> {
        Transaction::begin(self, behavior)
    }

    /// Whether it was not closed.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.inner.is_open()
    }

    /// Whether a transaction is open.
    #[inline]
    pub fn in_transaction(&self) -> bool {
        self.inner.is_open() && !self.inner.core.is_autocommit()
    }

    /// Whether the file cannot be written, because that was asked for, or because the operating system does not allow it.
    pub fn is_read_only(&self) -> bool {
        self.inner.core.is_read_only()
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.inner.core.changes()
    }

    /// Rows changed since the database was opened, those by triggers and foreign keys included.
    #[inline]
    pub fn total_changes(&self) -> u64 {
        self.inner.core.total_changes()
    }

    /// The rowid of the last row inserted, 0 where there is none.
    #[inline]
    pub fn last_insert_rowid(&self) -> i64 {
        self.inner.core.last_insert_rowid()
    }

    /// Calls `hook` with each statement that starts to run: its SQL with the values of parameters, without keys.
    ///
    /// What the hook itself runs is not traced. `None` ends it.
    pub fn set_trace(&self, hook: Option<Trace>) {
        self.inner.traced.set(hook.is_some());
        self.inner.trace.replace(hook);
    }

    /// Closes it: finalizes every statement and rolls back an open transaction. Closing twice is no error.
    ///
    /// # Errors
    ///
    /// [`SqlError::Busy`] while a row is borrowed or a call is under way on an outer frame: nothing has changed then.
    pub fn close(&self) -> Result<(), SqlError> {
        self.inner.core.close().map_err(SqlError::from_failure)?;
        self.inner.cache.borrow_mut().clear();
        Ok(())
    }

    /// How many savepoints are open in each other.
    pub(crate) fn savepoints(&self) -> u64 {
        self.inner.savepoints.get()
    }

    pub(crate) fn set_savepoints(&self, depth: u64) {
        self.inner.savepoints.set(depth);
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn is_open(&self) -> bool {
        self.core.is_open()
    }

    /// The schema that statements prepared now are for.
    pub(crate) fn schema(&self) -> u64 {
        self.schema.get()
    }

    /// Drops the idle statements: what they say of their columns, and that SQLite has accepted them, is of the schema as
    /// it was.
    pub(crate) fn schema_may_differ(&self) {
        self.schema.set(self.schema.get() + 1);
        self.cache.borrow_mut().clear();
    }

    /// Takes a statement back that is no longer used, and the schema that it was for.
    pub(crate) fn give_back(&self, mut raw: RawStatement, meta: &Rc<Meta>, schema: u64) {
        if meta.cached && schema == self.schema() && self.is_open() {
            raw.reset();
            raw.clear_bindings();
            self.cache.borrow_mut().put(raw, Rc::clone(meta));
        }
    }

    /// Shows a statement to the hook, if there is one.
    #[inline]
    pub(crate) fn trace(&self, expanded: impl FnOnce() -> Option<String>, sql: &str) {
        if self.traced.get() && self.is_open() {
            self.show(expanded().as_deref().unwrap_or(sql));
        }
    }

    #[cold]
    fn show(&self, sql: &str) {
        // The hook is taken out while it runs, so that what it runs itself is not traced without end.
        let hook = self.trace.take();
        let Some(mut hook) = hook else { return };
        let entered = self.core.enter();
        hook(&redact(sql));
        drop(entered);
        let mut place = self.trace.borrow_mut();
        // It may have replaced or ended itself meanwhile.
        if place.is_none() && self.traced.get() {
            *place = Some(hook);
        }
    }

    /// The error that a failure to prepare or to run a statement stands for.
    #[cold]
    pub(crate) fn explain(&self, failure: Failure) -> SqlError {
        if let Failure::Sqlite { code, .. } = &failure
            && self.keyed
            && matches!(
                code & 0xff,
                sqlite::SQLITE_CORRUPT
                    | sqlite::SQLITE_NOTADB
                    | sqlite::SQLITE_READONLY
                    | sqlite::SQLITE_ERROR
            )
            && self.core.cipher_failed()
        {
            return SqlError::PageAuthentication;
        }
        SqlError::from_failure(failure)
    }

    /// The error that a failure to bind a value stands for.
    #[cold]
    pub(crate) fn refuse(&self, value: Value<'_>, failure: Failure) -> SqlError {
        match (failure, value) {
            (
                Failure::Sqlite { code: sqlite::SQLITE_TOOBIG, .. },
                Value::Text(bytes) | Value::Blob(bytes),
            ) => SqlError::TooBig { length: bytes.len(), limit: self.core.length_limit() },
            (failure, _) => SqlError::from_failure(failure),
        }
    }

    /// Prepares the first statement from `start` on. The answer has the number of bytes that it takes.
    fn prepare_first(
        &self,
        sql: &CStr,
        start: usize,
        persistent: bool,
    ) -> Result<(Option<RawStatement>, usize), SqlError> {
        self.core.prepare(sql, start, persistent).map_err(|failure| {
            match holds_secret(&sql.to_string_lossy()) {
                true => SqlError::withheld(failure),
                false => self.explain(failure),
            }
        })
    }
}

/// The SQL as SQLite takes it without a copy of its own, which it would make of all that is left for each statement.
fn c_text(sql: &str) -> Result<CString, SqlError> {
    CString::new(sql).map_err(|error| SqlError::NulInSql { offset: error.nul_position() })
}

/// Whether a statement may be used again, which those that keep the schema may; but no text with a key is kept.
fn is_cacheable(sql: &str) -> bool {
    keeps_schema(sql) && !holds_secret(sql)
}

/// Whether a statement leaves every table and view as it is, as its first word tells. ROLLBACK may undo a change of them,
/// and a pragma may do anything, already while it is prepared.
fn keeps_schema(sql: &str) -> bool {
    const WORDS: [&str; 12] = [
        "select",
        "values",
        "with",
        "insert",
        "replace",
        "update",
        "delete",
        "begin",
        "commit",
        "end",
        "savepoint",
        "release",
    ];
    let first = tokens(sql).find(|token| !token.is(";"));
    first.is_none_or(|token| WORDS.iter().any(|word| token.is_word(word)))
}
