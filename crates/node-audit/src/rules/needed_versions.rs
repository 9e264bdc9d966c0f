//! Checks that the package's libraries have the symbol versions that the addon needs from them.

use super::evidence::{first_names, version_need};
use super::rule::Problem;
use super::subject::Subject;
use crate::facts::{ElfFacts, VersionNeed};
use crate::finding::Severity;
use crate::platform::Libc;

/// Returns the problems with versions that a library of the package lacks. musl does not compare versions.
pub(super) fn problems(subject: &Subject<'_>, elf: &ElfFacts) -> Vec<Problem> {
    if subject.libc == Some(Libc::Musl) {
        return Vec::new();
    }
    elf.version_needs.iter().filter_map(|need| problem(subject, need)).collect()
}

fn problem(subject: &Subject<'_>, need: &VersionNeed) -> Option<Problem> {
    let VersionNeed { library, version, weak, .. } = need;
    // The loader takes the first library with this name.
    let facts = subject.loaded.iter().find_map(|loaded| {
        let facts = loaded.part(subject.facts.cpu)?;
        let soname = facts.elf()?.soname.as_deref();
        (loaded.name == *library || soname == Some(library)).then_some(facts)
    })?;
    let versions = &facts.elf()?.versions;
    // glibc accepts a library without versions.
    if *weak || versions.is_empty() || versions.contains(version) {
        return None;
    }
    Some(Problem {
        severity: Severity::Error,
        message: format!(
            "the addon needs version {version} of {library}, which the library in the package does not have: require() fails \
             with \"version `{version}' not found\""
        ),
        evidence: format!("{}; {library} defines {}", version_need(need), first_names(versions)),
        remedy: format!("ship the {library} against which the addon was linked"),
    })
}
