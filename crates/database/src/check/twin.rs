//! A second connection for the check.
//!
//! SQLCipher stops reading a database when a page fails its authentication. The caller's connection must not stop reading,
//! so a second connection reads instead, and is opened again after each failure. The second connection uses the derived
//! key, so opening it needs no key derivation.

use std::ffi::CStr;
use std::time::Duration;

use rusqlite::TransactionState;
use rusqlite::config::DbConfig;
use vendored_sys::sqlite;

use super::CheckError;
use crate::open::Opened;
use crate::pragma::pragma;
use crate::seam::{Core, Failure};
use crate::{OpenOptions, SqlError};

/// A second connection to the file of a database, in a read transaction.
pub(super) struct Twin<'c> {
    of: &'c Core,
    schema: &'c CStr,
    options: OpenOptions,
    lenient: bool,
    opened: Opened,
}

/// The state of a connection that has begun to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// The first page and the schema are sound.
    Sound,
    /// The first page or a page of the schema fails its authentication, so SQLCipher reads no page.
    CipherFailed,
    /// SQLite reports damage. A lenient connection may still read.
    Damaged { message: String },
}

impl<'c> Twin<'c> {
    /// Opens the connection, or returns `None` for an in-memory database.
    pub(super) fn open(of: &'c Core, schema: &'c CStr) -> Result<Option<(Self, Begun)>, CheckError> {
        let timeout = timeout(of, schema).map_err(SqlError::from_failure)?;
        let options =
            OpenOptions { read_only: of.is_read_only(schema), must_exist: true, busy_timeout: timeout };
        let Some(opened) = Opened::twin(of, schema, &options)? else { return Ok(None) };
        let twin = Self { of, schema, options, lenient: false, opened };
        let begun = twin.begin()?;
        Ok(Some((twin, begun)))
    }

    pub(super) fn core(&self) -> &Core {
        &self.opened.core
    }

    /// Opens the connection again. A lenient connection reads truncated files, and the tables of a damaged schema.
    pub(super) fn reopen(&mut self, lenient: bool) -> Result<Begun, CheckError> {
        self.lenient = lenient;
        if let Some(opened) = Opened::twin(self.of, self.schema, &self.options)? {
            self.opened = opened;
        }
        self.begin()
    }

    /// Returns whether SQLCipher stopped reading.
    pub(super) fn cipher_failed(&self) -> bool {
        self.opened.page_size.is_some() && self.core().cipher_failed("main")
    }

    fn begin(&self) -> Result<Begun, CheckError> {
        let begun = self.core().with(|connection| {
            if self.lenient {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
                connection.execute_batch("PRAGMA writable_schema = ON")?;
            }
            connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
            connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        });
        match begun {
            Ok(_) => Ok(Begun::Sound),
            Err(_) if self.cipher_failed() => Ok(Begun::CipherFailed),
            Err(failure) => Ok(Begun::Damaged { message: damage(failure)? }),
        }
    }
}

/// Returns the message of a failure that damage causes, or the failure as an error.
pub(super) fn damage(failure: Failure) -> Result<String, CheckError> {
    match failure {
        Failure::Sqlite { code, message }
            if matches!(
                code & 0xff,
                sqlite::SQLITE_CORRUPT | sqlite::SQLITE_NOTADB | sqlite::SQLITE_ERROR | sqlite::SQLITE_FORMAT
            ) =>
        {
            Ok(message)
        }
        Failure::Sqlite { code: sqlite::SQLITE_INTERRUPT, .. } => Err(CheckError::Cancelled),
        failure => Err(SqlError::from_failure(failure).into()),
    }
}

/// Returns the busy timeout of the caller's connection, or 0 if that connection itself may hold the lock.
fn timeout(core: &Core, schema: &CStr) -> Result<Duration, Failure> {
    let name = schema.to_string_lossy();
    core.with(|connection| {
        let writes = connection.transaction_state(Some(&*name))? == TransactionState::Write;
        if writes || pragma::<String>(connection, &name, "locking_mode")? == "exclusive" {
            return Ok(Duration::ZERO);
        }
        Ok(Duration::from_millis(pragma::<u32>(connection, "main", "busy_timeout")?.into()))
    })
}
