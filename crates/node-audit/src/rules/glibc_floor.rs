//! Checks that the addon needs no newer glibc than the floor.

use super::evidence::version_need;
use super::floors::LoadFloors;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::VersionNeed;
use crate::finding::Severity;
use crate::platform::{Cpu, Libc};
use crate::reason::FITS_ONE_GLIBC;
use crate::unversioned::unversioned_glibc;
use crate::version::Version;

pub(super) const RULE: Rule = Rule {
    id: "glibc-floor",
    asks: "the addon needs no symbol version newer than the oldest supported glibc",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "Each glibc symbol has the version of the release in which it last changed, and the linker records \
        the newest version on the build machine. On a system with an older glibc, require() fails: version \
        `GLIBC_2.34' not found. Node's own releases need glibc 2.17 up to Node 16 and 2.28 from Node 18 on, so an \
        addon that needs a newer glibc excludes systems on which Node runs. The policy sets the floor. The floor rises \
        to the version that the oldest Node of package.json's engines needs, unless a policy file names the floor. \
        GLIBC_ABI_DT_RELR marks compressed relocations, which glibc supports since 2.36; symbols of GLIBC_PRIVATE \
        match only one build of glibc.\n\
        Link against the oldest supported glibc: zig cc -target x86_64-linux-gnu.2.28, cargo-zigbuild, or a container \
        of that age.",
    check: Check::Loaded(check),
};

/// The marker of compressed relative relocations, which glibc supports since 2.36.
const DT_RELR: &str = "GLIBC_ABI_DT_RELR";

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    if subject.libc != Some(Libc::Glibc) {
        return Vec::new();
    }
    let Some(elf) = subject.facts.elf() else { return Vec::new() };
    let floors = LoadFloors::of(subject);
    let floor = floors.floors.glibc.max(first(subject.facts.cpu));
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
        let evidence = above.iter().map(|(_, need)| version_need(need)).collect::<Vec<_>>().join("; ");
        problems.insert(
            0,
            Problem {
                severity: Severity::Error,
                message: format!("the addon needs glibc {highest}; the oldest supported version is {floor}"),
                evidence: evidence + &floors.reason(|floors| floors.glibc, &subject.policy.floors, "glibc"),
                remedy: format!(
                    "link against glibc {floor}: with zig cc -target ARCH-linux-gnu.{floor}, cargo-zigbuild, or on a \
                     system of that age"
                ),
            },
        );
    }
    let unversioned = unversioned_glibc(subject.facts).filter(|_| above.is_empty());
    if let Some((version, name)) = unversioned.filter(|(version, _)| *version > floor) {
        problems.push(Problem {
            severity: Severity::Error,
            message: format!("the addon needs glibc {version}; the oldest supported version is {floor}"),
            evidence: format!("imports {name} without a version, which glibc has since {version}"),
            remedy: format!("link against glibc {floor}, and do not use {name}"),
        });
    }
    problems
}

/// Returns the first glibc for a processor, if it may be newer than the floor.
fn first(cpu: Option<Cpu>) -> Version {
    let minor = if cpu == Some(Cpu::Loong64) { 36 } else { 0 };
    Version { major: 2, minor, patch: 0 }
}

/// Returns the problem with a version whose name is not a number.
fn marker(need: &VersionNeed, floor: Version) -> Option<Problem> {
    let relr = Version { major: 2, minor: 36, patch: 0 };
    let (message, remedy) = match need.version.as_str() {
        DT_RELR if floor >= relr => return None,
        DT_RELR => (
            format!(
                "the addon needs glibc {relr} for its compressed relocations; the oldest supported version is {floor}"
            ),
            "link with -Wl,-z,nopack-relative-relocs".to_owned(),
        ),
        "GLIBC_PRIVATE" => {
            (format!("the addon {FITS_ONE_GLIBC}"), "replace these calls with public functions".to_owned())
        }
        unknown => (
            format!("the addon needs the glibc feature {unknown}, which glibc {floor} is not known to have"),
            format!("link against glibc {floor}, or turn off this feature in the linker"),
        ),
    };
    Some(Problem { severity: Severity::Error, message, evidence: version_need(need), remedy })
}
