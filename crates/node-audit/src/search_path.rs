//! Lists the places in which a loader searches for the libraries of an addon.
//!
//! The rules ask which libraries come with an addon, but read no files: [`beside`] lists the paths that the source looks
//! up before the rules run. The rules and the source both use the functions in this file, so they agree on the paths.

use crate::facts::{Details, ElfFacts, Facts, MachOFacts};
use crate::limits::MAX_RUNPATH_ENTRIES;

/// Package stores, and the directories in which builds run.
const BUILD_DIRECTORIES: [&str; 16] = [
    "/nix/",
    "/gnu/store/",
    "/build/",
    "/builds/",
    "/tmp/",
    "/var/tmp/",
    "/var/folders/",
    "/home/",
    "/root/",
    "/Users/",
    "/private/",
    "/github/",
    "/__w/",
    "/workspace/",
    "/project/",
    "/io/",
];

/// Directories that no package installs into, so no package's RUNPATH leads there on purpose.
const NO_PACKAGE: [&str; 6] = ["/nix/", "/gnu/store/", "/root/", "/home/", "/Users/", "/var/folders/"];

/// The words that an ELF loader replaces with the addon's directory.
const ORIGINS: [&str; 2] = ["$ORIGIN", "${ORIGIN}"];

/// The words that glibc replaces with the system's library folder.
const LIB_WORDS: [&str; 2] = ["$LIB", "${LIB}"];

/// The system's library folders: Debian's for each processor, and those of other distributions for 64 and 32 bits.
const SYSTEM_FOLDERS: [&str; 4] = ["lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64", "lib"];

/// The directories, relative to the addon's directory, in which packages place libraries.
pub(crate) const LIBRARY_FOLDERS: [&str; 3] = ["", "lib/", "../lib/"];

/// Returns whether a path leads into a package store or a directory in which builds run.
pub(crate) fn is_build_directory(path: &str) -> bool {
    // With a slash at the end, "/tmp" matches, and "/tmpfoo" does not.
    let path = format!("{path}/");
    BUILD_DIRECTORIES.iter().any(|start| path.starts_with(start))
}

/// Returns the RPATH or RUNPATH entries that the loader searches: loaders ignore RPATH beside a RUNPATH.
pub(crate) fn searched(elf: &ElfFacts) -> &[String] {
    let entries = if elf.runpath.is_empty() { &elf.rpath } else { &elf.runpath };
    &entries[..entries.len().min(MAX_RUNPATH_ENTRIES)]
}

/// Returns the rest of an RPATH or RUNPATH entry that begins in the addon's directory, without leading and trailing
/// slashes.
pub(crate) fn from_origin(entry: &str) -> Option<&str> {
    let rest = ORIGINS.iter().find_map(|origin| entry.strip_prefix(origin))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

/// Returns the paths of a library relative to the addon's directory, if the entry begins there: several paths for `$LIB`,
/// which each system replaces with its own folder.
pub(crate) fn in_entry(entry: &str, library: &str) -> Vec<String> {
    let Some(directory) = from_origin(entry) else { return Vec::new() };
    if directory.is_empty() {
        return vec![library.to_owned()];
    }
    let Some(word) = system_folder(entry) else { return vec![format!("{directory}/{library}")] };
    SYSTEM_FOLDERS.iter().map(|folder| format!("{}/{library}", directory.replace(word, folder))).collect()
}

/// Returns the word in an entry that glibc replaces with the system's library folder. musl ignores a list with such an
/// entry.
pub(crate) fn system_folder(entry: &str) -> Option<&'static str> {
    let is_word = |word: &&str| entry.split('/').any(|part| part == *word);
    LIB_WORDS.into_iter().find(is_word)
}

/// Returns whether an entry leads out of the package and into the directory of the build, as rustc's `rpath` does.
pub(crate) fn leads_away(entry: &str) -> bool {
    let Some(rest) = from_origin(entry) else { return false };
    let down = rest.trim_start_matches("../");
    down.len() < rest.len() && NO_PACKAGE.iter().any(|start| format!("/{down}/").starts_with(start))
}

/// Returns the path relative to the addon's directory, if macOS resolves the path there.
pub(crate) fn from_loader(path: &str) -> Option<&str> {
    path.strip_prefix("@loader_path/").map(|relative| relative.trim_start_matches('/'))
}

/// Returns the path of a library in a directory of LC_RPATH.
pub(crate) fn in_rpath(rpath: &str, name: &str) -> String {
    format!("{}/{name}", rpath.trim_end_matches('/'))
}

/// Calls `visit` with each path, relative to the addon's directory, that a rule may ask for.
pub(crate) fn beside(facts: &Facts, mut visit: impl FnMut(&str)) {
    match &facts.details {
        Details::Elf(elf) => beside_elf(facts, elf, &mut visit),
        Details::MachO(macho) => beside_macho(macho, &mut visit),
        // Windows searches the addon's own directory and ignores case.
        Details::Pe(_) => {}
    }
}

fn beside_elf(facts: &Facts, elf: &ElfFacts, visit: &mut impl FnMut(&str)) {
    let libraries = || facts.libraries.iter().filter(|library| !library.contains('/'));
    for list in [&elf.rpath, &elf.runpath] {
        let origin = list.iter().filter(|entry| from_origin(entry).is_some() && !leads_away(entry));
        for entry in
            origin.take(MAX_RUNPATH_ENTRIES).chain(searched(elf).iter().filter(|entry| leads_away(entry)))
        {
            libraries().flat_map(|library| in_entry(entry, library)).for_each(|path| visit(&path));
        }
    }
    for folder in LIBRARY_FOLDERS {
        libraries().for_each(|library| visit(&format!("{folder}{library}")));
    }
}

fn beside_macho(macho: &MachOFacts, visit: &mut impl FnMut(&str)) {
    for dylib in &macho.dylibs {
        if let Some(relative) = from_loader(&dylib.path) {
            visit(relative);
        }
        let Some(name) = dylib.path.strip_prefix("@rpath/") else { continue };
        for path in macho.rpaths.iter().map(|rpath| in_rpath(rpath, name)) {
            if let Some(relative) = from_loader(&path) {
                visit(relative);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Dylib, DylibKind};

    fn paths(facts: &Facts) -> Vec<String> {
        let mut paths = Vec::new();
        beside(facts, |path| paths.push(path.to_owned()));
        paths
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn elf_libraries_are_beside_the_addon_and_in_its_runpath() {
        let runpath = owned(&["/opt/lib", "$ORIGIN/a/", "${ORIGIN}/../b"]);
        let elf = ElfFacts { runpath, ..ElfFacts::default() };
        let facts =
            Facts { libraries: owned(&["libx.so", "/lib/liby.so"]), ..Facts::empty(Details::Elf(elf)) };
        assert_eq!(paths(&facts), ["a/libx.so", "../b/libx.so", "libx.so", "lib/libx.so", "../lib/libx.so"]);
    }

    #[test]
    fn entries_beyond_the_limit_are_ignored() {
        let runpath = vec!["$ORIGIN/a".to_owned(); MAX_RUNPATH_ENTRIES + 1];
        let elf = ElfFacts { runpath, ..ElfFacts::default() };
        let facts = Facts { libraries: owned(&["libx.so"]), ..Facts::empty(Details::Elf(elf)) };
        assert_eq!(paths(&facts).len(), MAX_RUNPATH_ENTRIES + LIBRARY_FOLDERS.len());
    }

    #[test]
    fn macho_libraries_are_found_by_loader_path_and_rpath() {
        let dylib = |path: &str| Dylib { path: path.to_owned(), kind: DylibKind::Required };
        let dylibs = ["@loader_path//x.dylib", "@rpath/y.dylib", "/usr/lib/z.dylib"].map(dylib).to_vec();
        let rpaths = owned(&["@loader_path", "@loader_path/../lib/", "/opt"]);
        let facts = Facts::empty(Details::MachO(MachOFacts { dylibs, rpaths, ..MachOFacts::default() }));
        assert_eq!(paths(&facts), ["x.dylib", "y.dylib", "../lib/y.dylib"]);
    }

    #[test]
    fn build_directories_match_whole_names() {
        assert!(is_build_directory("/tmp") && is_build_directory("/nix/store/abc"));
        assert!(!is_build_directory("/tmpfoo") && !is_build_directory("/usr/lib"));
    }
}
