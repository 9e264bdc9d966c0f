//! Lists the files that this process has open as databases.
//!
//! A conversion replaces a file. A connection that had the old file open would continue with a file that has no name. An
//! idle connection holds no lock on most systems, so this process keeps its own list.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// The identity of a file, the same for each of its paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    /// The device number and the inode number.
    #[cfg(unix)]
    file: (u64, u64),
    /// The path without symbolic links.
    #[cfg(not(unix))]
    file: std::path::PathBuf,
}

static FILES: Mutex<Files> = Mutex::new(Files { open: BTreeMap::new(), claimed: BTreeMap::new() });

struct Files {
    /// The number of connections to each file.
    open: BTreeMap<FileId, usize>,
    /// The files that a thread is converting.
    claimed: BTreeMap<FileId, ThreadId>,
}

/// The file is open, or is being converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InUse;

/// The entry of an open connection. Dropping this value removes the entry.
pub(crate) struct Listed {
    id: FileId,
}

/// The right of this thread to replace a file. Dropping this value gives up the right.
pub(crate) struct Claim {
    id: FileId,
}

/// Returns the identity of the file that a path names, or `None` if the file does not exist.
#[cfg(unix)]
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some(FileId { file: (metadata.dev(), metadata.ino()) })
}

/// Returns the identity of the file that a path names, or `None` if the file does not exist.
#[cfg(not(unix))]
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    let file = fs::canonicalize(path).ok()?;
    Some(FileId { file })
}

/// Returns whether another thread is converting a file.
pub(crate) fn is_claimed(id: &FileId) -> bool {
    files().claimed.get(id).is_some_and(|owner| *owner != thread::current().id())
}

/// Adds a connection to a file to the list, unless another thread is converting the file. The converting thread itself may
/// open the file.
pub(crate) fn list(id: FileId) -> Result<Listed, InUse> {
    let mut files = files();
    if files.claimed.get(&id).is_some_and(|owner| *owner != thread::current().id()) {
        return Err(InUse);
    }
    *files.open.entry(id.clone()).or_default() += 1;
    Ok(Listed { id })
}

/// Returns the number of connections of this process to a file.
pub(crate) fn connections(id: &FileId) -> usize {
    files().open.get(id).copied().unwrap_or_default()
}

/// Claims a file. Fails if a connection of this process has the file open, or if a thread is converting the file.
pub(crate) fn claim(id: FileId) -> Result<Claim, InUse> {
    let mut files = files();
    if files.open.contains_key(&id) || files.claimed.contains_key(&id) {
        return Err(InUse);
    }
    files.claimed.insert(id.clone(), thread::current().id());
    Ok(Claim { id })
}

impl Claim {
    pub(crate) fn id(&self) -> &FileId {
        &self.id
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut files = files();
        if let Some(count) = files.open.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                files.open.remove(&self.id);
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        files().claimed.remove(&self.id);
    }
}

/// Locks the list, even after a panic: a panic leaves no partial change.
fn files() -> MutexGuard<'static, Files> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an identity that no file of another test has.
    fn id(path: &Path) -> FileId {
        fs::write(path, "").unwrap();
        file_id(path).unwrap()
    }

    #[test]
    fn a_file_is_claimed_only_while_no_connection_has_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let id = || id(&folder.path().join("a"));
        let listed = [list(id()).unwrap(), list(id()).unwrap()];
        assert_eq!(claim(id()).err(), Some(InUse));
        let [first, second] = listed;
        drop(first);
        assert_eq!(claim(id()).err(), Some(InUse));
        drop(second);
        let claimed = claim(id()).unwrap();
        assert_eq!(claim(id()).err(), Some(InUse));
        assert!(list(id()).is_ok(), "the thread that converts opens the file itself");
        let other = thread::scope(|scope| scope.spawn(|| list(id()).err()).join().unwrap());
        assert_eq!(other, Some(InUse));
        drop(claimed);
        assert!(claim(id()).is_ok());
    }
}
