//! The connection that writes the pages of a backup.

use std::rc::Rc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use strongroom_keys::Key;

use crate::backup_conversion::Conversion;
use crate::backup_file::BackupFile;
use crate::cipher::{Cipher, CipherFailure};
use crate::open::{MAIN, Opened};
use crate::seam::{Core, Failure};
use crate::strongroom::NewFile;
use crate::{BackupError, Location, OpenOptions, SqlError};

/// A connection to an empty database, before the first page is copied.
pub(crate) struct BackupTarget<'f> {
    file: &'f BackupFile,
    pub(crate) core: Rc<Core>,
}

impl<'f> BackupTarget<'f> {
    /// Opens the file that becomes the copy, or the location of the pages to convert.
    pub(crate) fn open(file: &'f BackupFile, conversion: Option<&Conversion>) -> Result<Self, BackupError> {
        let location = conversion.map_or(Location::File(file.temporary()), Conversion::location);
        let options =
            OpenOptions { must_exist: true, busy_timeout: Duration::ZERO, ..OpenOptions::default() };
        let opened = Opened::connect(location, &options)
            .map_err(|source| BackupError::Open { path: file.given().to_owned(), source })?;
        let this = Self { file, core: opened.core };
        // The copy needs no journal, because a copy left by a crash is removed. Defensive mode would forbid turning the
        // journal off. The file is synced before it replaces the target.
        let undefended = this.core.with(|connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).map(|_| ())
        });
        undefended.map_err(|failure| target_failure(file, failure))?;
        this.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(this)
    }

    /// Encrypts the copy so that the source's keys open it.
    pub(crate) fn encrypt_like(&self, source: &Cipher) -> Result<(), BackupError> {
        source.apply_to_copy(&self.core, MAIN).map_err(|failure| self.unkeyed(failure))
    }

    fn unkeyed(&self, failure: CipherFailure) -> BackupError {
        let path = self.file.given().to_owned();
        match failure {
            CipherFailure::Sqlite(failure) => target_failure(self.file, failure),
            CipherFailure::Key(source) => BackupError::Key { path, source },
            CipherFailure::Format(failure) => {
                BackupError::Open { source: failure.into_open_error(path.clone()), path }
            }
        }
    }

    /// Sets a key that differs from the source's.
    pub(crate) fn encrypt_anew(&self, key: &Key, page_size: u32) -> Result<(), BackupError> {
        let new = NewFile { page_size, ..NewFile::of(key) };
        let cipher = Cipher::new(&self.core, MAIN, key, new).map_err(|failure| self.unkeyed(failure))?;
        let applied = cipher.with_page_size(page_size).apply(&self.core, MAIN);
        applied.map_err(|failure| target_failure(self.file, failure))
    }

    pub(crate) fn set_page_size(&self, page_size: u32) -> Result<(), BackupError> {
        self.run(&format!("PRAGMA page_size = {page_size}"))
    }

    /// Takes the lock that shows other processes that the file is not a leftover.
    pub(crate) fn lock(&self) -> Result<(), BackupError> {
        self.run("BEGIN EXCLUSIVE; ROLLBACK")
    }

    fn run(&self, sql: &str) -> Result<(), BackupError> {
        let run = self.core.with(|connection| connection.execute_batch(sql));
        run.map_err(|failure| target_failure(self.file, failure))
    }
}

pub(crate) fn target_failure(file: &BackupFile, failure: Failure) -> BackupError {
    BackupError::Target { path: file.given().to_owned(), source: SqlError::from_failure(failure) }
}
