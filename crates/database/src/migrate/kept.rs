//! Keeps the original under another name.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::replace::share_as;
use crate::convert::with_ending;
use crate::registry::file_id;
use crate::sync_folder::folder_of;
use crate::temporary_file::TemporaryFile;
use crate::{BackupError, MigrateError};

/// The ending of the incomplete file's name, if the original must be copied.
const PART: &str = "-strongroom-keeping";

/// The original under its other name. Dropping this value removes that name unless the conversion succeeded.
pub(super) struct Kept<'a> {
    keep: Option<&'a Path>,
    /// Closing a descriptor of the original releases SQLite's lock, so this descriptor stays open until the end.
    original: Option<File>,
}

impl<'a> Kept<'a> {
    /// Gives `file` the second name `keep`. Where the system does not allow that, `keep` names a copy.
    pub(super) fn new(path: &Path, file: &Path, keep: Option<&'a Path>) -> Result<Self, MigrateError> {
        let Some(name) = keep else { return Ok(Self { keep, original: None }) };
        match fs::hard_link(file, name) {
            Ok(()) => {}
            Err(_) if is_link_of(name, file) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(exists(path, name)),
            // The file system has no second names, or `keep` is on another one.
            Err(_) => {
                let original =
                    File::open(file).map_err(|source| MigrateError::system(path, "read", file, source))?;
                copy(&original, name).map_err(|error| cannot_keep(path, name, error))?;
                return Ok(Self { keep, original: Some(original) });
            }
        }
        Ok(Self { keep, original: None })
    }

    /// Whether the original has another descriptor than SQLite's.
    pub(super) fn has_descriptor(&self) -> bool {
        self.original.is_some()
    }

    /// Leaves the original under its other name, or removes that name.
    pub(super) fn keep_if(mut self, converted: bool) {
        if converted {
            self.keep = None;
        }
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if let Some(keep) = self.keep {
            let _ = fs::remove_file(keep);
        }
    }
}

/// Returns whether `keep` is another name of `file`.
pub(super) fn is_link_of(keep: &Path, file: &Path) -> bool {
    let is_other_path = fs::canonicalize(keep).is_ok_and(|keep| keep != file);
    is_other_path && file_id(keep).is_some() && file_id(keep) == file_id(file)
}

/// Copies the original to `name`, which no file has before the copy is complete and on the disk.
///
/// Only the owner may read the copy until it has the permissions of the original.
fn copy(mut original: &File, name: &Path) -> Result<(), BackupError> {
    let part = TemporaryFile::create(with_ending(name, PART), private(), name)?;
    let mut write = || {
        io::copy(&mut original, &mut File::options().write(true).open(part.path())?)?;
        share_as(part.path(), &original.metadata()?)
    };
    write().map_err(|source| BackupError::system(name, "write", part.path(), source))?;
    part.install(name, || match fs::symlink_metadata(name) {
        Ok(_) => Err(BackupError::system(name, "create", name, ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    })
}

/// Returns the permissions of a file that only its owner may read.
fn private() -> Option<Permissions> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    #[cfg(not(unix))]
    None
}

fn exists(path: &Path, keep: &Path) -> MigrateError {
    MigrateError::KeepExists { path: path.to_owned(), keep: keep.to_owned() }
}

/// Returns the error for a copy of the original that failed.
fn cannot_keep(path: &Path, keep: &Path, error: BackupError) -> MigrateError {
    match error {
        BackupError::System { source, .. } if source.kind() != ErrorKind::AlreadyExists => {
            MigrateError::system(path, "keep the original as", keep, source)
        }
        BackupError::Unsynced { source, .. } => {
            let _ = fs::remove_file(keep);
            MigrateError::system(path, "sync", folder_of(keep), source)
        }
        BackupError::Open { source, .. } => source.into(),
        BackupError::Target { source, .. } => MigrateError::Sqlite { path: path.to_owned(), source },
        // The name exists, or another conversion is about to give it to another original.
        _ => exists(path, keep),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// When the original was kept on another file system, everybody could read the incomplete copy, and a crash left an
    /// incomplete file under the name of the original.
    #[test]
    fn a_copy_of_the_original_is_private_and_has_another_name_until_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("old.db");
        let (reader, mut writer) = io::pipe().unwrap();
        let original = File::from(std::os::fd::OwnedFd::from(reader));
        std::thread::scope(|scope| {
            let copied = scope.spawn(|| copy(&original, &name));
            // The write is larger than a pipe's buffer, so the copy exists once the write returns.
            writer.write_all(&[1; 1 << 20]).unwrap();
            let mode = fs::metadata(with_ending(&name, PART)).unwrap().permissions().mode();
            let is_named = name.exists();
            drop(writer);
            copied.join().unwrap().unwrap();
            assert_eq!((mode & 0o777, is_named), (0o600, false));
        });
        assert_eq!(fs::metadata(&name).unwrap().len(), 1 << 20);
        assert!(!with_ending(&name, PART).exists());
    }

    /// The copy replaces neither a file that has appeared under its name nor an incomplete copy that is being written, but
    /// it does replace the leftover of a crash.
    #[test]
    fn a_copy_of_the_original_replaces_only_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let (file, name) = (folder.path().join("a.db"), folder.path().join("old.db"));
        fs::write(&file, "original").unwrap();
        let copy = || {
            let copied = copy(&File::open(&file).unwrap(), &name);
            copied.map_err(|error| cannot_keep(&file, &name, error))
        };
        let other = TemporaryFile::create(with_ending(&name, PART), None, &name).unwrap();
        assert!(matches!(copy(), Err(MigrateError::KeepExists { .. })));
        assert!(other.is_in_place());
        drop(other);
        fs::write(with_ending(&name, PART), "left").unwrap();
        copy().unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"original");
        fs::write(&name, "theirs").unwrap();
        assert!(matches!(copy(), Err(MigrateError::KeepExists { .. })));
        assert_eq!(fs::read(&name).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
