//! The state that all handles and statements of one database share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;

use vendored_sys::sqlite;

use crate::cache::Cache;
use crate::functions::FunctionFailures;
use crate::key_changed::key_changed;
use crate::limited_change;
use crate::open::{MAIN, Opened, path_of};
use crate::prepared::Prepared;
use crate::redact::{holds_secret, redact};
use crate::seam::{Core, Failure, Parsed, RawStatement, Source, take_refused};
use crate::vacuum_into;
use crate::{SqlError, Value};

/// SQLite's message for an SQLITE_ERROR without a specific cause.
const GENERIC: &str = "SQL logic error";

/// The callback of [`Database::set_trace`](crate::Database::set_trace).
pub type Trace = Box<dyn FnMut(&str) -> ControlFlow<()>>;

/// A connection with its idle statements and its trace.
pub(crate) struct Session {
    // Declared first, so that idle statements are dropped before the connection.
    cache: RefCell<Cache>,
    /// Counts the statements that ran and may have changed the schema.
    schema: Cell<u64>,
    pub(crate) core: Rc<Core>,
    function_failures: FunctionFailures,
    trace: RefCell<Option<Trace>>,
    traced: Cell<bool>,
    /// The number of nested open savepoints.
    pub(crate) savepoints: Cell<u64>,
    /// The databases whose key another connection has changed, with their paths.
    key_changed: RefCell<HashMap<CString, PathBuf>>,
    /// `true` if the database has a key. Without a key, the cipher's state is meaningless.
    keyed: bool,
}

impl Session {
    pub(crate) fn new(opened: Opened) -> Self {
        Self {
            cache: RefCell::default(),
            schema: Cell::new(0),
            core: opened.core,
            function_failures: opened.function_failures,
            trace: RefCell::default(),
            traced: Cell::new(false),
            savepoints: Cell::new(0),
            key_changed: RefCell::default(),
            keyed: opened.page_size.is_some(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.core.is_open()
    }

    /// Finalizes every statement and closes the connection.
    pub(crate) fn close(&self) -> Result<(), SqlError> {
        self.core.close().map_err(SqlError::from_failure)?;
        self.cache.borrow_mut().clear();
        Ok(())
    }

    /// Returns the schema version that newly prepared statements belong to.
    pub(crate) fn schema(&self) -> u64 {
        self.schema.get()
    }

    /// Drops the idle statements: SQLite compiled them and named their columns for the old schema.
    pub(crate) fn schema_may_differ(&self) {
        self.schema.set(self.schema.get() + 1);
        self.cache.borrow_mut().clear();
    }

    /// Removes and returns the idle statement of this SQL from the cache.
    pub(crate) fn take_idle(&self, sql: &str) -> Option<Prepared> {
        self.cache.borrow_mut().take(sql)
    }

    /// Caches a dropped statement, unless the schema has changed since the statement was prepared.
    pub(crate) fn give_back(&self, mut prepared: Prepared, schema: u64) {
        if prepared.facts.cacheable && schema == self.schema() && self.is_open() {
            prepared.raw.reset();
            prepared.raw.clear_bindings();
            self.cache.borrow_mut().put(prepared);
        }
    }

    /// Compiles the first statement of `source`.
    pub(crate) fn parse(&self, source: &Source<'_>) -> Result<Parsed, SqlError> {
        let parsed = RawStatement::parse(&self.core, source);
        let parsed = parsed.map_err(|failure| self.not_parsed(source, failure))?;
        let statement = source.sql.to_bytes().get(source.start..source.start + parsed.length);
        vacuum_into::prepare(&self.core, statement.unwrap_or_default())?;
        Ok(parsed)
    }

    #[cold]
    fn not_parsed(&self, source: &Source<'_>, failure: Failure) -> SqlError {
        let offset = self.core.error_offset();
        if let (Failure::Sqlite { code: sqlite::SQLITE_AUTH, .. }, Some(refused)) = (&failure, take_refused())
        {
            if refused.pragma == "ATTACH" {
                return SqlError::RefusedAttach { why: refused.why, instead: refused.instead };
            }
            if refused.pragma == "TRANSACTION" {
                return SqlError::TransactionBounds;
            }
            return SqlError::RefusedPragma {
                pragma: refused.pragma,
                why: refused.why,
                instead: refused.instead,
            };
        }
        let sql = source.sql.to_string_lossy();
        if let (Failure::Sqlite { code: sqlite::SQLITE_ERROR, .. }, Some(offset)) = (&failure, offset)
            && let Some(rewrite) =
                sql.get(source.start..).and_then(|sql| limited_change::rewrite(sql, offset))
        {
            return SqlError::LimitedChange { rewrite };
        }
        match holds_secret(&sql) {
            true => SqlError::withheld(failure),
            false => self.explain(failure),
        }
    }

    pub(crate) fn set_trace(&self, hook: Option<Trace>) {
        self.traced.set(hook.is_some());
        self.trace.replace(hook);
    }

    /// Calls the trace, if set, before a statement runs.
    #[inline]
    pub(crate) fn trace(&self, expanded: impl FnOnce() -> Option<String>, sql: &str) -> Result<(), SqlError> {
        if self.traced.get() && self.is_open() {
            return self.show(expanded().as_deref().map_or(sql, str::trim_start));
        }
        Ok(())
    }

    #[cold]
    fn show(&self, sql: &str) -> Result<(), SqlError> {
        // The hook is removed while it runs: statements of the hook would otherwise call it endlessly.
        let hook = self.trace.take();
        let Some(mut hook) = hook else { return Ok(()) };
        let entered = self.core.enter();
        let flow = hook(&redact(sql));
        drop(entered);
        let mut place = self.trace.borrow_mut();
        // The hook may have replaced or removed itself.
        if place.is_none() && self.traced.get() {
            *place = Some(hook);
        }
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(SqlError::TraceStopped),
        }
    }

    /// Returns the error for a statement that failed to compile or to run.
    #[cold]
    pub(crate) fn explain(&self, failure: Failure) -> SqlError {
        let Failure::Sqlite { code, message } = &failure else { return SqlError::from_failure(failure) };
        if let Some(error) = self.function_failures.take(message) {
            return error;
        }
        let may_be_the_cipher = matches!(
            code & 0xff,
            sqlite::SQLITE_CORRUPT
                | sqlite::SQLITE_NOTADB
                | sqlite::SQLITE_READONLY
                | sqlite::SQLITE_NOMEM
                | sqlite::SQLITE_ERROR
        );
        if !may_be_the_cipher {
            return SqlError::from_failure(failure);
        }
        let broken = match self.keyed && self.core.cipher_failed("main") {
            true => Some(MAIN.to_owned()),
            // A broken database leaves the others usable, so an error with a specific cause does not come from the broken
            // database.
            false if *code != sqlite::SQLITE_ERROR || message == GENERIC => self.broken_attached(),
            false => None,
        };
        let Some(broken) = broken.or_else(|| self.zeroed()) else { return SqlError::from_failure(failure) };
        // The cipher stays broken, even if the key is changed back.
        let mut changed = self.key_changed.borrow_mut();
        let path = match changed.get(&broken) {
            Some(path) => Some(path.clone()),
            None => key_changed(&self.core, &broken),
        };
        match path {
            Some(path) => {
                changed.insert(broken, path.clone());
                SqlError::KeyChanged { path }
            }
            None => self.damaged_page(&broken).unwrap_or(SqlError::PageAuthentication),
        }
    }

    /// Returns the error for a page of a database in the Strongroom format, whose number is known.
    fn damaged_page(&self, schema: &CStr) -> Option<SqlError> {
        let page = self.core.failed_page(&schema.to_string_lossy())?;
        let path =
            self.core.file_name(schema).map_or_else(|| PathBuf::from(":memory:"), |name| path_of(&name));
        Some(SqlError::DamagedPage { path, page })
    }

    /// Returns the name of a database in the Strongroom format from which a page of zeros was read.
    fn zeroed(&self) -> Option<CString> {
        let schemas = self.core.schemas().ok()?;
        let sealed = schemas.into_iter().filter(|name| self.core.unlocked(name).is_some());
        sealed.filter(|name| self.core.has_zeroed_page(name)).find_map(|name| CString::new(name).ok())
    }

    /// Returns the name of an attached database whose cipher failed.
    fn broken_attached(&self) -> Option<CString> {
        let schemas = self.core.schemas().ok()?;
        let attached = schemas.into_iter().filter(|name| !matches!(name.as_str(), "main" | "temp"));
        attached
            .filter(|name| self.core.is_keyed(name) && self.core.cipher_failed(name))
            .find_map(|name| CString::new(name).ok())
    }

    /// Returns the error for a value that could not be bound.
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
}
