//! Checks that the oldest supported macOS is new enough for the addon.

use super::floors::LoadFloors;
use super::rule::{Check, Problem, Rule};
use super::subject::Subject;
use crate::facts::{MacPlatform, MachOFacts};
use crate::finding::Severity;

pub(super) const RULE: Rule = Rule {
    id: "min-os",
    asks: "the file is built for macOS, and needs no newer release than the oldest supported one",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "The compiler records the oldest macOS that it compiles for (LC_BUILD_VERSION, or \
        LC_VERSION_MIN_MACOSX in older files), and relies on the functions, loader formats and instructions of that \
        release. An older system does not compare the version, but fails at the first missing feature: Symbol not \
        found, unknown load command, or a crash at the first call. Node 20's own releases need macOS 10.15 on x64 and \
        11 on arm64, Node 21 to 23 need 11, and Node 24 and later 13.5. The floor rises to the macOS that the addon's \
        oldest Node needs: the Node with the ABI in the addon's name or entry point, or else the oldest Node of \
        package.json's engines. A floor in a policy file is fixed. macOS refuses a file for another Apple system: \
        mach-o file, but is an incompatible platform (have 'iOS', need 'macOS').\n\
        Build with MACOSX_DEPLOYMENT_TARGET set to the oldest supported release, or -mmacosx-version-min.",
    check: Check::Loaded(check),
};

fn check(subject: &Subject<'_>) -> Vec<Problem> {
    let Some(MachOFacts { platform, min_os, .. }) = subject.facts.macho() else { return Vec::new() };
    let floors = LoadFloors::of(subject);
    let floor = floors.macos(subject.facts.cpu);
    let reason = floors.reason(|floors| floors.macos(subject.facts.cpu), &subject.policy.floors, "macOS");
    let problem = |severity, message: String, evidence: String, remedy: String| {
        vec![Problem { severity, message, evidence, remedy }]
    };
    let build = format!("build with MACOSX_DEPLOYMENT_TARGET={floor}");
    match (platform, min_os) {
        (Some(MacPlatform::Other(number)), _) => problem(
            Severity::Error,
            format!("the addon is built for {}, and macOS refuses to load it", system(*number)),
            format!("platform {number} in LC_BUILD_VERSION or LC_VERSION_MIN"),
            "build the addon for macOS".to_owned(),
        ),
        (Some(MacPlatform::MacOs), Some(version)) if *version > floor => problem(
            Severity::Error,
            format!("the addon needs macOS {version}; the oldest supported version is {floor}"),
            format!("macOS {version} in LC_BUILD_VERSION or LC_VERSION_MIN_MACOSX{reason}"),
            build,
        ),
        (Some(MacPlatform::MacOs), Some(_)) => Vec::new(),
        _ => problem(
            Severity::Warning,
            "the addon does not state which macOS it needs".to_owned(),
            "neither LC_BUILD_VERSION nor LC_VERSION_MIN_MACOSX".to_owned(),
            build,
        ),
    }
}

/// Returns the name of the platform with a number.
fn system(number: u32) -> String {
    let known = match number {
        2 => "iOS",
        3 => "tvOS",
        4 => "watchOS",
        5 => "bridgeOS",
        6 => "Mac Catalyst",
        7 => "the iOS simulator",
        8 => "the tvOS simulator",
        9 => "the watchOS simulator",
        10 => "DriverKit",
        11 => "visionOS",
        12 => "the visionOS simulator",
        _ => return format!("platform {number}"),
    };
    known.to_owned()
}
