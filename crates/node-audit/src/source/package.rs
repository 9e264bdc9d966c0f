//! A package: its package.json, its place, and its addons.

use std::ffi::OsStr;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use super::place::Place;
use crate::claim::Claim;
use crate::install_program::InstallProgram;
use crate::manifest::Manifest;
use crate::neighbours::{Neighbours, Presence};

/// A package.json, and its place.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) root: Root,
    /// The path under which the package.json is reported.
    pub(super) file: PathBuf,
    pub(super) manifest: Arc<Manifest>,
    /// The package's own folder.
    pub(super) place: Place,
}

impl Package {
    /// Returns whether the package.json names its package. A folder of a package may have a package.json without a name, which
    /// gives the kind of the modules in it.
    pub(super) fn is_named(&self) -> bool {
        self.manifest.name.is_some()
    }
}

/// The folder of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// On disk, without a link in the path.
    Disk(PathBuf),
    Archive {
        archive: PathBuf,
        folder: String,
    },
}

impl Root {
    fn is_installed(&self) -> bool {
        matches!(self, Root::Disk(folder) if is_installed(folder))
    }

    /// Returns a path from this folder on.
    pub(super) fn relative<'a>(&self, path: &'a str) -> &'a str {
        let root = match self {
            Root::Disk(folder) => with_slashes(folder),
            Root::Archive { folder, .. } => folder.clone(),
        };
        path.strip_prefix(root.as_str()).map_or(path, |rest| rest.trim_start_matches('/'))
    }
}

/// Returns whether npm placed a folder: in a node_modules, or in a scope of one.
pub(super) fn is_installed(folder: &Path) -> bool {
    let mut around = folder.ancestors().skip(1).filter_map(Path::file_name);
    let is_scope = |name: &OsStr| name.as_encoded_bytes().starts_with(b"@");
    let parent = around.next();
    let modules = if parent.is_some_and(is_scope) { around.next() } else { parent };
    modules.is_some_and(|name| name == "node_modules")
}

/// Returns a path with `/` between its parts, on Windows as well.
pub(super) fn with_slashes(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}

/// An addon from its package's point of view.
#[derive(Debug, Clone)]
pub(crate) struct PackageAddon {
    /// The path in the package.
    pub(crate) path: String,
    /// The claimed platform, or else the one that the file is for.
    pub(crate) claim: Option<Claim>,
    /// Pairs of names that claim different platforms, as text.
    pub(crate) conflicts: Vec<String>,
}

/// A package with its addons.
#[derive(Debug)]
pub(crate) struct PackageContents {
    pub(crate) manifest: Arc<Manifest>,
    /// The path under which the package.json is reported.
    pub(crate) file: PathBuf,
    /// The files of the package that its package.json names.
    pub(crate) files: Neighbours,
    /// The addons, by path.
    pub(crate) addons: Vec<PackageAddon>,
    /// Whether npm installed the package in a node_modules.
    pub(crate) installed: bool,
}

impl PackageContents {
    pub(super) fn new(package: &Package) -> PackageContents {
        PackageContents {
            manifest: Arc::clone(&package.manifest),
            file: package.file.clone(),
            files: package.place.neighbours_of_package(&package.manifest),
            addons: Vec::new(),
            installed: package.root.is_installed(),
        }
    }

    /// Returns whether npm compiles a binding.gyp, unless a script replaces that.
    pub(crate) fn has_gyp(&self) -> bool {
        !self.manifest.no_gyp && self.files.find("binding.gyp") == Presence::Present
    }

    /// Returns whether the package has, names or makes an addon.
    pub(super) fn concerns_addons(&self) -> bool {
        let makes = |(_, script): (&str, &str)| InstallProgram::of(script).is_some();
        !self.addons.is_empty()
            || self.manifest.install_scripts().any(makes)
            || self.has_gyp()
            || self.manifest.named_addons().next().is_some()
    }
}
