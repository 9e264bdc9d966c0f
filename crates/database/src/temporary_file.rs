//! Temporary files with fixed names, which a backup writes.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::convert::{COMPANIONS, with_ending};
use crate::open::Opened;
use crate::{BackupError, Location, OpenOptions, SqlError};

/// The paths of this process's temporary files. SQLite's locks are not held for all of a backup's time.
static IN_USE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// A temporary file, empty at first. Dropping it removes the file, with the files that SQLite keeps beside it.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    path: PathBuf,
    /// Whether this value has created the file.
    created: bool,
}

impl TemporaryFile {
    /// Creates the file. A file of that name is removed if it is the leftover of a crash.
    ///
    /// `target` is the path that errors name. Without permissions, the file has those that SQLite gives a new database.
    pub(crate) fn create(
        path: PathBuf,
        permissions: Option<Permissions>,
        target: &Path,
    ) -> Result<Self, BackupError> {
        if !in_use().get_or_insert_default().insert(path.clone()) {
            return Err(BackupError::TargetInUse { path: path.clone() });
        }
        let mut this = Self { path, created: false };
        this.remove_leftover(target)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            options.mode(permissions.as_ref().map_or(0o644, PermissionsExt::mode));
        }
        let created = options.open(&this.path).and_then(|file| {
            this.created = true;
            // The mode at creation lacks the bits of the process's mask.
            permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))
        });
        match created {
            Ok(()) => Ok(this),
            Err(source) => Err(BackupError::system(target, "create", &this.path, source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file to the disk, and renames it to `target` unless `check` fails. No connection may have it open.
    ///
    /// The result of `check` lives until the file is renamed.
    pub(crate) fn install<T>(
        self,
        target: &Path,
        check: impl FnOnce() -> Result<T, BackupError>,
    ) -> Result<(), BackupError> {
        let failed = |action, file| move |source| BackupError::system(target, action, file, source);
        let path = &*self.path;
        let file = File::options().write(true).open(path).map_err(failed("open", path))?;
        file.sync_all().map_err(failed("write", path))?;
        let checked = check()?;
        if !is_still(&file, path) {
            return Err(BackupError::TargetInUse { path: path.to_owned() });
        }
        drop(file);
        fs::rename(path, target).map_err(failed("replace", target))?;
        drop(checked);
        let directory = target.parent().unwrap_or(Path::new("/"));
        sync_directory(directory).map_err(failed("write", directory))
    }

    fn remove_leftover(&self, target: &Path) -> Result<(), BackupError> {
        match fs::symlink_metadata(&self.path) {
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(BackupError::system(target, "find", &self.path, source)),
            // A link would lead to a file that no backup has written, and removing the link does it no harm.
            Ok(metadata) if metadata.is_file() && !is_unused(target, &self.path)? => {
                return Err(BackupError::TargetInUse { path: self.path.clone() });
            }
            Ok(_) => {}
        }
        self.remove().map_err(|source| BackupError::system(target, "remove", &self.path, source))
    }

    fn remove(&self) -> io::Result<()> {
        for ending in COMPANIONS {
            // A companion that stays belongs to no database, and SQLite checks it before use.
            let _ = fs::remove_file(with_ending(&self.path, ending));
        }
        fs::remove_file(&self.path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if self.created {
            // After `install` the file has another name. A drop cannot report a failure, and the next backup removes a
            // leftover.
            let _ = self.remove();
        }
        in_use().get_or_insert_default().remove(&self.path);
    }
}

/// Whether no other connection reads or writes a file, or has it open in WAL mode.
fn is_unused(target: &Path, file: &Path) -> Result<bool, BackupError> {
    connect(target, file)?.core.lock_file().map_err(|failure| BackupError::Target {
        path: target.to_owned(),
        source: SqlError::from_failure(failure),
    })
}

/// Opens a file that exists, without reading it.
pub(crate) fn connect(target: &Path, file: &Path) -> Result<Opened, BackupError> {
    let options = OpenOptions { must_exist: true, busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    Opened::connect(Location::File(file), &options)
        .map_err(|source| BackupError::Open { path: target.to_owned(), source })
}

/// Whether the path still leads to the open file: another process may have taken the file for a leftover.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(file), Ok(path)) => identity(file) == identity(path),
        _ => false,
    }
}

/// Whether the path still leads to the open file. On Windows, no other process replaces an open file.
#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

/// Makes a rename in the folder survive a loss of power.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Windows cannot open a folder as a file, and writes a rename with its journal.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn in_use() -> MutexGuard<'static, Option<HashSet<PathBuf>>> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}
