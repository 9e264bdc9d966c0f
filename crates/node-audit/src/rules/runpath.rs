//! No directory of the build machine is searched for libraries.

use super::{Check, Problem, Rule, Subject, few};
use crate::beside::Presence;
use crate::facts::ElfFacts;
use crate::finding::Severity;
use crate::platform::Libc;

pub(super) const RULE: Rule = Rule {
    id: "runpath",
    asks: "RPATH and RUNPATH name no directory of the machine that built the file",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "RPATH and RUNPATH are directories that the loader searches before the system's own. A directory of \
        the machine that built the addon does not exist where it is installed; whoever can create it there, or who \
        owns the directory that Node was started in, decides what is loaded. $ORIGIN, the addon's own directory, is \
        the one entry that travels, where the package ships a library there.\n\
        Link without -rpath, or remove it: patchelf --remove-rpath FILE.",
    check: Check::Addon(check),
};

/// Package stores and the directories that builds run in.
const BUILD: [&str; 16] = [
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

/// What the loader puts the file's own directory in place of.
const ORIGINS: [&str; 2] = ["$ORIGIN", "${ORIGIN}"];

/// More entries than this are not followed: for each, each library is looked for on disk.
const MOST: usize = 64;

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(elf) = subject.facts.elf() else { return Vec::new() };
    let tagged = [("RPATH", &elf.rpath), ("RUNPATH", &elf.runpath)];
    let mut problems = Vec::new();
    for (tag, entries) in tagged {
        let heeded = |entry: &&String| !entry.is_empty() || heeds_empty(subject, entries);
        let (away, entries): (Vec<&String>, Vec<&String>) =
            entries.iter().filter(heeded).partition(|entry| leads_away(entry));
        problems.extend(away.iter().map(|entry| problem(tag, entry)));
        let (beside, others): (Vec<&String>, Vec<&String>) =
            entries.into_iter().partition(|entry| from_origin(entry).is_some());
        problems.extend(others.iter().map(|entry| problem(tag, entry)));
        // Of several entries for several ways to install a package, one is right.
        let found = || beside.iter().any(|entry| leads_to_library(subject, entry));
        if beside.len() > MOST || !(beside.is_empty() || found()) {
            problems.push(origin(tag, &beside));
        }
    }
    problems
}

/// Whether an empty entry means the current directory: not to musl, and to glibc only among others.
fn heeds_empty(subject: &Subject<'_>, entries: &[String]) -> bool {
    subject.libc != Some(Libc::Musl) && entries.len() > 1
}

/// Whether an entry leads out of the package and down again to where the addon was built, as rustc's `rpath` does.
fn leads_away(entry: &str) -> bool {
    const NO_PACKAGE: [&str; 6] = ["/nix/", "/gnu/store/", "/root/", "/home/", "/Users/", "/var/folders/"];
    let Some(rest) = from_origin(entry) else { return false };
    let down = rest.trim_start_matches("../");
    down.len() < rest.len() && NO_PACKAGE.iter().any(|start| format!("/{down}/").starts_with(start))
}

/// The directories that the loader searches, as they stand in the file: RPATH counts only without a RUNPATH.
pub(super) fn searched(elf: &ElfFacts) -> &[String] {
    let entries = if elf.runpath.is_empty() { &elf.rpath } else { &elf.runpath };
    &entries[..entries.len().min(MOST)]
}

/// A library's path from the addon's directory, in an entry that begins there.
pub(super) fn in_entry(entry: &str, library: &str) -> Option<String> {
    let directory = from_origin(entry)?;
    Some(if directory.is_empty() { library.to_owned() } else { format!("{directory}/{library}") })
}

/// The rest of an entry that begins in the addon's directory, without slashes at its ends.
fn from_origin(entry: &str) -> Option<&str> {
    let rest = ORIGINS.iter().find_map(|origin| entry.strip_prefix(origin))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

/// Whether a library that is needed comes with the addon, in the entry's directory.
fn leads_to_library(subject: &Subject<'_>, entry: &str) -> bool {
    let mut libraries = subject.facts.libraries.iter().filter(|library| !library.contains('/'));
    libraries.any(|library| {
        in_entry(entry, library).is_some_and(|path| subject.beside.find(&path) == Presence::Present)
    })
}

fn origin(tag: &str, entries: &[&String]) -> Problem {
    let paths = entries.iter().map(|entry| entry.as_str()).collect::<Vec<_>>();
    let noun = if entries.len() == 1 { "entry" } else { "entries" };
    Problem {
        severity: Severity::Warning,
        message: format!("libraries are searched for beside the addon, in {}", few(&paths)),
        evidence: format!("{tag} {noun} \"{}\"", paths.join(":")),
        remedy: "make sure that the package ships what is loaded from there, or link it statically"
            .to_owned(),
    }
}

fn problem(tag: &str, path: &str) -> Problem {
    let remove = "link without -rpath, or remove it: patchelf --remove-rpath FILE";
    let (severity, message, remedy) = if leads_away(path) {
        let message =
            format!("libraries are searched for in {path}: outside of the package, where it was built");
        (Severity::Error, message, remove)
    } else if is_build(path) {
        (
            Severity::Error,
            format!("libraries are searched for in {path}, a directory of the build machine"),
            remove,
        )
    } else if path.starts_with('/') {
        (
            Severity::Warning,
            format!("libraries are searched for in {path} before the system's directories"),
            remove,
        )
    } else {
        let directory =
            if path.is_empty() { "the current directory".to_owned() } else { format!("./{path}") };
        (
            Severity::Error,
            format!(
                "libraries are searched for in {directory}, wherever Node was started: anyone's file may be loaded"
            ),
            remove,
        )
    };
    Problem { severity, message, evidence: format!("{tag} entry \"{path}\""), remedy: remedy.to_owned() }
}

/// Whether a path leads into a package store, or to where builds run.
pub(super) fn is_build(path: &str) -> bool {
    // A trailing slash, so that "/tmp" itself is one and "/tmpfoo" is none.
    let path = format!("{path}/");
    BUILD.iter().any(|start| path.starts_with(start))
}
