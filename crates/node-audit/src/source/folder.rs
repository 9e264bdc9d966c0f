//! Folders: which addons are in them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::is_addon;
use crate::error::{AuditError, name};

/// Folders within each other, of which nobody has more. The way to a package is walked from each addon.
pub(crate) const DEEPEST: usize = 128;

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The addons.
    pub(super) addons: BTreeSet<PathBuf>,
    /// Folders of packages for which npm could run node-gyp.
    pub(super) gyp: BTreeSet<PathBuf>,
    /// Links to folders outside of it.
    pub(super) links: usize,
    /// What could not be looked at.
    pub(super) failures: Vec<AuditError>,
}

/// Walks through a folder; a link to it is followed, and no link in it.
///
/// What a link in the folder leads to is seen where it lies, so that the links of pnpm are nothing to follow.
pub(super) fn list(root: &Path) -> Listing {
    let mut listing = Listing::default();
    let real = std::fs::canonicalize(root).ok();
    for entry in WalkDir::new(root).follow_links(false).max_depth(DEEPEST).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let file = name(error.path().unwrap_or(root));
                let source = error.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links"));
                listing.failures.push(AuditError::Unreadable { file, source });
                continue;
            }
        };
        let kind = entry.file_type();
        let path = entry.path();
        if entry.depth() == DEEPEST && kind.is_dir() {
            let source =
                io::Error::other(format!("it is the innermost of {DEEPEST} folders, and not looked into"));
            listing.failures.push(AuditError::Unreadable { file: name(path), source });
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
            && is_package(folder, root)
        {
            listing.gyp.insert(folder.to_path_buf());
        }
    }
    listing
}

/// The folder itself, or one where npm installs a package; test data of others has binding.gyp files as well.
fn is_package(folder: &Path, root: &Path) -> bool {
    let named = |folder: &Path, name: &str| folder.file_name().is_some_and(|own| own == name);
    let scope =
        |folder: &Path| folder.file_name().is_some_and(|own| own.as_encoded_bytes().starts_with(b"@"));
    let installed = match folder.parent() {
        Some(parent) if scope(parent) => {
            parent.parent().is_some_and(|modules| named(modules, "node_modules"))
        }
        Some(parent) => named(parent, "node_modules"),
        None => false,
    };
    folder == root || installed
}

/// A link to an addon in the folder is nothing to report, because the addon itself is looked at.
fn link(path: &Path, root: Option<&Path>) -> Option<AuditError> {
    match std::fs::canonicalize(path) {
        Ok(target) if is_within(&target, root) => {
            // Node would open what the link leads to, whatever that is called.
            let seen = target.to_str().is_some_and(is_addon);
            (!seen).then(|| AuditError::Link { file: name(path), target: name(&target) })
        }
        Ok(target) => Some(AuditError::Link { file: name(path), target: name(&target) }),
        Err(source) => Some(AuditError::Unreadable { file: name(path), source }),
    }
}

fn is_within(target: &Path, root: Option<&Path>) -> bool {
    root.is_some_and(|root| target.starts_with(root))
}
