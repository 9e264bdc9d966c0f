//! The place of an addon or a package: a folder on disk, or a directory of an archive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::input;
use crate::facts::{Details, Facts};
use crate::javascript::JavaScript;
use crate::limits::MAX_SCRIPT;
use crate::manifest::Manifest;
use crate::neighbours::{ArchiveFiles, Neighbours, path_in_archive};
use crate::printable::printable;
use crate::script_files::script_files;
use crate::search_path;

/// The place of an addon or a package.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A folder on disk.
    Disk(Arc<Folder>),
    /// A directory of an archive.
    Archive { files: Arc<ArchiveFiles>, directory: String },
}

impl Place {
    /// Finds the files that come with an addon and that its loader may look for.
    pub(super) fn neighbours_of_addon(&self, parts: &[Facts]) -> Neighbours {
        match self {
            Place::Disk(folder) => {
                let mut present = BTreeSet::new();
                for facts in parts {
                    search_path::beside(facts, |path| folder.find(path, &mut present));
                }
                let is_windows = parts.iter().any(|facts| matches!(facts.details, Details::Pe(_)));
                let lower = if is_windows { folder.lower() } else { Arc::default() };
                Neighbours::Disk { present, lower }
            }
            Place::Archive { files, directory } => archive(files, directory),
        }
    }

    /// Finds a library by its path relative to this folder.
    pub(super) fn locate(&self, relative: &str) -> Option<LibraryPath> {
        match self {
            Place::Disk(folder) => {
                let path = folder.path.join(relative);
                if !path.is_file() {
                    return None;
                }
                let place = Place::Disk(Arc::new(Folder::new(path.parent()?.to_path_buf())));
                let name = printable(path.file_name()?.as_encoded_bytes());
                // A library may have several names, most of which are links.
                let real = std::fs::canonicalize(&path).ok()?;
                Some(LibraryPath { id: real.to_str()?.to_owned(), name, place })
            }
            Place::Archive { files, directory } => {
                let id = path_in_archive(directory, relative).filter(|path| files.names().contains(path))?;
                let (directory, name) = id.rsplit_once('/').unwrap_or(("", &id));
                let place = Place::Archive { files: Arc::clone(files), directory: directory.to_owned() };
                Some(LibraryPath { name: printable(name.as_bytes()), place, id })
            }
        }
    }

    /// Finds a library in this folder by its name, ignoring case.
    pub(super) fn locate_ignoring_case(&self, name: &str) -> Option<LibraryPath> {
        let is_same = |known: &str| known.eq_ignore_ascii_case(name);
        match self {
            Place::Disk(folder) if folder.lower().contains(&name.to_ascii_lowercase()) => {
                let path = if folder.path.as_os_str().is_empty() { Path::new(".") } else { &folder.path };
                let entries = std::fs::read_dir(path).ok()?.flatten();
                let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
                self.locate(&names.find(|known| is_same(known))?)
            }
            Place::Disk(_) => None,
            Place::Archive { files, directory } => {
                let start = if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let mut names =
                    files.names().range(start.clone()..).map_while(|path| path.strip_prefix(&start));
                self.locate(names.find(|known| is_same(known))?)
            }
        }
    }

    /// Finds the files of a package that matter to an addon: the files that its package.json names, and a binding.gyp.
    pub(super) fn neighbours_of_package(&self, manifest: &Manifest) -> Neighbours {
        match self {
            Place::Disk(folder) => {
                let mut present = BTreeSet::new();
                folder.find("binding.gyp", &mut present);
                manifest.named_addons().for_each(|addon| folder.find(addon.path, &mut present));
                Neighbours::Disk { present, lower: Arc::default() }
            }
            Place::Archive { files, directory } => archive(files, directory),
        }
    }
}

impl Place {
    /// Reads the JavaScript files of a package that may load its addon or run on installation. Skips large and unreadable
    /// files: no rule relies on the absence of a file.
    pub(super) fn javascript(&self, manifest: &Manifest) -> Vec<JavaScript> {
        let paths = script_files(manifest);
        let read = |path: &String| match self {
            Place::Disk(folder) => {
                let content = input::content_up_to(&folder.path.join(path), MAX_SCRIPT).ok().flatten()?;
                Some(JavaScript::read(path, &content))
            }
            Place::Archive { files, directory } => files.javascript(&path_in(directory, path)).cloned(),
        };
        paths.iter().filter_map(read).collect()
    }
}

/// Returns the path of a file in a directory of an archive.
pub(super) fn path_in(directory: &str, path: &str) -> String {
    if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") }
}

fn archive(files: &Arc<ArchiveFiles>, directory: &str) -> Neighbours {
    Neighbours::Archive { files: Arc::clone(files), directory: directory.to_owned() }
}

/// A library that was found.
#[derive(Debug, Clone)]
pub(super) struct LibraryPath {
    /// The canonical path on disk, or the path in the archive.
    pub(super) id: String,
    /// The file's name.
    pub(super) name: String,
    /// The folder in which the loader found the library.
    pub(super) place: Place,
}

/// A folder on disk, which is listed once for all addons in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The names of the folder's files, in lower case.
    lower: OnceLock<Arc<BTreeSet<String>>>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Folder {
        Folder { path, lower: OnceLock::new() }
    }

    /// Adds a path to `present` if a file exists at the path.
    fn find(&self, relative: &str, present: &mut BTreeSet<String>) {
        if self.path.join(relative).is_file() {
            present.insert(relative.to_owned());
        }
    }

    /// Returns the names of the folder's files in lower case.
    fn lower(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(self.lower.get_or_init(|| {
            let path = if self.path.as_os_str().is_empty() { Path::new(".") } else { self.path.as_path() };
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let is_file = |entry: &std::fs::DirEntry| {
                let kind = entry.file_type();
                kind.is_ok_and(|kind| kind.is_file() || (kind.is_symlink() && entry.path().is_file()))
            };
            let files = entries.filter(is_file);
            Arc::new(files.filter_map(|file| Some(file.file_name().to_str()?.to_ascii_lowercase())).collect())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PeFacts;
    use crate::neighbours::Presence;

    #[test]
    fn the_neighbours_of_a_dll_are_the_files_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Vips.DLL"), "").unwrap();
        std::fs::create_dir(folder.path().join("folder.dll")).unwrap();
        let place = Place::Disk(Arc::new(Folder::new(folder.path().to_path_buf())));
        let neighbours = place.neighbours_of_addon(&[Facts::empty(Details::Pe(PeFacts::default()))]);
        assert_eq!(neighbours.find_ignoring_case("vips.dll"), Presence::Present);
        assert_eq!(neighbours.find_ignoring_case("folder.dll"), Presence::Absent);
    }

    #[test]
    fn the_neighbours_of_a_package_are_the_files_in_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.node"), "").unwrap();
        let place = Place::Disk(Arc::new(Folder::new(folder.path().to_path_buf())));
        let manifest = Manifest::parse(br#"{"main": "./x.node", "files": ["y.node"]}"#).unwrap();
        let neighbours = place.neighbours_of_package(&manifest);
        assert_eq!(neighbours.find("./x.node"), Presence::Present);
        assert_eq!(neighbours.find("y.node"), Presence::Absent);
        assert_eq!(neighbours.find("binding.gyp"), Presence::Absent);
    }
}
