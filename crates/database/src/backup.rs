//! Copies a database into a file while the database is in use.

use std::ffi::CString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rusqlite::TransactionState;
use strongroom_keys::Key;
use vendored_sys::sqlite;

use crate::backup_conversion::Conversion;
use crate::backup_file::BackupFile;
use crate::backup_target::{BackupTarget, target_failure};
use crate::cipher::Cipher;
use crate::open::{MAIN, path_of};
use crate::page_layout::PageLayout;
use crate::seam::{Copied, Core, Failure, RawBackup};
use crate::session::Session;
use crate::{BackupError, CopiedBackup, Database, SqlError};

/// The number of pages between two looks for an interrupt.
const PAGES_PER_LOOK: u32 = 256;

/// The encryption of a copy.
#[derive(Debug)]
pub enum BackupKey {
    /// The source's key and cipher parameters. The copy of an unencrypted source is unencrypted.
    Source,
    /// Another key. A key without a page size keeps the page size of an encrypted source.
    Key(Key),
    /// No encryption, and no room for a cipher on the pages.
    Plain,
}

/// The progress of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// The number of pages to copy, which grows and shrinks with the source.
    pub total_pages: u64,
    /// The number of pages left to copy.
    pub remaining_pages: u64,
    /// `true` if the step copied nothing, because a transaction of the source's connection has changed the database, or
    /// because another connection has locked it.
    pub waiting: bool,
    /// `true` if every page is copied, so that [`Backup::finish`] can complete the copy.
    pub copied: bool,
}

/// A copy of a database that takes one step at a time. The database can be read and changed between two steps.
///
/// The copy is written to a temporary file beside its target. Dropping the backup removes the temporary file.
pub struct Backup {
    // The fields are dropped in this order: the connection to the temporary file is closed before the file is removed.
    copy: RawBackup,
    conversion: Option<Conversion>,
    file: BackupFile,
    session: Rc<Session>,
    schema: CString,
    /// `true` if the source is encrypted.
    encrypted: bool,
    progress: Option<Copied>,
    /// The time since which every step has found another connection's lock.
    locked_since: Option<Instant>,
}

impl Database {
    /// Starts a copy of the database `schema`, which is `main` or the name of an attached database, into a file.
    ///
    /// The finished copy replaces an existing database at `path`. Each [`Backup::step`] copies some pages.
    ///
    /// # Errors
    ///
    /// [`BackupError`]. No file is left behind.
    pub fn backup(&self, schema: &str, path: &Path, key: BackupKey) -> Result<Backup, BackupError> {
        let session = Rc::clone(&self.session);
        let core = &session.core;
        let source = |failure| BackupError::Source {
            name: schema.to_owned(),
            source: SqlError::from_failure(failure),
        };
        let unknown = || BackupError::UnknownDatabase { name: schema.to_owned() };
        let files = files(core).map_err(source)?;
        let name = CString::new(schema).map_err(|_| unknown())?;
        let (layout, _) = without_waiting(core, || PageLayout::of(core, &name)).map_err(source)?;
        let layout = layout.map_err(source)?.ok_or_else(unknown)?;
        let cipher = Cipher::of(core, &name).map_err(source)?;
        if let (BackupKey::Source, Some(cipher)) = (&key, &cipher)
            && let Some(path) = cipher.key_changed(core, &name).map_err(source)?
        {
            return Err(BackupError::Source {
                name: schema.to_owned(),
                source: SqlError::KeyChanged { path },
            });
        }
        let cipher = cipher.map(|cipher| cipher.with_current_slots(core, &name));
        let cipher = cipher.transpose().map_err(source)?;
        let source_file = core.file_name(&name).map(|name| path_of(&name));
        // Temporary tables of an encrypted database would become a plain file.
        let is_plain_in_memory =
            matches!(key, BackupKey::Source) && cipher.is_none() && source_file.is_none();
        if is_plain_in_memory && Cipher::of(core, MAIN).map_err(source)?.is_some() {
            return Err(BackupError::PlainInMemory { name: schema.to_owned() });
        }
        let file = BackupFile::create(path, &files, source_file.as_deref())?;
        let other_pages = match &key {
            BackupKey::Source => false,
            // The pages of an image of an encrypted database have room for a cipher, and VACUUM fails on them.
            BackupKey::Plain => cipher.is_some() || layout.reserved > 0,
            // SQLCipher copies pages between two keys, but not between two layouts.
            BackupKey::Key(key) => match &cipher {
                None => true,
                Some(cipher) => {
                    let format = key.format().unwrap_or(cipher.format());
                    layout.adopt(format, key.parameters()) != layout
                }
            },
        };
        // Without a format, a new key keeps the source's.
        let key = match (key, &cipher) {
            (BackupKey::Key(key), Some(cipher)) if key.format().is_none() => {
                let key = key.with_format(cipher.format());
                BackupKey::Key(key.map_err(|source| BackupError::Key { path: path.to_owned(), source })?)
            }
            (key, _) => key,
        };
        let (direct, mut conversion) = match other_pages {
            true => (None, Some(Conversion::create(&file, cipher.is_some(), source_file.as_deref(), key)?)),
            false => (Some(key), None),
        };
        let target = BackupTarget::open(&file, conversion.as_ref())?;
        match (direct, &cipher) {
            (Some(BackupKey::Key(key)), _) => target.encrypt_anew(&key, layout.page_size)?,
            // The pages that a conversion reads are encrypted in the same way as the source.
            (_, Some(cipher)) => target.encrypt_like(cipher)?,
            (_, None) => target.set_page_size(layout.page_size)?,
        }
        target.lock()?;
        let encrypted = cipher.is_some();
        if let Some(conversion) = &mut conversion {
            conversion.cipher = cipher;
        }
        let copy =
            RawBackup::start(core, &name, target.core).map_err(|failure| target_failure(&file, failure))?;
        Ok(Backup {
            copy,
            conversion,
            file,
            session,
            schema: name,
            encrypted,
            progress: None,
            locked_since: None,
        })
    }
}

impl Backup {
    /// Copies up to `pages` pages; 0 copies no page.
    ///
    /// The copy includes changes that the source's connection makes meanwhile. After a change by another connection, the
    /// copy starts again. While a transaction of the source's connection has uncommitted changes, the backup waits. While
    /// another connection holds a lock, the backup waits for at most the connection's busy timeout. No call blocks inside
    /// SQLite. An interrupt by the connection's [`Interrupter`](crate::Interrupter) ends the step.
    ///
    /// # Errors
    ///
    /// [`BackupError::Source`], with [`SqlError::Closed`] once the database is closed, and [`BackupError::Target`]. Every
    /// later step then fails as well. After an interrupt, the error is [`BackupError::Source`] with SQLITE_INTERRUPT, and the
    /// backup can only be dropped.
    pub fn step(&mut self, pages: u32) -> Result<BackupProgress, BackupError> {
        let core = &self.session.core;
        let attempt = || {
            let stepped = match self.copy_pages(pages) {
                Err(Failure::Sqlite { code, .. }) if code & 0xff == sqlite::SQLITE_BUSY => Ok(None),
                other => other.map(Some),
            };
            let waiting = matches!(stepped, Ok(None));
            let total = if waiting && self.progress.is_none() { self.page_count() } else { 0 };
            (stepped, waiting && self.is_changing(), total)
        };
        let attempted = without_waiting(core, attempt).map_err(|failure| self.source_failure(failure))?;
        let ((stepped, changing, total), timeout) = attempted;
        let waiting = matches!(stepped, Ok(None));
        match stepped.map_err(|failure| self.step_failure(failure))? {
            Some(copied) => {
                // For a page that fails its authentication, SQLCipher gives SQLite a page of zeros and no error.
                if self.encrypted && (core.cipher_failed(&self.name()) || core.has_zeroed_page(&self.name()))
                {
                    let source = SqlError::PageAuthentication;
                    return Err(BackupError::Source { name: self.name(), source });
                }
                self.locked_since = None;
                self.progress = Some(copied);
            }
            None if changing => self.locked_since = None,
            None => {
                let since = *self.locked_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= timeout {
                    let message = "another connection has locked the database: try again later".to_owned();
                    return Err(self.source_failure(Failure::Sqlite { code: sqlite::SQLITE_BUSY, message }));
                }
            }
        }
        let Copied { total, remaining, done } =
            self.progress.unwrap_or(Copied { total, remaining: total, done: false });
        // A conversion writes each page once and reads it once.
        let converted = if self.conversion.is_some() { 2 * total } else { 0 };
        Ok(BackupProgress {
            total_pages: total + converted,
            remaining_pages: remaining + converted,
            waiting,
            copied: done,
        })
    }

    /// Copies up to `pages` pages. If the connection can be interrupted, looks for an interrupt after every few pages.
    fn copy_pages(&self, pages: u32) -> Result<Copied, Failure> {
        let core = &self.session.core;
        let most = if core.present_interrupter().is_some() { PAGES_PER_LOOK } else { u32::MAX };
        let (mut left, mut before) = (pages, None);
        loop {
            if core.is_interrupted() {
                return Err(Core::failure_of_code(sqlite::SQLITE_INTERRUPT));
            }
            let now = left.min(most);
            let copied = match (self.copy.step(i32::try_from(now).unwrap_or(i32::MAX)), before) {
                // The next step waits for the lock.
                (Err(Failure::Sqlite { code, .. }), Some(before)) if code & 0xff == sqlite::SQLITE_BUSY => {
                    return Ok(before);
                }
                (copied, _) => copied?,
            };
            before = Some(copied);
            left -= now;
            if left == 0 || copied.done {
                return Ok(copied);
            }
        }
    }

    /// Ends the copying. The returned value can complete the copy on any thread.
    ///
    /// # Errors
    ///
    /// [`BackupError::Source`] if [`Backup::step`] has not reported that every page is copied.
    pub fn finish(self) -> Result<CopiedBackup, BackupError> {
        if !self.progress.is_some_and(|progress| progress.done) {
            let message = "the copy is not complete: call step again".to_owned();
            return Err(self.source_failure(Failure::Sqlite { code: sqlite::SQLITE_MISUSE, message }));
        }
        let Self { copy, conversion, file, .. } = self;
        let target = copy.into_target();
        let failed = |failure| target_failure(&file, failure);
        let conversion = match (conversion, &target) {
            (Some(conversion), Some(target)) => Some(conversion.read(target).map_err(failed)?),
            _ => None,
        };
        if let Some(target) = target {
            target.close().map_err(failed)?;
        }
        Ok(CopiedBackup { file, conversion })
    }

    /// Returns whether a transaction of the source's connection has changed the database.
    fn is_changing(&self) -> bool {
        let state = self.session.core.with(|connection| connection.transaction_state(Some(&*self.schema)));
        matches!(state, Ok(TransactionState::Write))
    }

    /// Returns the number of pages of the source, at least 1.
    fn page_count(&self) -> u64 {
        let name = self.name();
        let count = self.session.core.with(|connection| {
            connection.pragma_query_value(Some(&*name), "page_count", |row| row.get::<_, i64>(0))
        });
        count.map_or(1, i64::unsigned_abs).max(1)
    }

    fn name(&self) -> String {
        self.schema.to_string_lossy().into_owned()
    }

    fn source_failure(&self, failure: Failure) -> BackupError {
        BackupError::Source { name: self.name(), source: SqlError::from_failure(failure) }
    }

    /// Returns the error of a step, which can come from the source or from the target.
    fn step_failure(&self, failure: Failure) -> BackupError {
        match failure {
            Failure::Sqlite { code, .. } if is_write_failure(code) => target_failure(&self.file, failure),
            failure => BackupError::Source { name: self.name(), source: self.session.explain(failure) },
        }
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Returns whether a result code can come only from the connection that writes.
fn is_write_failure(code: i32) -> bool {
    code & 0xff == sqlite::SQLITE_FULL
        || matches!(
            code,
            sqlite::SQLITE_IOERR_WRITE
                | sqlite::SQLITE_IOERR_FSYNC
                | sqlite::SQLITE_IOERR_TRUNCATE
                | sqlite::SQLITE_IOERR_DIR_FSYNC
        )
}

/// Returns the files of the connection's databases.
fn files(core: &Core) -> Result<Vec<PathBuf>, Failure> {
    let names = core.with(|connection| {
        let mut names = Vec::new();
        connection.pragma_query(None, "database_list", |row| {
            names.push(row.get::<_, String>(1)?);
            Ok(())
        })?;
        Ok(names)
    })?;
    let file = |name| core.file_name(&CString::new::<String>(name).ok()?);
    Ok(names.into_iter().filter_map(file).map(|name| path_of(&name)).collect())
}

/// Makes a call without waiting for locks, which would block the caller's thread. Also returns the busy timeout.
fn without_waiting<T>(core: &Core, call: impl FnOnce() -> T) -> Result<(T, Duration), Failure> {
    let timeout = core.with(|connection| {
        let milliseconds = connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, i64>(0))?;
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Duration::from_millis(milliseconds.unsigned_abs()))
    })?;
    let result = call();
    core.with(|connection| connection.busy_timeout(timeout))?;
    Ok((result, timeout))
}
