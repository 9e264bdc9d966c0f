//! Findings, and how they are shown.

use std::path::Path;

use comfy_table::{Cell, ContentArrangement, Table, presets};

use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::platform::{Claim, Platform};
use crate::policy::Policy;
use crate::rules::{Check, Context, PackageSubject, Problem, RULES, Subject};

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
        for Problem { severity, message, evidence, remedy } in problems {
            let (file, platform) = (self.file.clone(), platform.cloned());
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

/// All findings as a JSON array of objects; `[]` where there is none.
///
/// # Errors
/// None that are known; the serializer's, should it have any.
pub fn json(reports: &[Report]) -> Result<String, serde_json::Error> {
    let findings: Vec<&Finding> = reports.iter().flat_map(|report| &report.findings).collect();
    Ok(serde_json::to_string_pretty(&findings)? + "\n")
}

/// All files as text for a terminal of `width` columns (60 to 120 are used), with a summary line.
#[must_use]
pub fn table(reports: &[Report], width: u16) -> String {
    let mut text = String::new();
    for report in reports {
        let platform = report.platform.as_deref().unwrap_or("no platform claimed");
        if report.findings.is_empty() {
            text += &format!("{} ({platform}): clean\n", report.file);
            continue;
        }
        text += &format!("{} ({platform})\n{}\n", report.file, findings(&report.findings, width).trim_fmt());
    }
    text + &summary(reports) + "\n"
}

fn findings(findings: &[Finding], width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width.clamp(60, 120));
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    // Worst first; the sort is stable, so rules keep their order.
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted {
        let Finding { message, evidence, remedy, .. } = finding;
        let what = format!("{message}\nseen: {evidence}\nfix:  {remedy}");
        table.add_row([Cell::new(finding.severity), Cell::new(finding.rule), Cell::new(what)]);
    }
    table
}

fn summary(reports: &[Report]) -> String {
    let total = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}: {}, {}, {} info",
        plural(reports.len(), "file"),
        plural(total(Severity::Error), "error"),
        plural(total(Severity::Warning), "warning"),
        total(Severity::Info),
    )
}
