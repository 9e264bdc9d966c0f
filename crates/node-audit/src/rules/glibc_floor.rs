//! No newer glibc than the floor is needed.

use node_targets::{Libc, Version};

use super::{Problem, Rule, Subject, few};
use crate::facts::VersionNeed;
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "glibc-floor",
    asks: "no symbol version newer than the oldest glibc to support is needed",
    check,
};

/// The marker of compressed relative relocations, which glibc knows from 2.36 on.
const DT_RELR: &str = "GLIBC_ABI_DT_RELR";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    if subject.libc != Some(Libc::Glibc) {
        return Vec::new();
    }
    let floor = subject.policy.glibc_floor;
    let mut problems = Vec::new();
    let mut above: Vec<(Version, &VersionNeed)> = Vec::new();
    for need in subject.facts.version_needs.iter().filter(|need| !need.weak) {
        let Some(version) = need.version.strip_prefix("GLIBC_") else { continue };
        match version.parse::<Version>() {
            Ok(version) if version > floor => above.push((version, need)),
            Ok(_) => {}
            Err(_) => problems.extend(marker(need, floor)),
        }
    }
    above.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    if let Some((highest, _)) = above.first() {
        let evidence = above.iter().map(|(_, need)| describe(need)).collect::<Vec<_>>().join("; ");
        problems.insert(
            0,
            Problem {
                severity: Severity::Error,
                message: format!("it needs glibc {highest}; the oldest to support is {floor}"),
                evidence,
                remedy: format!(
                    "link against glibc {floor}: with zig cc -target ARCH-linux-gnu.{floor}, cargo-zigbuild, or on a \
                     system that old"
                ),
            },
        );
    }
    problems
}

/// What a version that is no number means.
fn marker(need: &VersionNeed, floor: Version) -> Option<Problem> {
    let relr = Version { major: 2, minor: 36, patch: 0 };
    let (message, remedy) = match need.version.as_str() {
        DT_RELR if floor >= relr => return None,
        DT_RELR => (
            format!("it needs glibc {relr} for its compressed relocations; the oldest to support is {floor}"),
            "link with -Wl,-z,nopack-relative-relocs".to_owned(),
        ),
        "GLIBC_PRIVATE" => (
            "it calls functions inside glibc that fit one build of glibc only".to_owned(),
            "replace these calls by public functions".to_owned(),
        ),
        unknown => (
            format!("it needs the glibc feature {unknown}, which glibc {floor} is not known to have"),
            format!("link against glibc {floor}, or turn off the linker's feature behind it"),
        ),
    };
    Some(Problem { severity: Severity::Error, message, evidence: describe(need), remedy })
}

fn describe(need: &VersionNeed) -> String {
    let symbols = if need.symbols.is_empty() { "no symbol".to_owned() } else { few(&need.symbols) };
    format!("{} of {} for {symbols}", need.version, need.library)
}
