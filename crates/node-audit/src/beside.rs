//! What lies beside an addon: the files that come with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The surroundings of one file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Beside<'a> {
    /// It is on disk, in this directory.
    Disk(&'a Folder),
    /// It is in an archive.
    Archive {
        /// Every file of the archive.
        files: &'a Files,
        /// The directory of the file in it.
        directory: &'a str,
    },
    /// Only its content is known.
    Unknown,
}

/// A directory on disk, which is listed once for all addons in it and all libraries that they need.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The names of its files in lower case.
    lower: OnceLock<BTreeSet<String>>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Folder {
        Folder { path, lower: OnceLock::new() }
    }

    fn lower(&self) -> &BTreeSet<String> {
        self.lower.get_or_init(|| {
            let path = if self.path.as_os_str().is_empty() { Path::new(".") } else { self.path.as_path() };
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let is_file = |entry: &std::fs::DirEntry| {
                let kind = entry.file_type();
                kind.is_ok_and(|kind| kind.is_file() || (kind.is_symlink() && entry.path().is_file()))
            };
            let files = entries.filter(is_file);
            files.filter_map(|file| Some(file.file_name().to_str()?.to_ascii_lowercase())).collect()
        })
    }
}

/// Every file of an archive, with `/` between the parts.
#[derive(Debug, Default)]
pub(crate) struct Files {
    names: BTreeSet<String>,
    /// The same in lower case.
    lower: OnceLock<BTreeSet<String>>,
}

impl Files {
    pub(crate) fn new(names: BTreeSet<String>) -> Files {
        Files { names, lower: OnceLock::new() }
    }

    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    fn lower(&self) -> &BTreeSet<String> {
        self.lower.get_or_init(|| self.names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }
}

/// Whether a file comes with an addon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It does.
    Present,
    /// It does not.
    Absent,
    /// It would be outside of what was given to look at.
    Outside,
}

impl Beside<'_> {
    /// Whether a file is there, by its path from the addon's directory: `../lib/libvips.so.42`.
    pub(crate) fn find(&self, relative: &str) -> Presence {
        let presence = |found| if found { Presence::Present } else { Presence::Absent };
        match self {
            Beside::Disk(directory) => presence(directory.path.join(relative).is_file()),
            Beside::Archive { files, directory } => {
                let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
                for part in relative.split('/') {
                    match part {
                        "" | "." => {}
                        ".." => {
                            // The archive's first folder is the package; beyond it other packages lie.
                            if parts.pop().is_none() || parts.is_empty() {
                                return Presence::Outside;
                            }
                        }
                        part => parts.push(part),
                    }
                }
                presence(files.names.contains(&parts.join("/")))
            }
            Beside::Unknown => Presence::Outside,
        }
    }

    /// Whether a file is in the addon's own directory, as Windows looks for it: `VCRUNTIME140.dll`.
    pub(crate) fn find_ignoring_case(&self, name: &str) -> Presence {
        let name = name.to_ascii_lowercase();
        let found = match self {
            // A path, of which Windows would go by the last part or look elsewhere, is no file of this directory.
            _ if name.contains(['/', '\\', ':']) => false,
            Beside::Disk(directory) => directory.lower().contains(&name),
            Beside::Archive { files, directory } => {
                let directory = directory.trim_end_matches('/').to_ascii_lowercase();
                let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                files.lower().contains(&path)
            }
            Beside::Unknown => return Presence::Outside,
        };
        if found { Presence::Present } else { Presence::Absent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_within_an_archive_only() {
        let files = ["package/lib/x.node".to_owned(), "package/deps/liba.so".to_owned()];
        let files = Files::new(BTreeSet::from(files));
        let beside = Beside::Archive { files: &files, directory: "package/lib" };
        assert_eq!(beside.find("x.node"), Presence::Present);
        assert_eq!(beside.find("./../deps/liba.so"), Presence::Present);
        assert_eq!(beside.find("../deps/libb.so"), Presence::Absent);
        assert_eq!(beside.find("../../other/liba.so"), Presence::Outside);
        assert_eq!(beside.find("../../../../liba.so"), Presence::Outside);
        assert_eq!(Beside::Unknown.find("x.node"), Presence::Outside);
    }

    #[test]
    fn windows_looks_in_one_directory_without_regard_to_case() {
        let files = ["package/lib/Vips.DLL".to_owned(), "package/other.dll".to_owned()];
        let files = Files::new(BTreeSet::from(files));
        let archive = Beside::Archive { files: &files, directory: "package/lib" };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Vips.DLL"), "").unwrap();
        std::fs::create_dir(folder.path().join("folder.dll")).unwrap();
        let disk = Folder::new(folder.path().to_path_buf());
        for beside in [archive, Beside::Disk(&disk)] {
            assert_eq!(beside.find_ignoring_case("vips.dll"), Presence::Present);
            for name in ["other.dll", "../other.dll", "folder.dll", "..", ".", "", "/etc/passwd"] {
                assert_eq!(beside.find_ignoring_case(name), Presence::Absent, "{name}");
            }
        }
        assert_eq!(Beside::Unknown.find_ignoring_case("vips.dll"), Presence::Outside);
    }
}
