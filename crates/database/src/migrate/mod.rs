//! Replaces a database by a copy with another key or without a key.
//!
//! Invariant: until the rename, the old file has the name and all of its content; after the rename, the new file does.
//! Nothing else changes at the rename. A crash at any time therefore leaves a complete old or new file, and at most two
//! extra files that the next call removes: the copy, and a copy of the original if the original is kept without a second
//! name.

mod kept;
mod lock;
mod replace;

use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_format::Unlocked;
use strongroom_keys::Key;

use crate::convert::{Conversion, Encryption, convert, remove_database, with_ending};
use crate::reserved_name::reserved_ending;
use crate::seam::Core;
use crate::sync_folder::folder_of;
use crate::{Converted, MigrateError, OpenError, Progress};
use lock::Locked;

/// The ending of the incomplete copy's name.
const COPY: &str = "-strongroom-migrating";

/// A conversion of a database file.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// The file.
    pub path: &'a Path,
    /// The folder to which relative paths refer, or `None` for the current folder of the process, which another thread may
    /// change.
    pub folder: Option<&'a Path>,
    /// The file's current key, or `None` for a plain file.
    pub from: Option<&'a Key>,
    /// The file's new key, or `None` for a plain file.
    pub to: Option<&'a Key>,
    /// A path at which to keep the original. Nothing may exist there.
    pub keep: Option<&'a Path>,
    /// The longest time to wait for another connection's lock.
    pub timeout: Duration,
}

/// Converts a database file between plain and encrypted, or between two keys or two sets of cipher parameters.
///
/// The conversion writes a copy beside the file, compares the two, and renames the copy over the file. The file keeps its
/// content, its settings (see [`Converted`]), its permissions and, where the system allows it, its owner. `progress` is
/// called repeatedly, and cancels the conversion by returning `Break`.
///
/// No connection may have the file open. The call detects connections of this process and, on Linux, of other processes. On
/// other systems, the call detects an idle connection of another process only if the file is in WAL mode. Without WAL,
/// SQLite refuses that connection's next write with SQLITE_READONLY_DBMOVED.
///
/// # Errors
///
/// [`MigrateError`]. The file is then unchanged, except after [`MigrateError::Unsynced`].
pub fn migrate(
    migration: &Migration<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Converted, MigrateError> {
    let from = migration.from.map_or(Opener::Plain, Opener::Key);
    migration.run(from, |_| Ok(Encryption::of(migration.to)), progress)
}

/// What opens the file of a conversion.
#[derive(Clone, Copy)]
pub(crate) enum Opener<'a> {
    /// Nothing: the file is plain.
    Plain,
    Key(&'a Key),
    /// The credential that has opened the file before.
    Unlocked(&'a Unlocked),
}

impl Migration<'_> {
    /// Converts the file. `encryption` returns the encryption of the new file, once the file is locked.
    pub(crate) fn run<'e, E: From<MigrateError>>(
        &self,
        from: Opener<'_>,
        encryption: impl FnOnce(&Core) -> Result<Encryption<'e>, E>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Converted, E> {
        let path = self.path;
        let file = find(path, &self.place(path))?;
        let keep = match self.keep {
            Some(keep) => Some(self.place_to_keep(&file, keep)?),
            None => None,
        };
        let locked = Locked::new(self, from, &file, lock::claim(path, &file)?, progress)?;
        let encryption = encryption(&locked.source.core)?;
        let copy = with_ending(&file, COPY);
        // The lock makes this the only conversion of the file, so an existing copy is the leftover of a killed conversion.
        remove_database(&copy);
        replace::create(path, &file, &copy)?;
        let conversion = Conversion { source: &locked.source, path, target: &copy, encryption };
        let converted = convert(&conversion, progress)?;
        let replaced = locked.replace(path, &copy, keep.as_deref());
        // After the rename, a file with the copy's name belongs to another conversion.
        if replaced.as_ref().is_err_and(|error| !matches!(error, MigrateError::Unsynced { .. })) {
            remove_database(&copy);
        }
        replaced?;
        Ok(converted)
    }

    /// Fails if the original could not be kept at `keep`: the path is taken or reserved, or its folder does not exist.
    pub(crate) fn check_keep(&self) -> Result<(), MigrateError> {
        let Some(keep) = self.keep else { return Ok(()) };
        self.place_to_keep(&find(self.path, &self.place(self.path))?, keep).map(drop)
    }

    /// Returns the path relative to `folder`, independent of the current folder of the process.
    fn place(&self, path: &Path) -> PathBuf {
        self.folder.map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// Returns the path at which to keep the original, if the path is free. A killed conversion may already have linked the
    /// original there.
    fn place_to_keep(&self, file: &Path, keep: &Path) -> Result<PathBuf, MigrateError> {
        let (path, place) = (self.path.to_owned(), self.place(keep));
        if let Some(ending) = reserved_ending(keep) {
            return Err(MigrateError::KeepName { path, keep: keep.to_owned(), ending });
        }
        let cannot_keep = |source| MigrateError::system(&path, "keep the original as", keep, source);
        match fs::symlink_metadata(&place) {
            Ok(_) if kept::is_link_of(&place, file) => return Ok(place),
            Ok(_) => return Err(MigrateError::KeepExists { path, keep: keep.to_owned() }),
            Err(source) if source.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(cannot_keep(source)),
        }
        match fs::metadata(folder_of(&place)) {
            Ok(folder) if folder.is_dir() => Ok(place),
            Ok(_) => Err(cannot_keep(ErrorKind::NotADirectory.into())),
            Err(source) if source.kind() == ErrorKind::NotFound => Err(MigrateError::KeepDirectory {
                directory: folder_of(&place).to_owned(),
                keep: keep.to_owned(),
                path,
                source,
            }),
            Err(source) => Err(cannot_keep(source)),
        }
    }
}

/// Returns the path of the file without symbolic links. `path` is the given path, and `place` the same path resolved
/// against the folder.
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
