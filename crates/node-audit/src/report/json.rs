//! Formats JSON, for programs.

use serde::Serialize;

use crate::audit::Audited;
use crate::facts::Facts;
use crate::finding::{Finding, Report, Severity};
use crate::summary::PackageSummary;

/// Formats the findings of at least one severity as a JSON array, with an object for each finding in each file.
///
/// # Errors
/// Returns the serializer's error. No input is known to cause one.
pub fn json(reports: &[Report], from: Severity) -> Result<String, serde_json::Error> {
    let findings = reports.iter().flat_map(|report| &report.findings);
    let findings: Vec<&Finding> = findings.filter(|finding| finding.severity >= from).collect();
    Ok(serde_json::to_string_pretty(&findings)? + "\n")
}

/// Formats the facts of each file as a JSON array: the file's name as `file`, and the fields of [`Facts`].
///
/// # Errors
/// Returns the serializer's error. No input is known to cause one.
pub fn facts_json(files: &[Audited]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct FileFacts<'a> {
        file: &'a str,
        #[serde(flatten)]
        facts: &'a Facts,
    }
    let parts = files
        .iter()
        .flat_map(|file| file.addon.facts.iter().map(|facts| FileFacts { file: &file.report.file, facts }));
    Ok(serde_json::to_string_pretty(&parts.collect::<Vec<_>>())? + "\n")
}

/// Formats the verdicts of each package as a JSON array; `[]` without a package.
///
/// # Errors
/// Returns the serializer's error. No input is known to cause one.
pub fn summary_json(packages: &[PackageSummary]) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(packages)? + "\n")
}
