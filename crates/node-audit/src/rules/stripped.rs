//! Checks that the addon contains no debug information.

use super::evidence::{first_names, readable_size};
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "stripped",
    asks: "the file contains no debug information, and no symbols that only linkers read",
    severity: Severity::Info,
    stops_loading: false,
    explanation: "Only debuggers and linkers read sections of debug information and tables of local symbols. These \
        sections are often several times as large as the code, they name directories of the build machine, and every \
        user downloads them.\n\
        Strip the file (strip --strip-unneeded, -Wl,-s, strip = true in a Cargo profile), and keep the debug information \
        in a separate file if you analyse crashes.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let mut leftovers: Vec<_> = subject.facts.leftovers.iter().collect();
    if leftovers.is_empty() {
        return Vec::new();
    }
    // The largest sections are the best evidence.
    leftovers.sort_by_key(|leftover| std::cmp::Reverse(leftover.bytes));
    let total = leftovers.iter().fold(0u64, |total, leftover| total.saturating_add(leftover.bytes));
    let sections: Vec<String> = leftovers
        .iter()
        .map(|leftover| format!("{} {}", leftover.name, readable_size(leftover.bytes)))
        .collect();
    let (total, size) = (readable_size(total), readable_size(subject.facts.size));
    vec![Problem {
        severity: Severity::Info,
        message: format!(
            "{total} of the file's {size} are debug information or symbols that no loader reads"
        ),
        evidence: first_names(&sections),
        remedy: "strip the file: strip --strip-unneeded, -Wl,-s, or strip = true in a Cargo profile"
            .to_owned(),
    }]
}
