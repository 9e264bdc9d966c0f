//! Ensures that nobody else uses the file of a conversion.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use vendored_sys::sqlite;

use super::{Migration, Opener};
use crate::convert::with_ending;
use crate::open::{MAIN, MIN_PAGE_SIZE, Opened, PLAIN_HEADER, has_plaintext_header};
use crate::registry::{self, Claim, FileId};
use crate::seam::Failure;
use crate::strongroom;
use crate::sync_folder::sync_folder;
use crate::{Location, MigrateError, OpenError, OpenOptions, Progress};

/// The pause between two attempts to lock the file. A conversion can be cancelled between the attempts.
const ATTEMPT: Duration = Duration::from_millis(100);

/// The number of consecutive checks that must find the file open elsewhere, and the pause between two checks.
const MOMENTS: u32 = 10;
const MOMENT: Duration = Duration::from_millis(10);

/// A database that only this conversion uses.
pub(super) struct Locked {
    /// A connection that holds SQLite's exclusive lock.
    pub(super) source: Opened,
    /// The path of the file without symbolic links.
    pub(super) file: PathBuf,
    id: FileId,
    /// Syncs a folder. A test replaces this function by one that fails.
    pub(super) sync: fn(&Path) -> io::Result<()>,
    /// Declared last, so that the connection is closed before another thread may open the file.
    pub(super) claim: Option<Claim>,
}

/// Claims a file that this process does not have open.
pub(super) fn claim(path: &Path, file: &Path) -> Result<Claim, MigrateError> {
    let in_use = || MigrateError::InUse { path: path.to_owned() };
    let Some(id) = registry::file_id(file) else { return Err(in_use()) };
    let claim = registry::claim(id).map_err(|_| in_use())?;
    // Finds connections that the engine's list lacks: connections made by ATTACH in SQL, and connections of other
    // copies of SQLite.
    #[cfg(unix)]
    if crate::seam::descriptors(claim.id()).is_some_and(|numbers| !numbers.is_empty()) {
        return Err(in_use());
    }
    Ok(claim)
}

impl Locked {
    /// Locks the file that this thread has claimed, and verifies its key.
    pub(super) fn new(
        migration: &Migration<'_>,
        from: Opener<'_>,
        file: &Path,
        claim: Claim,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, MigrateError> {
        let Migration { path, timeout, .. } = *migration;
        let deadline = Instant::now().checked_add(timeout);
        let locked = loop {
            if let Some(source) = attempt(migration, from, file)? {
                let (file, id) = (file.to_owned(), claim.id().clone());
                let locked = Self { source, file, id, sync: sync_folder, claim: None };
                if locked.is_alone() {
                    break Self { claim: Some(claim), ..locked };
                }
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(MigrateError::InUse { path: path.to_owned() });
            }
            if progress(Progress { done: 0, total: 0 }).is_break() {
                return Err(MigrateError::Cancelled { path: path.to_owned() });
            }
            thread::sleep(ATTEMPT);
        };
        // SQLite has rolled back any journal, but in exclusive locking mode it leaves the journal file in place.
        let _ = fs::remove_file(with_ending(file, "-journal"));
        if !matches!(from, Opener::Plain) {
            let verified = locked.source.verify(Location::File(&migration.place(path)));
            verified.map_err(|error| MigrateError::key(path, error))?;
        }
        Ok(locked)
    }

    /// Returns whether the path still names the file, and no other descriptor in the system has the file open.
    ///
    /// A child process that another thread starts holds every descriptor, even one closed meanwhile, for the moment between
    /// fork and exec. The check is therefore repeated after a negative result.
    pub(super) fn is_alone(&self) -> bool {
        (0..MOMENTS).any(|moment| {
            if moment > 0 {
                thread::sleep(MOMENT);
            }
            self.is_alone_now()
        })
    }

    fn is_alone_now(&self) -> bool {
        if self.source.core.has_moved(MAIN) || registry::file_id(&self.file).as_ref() != Some(&self.id) {
            return false;
        }
        #[cfg(target_os = "linux")]
        if let Some(numbers) = crate::seam::descriptors(&self.id) {
            let folder = self.file.parent().unwrap_or(Path::new("/"));
            // The only descriptor must be that of the source's connection.
            return match *numbers {
                [number] => !crate::seam::is_open_elsewhere(number, folder),
                _ => false,
            };
        }
        true
    }
}

/// Opens the file with SQLite's exclusive lock. Returns `None` if another connection holds a lock.
///
/// The connection locks exclusively from its first read on. A write-ahead log then needs no shared memory, which
/// connections to the new file would otherwise find. A rollback journal left by a crashed process is rolled back.
fn attempt(migration: &Migration<'_>, from: Opener<'_>, file: &Path) -> Result<Option<Opened>, MigrateError> {
    let path = migration.path;
    let options = OpenOptions { must_exist: true, busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let location = Location::File(file);
    let mut source = Opened::connect(location, &options)?;
    if source.core.is_read_only(MAIN) {
        return Err(MigrateError::ReadOnly { path: path.to_owned() });
    }
    let key = match from {
        Opener::Plain => {
            return match lock(&source).and_then(|()| read_schema(&source)) {
                Ok(()) => Ok(Some(source)),
                Err(failure) if is_busy(&failure) => Ok(None),
                Err(failure) => Err(without_key(path, &source, failure)),
            };
        }
        Opener::Key(key) => {
            source.unlock(location, key)?;
            Some(key)
        }
        Opener::Unlocked(before) => {
            source.unlock_again(location, before)?;
            None
        }
    };
    let mut locked = lock(&source);
    if let Some(key) = key
        && locked.as_ref().is_err_and(|failure| !is_busy(failure))
        && let Some(again) = source.with_page_size_of_file(location, &options, key)
    {
        source = again?;
        locked = lock(&source);
    }
    match locked {
        Ok(()) => Ok(Some(source)),
        Err(failure) if is_busy(&failure) => Ok(None),
        Err(failure) => {
            let verified = source.verify(Location::File(&migration.place(path)));
            verified.map_err(|error| MigrateError::key(path, error))?;
            Err(MigrateError::sqlite(path, failure))
        }
    }
}

/// Takes the exclusive lock, which the connection keeps until the connection is closed.
fn lock(source: &Opened) -> Result<(), Failure> {
    source.core.with(|connection| {
        connection.execute_batch("PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
    })
}

/// Reads the schema of a file that may be encrypted behind a plaintext header: the header alone is enough for the lock.
fn read_schema(source: &Opened) -> Result<(), Failure> {
    if !has_plaintext_header(&source.core, MAIN) {
        return Ok(());
    }
    source.core.with(|connection| connection.execute_batch("SELECT count(*) FROM main.sqlite_schema"))
}

fn is_busy(failure: &Failure) -> bool {
    matches!(failure, Failure::Sqlite { code, .. } if code & 0xff == sqlite::SQLITE_BUSY)
}

/// Inspects the file's bytes to find why the file cannot be read without a key.
fn without_key(path: &Path, source: &Opened, failure: Failure) -> MigrateError {
    let fails_with = |expected| matches!(failure, Failure::Sqlite { code, .. } if code & 0xff == expected);
    // The encrypted rest of the first page looks to SQLite like damage or another file format.
    let is_unreadable = [sqlite::SQLITE_CORRUPT, sqlite::SQLITE_ERROR].into_iter().any(fails_with);
    if is_unreadable && has_plaintext_header(&source.core, MAIN) {
        return MigrateError::Encrypted { path: path.to_owned() };
    }
    if source.core.on_disk(MAIN).ok().flatten().is_some_and(|found| strongroom::is_strongroom(&found)) {
        return MigrateError::Encrypted { path: path.to_owned() };
    }
    let start = source.core.file_start(MAIN, PLAIN_HEADER.len());
    match start {
        Some(start) if fails_with(sqlite::SQLITE_NOTADB) && !start.bytes.starts_with(PLAIN_HEADER) => {
            match start.length % MIN_PAGE_SIZE {
                0 => MigrateError::Encrypted { path: path.to_owned() },
                _ => MigrateError::NotADatabase { path: path.to_owned(), length: start.length },
            }
        }
        _ => match MigrateError::sqlite(path, failure) {
            MigrateError::Sqlite { path, source } if source.code().starts_with("SQLITE_CORRUPT") => {
                OpenError::Damaged { path, source }.into()
            }
            other => other,
        },
    }
}
