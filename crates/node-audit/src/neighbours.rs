//! The files that come with an addon or a package. The source finds these files before the rules run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::javascript::JavaScript;

/// The files that come with an addon or a package. Paths are relative to the addon's directory, or to the package's
/// directory.
#[derive(Debug, Clone)]
pub(crate) enum Neighbours {
    /// Files on disk.
    Disk {
        /// The paths that exist, among the paths that were looked for.
        present: BTreeSet<String>,
        /// The names of the files in the directory itself, in lower case; empty if no rule uses them.
        lower: Arc<BTreeSet<String>>,
    },
    /// Files of an archive.
    Archive {
        /// The files of the archive.
        files: Arc<ArchiveFiles>,
        /// The directory in the archive.
        directory: String,
    },
    /// The files are unknown: only the addon's content is known.
    Unknown,
}

/// The files of an archive, with `/` between the parts of a path.
#[derive(Debug, Default)]
pub(crate) struct ArchiveFiles {
    names: BTreeSet<String>,
    /// The names in lower case.
    lower: OnceLock<BTreeSet<String>>,
    /// The JavaScript files that a package.json at the top names, by path in the archive.
    javascript: OnceLock<BTreeMap<String, JavaScript>>,
}

impl ArchiveFiles {
    pub(crate) fn new(names: BTreeSet<String>) -> ArchiveFiles {
        ArchiveFiles { names, ..ArchiveFiles::default() }
    }

    /// Sets the facts of JavaScript files. Later calls have no effect.
    pub(crate) fn set_javascript(&self, files: BTreeMap<String, JavaScript>) {
        self.javascript.get_or_init(|| files);
    }

    /// Returns the facts of a JavaScript file that was read.
    pub(crate) fn javascript(&self, path: &str) -> Option<&JavaScript> {
        self.javascript.get()?.get(path)
    }

    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    fn lower(&self) -> &BTreeSet<String> {
        self.lower.get_or_init(|| self.names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }
}

/// The result of the search for a file that comes with an addon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The file exists.
    Present,
    /// The file does not exist.
    Absent,
    /// The path leads outside of the audited files.
    Outside,
}

impl Neighbours {
    /// Returns whether a file exists at a path: `../lib/libvips.so.42`.
    pub(crate) fn find(&self, relative: &str) -> Presence {
        let found = match self {
            Neighbours::Disk { present, .. } => present.contains(relative),
            Neighbours::Archive { files, directory } => match path_in_archive(directory, relative) {
                Some(path) => files.names.contains(&path),
                None => return Presence::Outside,
            },
            Neighbours::Unknown => return Presence::Outside,
        };
        if found { Presence::Present } else { Presence::Absent }
    }

    /// Returns whether a file is in the directory itself, comparing names as Windows does: `VCRUNTIME140.dll`.
    pub(crate) fn find_ignoring_case(&self, name: &str) -> Presence {
        let name = name.to_ascii_lowercase();
        let found = match self {
            // Windows reduces such a path to its last part, or searches other directories.
            _ if name.contains(['/', '\\', ':']) => false,
            Neighbours::Disk { lower, .. } => lower.contains(&name),
            Neighbours::Archive { files, directory } => {
                let directory = directory.trim_end_matches('/').to_ascii_lowercase();
                let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                files.lower().contains(&path)
            }
            Neighbours::Unknown => return Presence::Outside,
        };
        if found { Presence::Present } else { Presence::Absent }
    }

    /// Returns the approximate memory that the paths take, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Neighbours::Disk { present, .. } => {
                present.iter().map(|path| (size_of::<String>() + path.len()) as u64).sum()
            }
            Neighbours::Archive { .. } | Neighbours::Unknown => 0,
        }
    }
}

/// Returns a path relative to the archive's root; None for a path outside of the archive's first folder, which is the
/// package.
pub(crate) fn path_in_archive(directory: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
                if parts.is_empty() {
                    return None;
                }
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: [&str; 2]) -> Neighbours {
        let files = ArchiveFiles::new(files.map(str::to_owned).into());
        Neighbours::Archive { files: Arc::new(files), directory: "package/lib".to_owned() }
    }

    #[test]
    fn a_path_is_followed_within_an_archive_only() {
        let neighbours = archive(["package/lib/x.node", "package/deps/liba.so"]);
        assert_eq!(neighbours.find("x.node"), Presence::Present);
        assert_eq!(neighbours.find("./../deps/liba.so"), Presence::Present);
        assert_eq!(neighbours.find("../deps/libb.so"), Presence::Absent);
        assert_eq!(neighbours.find("../../other/liba.so"), Presence::Outside);
        assert_eq!(neighbours.find("../../../../liba.so"), Presence::Outside);
        assert_eq!(Neighbours::Unknown.find("x.node"), Presence::Outside);
    }

    #[test]
    fn windows_searches_one_directory_and_ignores_case() {
        let lower = Arc::new(BTreeSet::from(["vips.dll".to_owned()]));
        let disk = Neighbours::Disk { present: BTreeSet::new(), lower };
        for neighbours in [archive(["package/lib/Vips.DLL", "package/other.dll"]), disk] {
            assert_eq!(neighbours.find_ignoring_case("vips.dll"), Presence::Present);
            for name in ["other.dll", "../other.dll", "..", ".", "", "/etc/passwd"] {
                assert_eq!(neighbours.find_ignoring_case(name), Presence::Absent, "{name}");
            }
        }
        assert_eq!(Neighbours::Unknown.find_ignoring_case("vips.dll"), Presence::Outside);
    }
}
