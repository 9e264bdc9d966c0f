//! Checks that the addon needs no newer run-time library of the compiler than the floor.

use super::evidence::version_need;
use super::floors::LoadFloors;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::VersionNeed;
use crate::finding::Severity;
use crate::platform::{Cpu, Libc};
use crate::policy::Floors;
use crate::version::Version;

pub(super) const RULE: Rule = Rule {
    id: "libstdcxx",
    asks: "the addon needs no symbol version newer than the oldest supported libstdc++ and libgcc",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Like glibc, libstdc++ and libgcc have symbol versions: GLIBCXX_3.4.30 came with GCC 12. On a system \
        with the libraries of an older compiler, require() fails even if glibc is new enough: version `GLIBCXX_3.4.30' \
        not found. The default floors are those of GCC 8: a system with glibc 2.28, which Node needs from release 18 on, \
        has them. Node's own releases need less: GLIBCXX_3.4.21, and CXXABI_1.3.11 from Node 24 on. Names without a \
        number (CXXABI_TM_1, CXXABI_FLOAT128, CXXABI_LDBL_1.3) mark a feature and are not compared. On musl, the rule \
        reports nothing: Alpine builds libstdc++ without versions, and musl's loader checks none.\n\
        Link with -static-libstdc++ -static-libgcc, or build with the oldest supported compiler.",
    check: Check::Loaded(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    if subject.libc == Some(Libc::Musl) {
        return Vec::new();
    }
    let Some(elf) = subject.linux() else { return Vec::new() };
    let Floors { glibcxx, cxxabi, gcc, .. } = LoadFloors::of(subject).floors;
    let families = [("GLIBCXX_", glibcxx), ("CXXABI_", cxxabi), ("GCC_", gcc)].into_iter();
    // GCC 12 is the first GCC for this processor.
    let young = subject.facts.cpu == Some(Cpu::Loong64);
    let floor = |floor: Version, first| if young { floor.max(first) } else { floor };
    let families = families.zip(GCC_12).map(|((family, oldest), first)| (family, floor(oldest, first)));
    families.filter_map(|(family, floor)| above(&elf.version_needs, family, floor)).collect()
}

/// The versions of each family that came with GCC 12.
const GCC_12: [Version; 3] = [
    Version { major: 3, minor: 4, patch: 30 },
    Version { major: 1, minor: 3, patch: 13 },
    Version { major: 12, minor: 0, patch: 0 },
];

/// Returns the problem with the versions of one family above its floor.
fn above(needs: &[VersionNeed], family: &str, floor: Version) -> Option<Problem> {
    let number = |need: &VersionNeed| need.version.strip_prefix(family)?.parse::<Version>().ok();
    let strong = needs.iter().filter(|need| !need.weak);
    let mut above: Vec<(Version, &VersionNeed)> = strong
        .filter_map(|need| Some((number(need)?, need)))
        .filter(|(version, _)| *version > floor)
        .collect();
    above.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let (_, highest) = above.first()?;
    let evidence = above.iter().map(|(_, need)| version_need(need)).collect::<Vec<_>>().join("; ");
    let flag = if family == "GCC_" { "-static-libgcc" } else { "-static-libstdc++" };
    Some(Problem {
        severity: Severity::Error,
        message: format!(
            "the addon needs {}; the oldest supported version is {family}{floor}",
            highest.version
        ),
        evidence,
        remedy: format!("link with {flag}, or build with the oldest supported compiler"),
    })
}
