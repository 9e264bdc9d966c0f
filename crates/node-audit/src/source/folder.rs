//! Finds the addons in folders.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::input::is_addon;
use super::package::is_installed;
use crate::error::AuditError;
use crate::limits::MAX_FOLDER_DEPTH;
use crate::printable::display_path;

/// The contents of a folder.
#[derive(Debug, Default)]
pub(super) struct FolderListing {
    /// The addons.
    pub(super) addons: BTreeSet<PathBuf>,
    /// The folders of packages for which npm may run node-gyp.
    pub(super) gyp: BTreeSet<PathBuf>,
    /// The number of links to folders outside the walked folder.
    pub(super) links: usize,
    /// The files and folders that could not be read.
    pub(super) failures: Vec<AuditError>,
}

/// Walks through a folder. If the folder itself is a link, follows it, but follows no link inside the folder: the walk
/// reaches the target of such a link, for example one that pnpm created, by the target's own path.
pub(super) fn list(root: &Path) -> FolderListing {
    let mut listing = FolderListing::default();
    let real = std::fs::canonicalize(root).ok();
    for entry in WalkDir::new(root).follow_links(false).max_depth(MAX_FOLDER_DEPTH).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let file = display_path(error.path().unwrap_or(root));
                let source = error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links"));
                listing.failures.push(AuditError::Unreadable { file, source });
                continue;
            }
        };
        let kind = entry.file_type();
        let path = entry.path();
        if entry.depth() == MAX_FOLDER_DEPTH && kind.is_dir() {
            let source = io::Error::other(format!(
                "the folder is nested {MAX_FOLDER_DEPTH} levels deep, and node-audit searches no deeper; pass this \
                 folder as well"
            ));
            listing.failures.push(AuditError::Unreadable { file: display_path(path), source });
        }
        if entry.depth() == 0 || kind.is_dir() {
            continue;
        }
        let addon = path.extension().is_some_and(|extension| extension == "node");
        if addon && kind.is_symlink() {
            listing.failures.extend(link(path, real.as_deref()));
        } else if addon {
            listing.addons.insert(path.to_path_buf());
        } else if kind.is_symlink() {
            let target = std::fs::canonicalize(path).ok().filter(|target| target.is_dir());
            listing.links += usize::from(target.is_some_and(|target| !is_within(&target, real.as_deref())));
        } else if entry.file_name() == "binding.gyp"
            && let Some(folder) = path.parent()
            // Any other folder with a binding.gyp contains test data.
            && (folder == root || is_installed(folder))
        {
            listing.gyp.insert(folder.to_path_buf());
        }
    }
    listing
}

/// Returns the failure for a link to an addon outside the folder. An addon in the folder is audited under its own path.
fn link(path: &Path, root: Option<&Path>) -> Option<AuditError> {
    match std::fs::canonicalize(path) {
        Ok(target) if is_within(&target, root) => {
            // Node opens the target, whatever the target's name is.
            let seen = target.to_str().is_some_and(is_addon);
            (!seen).then(|| AuditError::Link { file: display_path(path), target: display_path(&target) })
        }
        Ok(target) => Some(AuditError::Link { file: display_path(path), target: display_path(&target) }),
        Err(source) => Some(AuditError::Unreadable { file: display_path(path), source }),
    }
}

fn is_within(target: &Path, root: Option<&Path>) -> bool {
    root.is_some_and(|root| target.starts_with(root))
}
