//! A database handle.

use std::ffi::CString;
use std::fmt;
use std::rc::Rc;

use rusqlite::config::DbConfig;
use strongroom_keys::{Format, Key};
use vendored_sys::sqlite;

use crate::lexer::is_blank;
use crate::open::{MAIN, Opened};
use crate::page_size;
use crate::prepared::keeps_schema;
use crate::seam::{Core, Source, Step};
use crate::session::{Session, Trace};
use crate::strongroom;
use crate::{Location, OpenError, OpenOptions, SqlError, Statement};

/// A database: a cheap handle, whose clones all share one connection.
///
/// The handle stays on its thread. The connection is closed by [`Database::close`], or when the last handle and statement
/// are dropped.
#[derive(Clone)]
pub struct Database {
    pub(crate) session: Rc<Session>,
}

impl Database {
    /// Opens or creates an encrypted database and verifies the key.
    ///
    /// A key without a page size opens a file of any page size. A new or empty file has nothing to verify; the first write
    /// encrypts it. An in-memory database also takes a key, and writes no file.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. As far as the file's bytes allow, the variants distinguish a wrong key, a plain database, a file
    /// that is not a database, and a truncated file. The file stays unchanged.
    pub fn open(location: Location<'_>, key: &Key, options: &OpenOptions) -> Result<Self, OpenError> {
        let opened = open_keyed(location, key, options)?;
        opened.core.key_is_verified();
        Ok(Self { session: Rc::new(Session::new(opened)) })
    }

    /// Opens or creates a database without encryption.
    ///
    /// SQLite reads nothing before the first statement, so the first statement may be `PRAGMA key`.
    ///
    /// # Errors
    ///
    /// [`OpenError`], including [`OpenError::KeyRequired`] for a file in the Strongroom format. If the file is in SQLCipher's
    /// format or not a database, this call succeeds and the first statement fails.
    pub fn open_unencrypted(location: Location<'_>, options: &OpenOptions) -> Result<Self, OpenError> {
        let opened = Opened::connect(location, options)?;
        strongroom::refuse_without_key(&opened.core, location)?;
        Ok(Self { session: Rc::new(Session::new(opened)) })
    }

    /// Prepares a single statement, or takes it from the cache.
    ///
    /// # Errors
    ///
    /// [`SqlError::NoStatement`], [`SqlError::MultipleStatements`], [`SqlError::NulInSql`], [`SqlError::Closed`], and
    /// the errors that SQLite reports.
    pub fn prepare(&self, sql: &str) -> Result<Statement, SqlError> {
        let session = &self.session;
        if !session.is_open() {
            return Err(SqlError::Closed);
        }
        if let Some(prepared) = session.take_idle(sql) {
            return Ok(Statement::new(Rc::clone(session), prepared));
        }
        let text = c_text(sql)?;
        let mut start = 0;
        while start < sql.len() {
            let parsed = session.parse(&Source { sql: &text, start, persistent: true })?;
            start += parsed.length.max(1);
            if let Some(raw) = parsed.statement {
                if !sql.get(start..).is_none_or(is_blank) {
                    return Err(SqlError::MultipleStatements);
                }
                return Ok(Statement::new(Rc::clone(session), page_size::prepared(session, raw, sql)?));
            }
        }
        Err(SqlError::NoStatement)
    }

    /// Runs every statement of the SQL in order, and discards the rows. An interrupt also takes effect between two
    /// statements.
    ///
    /// # Errors
    ///
    /// The error that SQLite reports for the first statement that fails; the statements before it have run.
    /// [`SqlError::NulInSql`] and [`SqlError::Closed`].
    pub fn execute_batch(&self, sql: &str) -> Result<(), SqlError> {
        let session = &self.session;
        if !session.is_open() {
            return Err(SqlError::Closed);
        }
        let text = c_text(sql)?;
        let mut start = 0;
        while start < sql.len() {
            if session.core.is_interrupted() {
                return Err(SqlError::from_failure(Core::failure_of_code(sqlite::SQLITE_INTERRUPT)));
            }
            let parsed = session.parse(&Source { sql: &text, start, persistent: false })?;
            let this = sql.get(start..start + parsed.length).unwrap_or_default();
            start += parsed.length.max(1);
            let Some(mut raw) = parsed.statement else { continue };
            session.trace(|| raw.expanded_sql(), this.trim())?;
            let run = loop {
                match raw.step() {
                    Ok(Step::Row) => {}
                    Ok(Step::Done) => break Ok(()),
                    Err(failure) => break Err(session.explain(failure)),
                }
            };
            if !keeps_schema(this) {
                session.schema_may_differ();
            }
            run?;
        }
        Ok(())
    }

    /// Runs every statement of the SQL in order inside a transaction that the caller has begun, and discards the rows.
    ///
    /// # Errors
    ///
    /// [`SqlError::TransactionBounds`] for BEGIN, COMMIT, END and ROLLBACK without TO; the statements before it have run.
    /// The errors of [`Database::execute_batch`].
    pub fn execute_batch_in_transaction(&self, sql: &str) -> Result<(), SqlError> {
        self.session.core.without_bounds(|| self.execute_batch(sql))
    }

    /// Returns whether the database is open.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// Returns the format of the main database, or `None` for a database without a key: a plain database, or any database
    /// before `PRAGMA key`.
    pub fn format(&self) -> Option<Format> {
        let core = &self.session.core;
        if core.unlocked("main").is_some() {
            return Some(Format::Strongroom);
        }
        core.keyspec(MAIN).map(|_| Format::SqlCipher)
    }

    /// Returns whether a transaction is open.
    #[inline]
    pub fn in_transaction(&self) -> bool {
        self.session.is_open() && !self.session.core.is_autocommit()
    }

    /// Returns whether a transaction, explicit or implicit, has begun to write.
    #[inline]
    pub fn is_writing(&self) -> bool {
        self.session.core.is_writing()
    }

    /// Keeps the snapshot that this connection's statements read, until the returned value is dropped.
    ///
    /// Without the returned value, the read transaction ends with the last running statement, and the next statement sees
    /// the changes of other connections. Returns `None` if the snapshot cannot be kept.
    pub fn hold_snapshot(&self) -> Option<Snapshot> {
        let core = &self.session.core;
        // An explicit transaction keeps its snapshot anyway, and a statement that reads no database has no snapshot.
        if !core.is_autocommit() || !core.is_reading(None) {
            return Some(Snapshot { _holder: None });
        }
        if !core.is_reading(Some(MAIN)) {
            return None;
        }
        // A statement on a row keeps the read transactions of all databases open.
        let mut holder = self.prepare("SELECT 1 FROM main.sqlite_schema").ok()?;
        let held = matches!(holder.step(), Ok(Some(_)));
        held.then_some(Snapshot { _holder: Some(holder) })
    }

    /// Returns whether the file is open read-only, because of the options or because the operating system forbids writing.
    pub fn is_read_only(&self) -> bool {
        self.session.core.is_read_only(MAIN)
    }

    /// Returns the number of rows that the last INSERT, UPDATE or DELETE changed.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.session.core.changes()
    }

    /// Returns the number of rows changed since the database was opened, including changes by triggers and foreign keys.
    #[inline]
    pub fn total_changes(&self) -> u64 {
        self.session.core.total_changes()
    }

    /// Returns the rowid of the row that was inserted last, or 0.
    #[inline]
    pub fn last_insert_rowid(&self) -> i64 {
        self.session.core.last_insert_rowid()
    }

    /// Forbids (the default) or allows SQL that can damage the file, such as `PRAGMA writable_schema`.
    ///
    /// # Errors
    ///
    /// [`SqlError::Closed`].
    pub fn set_defensive(&self, on: bool) -> Result<(), SqlError> {
        let set = self
            .session
            .core
            .with(|connection| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, on).map(drop));
        set.map_err(SqlError::from_failure)
    }

    /// Calls `hook` before each statement runs, with the SQL: parameters replaced by their values, keys removed.
    ///
    /// If the hook returns `Break`, the statement does not run and fails with [`SqlError::TraceStopped`]. Statements that
    /// the hook runs are not traced. `None` removes the hook.
    pub fn set_trace(&self, hook: Option<Trace>) {
        self.session.set_trace(hook);
    }

    /// Finalizes every statement, rolls back an open transaction and closes the connection.
    ///
    /// A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`SqlError::Busy`] while a row is borrowed, or a call is running in an outer frame; the database stays open.
    pub fn close(&self) -> Result<(), SqlError> {
        self.session.close()
    }
}

/// A snapshot kept by [`Database::hold_snapshot`].
#[derive(Debug)]
pub struct Snapshot {
    _holder: Option<Statement>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

/// Opens a database with a key, and verifies the key.
fn open_keyed(location: Location<'_>, key: &Key, options: &OpenOptions) -> Result<Opened, OpenError> {
    let mut opened = Opened::connect(location, options)?;
    opened.unlock(location, key)?;
    let mut verified = opened.verify(location);
    if verified.is_err()
        && let Some(again) = opened.with_page_size_of_file(location, options, key)
    {
        opened = again?;
        verified = opened.verify(location);
    }
    match (verified, location) {
        // An image in WAL mode has no write-ahead log, which SQLite would try to open.
        (Err(error), Location::Image(bytes)) if error.code() == "SQLITE_CANTOPEN" => {
            let image = opened.image_without_wal(bytes)?;
            let location = Location::Image(&image);
            let again = opened.again(location, options)?;
            again.verify(location)?;
            Ok(again)
        }
        (verified, _) => verified.map(|()| opened),
    }
}

/// Copies the SQL once, with a NUL at its end. Without the NUL, SQLite copies the rest of the text for each statement.
fn c_text(sql: &str) -> Result<CString, SqlError> {
    CString::new(sql).map_err(|error| SqlError::NulInSql { offset: error.nul_position() })
}
