//! Caches packages and folders on disk, so that each is read once.
//!
//! A package may have any number of addons, so its package.json is read once and stays in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::package::{Package, PackageRoot};
use super::place::{Folder, Place};
use crate::error::AuditError;
use crate::limits::MAX_MANIFEST;
use crate::manifest::{Manifest, ManifestError};
use crate::printable::display_path;

/// A parsed package.json, or None if the folder lacks one.
type ParsedManifest = Option<Result<Arc<Manifest>, ManifestError>>;

/// Packages and folders, by path.
#[derive(Default)]
pub(super) struct DiskCache {
    /// The nearest package, by the folder as given.
    nearest: HashMap<PathBuf, Option<Arc<Package>>>,
    /// The package.json files, by the canonical path of their folder.
    manifests: HashMap<PathBuf, ParsedManifest>,
    /// The folders, by the path as given.
    folders: HashMap<PathBuf, Arc<Folder>>,
}

impl DiskCache {
    /// Returns the nearest package with a name, from a folder up to the nearest node_modules. If all packages lack a
    /// name, returns the innermost one.
    ///
    /// # Errors
    /// A package.json on the way up is invalid or cannot be read. Later calls for the same folder return no package.
    pub(super) fn nearest(&mut self, folder: &Path) -> Result<Option<Arc<Package>>, AuditError> {
        if let Some(package) = self.nearest.get(folder) {
            return Ok(package.clone());
        }
        let found = self.find_nearest(folder);
        self.nearest.insert(folder.to_path_buf(), found.as_ref().ok().cloned().flatten());
        found
    }

    /// Returns the package whose root is this folder.
    ///
    /// # Errors
    /// The same errors as [`DiskCache::nearest`].
    pub(super) fn package_at(&mut self, folder: &Path) -> Result<Option<Arc<Package>>, AuditError> {
        let real = std::fs::canonicalize(folder).ok();
        let nearest = self.nearest(folder)?;
        Ok(nearest.filter(|package| real.is_some_and(|real| package.root == PackageRoot::Disk(real))))
    }

    /// Returns a folder.
    pub(super) fn folder(&mut self, path: &Path) -> Arc<Folder> {
        let folder = self.folders.entry(path.to_path_buf());
        Arc::clone(folder.or_insert_with(|| Arc::new(Folder::new(path.to_path_buf()))))
    }

    fn find_nearest(&mut self, folder: &Path) -> Result<Option<Arc<Package>>, AuditError> {
        let here = or_current(folder);
        let unreadable = |source| AuditError::Unreadable { file: display_path(here), source };
        let real = std::fs::canonicalize(here).map_err(unreadable)?;
        let mut unnamed = None;
        // Walks up the given path as well, as long as it names the same folder, so that reports write the paths of the
        // package and the addon in the same form.
        let mut given = Some(folder);
        for outer in real.ancestors() {
            if outer.file_name().is_some_and(|name| name == "node_modules") {
                break;
            }
            given = given.filter(|given| is_same(given, outer));
            let file = given.unwrap_or(outer).join("package.json");
            if let Some(manifest) = self.manifest(outer, &file)? {
                let place = Place::Disk(self.folder(outer));
                let package = Package { root: PackageRoot::Disk(outer.to_path_buf()), file, manifest, place };
                let package = Arc::new(package);
                if package.is_named() {
                    return Ok(Some(package));
                }
                unnamed = unnamed.or(Some(package));
            }
            given = given.and_then(Path::parent);
        }
        Ok(unnamed)
    }

    /// Returns the package.json of a folder; `file` is the path under which the audit reports it.
    fn manifest(&mut self, folder: &Path, file: &Path) -> Result<Option<Arc<Manifest>>, AuditError> {
        let parsed = match self.manifests.get(folder) {
            Some(parsed) => parsed.clone(),
            None => {
                let parsed = read_manifest(file)?;
                self.manifests.insert(folder.to_path_buf(), parsed.clone());
                parsed
            }
        };
        parsed.transpose().map_err(|source| AuditError::Manifest { file: display_path(file), source })
    }
}

/// Returns the current folder for an empty path.
pub(super) fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Returns whether two paths name the same folder; the second path is canonical.
fn is_same(given: &Path, real: &Path) -> bool {
    std::fs::canonicalize(or_current(given)).is_ok_and(|given| given == real)
}

fn read_manifest(file: &Path) -> Result<ParsedManifest, AuditError> {
    let unreadable = |source| AuditError::Unreadable { file: display_path(file), source };
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    }
    let mut content = Vec::new();
    File::open(file)
        .and_then(|open| open.take(MAX_MANIFEST + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if content.len() as u64 > MAX_MANIFEST {
        let reason = format!(
            "the file is larger than {} KiB, the largest package.json that node-audit reads",
            MAX_MANIFEST >> 10
        );
        return Err(unreadable(std::io::Error::other(reason)));
    }
    Ok(Some(Manifest::parse(&content).map(Arc::new)))
}
