//! The file of a backup: a temporary file beside the target, which replaces the target once the copy is complete.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};
#[cfg(target_os = "linux")]
use std::{thread, time::Duration};

use crate::convert::with_ending;
use crate::open::{MAIN, MIN_PAGE_SIZE, PLAIN_HEADER};
use crate::registry::{self, Claim, FileId};
use crate::reserved_name::reserved_ending;
#[cfg(target_os = "linux")]
use crate::seam;
use crate::seam::FileStart;
use crate::temporary_file::{TemporaryFile, connect};
use crate::{BackupError, SqlError};

/// The ending of the temporary file that becomes the target.
const COPY: &str = "-strongroom-backup";
/// The ending of the temporary file that a conversion reads.
const PAGES: &str = "-strongroom-backup-pages";

/// One backup's claim to its target.
#[derive(Debug)]
pub(crate) struct BackupFile {
    /// The path as given, for messages.
    given: PathBuf,
    /// The absolute path without symbolic links.
    target: PathBuf,
    copy: TemporaryFile,
    /// The permissions of the copy.
    permissions: Option<Permissions>,
}

impl BackupFile {
    /// Checks the target and creates the temporary file. `sources` are the files of the connection, and `source` is the
    /// file of the copied database.
    ///
    /// The copy has the permissions of the file that it replaces. A new file has the source's permissions, so that only
    /// users who can read the source can read the copy.
    pub(crate) fn create(
        path: &Path,
        sources: &[PathBuf],
        source: Option<&Path>,
    ) -> Result<Self, BackupError> {
        if path.as_os_str().is_empty() {
            return Err(BackupError::EmptyPath);
        }
        let given = path.to_owned();
        let system = |source| BackupError::system(path, "find", path, source);
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(_) => absolute(path).map_err(system)?,
        };
        let directory = target.parent().unwrap_or(Path::new("/"));
        let missing = |source| BackupError::MissingDirectory {
            path: path.to_owned(),
            directory: directory.to_owned(),
            source,
        };
        match fs::metadata(directory) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(missing(ErrorKind::NotADirectory.into())),
            Err(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(missing(source));
            }
            Err(source) => return Err(system(source)),
        }
        if target.is_dir() {
            return Err(BackupError::Directory { path: given });
        }
        if sources.iter().any(|source| fs::canonicalize(source).is_ok_and(|source| source == target)) {
            return Err(BackupError::TargetIsSource { path: given });
        }
        if let Some(ending) = [path, &*target].into_iter().find_map(reserved_ending) {
            return Err(BackupError::TargetName { path: given, ending });
        }
        check_target(path, &target)?;
        let permissions = match permissions(&target).map_err(system)? {
            Some(permissions) => Some(permissions),
            None => source.and_then(permissions_for_new),
        };
        let copy = TemporaryFile::create(with_ending(&target, COPY), permissions.clone(), path)?;
        Ok(Self { given, target, copy, permissions })
    }

    /// Creates the temporary file for the pages of a database to convert.
    ///
    /// The pages of a plain source stay in the folder of its file `source`, which already holds plaintext.
    pub(crate) fn create_pages(&self, source: Option<&Path>) -> Result<TemporaryFile, BackupError> {
        let (beside, permissions) = match source {
            Some(source) => (source, permissions_for_new(source)),
            None => (&*self.target, self.permissions.clone()),
        };
        TemporaryFile::create(with_ending(beside, PAGES), permissions, &self.given)
    }

    /// Returns the path of the target, as given.
    pub(crate) fn given(&self) -> &Path {
        &self.given
    }

    /// Returns the path of the temporary file.
    pub(crate) fn temporary(&self) -> &Path {
        self.copy.path()
    }

    /// Writes the temporary file to the disk and renames it to the target. No connection may have the file open.
    pub(crate) fn install(self) -> Result<(), BackupError> {
        let Self { given, target, copy, .. } = self;
        // The target may have changed while the copy was made.
        copy.install(&target, || check_target(&given, &target))
    }
}

/// A claim to the file that a copy replaces: no other thread of this process can open the file as a database.
struct TargetClaim {
    _claim: Claim,
    // Keeps the inode number, by which the claim identifies the file, from being reused after the file is deleted.
    // Dropped after the claim.
    #[cfg(unix)]
    _file: fs::File,
}

/// Fails if the target exists and the copy must not replace it.
fn check_target(path: &Path, target: &Path) -> Result<Option<TargetClaim>, BackupError> {
    let not_a_database = || BackupError::TargetNotADatabase { path: path.to_owned() };
    let in_use = || BackupError::TargetInUse { path: path.to_owned() };
    match fs::metadata(target) {
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(BackupError::system(path, "find", target, source)),
        Ok(metadata) if !metadata.is_file() => return Err(not_a_database()),
        Ok(_) => {}
    }
    let id = registry::file_id(target).ok_or_else(in_use)?;
    let claim = registry::claim(id).map_err(|_| in_use())?;
    let connection = connect(path, target)?;
    let start = connection.core.file_start(MAIN, PLAIN_HEADER.len());
    let FileStart { bytes, length } = start.ok_or_else(not_a_database)?;
    // An encrypted database has no signature; its length is a multiple of the page size.
    if length != 0 && bytes != PLAIN_HEADER && length % MIN_PAGE_SIZE != 0 {
        return Err(not_a_database());
    }
    let locked = connection.core.lock_file().map_err(|failure| BackupError::Target {
        path: path.to_owned(),
        source: SqlError::from_failure(failure),
    })?;
    if !locked || is_open_elsewhere(claim.id(), target) {
        return Err(in_use());
    }
    for ending in ["-journal", "-wal"] {
        let journal = with_ending(target, ending);
        if fs::metadata(&journal).is_ok_and(|metadata| metadata.len() > 0) {
            return Err(BackupError::TargetHasJournal { path: path.to_owned(), journal });
        }
    }
    Ok(Some(TargetClaim {
        _claim: claim,
        // Closing this descriptor releases no connection's locks: no connection of this process has the file open.
        #[cfg(unix)]
        _file: fs::File::open(target).map_err(|source| BackupError::system(path, "open", target, source))?,
    }))
}

/// Returns whether any descriptor other than that of this thread's connection is open on the target. Locks do not show
/// this: an idle connection of another process holds no lock.
#[cfg(target_os = "linux")]
fn is_open_elsewhere(id: &FileId, target: &Path) -> bool {
    /// The number of consecutive checks that must find the file open elsewhere, and the pause between two checks. A
    /// child process that another thread starts holds each descriptor for the moment between fork and exec.
    const MOMENTS: u32 = 10;
    const MOMENT: Duration = Duration::from_millis(10);
    let folder = target.parent().unwrap_or(Path::new("/"));
    let now = || match seam::descriptors(id).as_deref() {
        Some(&[number]) => seam::is_open_elsewhere(number, folder),
        Some(_) => true,
        None => false,
    };
    (0..MOMENTS).all(|moment| {
        if moment > 0 {
            thread::sleep(MOMENT);
        }
        now()
    })
}

/// Other systems do not show who has a file open.
#[cfg(not(target_os = "linux"))]
fn is_open_elsewhere(_: &FileId, _: &Path) -> bool {
    false
}

/// Returns the permissions of a file, or `None` if the file does not exist.
fn permissions(path: &Path) -> io::Result<Option<Permissions>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions())),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(source),
    }
}

/// Returns the permissions of a new file: whoever may read the source may read the file, and the owner may write the
/// file.
#[cfg(unix)]
fn permissions_for_new(source: &Path) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(source).ok()?.permissions().mode();
    Some(Permissions::from_mode(mode & 0o777 | 0o600))
}

/// Returns `None`: on Windows a new file has the access rules of its folder.
#[cfg(not(unix))]
fn permissions_for_new(_: &Path) -> Option<Permissions> {
    None
}
