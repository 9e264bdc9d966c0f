//! Output for programs.

use serde::Serialize;

use super::Report;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::source::Audited;
use crate::summary::Row;

/// All findings as a JSON array of objects; `[]` where there is none.
///
/// # Errors
/// None that are known; the serializer's, should it have any.
pub fn json(reports: &[Report]) -> Result<String, serde_json::Error> {
    let findings: Vec<&Finding> = reports.iter().flat_map(|report| &report.findings).collect();
    Ok(serde_json::to_string_pretty(&findings)? + "\n")
}

/// What was read from each file as a JSON array: the file's name as `file`, and the fields of [`Facts`].
///
/// # Errors
/// None that are known; the serializer's, should it have any.
pub fn facts_json(files: &[Audited]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Named<'a> {
        file: &'a str,
        #[serde(flatten)]
        facts: &'a Facts,
    }
    let parts = files
        .iter()
        .flat_map(|audited| audited.facts.iter().map(|facts| Named { file: &audited.report.file, facts }));
    Ok(serde_json::to_string_pretty(&parts.collect::<Vec<_>>())? + "\n")
}

/// How each package fares on each system as a JSON array; `[]` where no package has an addon.
///
/// # Errors
/// None that are known; the serializer's, should it have any.
pub fn summary_json(rows: &[Row]) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(rows)? + "\n")
}
