//! Findings, and how they are shown.

mod explain;
mod facts;
mod json;
mod sarif;
mod summary;
mod table;
mod wrap;

use std::path::Path;

use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::platform::{Claim, Platform};
use crate::policy::Policy;
use crate::rules::{Check, Context, PackageSubject, Problem, RULES, Subject};

pub use explain::{explain, rule_list};
pub use facts::facts_text;
pub use json::{facts_json, json, summary_json};
pub use sarif::sarif;
pub use summary::summary_table;
pub use table::{brief_table, table};

/// More findings of one rule in one file than this are counted, and not listed.
const MOST_FINDINGS: usize = 100;

/// Longer texts of a finding are cut, in bytes. Names of files may have any length, and tables take long to lay out.
const LONGEST_TEXT: usize = 4096;

/// What was found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub file: String,
    /// The platform that it was held against.
    pub platform: Option<String>,
    /// What is wrong, by rule; empty where nothing is.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Holds the parts of a file, one for each processor, against each rule.
    pub(crate) fn new(path: &Path, parts: &[Facts], claim: Option<&Claim>, context: Context<'_>) -> Report {
        let file = crate::error::name(path);
        let platform = claim.map(ToString::to_string);
        let mut report = Report { file, platform, findings: Vec::new() };
        for (facts, claimed) in pairs(parts, claim) {
            let subject = Subject::new(facts, claimed, context);
            let platform = claimed.map(|platform| platform.to_string());
            for rule in &RULES {
                if let Check::Addon(check) = rule.check {
                    let problems = judged(rule.id, check(&subject), context.policy);
                    report.add(rule.id, platform.as_ref(), problems);
                }
            }
        }
        report
    }

    /// Holds a package against the rules for packages; `path` is its package.json.
    pub(crate) fn of_package(path: &Path, subject: &PackageSubject<'_>, policy: &Policy) -> Report {
        let mut report = Report { file: crate::error::name(path), platform: None, findings: Vec::new() };
        for rule in &RULES {
            if let Check::Package(check) = rule.check {
                report.add(rule.id, None, judged(rule.id, check(subject), policy));
            }
        }
        report
    }

    fn add(&mut self, rule: &'static str, platform: Option<&String>, problems: Vec<Problem>) {
        for Problem { severity, message, evidence, remedy } in bounded(problems) {
            let (file, platform) = (self.file.clone(), platform.cloned());
            let (message, evidence, remedy) = (cut(message), cut(evidence), cut(remedy));
            self.findings.push(Finding { file, platform, rule, severity, message, evidence, remedy });
        }
    }

    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether there is an error among the findings.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

/// The first findings, and one that stands for the rest.
fn bounded(mut problems: Vec<Problem>) -> Vec<Problem> {
    let rest = problems.split_off(problems.len().min(MOST_FINDINGS));
    if let Some(severity) = rest.iter().map(|problem| problem.severity).max() {
        problems.push(Problem {
            severity,
            message: format!("there are {} more findings of this rule", rest.len()),
            evidence: format!(
                "{} findings, of which the first {MOST_FINDINGS} are listed",
                rest.len() + MOST_FINDINGS
            ),
            remedy: "correct those that are listed, and audit the file again".to_owned(),
        });
    }
    problems
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text += "...";
    }
    text
}

/// What a rule found, as bad as the policy says; without what it drops.
fn judged(rule: &str, mut problems: Vec<Problem>, policy: &Policy) -> Vec<Problem> {
    match policy.severities.get(rule) {
        Some(None) => Vec::new(),
        Some(Some(severity)) => {
            problems.iter_mut().for_each(|problem| problem.severity = *severity);
            problems
        }
        None => problems,
    }
}

/// Each part of a file with the platform that it is held against.
///
/// A processor that is claimed but not there is held against the first part, so that `arch` says what is there instead;
/// a part that nobody claims is held against its own processor.
fn pairs<'a>(parts: &'a [Facts], claim: Option<&Claim>) -> Vec<(&'a Facts, Option<Platform>)> {
    let Some(claim) = claim else { return parts.iter().map(|part| (part, None)).collect() };
    let mut pairs = Vec::new();
    for platform in claim.platforms() {
        let part = parts.iter().find(|part| part.cpu == Some(platform.cpu)).or_else(|| parts.first());
        pairs.extend(part.map(|part| (part, Some(platform))));
    }
    for part in parts {
        if !pairs.iter().any(|(paired, _)| std::ptr::eq(*paired, part)) {
            pairs.push((part, part.cpu.map(|cpu| Platform { os: claim.os, cpu, libc: claim.libc })));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A RUNPATH of 64 KB of colons made 65,000 findings and 40 MB of output.
    #[test]
    fn findings_and_their_texts_are_bounded() {
        let problem = |severity| Problem {
            severity,
            message: "\u{e4}".repeat(LONGEST_TEXT),
            evidence: "b".repeat(LONGEST_TEXT),
            remedy: String::new(),
        };
        let mut report = Report::default();
        let mut problems = vec![problem(Severity::Warning); MOST_FINDINGS];
        report.add("runpath", None, problems.clone());
        assert_eq!(report.findings.len(), MOST_FINDINGS);
        let Finding { message, evidence, .. } = &report.findings[0];
        assert_eq!((message.len(), message.ends_with("\u{e4}..."), evidence.len()), (4099, true, 4096));

        problems.extend([problem(Severity::Warning), problem(Severity::Error), problem(Severity::Info)]);
        let mut report = Report::default();
        report.add("runpath", None, problems);
        let last = &report.findings[MOST_FINDINGS];
        assert_eq!((report.findings.len(), last.severity), (MOST_FINDINGS + 1, Severity::Error));
        assert_eq!(last.message, "there are 3 more findings of this rule");
    }
}
