//! No debug information is shipped.

use super::size::readable;
use super::{Check, Problem, Rule, Subject, few};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "stripped",
    asks: "no debug information and no symbols that only linkers read are in the file",
    severity: Severity::Info,
    stops_loading: false,
    explanation: "Sections of debug information and tables of local symbols are read by debuggers and linkers, never by \
        a loader. They are often several times the size of the code, name the build machine's directories, and are \
        downloaded by each user.\n\
        Strip the file (strip --strip-unneeded, -Wl,-s, strip = true in a Cargo profile), and keep the debug information \
        in a file of its own where crashes are to be read.",
    check: Check::Addon(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let mut leftovers: Vec<_> = subject.facts.leftovers.iter().collect();
    if leftovers.is_empty() {
        return Vec::new();
    }
    // The largest say what it is.
    leftovers.sort_by_key(|leftover| std::cmp::Reverse(leftover.bytes));
    let total = leftovers.iter().fold(0u64, |total, leftover| total.saturating_add(leftover.bytes));
    let sections: Vec<String> =
        leftovers.iter().map(|leftover| format!("{} {}", leftover.name, readable(leftover.bytes))).collect();
    let (total, size) = (readable(total), readable(subject.facts.size));
    vec![Problem {
        severity: Severity::Info,
        message: format!("{total} of its {size} are debug information or symbols that no loader reads"),
        evidence: few(&sections),
        remedy: "strip it: strip --strip-unneeded, -Wl,-s, or strip = true in a Cargo profile".to_owned(),
    }]
}
