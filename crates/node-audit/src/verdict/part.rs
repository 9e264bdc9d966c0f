//! The parts of addons that a verdict combines.

use std::collections::BTreeSet;

use super::nodes::NodeNeed;
use super::system::System;
use crate::audit::Audited;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::library::LOADED;
use crate::platform::{Cpu, Libc, Os, Platform};
use crate::policy::Policy;
use crate::reason::{FITS_ONE_GLIBC, loads_in, short_reason};
use crate::rules::{Rule, library_that_musl_lacks};

/// An addon on one of its platforms.
pub(super) struct Part<'a> {
    /// The addon's path.
    pub(super) file: &'a str,
    /// The platform; None for a damaged file that claims nothing, and for a processor that Node does not know.
    pub(super) platform: Option<Platform>,
    /// The system; None for a damaged file.
    pub(super) system: Option<System>,
    pub(super) node: Option<NodeNeed>,
    /// The reason why the addon does not load, in few words.
    pub(super) failure: Option<String>,
    /// `true` if the addon loads only until glibc is updated.
    pub(super) fits_one_glibc: bool,
    /// `true` if the addon may load on Alpine although it is linked to glibc.
    pub(super) may_load_on_musl: bool,
}

/// Returns the parts of an addon.
pub(super) fn parts<'a>(file: &'a Audited, policy: &Policy) -> Vec<Part<'a>> {
    let addon = &file.addon;
    let claim = policy.claim.as_ref().or(addon.claim.as_ref());
    let findings = &file.report.findings;
    let Some(claim) = claim else {
        if addon.facts.is_empty() {
            return vec![damaged(file, None)];
        }
        let part = |facts: &'a Facts| {
            let platform = |cpu| Platform { os: System::os_of(facts), cpu, libc: None };
            part(file, facts, facts.cpu.map(platform), &errors(findings, None), policy)
        };
        return addon.facts.iter().map(part).collect();
    };
    let part = |platform: Platform| {
        let own = addon.facts.iter().find(|facts| facts.cpu == Some(platform.cpu));
        match own.or(addon.facts.first()) {
            Some(facts) => {
                let errors = errors(findings, Some(&platform.to_string()));
                part(file, facts, Some(platform), &errors, policy)
            }
            None => damaged(file, Some(platform)),
        }
    };
    claim.platforms().map(part).collect()
}

fn part<'a>(
    file: &'a Audited,
    facts: &Facts,
    platform: Option<Platform>,
    errors: &[&Finding],
    policy: &Policy,
) -> Part<'a> {
    let with = errors.iter().find(|finding| finding.rule == "libstdcxx").and_then(|finding| needed(finding));
    let claimed = platform.and_then(|platform| platform.libc);
    let is_glibc = facts.elf().is_some_and(|elf| elf.libc == Some(Libc::Glibc));
    let lasting =
        || errors.iter().filter(|finding| !is_floor(finding) && !finding.message.ends_with(FITS_ONE_GLIBC));
    let releases: BTreeSet<&str> = lasting().filter_map(|finding| loads_in(&finding.message)).collect();
    // The addon and its libraries may limit the releases of Node differently; the verdict does not intersect these
    // sets.
    let is_limited = releases.len() == 1;
    let only = releases.first().filter(|_| is_limited).map(|nodes| NodeNeed::Only((*nodes).to_owned()));
    let stops = |finding: &Finding| !is_limited || loads_in(&finding.message).is_none();
    let is_linux = platform.is_some_and(|platform| platform.os == Os::Linux);
    let system = platform.map(|platform| {
        let libraries = file.addon.libraries_of(facts);
        let libraries = libraries.iter().filter_map(|library| library.part(facts.cpu));
        let systems = libraries.map(|library| System::of(platform, library, None));
        let own = System::of(platform, facts, with);
        systems.fold(own, |own, library| if own.is_same(&library) { own.newest(library) } else { own })
    });
    let failure = lasting().find(|finding| stops(finding)).map(|finding| reason(finding));
    let failure = failure.or_else(|| system.as_ref()?.contradiction());
    Part {
        file: &file.report.file,
        platform,
        system,
        node: only.or_else(|| NodeNeed::of(facts, file.addon.binding)),
        failure,
        fits_one_glibc: errors.iter().any(|finding| finding.message.ends_with(FITS_ONE_GLIBC)),
        may_load_on_musl: is_linux
            && is_glibc
            && claimed.is_none()
            && library_that_musl_lacks(facts, file.addon.libraries_of(facts), policy).is_none(),
    }
}

/// Returns the part of a file that is not a whole addon.
fn damaged(file: &Audited, platform: Option<Platform>) -> Part<'_> {
    let finding = file.report.findings.iter().find(|finding| finding.severity == Severity::Error);
    let failure = Some(finding.map_or_else(|| "the file is damaged".to_owned(), reason));
    let report = &file.report.file;
    Part {
        file: report,
        platform,
        system: None,
        node: None,
        failure,
        fits_one_glibc: false,
        may_load_on_musl: false,
    }
}

/// Returns the errors of load-blocking rules on a platform.
fn errors<'a>(findings: &'a [Finding], platform: Option<&str>) -> Vec<&'a Finding> {
    let stops = |rule: &str| Rule::by_id(rule).is_some_and(|rule| rule.stops_loading);
    let on_platform = |finding: &&Finding| platform.is_none() || finding.platform.as_deref() == platform;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.filter(on_platform).filter(|finding| stops(finding.rule)).collect()
}

/// Returns whether an error is only about a system that is too old: the addon loads on newer systems.
fn is_floor(finding: &Finding) -> bool {
    ["glibc-floor", "libstdcxx", "min-os"].contains(&finding.rule)
        && needed(finding).is_some_and(|needed| needed.contains(|digit: char| digit.is_ascii_digit()))
}

/// Returns the version or library that the addon needs, from an error's message: `GLIBCXX_3.4.30`.
fn needed(finding: &Finding) -> Option<String> {
    let reason = short_reason(finding.rule, &finding.message);
    // The addon also needs everything that its libraries need.
    let reason = reason.split_once(LOADED).map_or(reason, |(_, reason)| reason);
    let needed = reason.strip_prefix("needs ")?;
    (!needed.starts_with("the ")).then(|| needed.to_owned())
}

fn reason(finding: &Finding) -> String {
    short_reason(finding.rule, &finding.message).to_owned()
}

impl Part<'_> {
    /// Returns the platform's name, or the file's name for an addon without a platform.
    pub(super) fn place(&self) -> String {
        self.platform.map_or_else(|| self.file.to_owned(), |platform| platform.to_string())
    }

    pub(super) fn cpu(&self) -> Option<Cpu> {
        self.platform.map(|platform| platform.cpu)
    }
}
