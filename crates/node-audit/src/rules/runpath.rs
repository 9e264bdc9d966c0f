//! Checks that the loader searches no directory of the build machine for libraries.

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;
use crate::limits::MAX_RUNPATH_ENTRIES;
use crate::neighbours::Presence;
use crate::platform::Libc;
use crate::search_path::{from_origin, in_entry, is_build_directory, leads_away};

pub(super) const RULE: Rule = Rule {
    id: "runpath",
    asks: "RPATH and RUNPATH name no directory of the build machine",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "RPATH and RUNPATH are directories that the loader searches before the system's own. A directory of \
        the build machine does not exist on other machines. A user who can create the directory there, or who owns the \
        directory in which Node was started, decides which library is loaded. Only $ORIGIN, the addon's own directory, \
        is the same on every machine, and is useful if the package ships a library there.\n\
        Link without -rpath, or remove the entry: patchelf --remove-rpath FILE.",
    check: Check::Addon(check),
};

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
        // A package may have an entry for each way of installing it, and one of the entries is right.
        let found = || beside.iter().any(|entry| leads_to_library(subject, entry));
        if beside.len() > MAX_RUNPATH_ENTRIES || !(beside.is_empty() || found()) {
            problems.push(origin(tag, &beside));
        }
    }
    problems
}

/// Returns whether an empty entry means the current directory: never for musl, and for glibc only among other entries.
fn heeds_empty(subject: &Subject<'_>, entries: &[String]) -> bool {
    subject.libc != Some(Libc::Musl) && entries.len() > 1
}

/// Returns whether a needed library comes with the addon, in the entry's directory.
fn leads_to_library(subject: &Subject<'_>, entry: &str) -> bool {
    let mut libraries = subject.facts.libraries.iter().filter(|library| !library.contains('/'));
    libraries.any(|library| {
        in_entry(entry, library).iter().any(|path| subject.neighbours.find(path) == Presence::Present)
    })
}

fn origin(tag: &str, entries: &[&String]) -> Problem {
    let paths = entries.iter().map(|entry| entry.as_str()).collect::<Vec<_>>();
    let noun = if entries.len() == 1 { "entry" } else { "entries" };
    Problem {
        severity: Severity::Warning,
        message: format!(
            "the loader searches for libraries in {}, relative to the addon",
            first_names(&paths)
        ),
        evidence: format!("{tag} {noun} \"{}\"", paths.join(":")),
        remedy: "ship the libraries in these directories, or link them statically".to_owned(),
    }
}

fn problem(tag: &str, path: &str) -> Problem {
    let remove = "link without -rpath, or remove the entry: patchelf --remove-rpath FILE";
    let (severity, message, remedy) = if leads_away(path) {
        let message = format!(
            "the loader searches for libraries in {path}, which leads out of the package into the build \
             directory"
        );
        (Severity::Error, message, remove)
    } else if is_build_directory(path) {
        (
            Severity::Error,
            format!("the loader searches for libraries in {path}, a directory of the build machine"),
            remove,
        )
    } else if path.starts_with('/') {
        (
            Severity::Warning,
            format!("the loader searches for libraries in {path} before the system's directories"),
            remove,
        )
    } else {
        let start = "the directory in which Node was started";
        let place = if path.is_empty() { start.to_owned() } else { format!("./{path}, relative to {start}") };
        (
            Severity::Error,
            format!(
                "the loader searches for libraries in {place}: the owner of that directory decides which library is \
                 loaded"
            ),
            remove,
        )
    };
    Problem { severity, message, evidence: format!("{tag} entry \"{path}\""), remedy: remedy.to_owned() }
}
