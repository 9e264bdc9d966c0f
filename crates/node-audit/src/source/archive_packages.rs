//! Finds the packages in an archive, or in a list of files that npm would pack into one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::package::{Package, PackageRoot};
use super::place::{Place, path_in};
use crate::error::AuditError;
use crate::manifest::Manifest;
use crate::neighbours::ArchiveFiles;
use crate::printable::display_path;
use crate::script_files::script_files;

/// The names in an archive, and its package.json files.
pub(super) struct Listing {
    pub(super) files: Arc<ArchiveFiles>,
    /// The package.json files, by folder.
    pub(super) manifests: BTreeMap<String, Vec<u8>>,
}

impl Listing {
    pub(super) fn place(&self, folder: &str) -> Place {
        Place::Archive { files: Arc::clone(&self.files), directory: folder.to_owned() }
    }

    /// Returns the top-level folders that have a package.json. npm puts the package itself into a single top-level
    /// folder.
    pub(super) fn tops(&self) -> impl Iterator<Item = &str> {
        self.manifests.keys().map(String::as_str).filter(|folder| !folder.is_empty() && !folder.contains('/'))
    }

    /// Returns the paths of the JavaScript files that matter to the top-level packages: the path in the archive, and the
    /// path in the package.
    pub(super) fn script_files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for top in self.tops() {
            let manifest = self.manifests.get(top).and_then(|content| Manifest::parse(content).ok());
            for path in manifest.iter().flat_map(script_files) {
                files.insert(path_in(top, &path), path);
            }
        }
        files
    }
}

/// The packages of an archive, each parsed once.
pub(super) struct ArchivePackages<'a> {
    archive: &'a Path,
    listing: &'a Listing,
    /// Returns the path under which the audit reports an entry.
    path_of: &'a dyn Fn(&str) -> PathBuf,
    /// The parsed package.json files, by folder.
    parsed: BTreeMap<String, Option<Arc<Manifest>>>,
}

impl<'a> ArchivePackages<'a> {
    pub(super) fn new(
        archive: &'a Path,
        listing: &'a Listing,
        path_of: &'a dyn Fn(&str) -> PathBuf,
    ) -> ArchivePackages<'a> {
        ArchivePackages { archive, listing, path_of, parsed: BTreeMap::new() }
    }

    /// Returns the nearest package with a name, from a folder up to the nearest node_modules. If all packages lack a
    /// name, returns the innermost one.
    pub(super) fn nearest(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Arc<Package>> {
        let mut unnamed: Option<Arc<Package>> = None;
        let mut folder = folder;
        loop {
            if folder == "node_modules" || folder.ends_with("/node_modules") {
                return unnamed;
            }
            if let Some(manifest) = self.parse(folder, failures) {
                let root =
                    PackageRoot::Archive { archive: self.archive.to_path_buf(), folder: folder.to_owned() };
                let package =
                    Package { root, file: self.file(folder), manifest, place: self.listing.place(folder) };
                let package = Arc::new(package);
                if package.is_named() {
                    return Some(package);
                }
                unnamed = unnamed.or(Some(package));
            }
            match folder.rsplit_once('/') {
                Some((outer, _)) => folder = outer,
                None => return unnamed,
            }
        }
    }

    fn parse(&mut self, folder: &str, failures: &mut Vec<AuditError>) -> Option<Arc<Manifest>> {
        if let Some(parsed) = self.parsed.get(folder) {
            return parsed.clone();
        }
        let manifest = match Manifest::parse(self.listing.manifests.get(folder)?) {
            Ok(manifest) => Some(Arc::new(manifest)),
            Err(source) => {
                failures.push(AuditError::Manifest { file: display_path(&self.file(folder)), source });
                None
            }
        };
        self.parsed.insert(folder.to_owned(), manifest.clone());
        manifest
    }

    fn file(&self, folder: &str) -> PathBuf {
        (self.path_of)(&format!("{folder}/package.json"))
    }
}
