//! What was read from disk already, for all addons of an audit.
//!
//! A package may have any number of addons: its package.json is read, and held in memory, once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::package::{self, Package};
use crate::MAX_NAMES;
use crate::beside::Folder;
use crate::error::{AuditError, name};
use crate::manifest::{Manifest, ManifestError};

/// What a package.json says; None where there is none.
type Read = Option<Result<Arc<Manifest>, ManifestError>>;

/// Packages and folders, by path.
#[derive(Default)]
pub(super) struct Known {
    /// By the folder of an addon, as it was given.
    nearest: Mutex<HashMap<PathBuf, Option<Package>>>,
    /// By folder, with no link in it.
    manifests: Mutex<HashMap<PathBuf, Read>>,
    folders: Mutex<HashMap<PathBuf, Arc<Folder>>>,
    /// The memory that facts take, in bytes.
    weight: AtomicU64,
}

impl Known {
    /// As [`package::nearest`]; its error is returned once, and there is no package then.
    pub(super) fn nearest(&self, folder: &Path) -> Result<Option<Package>, AuditError> {
        if let Some(package) = get(&self.nearest, folder) {
            return Ok(package);
        }
        let found = package::nearest(folder, self);
        put(&self.nearest, folder, found.as_ref().ok().cloned().flatten());
        found
    }

    /// The package.json of a folder; `file` is how it is shown.
    pub(super) fn manifest(&self, folder: &Path, file: &Path) -> Result<Option<Arc<Manifest>>, AuditError> {
        let read = match get(&self.manifests, folder) {
            Some(read) => read,
            None => put(&self.manifests, folder, package::read(file)?),
        };
        read.transpose().map_err(|source| AuditError::Manifest { file: name(file), source })
    }

    /// Counts facts that are to be kept; whether there is room for them.
    pub(super) fn has_room(&self, weight: u64) -> bool {
        let sum = |held: u64| held.checked_add(weight).filter(|sum| *sum <= MAX_NAMES);
        self.weight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
    }

    /// The files of a folder.
    pub(super) fn folder(&self, path: &Path) -> Arc<Folder> {
        get(&self.folders, path)
            .unwrap_or_else(|| put(&self.folders, path, Arc::new(Folder::new(path.to_path_buf()))))
    }
}

fn get<V: Clone>(map: &Mutex<HashMap<PathBuf, V>>, path: &Path) -> Option<V> {
    // A map is whole between its calls, whoever else panicked.
    map.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
}

/// Another thread may have been faster: what is there stays, so that all share it.
fn put<V: Clone>(map: &Mutex<HashMap<PathBuf, V>>, path: &Path, value: V) -> V {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.entry(path.to_path_buf()).or_insert(value).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_counted() {
        let known = Known::default();
        assert!(
            known.has_room(MAX_NAMES - 1) && !known.has_room(2) && known.has_room(1) && !known.has_room(1)
        );
        assert!(!Known::default().has_room(u64::MAX));
    }
}
