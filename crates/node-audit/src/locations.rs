//! The locations of reported files in a repository, for code hosts.

use std::path::{Component, MAIN_SEPARATOR_STR, Path, PathBuf};

use crate::printable::display_path;

/// Converts reported paths to paths relative to the root of the repository.
#[derive(Debug, Clone, Default)]
pub struct Locations {
    /// The current folder, relative to the repository's root.
    folder: PathBuf,
    /// The root of the repository, or else the current folder.
    root: PathBuf,
    /// The archives among the given paths, as reported.
    archives: Vec<String>,
}

/// The location of a reported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file, or the archive that contains it; relative to the root or absolute, with `/` between the parts.
    pub(crate) path: String,
    /// `true` if the file is outside of the repository.
    pub(crate) is_outside: bool,
    /// The path in the archive, for a file in an archive.
    pub(crate) entry: Option<String>,
}

impl Locations {
    /// Returns the locations for an audit of these paths in the current folder. The repository is the nearest folder with
    /// a `.git`.
    #[must_use]
    pub fn new(paths: &[PathBuf]) -> Locations {
        let current = std::env::current_dir().unwrap_or_default();
        // In a worktree, `.git` is a file.
        let root = current.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&current);
        let folder = current.strip_prefix(root).unwrap_or(Path::new("")).to_path_buf();
        let archives = paths.iter().filter(|path| !path.is_dir()).map(|path| display_path(path)).collect();
        Locations { folder, root: root.to_path_buf(), archives }
    }

    /// Returns the location of a reported file.
    pub(crate) fn of(&self, file: &str) -> Location {
        let archive = self.archives.iter().find_map(|archive| {
            let entry = file.strip_prefix(archive.as_str())?.strip_prefix(':')?;
            Some((archive.as_str(), entry.to_owned()))
        });
        // A tarball from standard input has a name, but no location.
        if let Some((archive, entry)) = archive.clone().filter(|(archive, _)| !Path::new(archive).exists()) {
            return Location { path: archive.to_owned(), is_outside: true, entry: Some(entry) };
        }
        let (file, entry) = archive.map_or((file, None), |(archive, entry)| (archive, Some(entry)));
        let path = Path::new(file);
        let from_root = path.strip_prefix(&self.root).ok().filter(|_| path.is_absolute());
        let relative = match from_root {
            Some(path) => normal(path),
            None if path.is_absolute() => None,
            None => normal(&self.folder.join(path)),
        };
        let is_outside = relative.is_none();
        let path = relative.unwrap_or_else(|| absolute(&self.root.join(&self.folder), path));
        Location { path: path.to_string_lossy().replace(MAIN_SEPARATOR_STR, "/"), is_outside, entry }
    }
}

/// Returns a relative path without `.` and `..`; None if the path leads out of its root.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => normal.push(part),
            Component::ParentDir if !normal.pop() => return None,
            _ => {}
        }
    }
    Some(normal)
}

/// Returns the absolute path, without `.` and `..`.
fn absolute(current: &Path, path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for part in current.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    absolute
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_root_of_the_repository() {
        let locations = Locations {
            folder: PathBuf::from("packages/x"),
            root: PathBuf::from("/srv/repo"),
            archives: vec!["./Cargo.toml".to_owned(), "/dev/null".to_owned(), "stdin".to_owned()],
        };
        for (file, path, is_outside, entry) in [
            ("lib/x.node", "packages/x/lib/x.node", false, None),
            ("./lib/x.node", "packages/x/lib/x.node", false, None),
            ("../y/x.node", "packages/y/x.node", false, None),
            ("../../../x.node", "/srv/x.node", true, None),
            ("/srv/repo/x.node", "x.node", false, None),
            ("/usr/x.node", "/usr/x.node", true, None),
            // Two files that exist.
            ("./Cargo.toml:package/x.node", "packages/x/Cargo.toml", false, Some("package/x.node")),
            ("/dev/null:package/x.node", "/dev/null", true, Some("package/x.node")),
            ("stdin:package/x.node", "stdin", true, Some("package/x.node")),
            ("a:b.node", "packages/x/a:b.node", false, None),
        ] {
            let expected =
                Location { path: path.to_owned(), is_outside, entry: entry.map(ToOwned::to_owned) };
            assert_eq!(locations.of(file), expected, "{file}");
        }
    }
}
