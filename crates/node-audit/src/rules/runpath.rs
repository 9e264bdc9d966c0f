//! No directory of the build machine is searched for libraries.

use super::{Check, Problem, Rule, Subject};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "runpath",
    asks: "RPATH and RUNPATH name no directory of the machine that built the file",
    severity: Severity::Error,
    explanation: "RPATH and RUNPATH are directories that the loader searches before the system's own. A directory of \
        the machine that built the addon does not exist where it is installed; whoever can create it there, or who \
        owns the directory that Node was started in, decides what is loaded. $ORIGIN, the addon's own directory, is \
        the one entry that travels.\n\
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

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(facts) = subject.facts.elf() else { return Vec::new() };
    let tagged = [("RPATH", &facts.rpath), ("RUNPATH", &facts.runpath)];
    let entries = tagged.iter().flat_map(|(tag, paths)| paths.iter().map(move |path| (*tag, path.as_str())));
    entries.map(|(tag, path)| problem(tag, path)).collect()
}

fn problem(tag: &str, path: &str) -> Problem {
    let remove = "link without -rpath, or remove it: patchelf --remove-rpath FILE";
    let (severity, message, remedy) = if is_build(path) {
        (
            Severity::Error,
            format!("libraries are searched for in {path}, a directory of the build machine"),
            remove,
        )
    } else if path.starts_with("$ORIGIN") || path.starts_with("${ORIGIN}") {
        (
            Severity::Warning,
            format!("libraries are searched for beside the addon, in {path}"),
            "make sure that the package ships what is loaded from there, or link it statically",
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

pub(super) fn is_build(path: &str) -> bool {
    // A trailing slash, so that "/tmp" itself is one and "/tmpfoo" is none.
    let path = format!("{path}/");
    BUILD.iter().any(|start| path.starts_with(start))
}
