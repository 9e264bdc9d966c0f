//! Temporary files with fixed names, which a backup writes.

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

/// The paths of this process's temporary files. SQLite's locks are not held for all of a backup's time.
static IN_USE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// A temporary file, empty at first. Dropping it removes the file, with the files that SQLite keeps beside it.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    path: PathBuf,
    /// The file that this value has created, until it is renamed.
    created: Option<Created>,
}

/// A file that this process has created.
#[derive(Debug)]
struct Created {
    /// Identifies the file, whose number no other file gets while it is open. On Linux, its lock tells other processes that
    /// the file is in use. Closing it drops the locks of SQLite's connections, which have to be closed before.
    #[cfg(unix)]
    file: File,
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
        // The mode at creation lacks the bits of the process's mask.
        let permitted = permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions));
        let permitted = permitted.map_err(failed);
        let is_locked = lock(&file);
        this.created = Some(Created::new(file));
        permitted?;
        // Another process has the lock only if it has found the file without it and is about to remove the file.
        if !is_locked || !this.is_in_place() {
            return Err(BackupError::TargetInUse { path: this.path.clone() });
        }
        Ok(this)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still names the file: a process that does not know of the lock may have taken it for a leftover.
    pub(crate) fn is_in_place(&self) -> bool {
        self.created.as_ref().is_some_and(|created| created.is_at(&self.path))
    }

    /// Writes the file to the disk, and renames it to `target` unless `check` fails. No connection may have it open.
    ///
    /// The result of `check` lives until the file is renamed.
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
        // Keeps other threads from opening the file by its new name before this thread's descriptor is closed.
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
            // A link would lead to a file that no backup has written, and removing the link does it no harm.
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
            // A companion that stays belongs to no database, and SQLite checks it before use.
            let _ = fs::remove_file(with_ending(&self.path, ending));
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if self.is_in_place() {
            // A drop cannot report a failure, and the next backup removes a leftover.
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

    /// Windows renames no file that is open without its consent, which SQLite does not give.
    #[cfg(not(unix))]
    fn new(_: File) -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    fn is_at(&self, _: &Path) -> bool {
        true
    }
}

/// The right to remove a leftover: no other process takes the file into use before the drop.
struct Unused {
    _connection: Opened,
    #[cfg(target_os = "linux")]
    _file: File,
}

impl Unused {
    /// Returns `None` if another connection reads or writes the file, or has it open in WAL mode, or if a backup holds it.
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
            // Another name than the connection's would be another file.
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

/// Takes the lock that tells other processes that a file is in use. Returns false if another process has it.
#[cfg(target_os = "linux")]
fn lock(file: &File) -> bool {
    crate::seam::lock_beside_sqlite(file)
}

/// Other systems have no lock that can be held beside SQLite's. There a backup finds before the rename that the file is another.
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

    /// Creates the file as another process does: this process's list does not know the path.
    fn created_by_another(folder: &Path, name: &str) -> Result<TemporaryFile, BackupError> {
        let link = folder.join("link");
        let _ = std::os::unix::fs::symlink(folder, &link);
        TemporaryFile::create(link.join(name), None, &folder.join("target"))
    }

    /// A copy that is complete has no connection. Another process took it for a leftover, and created its own file of the
    /// name, which was then renamed to the target while it was empty.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_a_connection_is_no_leftover() {
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
            // What a process does that knows nothing of the lock.
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
