//! What lies beside an addon: the files that come with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The surroundings of one file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Beside<'a> {
    /// It is on disk, in this directory.
    Disk(&'a PathBuf),
    /// It is in an archive.
    Archive {
        /// Every file of the archive, with `/` between the parts.
        files: &'a BTreeSet<String>,
        /// The directory of the file in it.
        directory: &'a str,
    },
    /// Only its content is known.
    Unknown,
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
            Beside::Disk(directory) => presence(directory.join(relative).is_file()),
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
                presence(files.contains(&parts.join("/")))
            }
            Beside::Unknown => Presence::Outside,
        }
    }

    /// Whether a file is in the addon's own directory, as Windows looks for it: `VCRUNTIME140.dll`.
    pub(crate) fn find_ignoring_case(&self, name: &str) -> Presence {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let found = match self {
            // A path, of which Windows would go by the last part or look elsewhere, is no file of this directory.
            _ if name.contains(['/', '\\', ':']) => false,
            Beside::Disk(directory) => {
                let path =
                    if directory.as_os_str().is_empty() { Path::new(".") } else { directory.as_path() };
                let files = std::fs::read_dir(path).into_iter().flatten().flatten();
                let mut files = files.filter(|file| file.file_name().to_str().is_some_and(same));
                files.any(|file| file.path().is_file())
            }
            Beside::Archive { files, directory } => files.iter().any(|file| {
                let (parent, file) = file.rsplit_once('/').unwrap_or(("", file));
                parent == directory.trim_end_matches('/') && same(file)
            }),
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
        let files = BTreeSet::from(["package/lib/x.node".to_owned(), "package/deps/liba.so".to_owned()]);
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
        let files = BTreeSet::from(["package/lib/Vips.DLL".to_owned(), "package/other.dll".to_owned()]);
        let archive = Beside::Archive { files: &files, directory: "package/lib" };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Vips.DLL"), "").unwrap();
        std::fs::create_dir(folder.path().join("folder.dll")).unwrap();
        let path = folder.path().to_path_buf();
        for beside in [archive, Beside::Disk(&path)] {
            assert_eq!(beside.find_ignoring_case("vips.dll"), Presence::Present);
            for name in ["other.dll", "../other.dll", "folder.dll", "..", ".", "", "/etc/passwd"] {
                assert_eq!(beside.find_ignoring_case(name), Presence::Absent, "{name}");
            }
        }
        assert_eq!(Beside::Unknown.find_ignoring_case("vips.dll"), Presence::Outside);
    }
}
