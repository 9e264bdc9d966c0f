//! The directories in which paths of build machines begin, and the form of a path after its directory.

/// The length of the hash in a store object's name: 160 bits, 5 to a letter.
const HASH_LENGTH: usize = 32;

/// The form of a build machine's path after the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RootKind {
    /// A hash and a name.
    Store,
    /// A user's name and a path in the user's directory.
    Home,
    /// Any path: only builds use this directory.
    Build,
    /// A source or object file, or a directory that is typical of builds: programs use this directory as well.
    Shared,
    /// A drive before the root, and a user's name and a path in the user's directory after it.
    WindowsHome,
    /// A drive before the root, and two directories after the root.
    WindowsBuild,
}

/// A directory in which paths of build machines begin.
#[derive(Debug)]
pub(super) struct Root {
    /// `/home/`, `:\\Users\\`
    pub(super) start: &'static str,
    kind: RootKind,
}

const fn root(start: &'static str, kind: RootKind) -> Root {
    Root { start, kind }
}

/// The directories in which paths of build machines begin.
pub(super) static ROOTS: [Root; 24] = [
    root("/nix/store/", RootKind::Store),
    root("/gnu/store/", RootKind::Store),
    root("/home/", RootKind::Home),
    root("/Users/", RootKind::Home),
    root("/root/", RootKind::Build),
    root("/nix/var/nix/builds/", RootKind::Build), // Nix, without a sandbox
    root("/__w/", RootKind::Build),                // GitHub, in a container
    root("/github/workspace/", RootKind::Build),   // GitHub's own actions
    root("/private/var/folders/", RootKind::Build),
    root("/var/folders/", RootKind::Build), // macOS, each user's temporary files
    root("/builds/", RootKind::Shared),     // GitLab
    root("/build/", RootKind::Shared),      // Nix's sandbox
    root("/private/tmp/", RootKind::Shared),
    root("/var/tmp/", RootKind::Shared),
    root("/tmp/", RootKind::Shared),
    root("/workspace/", RootKind::Shared),
    root("/project/", RootKind::Shared),
    root("/io/", RootKind::Shared),
    root(":\\Users\\", RootKind::WindowsHome),
    root(":\\\\Users\\\\", RootKind::WindowsHome),
    root(":/Users/", RootKind::WindowsHome),
    root(":\\a\\", RootKind::WindowsBuild), // GitHub on Windows, on drive D: mostly
    root(":\\\\a\\\\", RootKind::WindowsBuild),
    root(":/a/", RootKind::WindowsBuild),
];

/// Directories that only builds have, not the files that programs create in `/tmp`.
const BUILD_DIRECTORIES: [&str; 18] = [
    ".cargo",
    "CMakeFiles",
    "Debug",
    "Release",
    "build",
    "debug",
    "deps",
    "include",
    "lib",
    "node_modules",
    "obj",
    "release",
    "source",
    "sources",
    "src",
    "target",
    "third_party",
    "vendor",
];

/// The prefixes of temporary directories that builds create.
const TEMPORARY: [&str; 5] = ["nix-build-", "cargo-install", "npm-", "pip-", "rustc"];

/// The extensions of source and object files.
const SOURCES: [&str; 22] = [
    "S", "a", "asm", "c", "cc", "cpp", "cu", "cxx", "go", "h", "hh", "hpp", "inc", "inl", "m", "mm", "o",
    "pdb", "rs", "s", "swift", "zig",
];

/// Names in the place of a user's name that identify no builder: directories that every system has, and `buildozer`,
/// which builds Alpine's compiler. The compiler's start files are linked into every program on Alpine.
const NOBODY: [&str; 4] = ["Shared", "Public", "Default", "buildozer"];

impl Root {
    /// Returns whether paths lead into a package store.
    pub(super) fn is_store(&self) -> bool {
        self.kind == RootKind::Store
    }

    /// Returns whether a drive letter belongs before the root.
    pub(super) fn has_drive(&self) -> bool {
        matches!(self.kind, RootKind::WindowsHome | RootKind::WindowsBuild)
    }

    /// Returns the path with single separators, if it belongs to a build machine; `next` is the byte after the path.
    pub(super) fn accept(&self, text: &str, next: Option<u8>) -> Option<String> {
        // A template that the program fills in is not a path.
        if matches!(next, Some(b'%' | b'$' | b'{' | b'*' | b'<' | b'?')) || text.contains("XXXXXX") {
            return None;
        }
        let text = text.replace("\\\\", "\\");
        let text = text.trim_end_matches(['.', '-', '+', '@', '~']);
        if self.has_drive() && !text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            return None;
        }
        let start = self.start.replace("\\\\", "\\");
        let rest = text.get(usize::from(self.has_drive()) + start.len()..)?;
        let parts: Vec<&str> = rest.split(['/', '\\']).collect();
        let filled =
            |count: usize| parts.len() >= count && parts[..count].iter().all(|part| !part.is_empty());
        let fits = match self.kind {
            RootKind::Store => is_live(rest),
            RootKind::Home | RootKind::WindowsHome => filled(2) && !NOBODY.contains(&parts[0]),
            RootKind::Build => filled(2) || (filled(1) && parts[0].starts_with('.')),
            RootKind::Shared => filled(2) && is_of_a_build(&parts),
            RootKind::WindowsBuild => filled(3),
        };
        fits.then(|| text.to_owned())
    }
}

/// Returns the roots on Unix.
#[cfg(test)]
pub(crate) fn unix_directories() -> impl Iterator<Item = &'static str> {
    ROOTS.iter().map(|root| root.start).filter(|start| start.starts_with('/'))
}

/// Returns whether a path leads into a package store.
pub(crate) fn is_store(path: &str) -> bool {
    store_object(path).is_some()
}

/// Returns the store object that a path is in: `/nix/store/HASH-zlib-1.3`.
pub(crate) fn store_object(path: &str) -> Option<&str> {
    let root = ROOTS.iter().find(|root| root.is_store() && path.starts_with(root.start))?;
    let start = root.start.len();
    let end = path[start..].find('/').map_or(path.len(), |length| start + length);
    Some(&path[..end])
}

/// Returns whether the text is a hash and a name, and the hash is not scrubbed. Tools that remove a reference overwrite
/// the hash with one letter.
fn is_live(rest: &str) -> bool {
    let Some((hash, name)) = rest.split_at_checked(HASH_LENGTH) else { return false };
    // The alphabet of hashes lacks e, o, t and u. A scrubbed hash consists of the letter e.
    let in_alphabet =
        |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"eotu".contains(&byte));
    hash.bytes().all(in_alphabet)
        && name
            .strip_prefix('-')
            .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphanumeric()))
}

/// Returns whether a file or a directory in the path is typical of a build.
fn is_of_a_build(parts: &[&str]) -> bool {
    let (file, directories) = parts.split_last().map_or(("", parts), |(file, rest)| (*file, rest));
    let source = file.rsplit_once('.').is_some_and(|(_, ending)| SOURCES.contains(&ending));
    let directory = |part: &&str| {
        BUILD_DIRECTORIES.contains(part) || TEMPORARY.iter().any(|start| part.starts_with(start))
    };
    source || directories.iter().any(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_into_a_store_names_its_object() {
        let object = "/nix/store/maxa3xhmxggrc5v2vc0c3pjb79hjlkp9-glibc-2.40";
        assert_eq!(store_object(&format!("{object}/lib/x")), Some(object));
        assert_eq!(store_object(object), Some(object));
        assert_eq!(store_object("/home/me/x"), None);
    }
}
