//! Copies a database into a new file with another key, or without one.
//!
//! The layout of a page depends on the bytes that the cipher reserves on it. A copy for another cipher therefore cannot be
//! made page by page. The conversion copies rows, as SQLite's VACUUM does: it creates the tables and indexes from the text
//! of the schema, and fills them. The schema entries of views, triggers and virtual tables are copied unchanged. No code of
//! the schema runs, apart from the expressions of indexes and generated columns.

mod schema;
mod table;
mod verify;

use std::ffi::{CStr, c_int};
use std::fs::File;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use strongroom_format::Unlocked;
use strongroom_keys::{Format, HashAlgorithm, Key};

use crate::cipher::Cipher;
use crate::open::{MAIN, Opened, c_path};
use crate::seam::{Core, Failure};
use crate::strongroom::NewFile;
use crate::{Location, MigrateError, OpenError, OpenOptions};
use schema::Schema;

/// The endings of the files that SQLite keeps beside a database.
pub(crate) const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];
/// The name of the copy in the source's connection.
const COPY: &CStr = c"strongroom_copy";
/// The default page size of plain databases and of SQLCipher 4.
const DEFAULT_PAGE_SIZE: u32 = 4_096;
/// The default page size of SQLCipher 1 to 3.
const OLD_PAGE_SIZE: u32 = 1_024;
/// The number of steps of SQLite's virtual machine between two reports.
const STEPS: c_int = 1_000;
/// The smallest page of an encrypted file.
const MIN_CIPHER_PAGE_SIZE: u32 = 1_024;

/// The progress of a conversion, which writes each page once and reads it back once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of pages that are done. This number never decreases, and equals `total` at the end.
    pub done: u64,
    /// Twice the number of pages of the source.
    pub total: u64,
}

/// The result of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The number of tables, including SQLite's own tables and the shadow tables of virtual tables.
    pub tables: u64,
    /// The number of rows in these tables.
    pub rows: u64,
    /// The number of pages of the copy.
    pub pages: u64,
    /// The page size of the copy in bytes.
    pub page_size: u32,
}

/// The source and the target of a conversion.
pub(crate) struct Conversion<'a> {
    /// A connection to the source, used for nothing else, opened for writing and without a transaction. The conversion
    /// reads in one transaction, changes the connection's settings, and leaves the connection open.
    pub(crate) source: &'a Opened,
    /// The source's path, for error messages.
    pub(crate) path: &'a Path,
    /// The file of the copy, which does not exist yet or is empty.
    pub(crate) target: &'a Path,
    pub(crate) encryption: Encryption<'a>,
}

/// The encryption of a copy.
pub(crate) enum Encryption<'a> {
    Plain,
    /// A key, which is derived anew.
    Key(&'a Key),
    /// The Strongroom format, with this header.
    Header(Arc<Unlocked>),
}

impl<'a> Encryption<'a> {
    /// Returns the encryption with a key, or none without a key.
    pub(crate) fn of(key: Option<&'a Key>) -> Self {
        key.map_or(Self::Plain, Self::Key)
    }
}

/// Copies a database, compares the copy with the source, and syncs the copy to the disk.
///
/// The copy has the source's content and settings: rowids, sequences, statistics, the encoding, `auto_vacuum`,
/// `user_version`, `application_id` and the journal mode. `progress` is called repeatedly, and cancels the conversion by
/// returning `Break`. After an error, the copy does not exist.
///
/// # Errors
///
/// [`MigrateError`].
pub(crate) fn convert(
    conversion: &Conversion<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Converted, MigrateError> {
    let (target, path) = (conversion.target, conversion.path);
    create(target)?;
    let result = Run { conversion, progress, done: 0, pages: 0, size: 0 }.run();
    if result.is_err() {
        remove_database(target);
    }
    result.map_err(|error| match error {
        // The copy grows while it is written, so any step may find the disk full.
        MigrateError::Open(OpenError::Sqlite { source, .. }) if source.code() == "SQLITE_FULL" => {
            MigrateError::Full { path: path.to_owned(), source: None }
        }
        other => other,
    })
}

/// Removes a database that nobody has open, with the files that SQLite keeps beside it.
pub(crate) fn remove_database(path: &Path) {
    for ending in COMPANIONS {
        let _ = std::fs::remove_file(with_ending(path, ending));
    }
    let _ = std::fs::remove_file(path);
}

/// Appends an ending to the name of a file.
pub(crate) fn with_ending(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Creates the file of the copy, or accepts an empty file, which the caller may have created with other permissions.
fn create(target: &Path) -> Result<(), MigrateError> {
    match File::options().write(true).create_new(true).open(target) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let empty =
                std::fs::symlink_metadata(target).is_ok_and(|found| found.is_file() && found.len() == 0);
            empty.then_some(()).ok_or_else(|| MigrateError::TargetExists { path: target.to_owned() })
        }
        Err(source) => Err(MigrateError::system(target, "create", target, source)),
    }
}

/// A running conversion.
struct Run<'r, 'a> {
    conversion: &'r Conversion<'a>,
    progress: &'r mut dyn FnMut(Progress) -> ControlFlow<()>,
    done: u64,
    /// The number of pages of the source.
    pages: u64,
    /// The size of the source in bytes.
    size: u64,
}

impl Run<'_, '_> {
    fn run(mut self) -> Result<Converted, MigrateError> {
        let core = Rc::clone(&self.conversion.source.core);
        let converted = self.copy_and_compare(&core);
        // Leaves the connection usable. These statements do nothing after a success.
        let _ = core.with(|connection| {
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            connection.execute_batch("DETACH strongroom_copy")
        });
        let converted = converted?;
        let target = self.conversion.target;
        let sync = File::options().write(true).open(target).and_then(|file| file.sync_all());
        sync.map_err(|error| MigrateError::system(self.conversion.path, "sync", target, error))?;
        self.report(2 * self.pages)?;
        Ok(converted)
    }

    /// Copies and hashes the source in one read transaction, then compares the copy.
    fn copy_and_compare(&mut self, core: &Rc<Core>) -> Result<Converted, MigrateError> {
        self.attach(core)?;
        let schema = self.sql(core, Schema::read)?;
        (self.pages, self.size) = (schema.pages, schema.pages * u64::from(schema.page_size));
        self.report(0)?;
        let page_size = self.page_size(core, &schema)?;
        let copy = self.create_tables(&schema, page_size)?;
        self.unlock_attached(core, &copy)?;
        let rows = self.fill(core, &schema)?;
        let mut progress = verify::Rows { total: 2 * rows, done: 0 };
        let contents = self.contents(core, &schema, &mut progress)?;
        self.sql(core, |connection| connection.execute_batch("COMMIT; DETACH strongroom_copy"))?;
        self.finish_copy(copy, &schema)?;

        let copy = self.reopen(page_size)?;
        self.compare(&copy, &schema, &contents, &mut progress)?;
        let pages = self.check_integrity(core, &copy)?;
        copy.core.close().map_err(|failure| self.failed(failure))?;
        Ok(Converted { tables: schema.tables.len() as u64, rows, pages, page_size })
    }

    /// Calls SQLite's functions on a connection.
    fn sql<T>(
        &self,
        core: &Core,
        call: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, MigrateError> {
        core.with(call).map_err(|failure| self.failed(failure))
    }

    /// Returns the error for a failure of SQLite.
    fn failed(&self, failure: Failure) -> MigrateError {
        let core = &self.conversion.source.core;
        match MigrateError::sqlite(self.conversion.path, failure) {
            MigrateError::Sqlite { path, .. }
                if self.conversion.source.page_size.is_some() && core.cipher_failed("main") =>
            {
                MigrateError::Sqlite { path, source: crate::SqlError::PageAuthentication }
            }
            other => other,
        }
    }

    fn same(&self, same: bool, what: &str) -> Result<(), MigrateError> {
        let path = self.conversion.path.to_owned();
        same.then_some(()).ok_or_else(|| MigrateError::Different { path, what: what.to_owned() })
    }

    /// Reports that at least `done` pages are done.
    fn report(&mut self, done: u64) -> Result<(), MigrateError> {
        let total = 2 * self.pages;
        self.done = done.clamp(self.done, total);
        match (self.progress)(Progress { done: self.done, total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(MigrateError::Cancelled { path: self.conversion.path.to_owned() }),
        }
    }

    /// Returns the page size of the copy: the key's, if set; the copy's default, if the source has the default of its
    /// version; otherwise the source's.
    ///
    /// Other tools open a file without extra settings if its page size is the default of its version.
    fn page_size(&self, core: &Core, schema: &Schema) -> Result<u32, MigrateError> {
        let source = Cipher::of(core, MAIN).map_err(|failure| self.failed(failure))?;
        let is_old =
            source.is_some_and(|cipher| cipher.parameters.kdf_algorithm == Some(HashAlgorithm::Sha1));
        let source_default = if is_old { OLD_PAGE_SIZE } else { DEFAULT_PAGE_SIZE };
        let key = match &self.conversion.encryption {
            Encryption::Key(key) => key,
            Encryption::Header(header) => return Ok(header.page_size()),
            Encryption::Plain if schema.page_size == source_default => return Ok(DEFAULT_PAGE_SIZE),
            Encryption::Plain => return Ok(schema.page_size),
        };
        let target_default = key.parameters().default_page_size();
        // Without an HMAC, nothing reveals the page size of the file.
        let is_found = key.parameters().effective_hmac_algorithm().is_some();
        Ok(match key.parameters().page_size {
            Some(size) => size,
            None if schema.page_size == source_default || !is_found => target_default,
            None if schema.page_size < MIN_CIPHER_PAGE_SIZE => target_default,
            None => schema.page_size,
        })
    }

    /// Returns the format of the copy: the key's, if set, otherwise the source's, if the key has no parameters of SQLCipher's
    /// format.
    fn format(&self, key: &Key) -> Result<Format, MigrateError> {
        let source =
            Cipher::of(&self.conversion.source.core, MAIN).map_err(|failure| self.failed(failure))?;
        let kept = source.map(|cipher| cipher.format());
        let kept = kept.filter(|_| key.parameters().first_of_sqlcipher().is_none());
        Ok(key.format().or(kept).unwrap_or(Format::SqlCipher))
    }

    /// Opens the file of the copy without reading it.
    fn open_target(&self, page_size: u32) -> Result<Opened, MigrateError> {
        let location = Location::File(self.conversion.target);
        let options = OpenOptions { must_exist: true, ..OpenOptions::default() };
        let mut opened = Opened::connect(location, &options)?;
        match &self.conversion.encryption {
            Encryption::Plain => {}
            Encryption::Key(key) => {
                opened.unlock_new(location, key, NewFile { format: self.format(key)?, page_size })?;
            }
            Encryption::Header(header) => opened.unlock_with_header(location, header)?,
        }
        self.sql(&opened.core, |connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
            connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        })?;
        Ok(opened)
    }

    /// Creates the file of the copy with its settings, tables and indexes.
    fn create_tables(&self, schema: &Schema, page_size: u32) -> Result<Opened, MigrateError> {
        let copy = self.open_target(page_size)?;
        self.sql(&copy.core, |connection| schema.prepare_file(connection, page_size))?;
        for (name, sql) in schema.statements() {
            let created = copy.core.with(|connection| schema::create(connection, name, sql));
            created.map_err(|failure| MigrateError::table(self.conversion.path, name, failure))?;
        }
        self.sql(&copy.core, |connection| schema.finish_file(connection))?;
        Ok(copy)
    }

    /// Attaches the file of the copy, which is empty, to the source's connection, and begins the transaction.
    fn attach(&self, core: &Core) -> Result<(), MigrateError> {
        let path = std::path::absolute(self.conversion.target).map_err(|error| {
            MigrateError::system(self.conversion.path, "find", self.conversion.target, error)
        })?;
        let path = c_path(Location::File(&path))?;
        // A path may not be Unicode, so a `str` cannot hold it.
        let path = ToSqlOutput::Borrowed(ValueRef::Text(path.as_bytes()));
        self.sql(core, |connection| {
            // The schema of an old file may write strings as "text", which this engine otherwise refuses.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, true)?;
            // SQLite writes shadow tables and the schema table only with the defensive mode off.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
            // Without the empty key, the copy would have the source's key.
            connection.execute("ATTACH ?1 AS strongroom_copy KEY ''", [&path])?;
            // Rows that break a constraint are copied too. After a crash, the copy is removed, so a journal or a sync would
            // be useless. A large cache lets indexes grow in memory.
            connection.execute_batch(
                "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                 PRAGMA strongroom_copy.synchronous = OFF; PRAGMA strongroom_copy.cache_size = -32000; BEGIN",
            )
        })
    }

    /// Gives the attached copy the keys that the copy's own connection has derived.
    ///
    /// ATTACH with a key would need every parameter when it reads the file. This file was still empty at ATTACH.
    fn unlock_attached(&self, core: &Core, copy: &Opened) -> Result<(), MigrateError> {
        if !matches!(self.conversion.encryption, Encryption::Plain) {
            let cipher = Cipher::of(&copy.core, MAIN).map_err(|failure| self.failed(failure))?;
            let Some(cipher) = cipher else { return self.same(false, "key") };
            cipher.apply(core, COPY).map_err(|failure| self.failed(failure))?;
        }
        self.sql(core, |connection| connection.execute_batch("PRAGMA strongroom_copy.journal_mode = OFF"))
    }

    /// Fills the tables of the copy, then writes the schema table with the source's entries.
    fn fill(&mut self, core: &Core, schema: &Schema) -> Result<u64, MigrateError> {
        let mut rows = 0;
        // The sequences come last, because filling a table changes them.
        let (sequence, ordinary): (Vec<_>, Vec<_>) =
            schema.tables.iter().partition(|table| table.name == schema::SEQUENCE);
        for table in ordinary.into_iter().chain(sequence) {
            let copied = self.watched(core, || core.with(|connection| table.copy(connection)));
            rows += copied.map_err(|failure| match self.failed(failure) {
                MigrateError::Sqlite { path, source } => {
                    MigrateError::Table { path, name: table.name.clone(), source }
                }
                other => other,
            })?;
        }
        self.sql(core, |connection| schema.copy_entries(connection))?;
        Ok(rows)
    }

    /// Runs a long statement that fills the copy, and reports the pages written.
    fn watched<T>(&mut self, core: &Core, run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let (target, pages) = (self.conversion.target, self.pages);
        let size = u128::from(self.size.max(1));
        let mut go_on = || {
            // The page size of the copy may differ from the source's.
            let length = std::fs::metadata(target).map_or(0, |metadata| metadata.len());
            let written = u128::from(length) * u128::from(pages) / size;
            self.report(u64::try_from(written).unwrap_or(pages).min(pages)).is_ok()
        };
        core.watched(STEPS, &mut go_on, run)
    }

    /// Applies the settings that only the copy's own connection can apply, and closes that connection.
    fn finish_copy(&self, copy: Opened, schema: &Schema) -> Result<(), MigrateError> {
        self.sql(&copy.core, |connection| {
            match schema.settings.is_wal {
                // In exclusive locking mode, the log needs no shared memory.
                true => {
                    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL")
                }
                false => Ok(()),
            }
        })?;
        copy.core.close().map_err(|failure| self.failed(failure))
    }
}

#[cfg(test)]
mod tests;
