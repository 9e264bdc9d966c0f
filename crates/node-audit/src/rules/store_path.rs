//! No object of a package store is named.

use std::collections::HashSet;

use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;
use crate::paths;

pub(super) const RULE: Rule = Rule {
    id: "store-path",
    asks: "no object of a package store (Nix, Guix) is named",
    severity: Severity::Warning,
    stops_loading: false,
    explanation: "A path like /nix/store/HASH-NAME exists on the machine that built the addon, and where the same store \
        object was installed. A program that opens it finds nothing elsewhere; and even where nobody opens it, it tells \
        what the builder had, and keeps those objects alive in the builder's own store. Hashes that were scrubbed \
        (eeeeeeee...) are no reference any more, and count as none.\n\
        Remap the paths (--remap-path-prefix in Rust, -ffile-prefix-map in C), strip debug information, or scrub the \
        references after the build: removeReferencesTo, nuke-refs.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let paths = &subject.facts.paths;
    let mut known = HashSet::new();
    let objects = paths.iter().filter_map(|path| paths::store_object(path));
    let objects: Vec<&str> = objects.filter(|object| known.insert(*object)).collect();
    let Some(first) = objects.first() else { return Vec::new() };
    let store = if first.starts_with("/gnu/") { "/gnu/store" } else { "/nix/store" };
    let least = if paths.len() < paths::MOST { "" } else { "at least " };
    let (count, exist) = match objects.len() {
        1 => ("1 object".to_owned(), "exists"),
        count => (format!("{count} objects"), "exist"),
    };
    vec![Problem {
        severity: Severity::Warning,
        message: format!("it names {least}{count} of {store}, which {exist} only where it was built"),
        evidence: few(&objects),
        remedy: "remap the paths with --remap-path-prefix or -ffile-prefix-map, or scrub them after the build with \
                 removeReferencesTo or nuke-refs"
            .to_owned(),
    }]
}
