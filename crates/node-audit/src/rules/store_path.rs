//! Checks that the file names no object of a package store.

use std::collections::HashSet;

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::build_paths;
use crate::finding::Severity;
use crate::limits::MAX_PATHS;

pub(super) const RULE: Rule = Rule {
    id: "store-path",
    asks: "the file names no object of a package store (Nix, Guix)",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "A path like /nix/store/HASH-NAME exists only where that store object was built or installed. A \
        program that opens the path on another machine fails. Even an unused path reveals the builder's packages, and \
        keeps those objects alive in the builder's store. The rule ignores scrubbed hashes (eeeeeeee...).\n\
        Remap the paths (--remap-path-prefix in Rust, -ffile-prefix-map in C), strip debug information, or scrub the \
        references after the build: removeReferencesTo, nuke-refs.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let paths = &subject.facts.paths;
    let mut known = HashSet::new();
    let objects = paths.iter().filter_map(|path| build_paths::store_object(path));
    let objects: Vec<&str> = objects.filter(|object| known.insert(*object)).collect();
    let Some(first) = objects.first() else { return Vec::new() };
    let store = if first.starts_with("/gnu/") { "/gnu/store" } else { "/nix/store" };
    let at_least = if paths.len() < MAX_PATHS { "" } else { "at least " };
    let (count, exist) = match objects.len() {
        1 => ("1 object".to_owned(), "exists"),
        count => (format!("{count} objects"), "exist"),
    };
    vec![Problem {
        severity: Severity::Warning,
        message: format!(
            "the file contains the paths of {at_least}{count} in {store}, which {exist} only on the build machine"
        ),
        evidence: first_names(&objects),
        remedy: "remap the paths with --remap-path-prefix or -ffile-prefix-map, or scrub them after the build with \
                 removeReferencesTo or nuke-refs"
            .to_owned(),
    }]
}
