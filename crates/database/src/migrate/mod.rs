//! Replaces a database by a copy with another key, or without one.
//!
//! Invariant: until the rename, the old file has its name and all of its content, and after it the new file has. Nothing
//! else changes at the rename, so that a crash at any time leaves one of them, and at most a file that the next call
//! removes.

mod lock;
mod replace;

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_keys::Key;

use crate::convert::{Conversion, convert, remove_database, with_ending};
use crate::reserved_name::reserved_ending;
use crate::{Converted, MigrateError, OpenError, Progress};
use lock::Locked;

/// The ending of the copy's name until the copy is complete.
const COPY: &str = "-strongroom-migrating";

/// A conversion of a database file.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// The file.
    pub path: &'a Path,
    /// The folder from which relative paths start, or `None` for the folder of the process, which another thread may change.
    pub folder: Option<&'a Path>,
    /// The key that the file has, or `None` for a plain file.
    pub from: Option<&'a Key>,
    /// The key that the file is to have, or `None` for a plain file.
    pub to: Option<&'a Key>,
    /// A path that does not exist, which will name the original.
    pub keep: Option<&'a Path>,
    /// How long to wait for another connection's lock.
    pub timeout: Duration,
}

/// Converts a database file between plain and encrypted, or between two keys or two sets of cipher parameters.
///
/// A copy is written beside the file, compared with it, and renamed over it. The file keeps its content, its settings
/// (see [`Converted`]), its permissions and, where the system allows it, its owner. `progress` is called now and then, and
/// cancels the conversion with `Break`.
///
/// No connection may have the file open. Connections of this process, and on Linux those of other processes, are found.
/// On other systems an idle connection of another process is found only if the file is in WAL mode; without WAL, SQLite
/// refuses its next write with SQLITE_READONLY_DBMOVED.
///
/// # Errors
///
/// [`MigrateError`]. The file is then as it was, except after [`MigrateError::Unsynced`].
pub fn migrate(
    migration: &Migration<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Converted, MigrateError> {
    let path = migration.path;
    let file = find(path, &migration.place(path))?;
    let keep = match migration.keep {
        Some(keep) => Some(migration.place_to_keep(&file, keep)?),
        None => None,
    };
    let locked = Locked::new(migration, &file, lock::claim(path, &file)?, progress)?;
    let copy = with_ending(&file, COPY);
    // The lock makes this the only conversion of the file, so that the copy is a leftover of one that was killed.
    remove_database(&copy);
    replace::create(path, &file, &copy)?;
    let conversion = Conversion { source: &locked.source, path, target: &copy, key: migration.to };
    let converted = convert(&conversion, progress)?;
    let replaced = locked.replace(path, &copy, keep.as_deref());
    // After the rename, a file of the copy's name belongs to another conversion.
    if replaced.as_ref().is_err_and(|error| !matches!(error, MigrateError::Unsynced { .. })) {
        remove_database(&copy);
    }
    replaced.map(|()| converted)
}

impl Migration<'_> {
    /// Returns a path that does not depend on the folder of the process.
    fn place(&self, path: &Path) -> PathBuf {
        self.folder.map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// Returns the path for the original, which is free. A conversion that was killed may have linked the original already.
    fn place_to_keep(&self, file: &Path, keep: &Path) -> Result<PathBuf, MigrateError> {
        let (path, place) = (self.path.to_owned(), self.place(keep));
        if let Some(ending) = reserved_ending(keep) {
            return Err(MigrateError::KeepName { path, keep: keep.to_owned(), ending });
        }
        if fs::symlink_metadata(&place).is_err() || replace::is_link_of(&place, file) {
            return Ok(place);
        }
        Err(MigrateError::KeepExists { path, keep: keep.to_owned() })
    }
}

/// Returns the path of the file without symbolic links. `path` is the given path, and `place` the one that it stands for.
fn find(path: &Path, place: &Path) -> Result<PathBuf, MigrateError> {
    let given = path.to_owned();
    if path.as_os_str().is_empty() {
        return Err(OpenError::EmptyPath.into());
    }
    let file = fs::canonicalize(place).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            OpenError::MissingFile { path: given.clone(), source }.into()
        }
        ErrorKind::PermissionDenied => OpenError::Permission { path: given.clone(), source }.into(),
        ErrorKind::InvalidInput => OpenError::NulInPath.into(),
        _ => MigrateError::system(path, "find", path, source),
    })?;
    let metadata = fs::metadata(&file).map_err(|source| MigrateError::system(path, "find", path, source))?;
    match metadata.len() {
        _ if metadata.is_dir() => Err(OpenError::Directory { path: given }.into()),
        _ if !metadata.is_file() => Err(MigrateError::NotAFile { path: given }),
        0 => Err(MigrateError::EmptyFile { path: given }),
        _ => Ok(file),
    }
}
