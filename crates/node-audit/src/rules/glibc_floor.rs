//! No newer glibc than the floor is needed.

use crate::version::Version;

use super::{Check, Problem, Rule, Subject, described};
use crate::facts::VersionNeed;
use crate::finding::Severity;
use crate::platform::{Cpu, Libc};

pub(super) const RULE: Rule = Rule {
    id: "glibc-floor",
    asks: "no symbol version newer than the oldest glibc to support is needed",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "A function of glibc carries the version in which it last changed, and the linker writes down the \
        newest one that it found on the machine that built the addon. On a system with an older glibc require() fails: \
        version `GLIBC_2.34' not found. Node 20's own releases need 2.28, so that an addon which needs more refuses \
        systems on which Node runs. GLIBC_ABI_DT_RELR stands for compressed relocations, which glibc reads from 2.36 \
        on; GLIBC_PRIVATE fits one build of glibc only.\n\
        Link against the oldest glibc to support: zig cc -target x86_64-linux-gnu.2.28, cargo-zigbuild, or a container \
        of that age.",
    check: Check::Addon(check),
};

/// The marker of compressed relative relocations, which glibc knows from 2.36 on.
const DT_RELR: &str = "GLIBC_ABI_DT_RELR";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    if subject.libc != Some(Libc::Glibc) {
        return Vec::new();
    }
    let Some(elf) = subject.facts.elf() else { return Vec::new() };
    let floor = subject.policy.floors.glibc.max(first(subject.facts.cpu));
    let mut problems = Vec::new();
    let mut above: Vec<(Version, &VersionNeed)> = Vec::new();
    for need in elf.version_needs.iter().filter(|need| !need.weak) {
        let Some(version) = need.version.strip_prefix("GLIBC_") else { continue };
        match version.parse::<Version>() {
            Ok(version) if version > floor => above.push((version, need)),
            Ok(_) => {}
            Err(_) => problems.extend(marker(need, floor)),
        }
    }
    above.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    if let Some((highest, _)) = above.first() {
        let evidence = above.iter().map(|(_, need)| described(need)).collect::<Vec<_>>().join("; ");
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

/// The first glibc for a processor, where that is newer than what anyone would set as a floor: no older one exists.
fn first(cpu: Option<Cpu>) -> Version {
    let minor = if cpu == Some(Cpu::Loong64) { 36 } else { 0 };
    Version { major: 2, minor, patch: 0 }
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
    Some(Problem { severity: Severity::Error, message, evidence: described(need), remedy })
}
