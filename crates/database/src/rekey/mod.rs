//! Changes the key of an open database.
//!
//! A second connection rewrites every page in one exclusive transaction. The second connection writes pages with the new
//! key, but reads pages and writes the rollback journal with the old key. SQLite's own recovery therefore undoes an
//! incomplete rekey: after a crash, on a full disk or without the lock, the file keeps the old key. After the commit, the
//! file has the new key. In WAL mode, the log holds the new pages until the commit, and readers keep their snapshot with
//! the old key.
//!
//! Invariant: SQLCipher's own rekey never runs: that function replaces the connection's key before it has the lock, and
//! ignores the result of the commit.

mod slot;

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use strongroom_keys::{CipherParameters, Format, Key, PageKeys};

use crate::cipher::Cipher;
use crate::key_changed::key_changed;
use crate::open::{MAIN, Opened, path_of};
use crate::page_layout::lock_page;
use crate::pragma::pragma;
use crate::seam::{Core, Failure};
use crate::strongroom::NewFile;
use crate::{Database, Location, OpenError, OpenOptions, RekeyError, SqlError};

/// The progress of a rekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RekeyProgress {
    /// The number of pages written, plus the number read back.
    pub done: u64,
    /// The number of pages to write and to read back: twice the pages of the file.
    pub total: u64,
}

/// A callback that receives the progress, and returns false to cancel.
///
/// After the commit, the rekey cannot be cancelled, and the returned value is ignored.
pub type OnRekeyProgress<'p> = dyn FnMut(RekeyProgress) -> bool + 'p;

/// The number of pages between two calls of the callback.
const PAGES_PER_CALL: u64 = 256;

impl Database {
    /// Changes the key of the database `schema`, which is `main` or the name of an attached database.
    ///
    /// Afterwards, `to` opens the file as if the file had been created with that key. The salt and the page layout stay:
    /// page size, HMAC, plaintext header. The next statement of any other connection fails with [`SqlError::KeyChanged`].
    ///
    /// The call waits for the locks of other connections for at most the connection's busy timeout. The call needs as much
    /// free disk space as the size of the file: for the journal in rollback-journal mode, for the log in WAL mode.
    ///
    /// An interrupt by the connection's [`Interrupter`](crate::Interrupter) cancels the rekey, like `progress`.
    ///
    /// # Errors
    ///
    /// [`RekeyError`]; the file and this connection keep the old key, except for [`RekeyError::Unverified`].
    pub fn rekey(
        &self,
        schema: &str,
        to: &Key,
        progress: &mut OnRekeyProgress<'_>,
    ) -> Result<(), RekeyError> {
        let core = &self.session.core;
        let mut go_on = |done| progress(done) && !core.is_interrupted();
        match self.change_key(schema, to, &mut go_on) {
            // An error of SQLite itself comes before the commit.
            Err(RekeyError::Sqlite { source, .. }) if source.code() == "SQLITE_INTERRUPT" => {
                Err(RekeyError::Cancelled)
            }
            changed => changed,
        }
    }

    fn change_key(
        &self,
        schema: &str,
        to: &Key,
        progress: &mut OnRekeyProgress<'_>,
    ) -> Result<(), RekeyError> {
        let core = &self.session.core;
        if !self.is_open() {
            return Err(SqlError::Closed.into());
        }
        let name = CString::new(schema).ok().filter(|name| core.is_attached(name));
        let Some(name) = name else { return Err(RekeyError::UnknownSchema { schema: schema.to_owned() }) };
        if self.in_transaction() {
            return Err(RekeyError::InTransaction);
        }
        if core.is_reading(Some(&name)) {
            return Err(RekeyError::Reading);
        }
        self.session.schema_may_differ();
        let Some(file) = core.file_name(&name) else {
            return Err(RekeyError::InMemory { schema: schema.to_owned() });
        };
        let path = path_of(&file);
        let cipher = Cipher::of(core, &name).map_err(|failure| not_begun(&path, failure))?;
        let Some(cipher) = cipher else { return Err(RekeyError::NotEncrypted { path }) };
        // This check precedes the next one, because a connection whose cipher failed is also read-only.
        if core.cipher_failed(schema) {
            return Err(match key_changed(core, &name) {
                Some(path) => RekeyError::Open { source: OpenError::KeyChanged { path } },
                None => RekeyError::Sqlite { path, source: SqlError::PageAuthentication },
            });
        }
        if core.is_read_only(&name) || core.is_query_only() {
            return Err(RekeyError::ReadOnly { path });
        }
        if let Some(unlocked) = cipher.unlocked() {
            return slot::change(core, &name, path, Arc::clone(unlocked), to, progress);
        }
        if to.format() == Some(Format::Strongroom) {
            return Err(RekeyError::Layout { path, parameter: "format" });
        }
        if let Some(parameter) = layout_difference(&cipher.parameters, to.parameters()) {
            return Err(RekeyError::Layout { path, parameter });
        }
        let change = Change { core, schema, name: &name, path, to };
        change.run(progress)
    }
}

/// One rekey.
struct Change<'c> {
    /// The connection of the caller.
    core: &'c Core,
    schema: &'c str,
    name: &'c CStr,
    path: PathBuf,
    to: &'c Key,
}

impl Change<'_> {
    fn run(&self, progress: &mut OnRekeyProgress<'_>) -> Result<(), RekeyError> {
        let options =
            OpenOptions { must_exist: true, busy_timeout: self.busy_timeout()?, ..OpenOptions::default() };
        let writer =
            Opened::twin(self.core, self.name, &options).map_err(|source| RekeyError::Open { source })?;
        let Some(writer) = writer else { return self.replace_unused() };
        if is_empty(&writer) && self.replace_of_empty_file(&writer)? {
            return Ok(());
        }
        self.read_first_page(&writer)?;
        // The writer has read a page and derived its keys with the file's salt. The caller's connection may have done
        // neither.
        let cipher = Cipher::of(&writer.core, MAIN).map_err(|failure| not_begun(&self.path, failure))?;
        let Some((cipher, (_, salt))) = cipher.and_then(|cipher| {
            let keys = cipher.page_keys()?;
            Some((cipher, keys))
        }) else {
            return Err(SqlError::Busy.into());
        };
        if self.to.parameters().salt.is_some_and(|wanted| wanted != salt) {
            return Err(RekeyError::Layout { path: self.path.clone(), parameter: "salt" });
        }
        let keys = PageKeys::derive(self.to, &salt).map_err(|source| RekeyError::Key { source })?;
        let new_cipher = Cipher::from_page_keys(&keys, &salt, cipher.parameters);
        let (for_writer, for_caller) = (keys_of(&new_cipher)?, keys_of(&new_cipher)?);

        let page_size = u64::from(cipher.parameters.effective_page_size());
        let written = self.rewrite(&writer.core, for_writer, page_size, progress);
        drop(writer);
        if let Err(error) = written {
            // After a failed commit, only the file shows which key it has: the failure may have come after the actual
            // commit.
            match (self.opens_with(&cipher, &options), self.opens_with(&new_cipher, &options)) {
                (Opens::Yes, _) | (_, Opens::No) => return Err(error),
                (_, Opens::Yes) => {}
                (_, Opens::Unknown) => {
                    return Err(RekeyError::Unknown { path: self.path.clone(), source: Box::new(error) });
                }
            }
        }
        // The file has the new key. The caller's connection must get the new key too, even if a later step fails.
        self.core.exchange_keys(self.schema, for_caller).map_err(|failure| self.unverified(failure))?;
        // Reading the first page gives SQLCipher the new key, which SQLCipher passes to databases attached without a key. A
        // lock only delays this step.
        let _ = self.core.with(|connection| pragma::<i64>(connection, self.schema, "schema_version"));
        self.read_back(&new_cipher, &options, progress)
    }

    /// Sets the new key if the file is still empty once nobody else can write to it. Returns whether the file was empty.
    fn replace_of_empty_file(&self, writer: &Opened) -> Result<bool, RekeyError> {
        let failed = |failure| self.begun(&writer.core, failure);
        writer.core.with(|connection| connection.execute_batch("BEGIN EXCLUSIVE")).map_err(failed)?;
        let replaced = match is_empty(writer) {
            true => self.replace_unused().map(|()| true),
            false => Ok(false),
        };
        writer.core.with(|connection| connection.execute_batch("ROLLBACK")).map_err(failed)?;
        replaced
    }

    /// Sets the new key of a database without pages.
    fn replace_unused(&self) -> Result<(), RekeyError> {
        let cipher = Cipher::new(self.core, self.name, self.to, NewFile::of(self.to));
        let cipher = cipher.map_err(|failure| slot::unkeyed(&self.path, failure))?;
        cipher.apply(self.core, self.name).map_err(|failure| not_begun(&self.path, failure))
    }

    fn busy_timeout(&self) -> Result<Duration, RekeyError> {
        let milliseconds = self.core.with(|connection| {
            connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, u32>(0))
        });
        milliseconds
            .map(|number| Duration::from_millis(number.into()))
            .map_err(|failure| not_begun(&self.path, failure))
    }

    /// Reads the first page, which proves that the file still has the caller's key.
    fn read_first_page(&self, writer: &Opened) -> Result<(), RekeyError> {
        let locking = self.core.with(|connection| pragma::<String>(connection, self.schema, "locking_mode"));
        if locking.is_ok_and(|mode| mode == "exclusive") {
            return Err(RekeyError::ExclusiveLocking { path: self.path.clone() });
        }
        let read = writer.core.with(|connection| {
            connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        });
        match read {
            Ok(_) => Ok(()),
            Err(_) if writer.core.cipher_failed("main") => {
                Err(RekeyError::Open { source: OpenError::KeyChanged { path: self.path.clone() } })
            }
            Err(failure) => Err(not_begun(&self.path, failure)),
        }
    }

    /// Rewrites every page with the new key in one transaction.
    fn rewrite(
        &self,
        writer: &Core,
        keys: PageKeys,
        page_size: u64,
        progress: &mut OnRekeyProgress<'_>,
    ) -> Result<(), RekeyError> {
        let failed = |failure| self.begun(writer, failure);
        writer
            .with(|connection| {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
                // With FULL, a loss of power may bring back the deleted journal, which would restore the old key.
                connection.execute_batch("PRAGMA synchronous = EXTRA; BEGIN EXCLUSIVE")
            })
            .map_err(failed)?;
        writer.write_with("main", Some(keys)).map_err(failed)?;
        let lock_page = lock_page(page_size);
        let written = writer.with(|connection| {
            // The pages are counted only now: another connection may have written before this one got the lock.
            let pages = connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))?;
            let pages = pages.unsigned_abs();
            let mut rewrite = connection.prepare("UPDATE sqlite_dbpage SET data = data WHERE pgno = ?1")?;
            for page in (1..=pages).filter(|&page| page != lock_page) {
                rewrite.execute([page.cast_signed()])?;
                if self.core.is_interrupted() {
                    return Ok(false);
                }
                if page % PAGES_PER_CALL == 0 && !progress(RekeyProgress { done: page, total: 2 * pages }) {
                    return Ok(false);
                }
            }
            if !progress(RekeyProgress { done: pages, total: 2 * pages }) {
                return Ok(false);
            }
            Ok(true)
        });
        // The file does not grow in this transaction, so a page of zeros is a damaged page of the file, and must not get an
        // HMAC.
        let zeros = written.as_ref().is_ok_and(|written| *written) && writer.zeroed_page("main").is_some();
        let written = match written {
            Ok(true) if zeros => {
                let _ = writer.with(|connection| connection.execute_batch("ROLLBACK"));
                return Err(RekeyError::Sqlite {
                    path: self.path.clone(),
                    source: SqlError::PageAuthentication,
                });
            }
            Ok(true) => writer.with(|connection| connection.execute_batch("COMMIT").map(|()| true)),
            other => other,
        };
        if matches!(written, Ok(true)) {
            // Later checkpoints would also move the new pages into the file; this checkpoint spares the next reader the
            // log.
            let _ = writer.with(|connection| connection.pragma_query(None, "wal_checkpoint", |_| Ok(())));
            return Ok(());
        }
        let written = written.map_err(failed);
        // After some failures, SQLite has already rolled back, and reports here that no transaction is active.
        let _ = writer.with(|connection| connection.execute_batch("ROLLBACK"));
        match written {
            Err(error) => Err(error),
            Ok(_) => Err(RekeyError::Cancelled),
        }
    }

    /// Returns the error of a step before the commit.
    fn begun(&self, writer: &Core, failure: Failure) -> RekeyError {
        if !writer.cipher_failed("main") {
            return not_begun(&self.path, failure);
        }
        match key_changed(writer, MAIN) {
            // Another connection changed the key while this connection waited for the lock.
            Some(path) => RekeyError::Open { source: OpenError::KeyChanged { path } },
            None => RekeyError::Sqlite { path: self.path.clone(), source: SqlError::PageAuthentication },
        }
    }

    /// Returns whether the first page of the file has this key.
    fn opens_with(&self, cipher: &Cipher, options: &OpenOptions) -> Opens {
        let Ok(opened) = self.open_with(cipher, options) else { return Opens::Unknown };
        let read = opened.core.with(|connection| pragma::<i64>(connection, "main", "schema_version"));
        match read {
            Ok(_) => Opens::Yes,
            Err(_) if opened.core.cipher_failed("main") => Opens::No,
            Err(_) => Opens::Unknown,
        }
    }

    fn open_with(&self, cipher: &Cipher, options: &OpenOptions) -> Result<Opened, RekeyError> {
        let opened = Opened::connect(Location::File(&self.path), options);
        let opened = opened.map_err(|source| RekeyError::Open { source })?;
        cipher.apply(&opened.core, MAIN).map_err(|failure| not_begun(&self.path, failure))?;
        Ok(opened)
    }

    /// Reads every page of the file with the new key.
    fn read_back(
        &self,
        cipher: &Cipher,
        options: &OpenOptions,
        progress: &mut OnRekeyProgress<'_>,
    ) -> Result<(), RekeyError> {
        let reader = self.open_with(cipher, options).map_err(|error| match error {
            RekeyError::Sqlite { source, .. } => RekeyError::Unverified { path: self.path.clone(), source },
            error => RekeyError::Unopened { path: self.path.clone(), source: Box::new(error) },
        })?;
        let read = reader.core.with(|connection| {
            connection.execute_batch("BEGIN")?;
            let mut pages = connection.prepare("SELECT length(data) FROM sqlite_dbpage")?;
            let count: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            let count = count.unsigned_abs();
            let mut rows = pages.query([])?;
            let mut done = 0;
            while rows.next()?.is_some() {
                done += 1;
                if done % PAGES_PER_CALL == 0 || done == count {
                    progress(RekeyProgress { done: count + done, total: 2 * count });
                }
            }
            Ok(())
        });
        match read {
            Err(_) if reader.core.cipher_failed("main") => {
                Err(RekeyError::Unverified { path: self.path.clone(), source: SqlError::PageAuthentication })
            }
            read => read.map_err(|failure| self.unverified(failure)),
        }
    }

    fn unverified(&self, failure: Failure) -> RekeyError {
        RekeyError::Unverified { path: self.path.clone(), source: SqlError::from_failure(failure) }
    }
}

/// Returns whether a file has no pages, and therefore no page with a key.
fn is_empty(opened: &Opened) -> bool {
    opened.core.file_start(MAIN, 0).is_some_and(|start| start.length == 0)
}

/// The result of trying to open a file with a key.
enum Opens {
    Yes,
    No,
    /// The file could not be read.
    Unknown,
}

fn keys_of(cipher: &Cipher) -> Result<PageKeys, RekeyError> {
    let keys = cipher.page_keys().map(|(keys, _)| keys);
    keys.ok_or_else(|| SqlError::Busy.into())
}

/// Returns the error of a step before the commit.
fn not_begun(path: &Path, failure: Failure) -> RekeyError {
    RekeyError::Sqlite { path: path.to_owned(), source: SqlError::from_failure(failure) }
}

/// Returns the first parameter that would change the layout of the file's pages.
fn layout_difference(file: &CipherParameters, to: &CipherParameters) -> Option<&'static str> {
    let header = |parameters: &CipherParameters| parameters.plaintext_header_size.unwrap_or(0);
    // If the caller passed a version, the error names the version, which implies the HMAC algorithm.
    let hmac = if to.compatibility.is_some() { "cipherCompatibility" } else { "HMAC algorithm" };
    let differences = [
        ("page size", to.page_size.is_some_and(|size| size != file.effective_page_size())),
        (hmac, file.effective_hmac_algorithm() != to.effective_hmac_algorithm()),
        ("byte order in the HMAC", file.effective_hmac_page_number() != to.effective_hmac_page_number()),
        ("plaintext header", header(file) != header(to)),
    ];
    differences.into_iter().find(|(_, differs)| *differs).map(|(parameter, _)| parameter)
}
