//! Lists the packages in folders, with or without addons.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::package::is_installed;
use crate::limits::{MAX_FOLDER_DEPTH, MAX_MANIFEST};
use crate::manifest::Manifest;

/// A package in a folder.
pub(crate) struct InstalledPackage {
    pub(crate) manifest: Manifest,
    /// `true` if the package has a binding.gyp.
    pub(crate) has_gyp: bool,
}

/// Returns the packages in the given folders and in their node_modules. Skips unreadable files: if an addon belongs to
/// such a file, the audit reports it.
pub(crate) fn installed(paths: &[PathBuf]) -> Vec<InstalledPackage> {
    paths.iter().flat_map(|path| packages_in(path)).collect()
}

fn packages_in(root: &Path) -> impl Iterator<Item = InstalledPackage> {
    let entries = WalkDir::new(root).max_depth(MAX_FOLDER_DEPTH).sort_by_file_name();
    entries.into_iter().filter_map(Result::ok).filter_map(move |entry| {
        let is_manifest = entry.file_type().is_file() && entry.file_name() == "package.json";
        let folder = entry
            .path()
            .parent()
            .filter(|folder| is_manifest && (*folder == root || is_installed(folder)))?;
        let manifest = Manifest::parse(&read(entry.path())?).ok()?;
        Some(InstalledPackage { manifest, has_gyp: folder.join("binding.gyp").is_file() })
    })
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).ok()?.take(MAX_MANIFEST).read_to_end(&mut content).ok()?;
    Some(content)
}
