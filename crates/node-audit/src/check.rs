//! Checks addons and packages against every rule.

use std::collections::HashSet;

use crate::addon::Addon;
use crate::claim::Claim;
use crate::facts::Facts;
use crate::finding::{Finding, Report};
use crate::limits::{MAX_FINDING_TEXT, MAX_FINDINGS};
use crate::package_contents::PackageContents;
use crate::platform::Platform;
use crate::policy::Policy;
use crate::printable::display_path;
use crate::rules::{Check, Problem, RULES, Subject};

/// Checks each part of an addon, or the damage of a file that is not a whole addon.
pub(crate) fn check_addon(addon: &Addon, claim: Option<&Claim>, policy: &Policy) -> Report {
    let platform = claim.map(ToString::to_string);
    let mut report = Report { file: display_path(&addon.path), platform, findings: Vec::new() };
    for rule in &RULES {
        if let (Check::Damage(check), Some(damage)) = (rule.check, &addon.damage) {
            let problems = with_severity(rule.id, vec![check(damage)], policy);
            report.findings.extend(findings(&report.file, report.platform.as_deref(), rule.id, problems));
        }
    }
    for Pair { facts, platform } in pairs(&addon.facts, claim) {
        let names_cpu = claim.is_none_or(|claim| !claim.has_own_cpus);
        let subject = Subject { names_cpu, ..Subject::new(addon, facts, platform, policy) };
        let platform = platform.map(|platform| platform.to_string());
        for rule in &RULES {
            let problems = match rule.check {
                Check::Addon(check) => check(&subject),
                Check::Loaded(check) => with_libraries(check, &subject),
                Check::Damage(_) | Check::Package(_) => continue,
            };
            let problems = with_severity(rule.id, problems, policy);
            report.findings.extend(findings(&report.file, platform.as_deref(), rule.id, problems));
        }
    }
    report
}

/// Returns the problems of the addon, then the problems that only the libraries loaded with it have.
fn with_libraries(check: fn(&Subject<'_>) -> Vec<Problem>, subject: &Subject<'_>) -> Vec<Problem> {
    let mut problems = check(subject);
    let mut known: HashSet<String> = problems.iter().map(|problem| problem.message.clone()).collect();
    for (library, subject) in subject.of_libraries() {
        for problem in check(&subject) {
            // A DLL that both the addon and the library need gets one finding: the remedy is the same.
            if known.insert(problem.message.clone()) {
                problems.push(problem.of_library(library));
            }
        }
    }
    problems
}

/// Checks a package as a whole.
pub(crate) fn check_package(package: &PackageContents, policy: &Policy) -> Report {
    let mut report = Report { file: display_path(&package.file), ..Report::default() };
    for rule in &RULES {
        if let Check::Package(check) = rule.check {
            let problems = with_severity(rule.id, check(package), policy);
            report.findings.extend(findings(&report.file, None, rule.id, problems));
        }
    }
    report
}

/// Converts the problems of a rule to findings, and bounds their number and length.
fn findings(file: &str, platform: Option<&str>, rule: &'static str, problems: Vec<Problem>) -> Vec<Finding> {
    let finding = |Problem { severity, message, evidence, remedy }| Finding {
        file: file.to_owned(),
        platform: platform.map(str::to_owned),
        rule,
        severity,
        message: shortened(message),
        evidence: shortened(evidence),
        remedy: shortened(remedy),
    };
    bounded(problems).into_iter().map(finding).collect()
}

/// Returns the first problems, and a last problem that counts the omitted problems.
fn bounded(mut problems: Vec<Problem>) -> Vec<Problem> {
    let rest = problems.split_off(problems.len().min(MAX_FINDINGS));
    if let Some(severity) = rest.iter().map(|problem| problem.severity).max() {
        let all = rest.len() + MAX_FINDINGS;
        problems.push(Problem {
            severity,
            message: format!("the rule has {} more findings", rest.len()),
            evidence: format!("{all} findings; the first {MAX_FINDINGS} are listed"),
            remedy: "fix the listed findings, then audit the file again".to_owned(),
        });
    }
    problems
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_FINDING_TEXT {
        text.truncate(text.floor_char_boundary(MAX_FINDING_TEXT));
        text += "...";
    }
    text
}

/// Returns the problems with the severity that the policy gives the rule, or none if the policy drops it.
fn with_severity(rule: &str, mut problems: Vec<Problem>, policy: &Policy) -> Vec<Problem> {
    match policy.severities.get(rule) {
        Some(None) => Vec::new(),
        Some(Some(severity)) => {
            problems.iter_mut().for_each(|problem| problem.severity = *severity);
            problems
        }
        None => problems,
    }
}

/// A part of a file, and the platform that it is checked for.
struct Pair<'a> {
    facts: &'a Facts,
    platform: Option<Platform>,
}

/// Pairs each part of a file with a platform.
///
/// A claimed processor without a part gets the first part, so that `arch` reports the actual processor. A part that no
/// claim covers is checked for its own processor.
fn pairs<'a>(parts: &'a [Facts], claim: Option<&Claim>) -> Vec<Pair<'a>> {
    let Some(claim) = claim else {
        return parts.iter().map(|facts| Pair { facts, platform: None }).collect();
    };
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for platform in claim.platforms() {
        let part = parts.iter().find(|part| part.cpu == Some(platform.cpu)).or_else(|| parts.first());
        pairs.extend(part.map(|facts| Pair { facts, platform: Some(platform) }));
    }
    for facts in parts {
        if !pairs.iter().any(|pair| std::ptr::eq(pair.facts, facts)) {
            let platform = facts.cpu.map(|cpu| Platform { os: claim.os, cpu, libc: claim.libc });
            pairs.push(Pair { facts, platform });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    /// A RUNPATH of 64 KB of colons produced 65,000 findings and 40 MB of output.
    #[test]
    fn findings_and_their_texts_are_bounded() {
        let problem = |severity| Problem {
            severity,
            message: "\u{e4}".repeat(MAX_FINDING_TEXT),
            evidence: "b".repeat(MAX_FINDING_TEXT),
            remedy: String::new(),
        };
        let mut problems = vec![problem(Severity::Warning); MAX_FINDINGS];
        let all = findings("x.node", None, "runpath", problems.clone());
        assert_eq!(all.len(), MAX_FINDINGS);
        let Finding { message, evidence, .. } = &all[0];
        assert_eq!(message.len(), MAX_FINDING_TEXT + "...".len());
        assert!(message.ends_with("\u{e4}...") && evidence.len() == MAX_FINDING_TEXT);

        problems.extend([problem(Severity::Warning), problem(Severity::Error), problem(Severity::Info)]);
        let all = findings("x.node", None, "runpath", problems);
        let last = &all[MAX_FINDINGS];
        assert_eq!((all.len(), last.severity), (MAX_FINDINGS + 1, Severity::Error));
        assert_eq!(last.message, "the rule has 3 more findings");
    }
}
