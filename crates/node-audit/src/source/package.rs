//! A package: its package.json and its place.

use std::ffi::OsStr;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use super::place::Place;
use crate::manifest::Manifest;
use crate::package_contents::PackageContents;

/// A package.json and its place.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) root: PackageRoot,
    /// The path under which the audit reports the package.json.
    pub(super) file: PathBuf,
    pub(super) manifest: Arc<Manifest>,
    /// The package's own folder.
    pub(super) place: Place,
}

impl Package {
    /// Returns whether the package.json names its package. A folder inside a package may have a package.json without a
    /// name, which sets the type of the modules in the folder.
    pub(super) fn is_named(&self) -> bool {
        self.manifest.name.is_some()
    }

    /// Returns the package without its addons.
    pub(super) fn contents(&self) -> PackageContents {
        PackageContents {
            manifest: Arc::clone(&self.manifest),
            file: self.file.clone(),
            files: self.place.neighbours_of_package(&self.manifest),
            javascript: self.place.javascript(&self.manifest),
            addons: Vec::new(),
            installed: self.root.is_installed(),
        }
    }
}

/// The folder of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PackageRoot {
    /// A folder on disk, by its canonical path.
    Disk(PathBuf),
    Archive {
        archive: PathBuf,
        folder: String,
    },
}

impl PackageRoot {
    fn is_installed(&self) -> bool {
        matches!(self, PackageRoot::Disk(folder) if is_installed(folder))
    }

    /// Returns a path relative to this folder.
    pub(super) fn relative<'a>(&self, path: &'a str) -> &'a str {
        let root = match self {
            PackageRoot::Disk(folder) => with_slashes(folder),
            PackageRoot::Archive { folder, .. } => folder.clone(),
        };
        path.strip_prefix(root.as_str()).map_or(path, |rest| rest.trim_start_matches('/'))
    }
}

/// Returns whether npm installed a folder: it is in a node_modules, or in a scope there.
pub(super) fn is_installed(folder: &Path) -> bool {
    let mut around = folder.ancestors().skip(1).filter_map(Path::file_name);
    let is_scope = |name: &OsStr| name.as_encoded_bytes().starts_with(b"@");
    let parent = around.next();
    let modules = if parent.is_some_and(is_scope) { around.next() } else { parent };
    modules.is_some_and(|name| name == "node_modules")
}

/// Returns a path with `/` between its parts, even on Windows.
pub(super) fn with_slashes(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}
