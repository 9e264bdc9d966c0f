//! Temporary files with fixed names, for backups and kept originals.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::convert::{COMPANIONS, with_ending};
use crate::open::Opened;
use crate::registry;
use crate::sync_folder::{folder_of, sync_folder};
use crate::{BackupError, Location, OpenOptions, SqlError};

/// The paths of this process's temporary files. SQLite's locks do not cover the whole duration of a backup.
static IN_USE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// A temporary file, empty at first. Dropping this value removes the file and the files that SQLite keeps beside it.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    path: PathBuf,
    /// The created file, until it is renamed.
    created: Option<Created>,
}

/// A file that this process has created.
#[derive(Debug)]
struct Created {
    /// Identifies the file: while the descriptor is open, no other file gets the inode number. On Linux, the descriptor's
    /// lock shows other processes that the file is in use. Closing the descriptor drops the locks of SQLite's connections,
    /// so the connections must be closed first.
    #[cfg(unix)]
    file: File,
}

impl TemporaryFile {
    /// Creates the file. Removes an existing file of that name if it is the leftover of a crash.
    ///
    /// Errors name the path `target`. Without `permissions`, the file gets the permissions that SQLite gives a new
    /// database.
    pub(crate) fn create(
        path: PathBuf,
        permissions: Option<Permissions>,
        target: &Path,
    ) -> Result<Self, BackupError> {
        if !in_use().get_or_insert_default().insert(path.clone()) {
            return Err(BackupError::TargetInUse { path });
        }
        let mut this = Self { path, created: None };
        this.remove_leftover(target)?;
        let failed = |source| BackupError::system(target, "create", &this.path, source);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            options.mode(permissions.as_ref().map_or(0o644, PermissionsExt::mode));
        }
        let file = options.open(&this.path).map_err(failed)?;
        // The umask removes bits from the mode at creation.
        let permitted = permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions));
        let permitted = permitted.map_err(failed);
        let is_locked = lock(&file);
        this.created = Some(Created::new(file));
        permitted?;
        // Another process can have the lock only if it found the file unlocked and is about to remove the file.
        if !is_locked || !this.is_in_place() {
            return Err(BackupError::TargetInUse { path: this.path.clone() });
        }
        Ok(this)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the path still names the file. A process that ignores the lock may have removed the file as a
    /// leftover.
    pub(crate) fn is_in_place(&self) -> bool {
        self.created.as_ref().is_some_and(|created| created.is_at(&self.path))
    }

    /// Writes the file to the disk, and renames it to `target` unless `check` fails. No connection may have the file open.
    ///
    /// The result of `check` is kept until the file is renamed.
    pub(crate) fn install<T>(
        mut self,
        target: &Path,
        check: impl FnOnce() -> Result<T, BackupError>,
    ) -> Result<(), BackupError> {
        let failed = |action| {
            let path = &self.path;
            move |source| BackupError::system(target, action, path, source)
        };
        let in_use = || BackupError::TargetInUse { path: self.path.clone() };
        self.sync().map_err(failed("write"))?;
        let checked = check()?;
        // The claim keeps other threads from opening the file by its new name before this thread's descriptor is closed.
        let id = registry::file_id(&self.path).ok_or_else(in_use)?;
        let claim = registry::claim(id).map_err(|_| in_use())?;
        if !self.is_in_place() {
            return Err(in_use());
        }
        self.remove_companions();
        fs::rename(&self.path, target)
            .map_err(|source| BackupError::system(target, "replace", target, source))?;
        self.created = None;
        drop(claim);
        drop(checked);
        let path = target.to_owned();
        sync_folder(folder_of(target)).map_err(|source| BackupError::Unsynced { path, source })
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        self.created.as_ref().map_or(Ok(()), |created| created.file.sync_all())
    }

    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        File::options().write(true).open(&self.path)?.sync_all()
    }

    fn remove_leftover(&self, target: &Path) -> Result<(), BackupError> {
        let unused = match fs::symlink_metadata(&self.path) {
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(BackupError::system(target, "find", &self.path, source)),
            Ok(metadata) if metadata.is_file() => match Unused::new(target, &self.path)? {
                Some(unused) => Some(unused),
                None => return Err(BackupError::TargetInUse { path: self.path.clone() }),
            },
            // A link leads to a file that no backup has written. Removing the link does not harm that file.
            Ok(_) => None,
        };
        let removed = self.remove();
        drop(unused);
        removed.map_err(|source| BackupError::system(target, "remove", &self.path, source))
    }

    fn remove(&self) -> io::Result<()> {
        self.remove_companions();
        fs::remove_file(&self.path)
    }

    fn remove_companions(&self) {
        for ending in COMPANIONS {
            // A journal or log that cannot be removed belongs to no database, and SQLite checks such a file before use.
            let _ = fs::remove_file(with_ending(&self.path, ending));
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if self.is_in_place() {
            // A drop cannot report a failure. The next backup removes the leftover.
            let _ = self.remove();
        }
        in_use().get_or_insert_default().remove(&self.path);
    }
}

impl Created {
    #[cfg(unix)]
    fn new(file: File) -> Self {
        Self { file }
    }

    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::symlink_metadata(path)) {
            (Ok(file), Ok(path)) => identity(file) == identity(path),
            _ => false,
        }
    }

    /// Keeps no descriptor: Windows cannot rename an open file unless every opener allows it, and SQLite does not.
    #[cfg(not(unix))]
    fn new(_: File) -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    fn is_at(&self, _: &Path) -> bool {
        true
    }
}

/// The right to remove a leftover: no other process can start to use the file before this value is dropped.
struct Unused {
    _connection: Opened,
    #[cfg(target_os = "linux")]
    _file: File,
}

impl Unused {
    /// Returns `None` if another connection reads or writes the file or has it open in WAL mode, or if a backup holds the
    /// file.
    fn new(target: &Path, file: &Path) -> Result<Option<Self>, BackupError> {
        let connection = connect(target, file)?;
        let locked = connection.core.lock_file().map_err(|failure| BackupError::Target {
            path: target.to_owned(),
            source: SqlError::from_failure(failure),
        })?;
        if !locked {
            return Ok(None);
        }
        #[cfg(target_os = "linux")]
        let opened = {
            // The path is the connection's, so this call opens the same file.
            let opened = File::options().write(true).open(file);
            let opened = opened.map_err(|source| BackupError::system(target, "open", file, source))?;
            if !lock(&opened) {
                return Ok(None);
            }
            opened
        };
        Ok(Some(Self {
            _connection: connection,
            #[cfg(target_os = "linux")]
            _file: opened,
        }))
    }
}

/// Takes the lock that shows other processes that a file is in use. Returns false if another process has the lock.
#[cfg(target_os = "linux")]
fn lock(file: &File) -> bool {
    crate::seam::lock_beside_sqlite(file)
}

/// Other systems have no lock that can be held beside SQLite's. On those systems, a backup detects a replaced file before
/// the rename.
#[cfg(not(target_os = "linux"))]
fn lock(_: &File) -> bool {
    true
}

/// Opens a file that exists, without reading it.
pub(crate) fn connect(target: &Path, file: &Path) -> Result<Opened, BackupError> {
    let options = OpenOptions { must_exist: true, busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    Opened::connect(Location::File(file), &options)
        .map_err(|source| BackupError::Open { path: target.to_owned(), source })
}

fn in_use() -> MutexGuard<'static, Option<HashSet<PathBuf>>> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Creates the file as another process would: this process's list lacks the path.
    fn created_by_another(folder: &Path, name: &str) -> Result<TemporaryFile, BackupError> {
        let link = folder.join("link");
        let _ = std::os::unix::fs::symlink(folder, &link);
        TemporaryFile::create(link.join(name), None, &folder.join("target"))
    }

    /// A complete copy has no connection. Another process took the copy for a leftover and created its own file of that
    /// name. The first process then renamed that empty file to the target.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_a_connection_is_not_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let file = TemporaryFile::create(path.clone(), None, &folder.path().join("target")).unwrap();
        fs::write(&path, "copy").unwrap();
        let refused = created_by_another(folder.path(), "a").map(drop);
        assert!(matches!(refused, Err(BackupError::TargetInUse { .. })), "{refused:?}");
        file.install(&folder.path().join("target"), || Ok(())).unwrap();
        assert_eq!(fs::read(folder.path().join("target")).unwrap(), b"copy");
        drop(created_by_another(folder.path(), "a").unwrap());
    }

    #[test]
    fn the_file_of_another_process_is_neither_installed_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("a"), folder.path().join("target"));
        fs::write(&target, "before").unwrap();
        for installs in [true, false] {
            let file = TemporaryFile::create(path.clone(), None, &target).unwrap();
            // A process that ignores the lock replaces the file.
            fs::remove_file(&path).unwrap();
            fs::write(&path, "theirs").unwrap();
            match installs {
                true => {
                    let refused = file.install(&target, || Ok(()));
                    assert!(matches!(refused, Err(BackupError::TargetInUse { .. })), "{refused:?}");
                }
                false => drop(file),
            }
            assert_eq!(
                (fs::read(&target).unwrap(), fs::read(&path).unwrap()),
                (b"before".into(), b"theirs".into())
            );
        }
    }
}
