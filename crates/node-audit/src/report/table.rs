//! Tables of findings, for people.

use std::cmp::Reverse;

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::wrap::{plural, usable};
use crate::finding::{Finding, Report, Severity};

/// Formats all files for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn table(reports: &[Report], width: u16) -> String {
    let texts = reports.iter().map(|report| file(report, &report.findings.iter().collect::<Vec<_>>(), width));
    texts.collect::<String>() + &summary(reports) + "\n"
}

/// Formats the files with an error or a warning, those with errors first, and counts the others.
#[must_use]
pub fn problems_table(reports: &[Report], width: u16) -> String {
    let mut listed: Vec<(&Report, Vec<&Finding>)> = Vec::new();
    for report in reports {
        let bad: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.severity > Severity::Info).collect();
        if !bad.is_empty() {
            listed.push((report, bad));
        }
    }
    // Then by path, which keeps the files of a package together.
    listed.sort_by_key(|(report, _)| (!report.has_errors(), &report.file));
    let mut text = listed.iter().map(|(report, findings)| file(report, findings, width)).collect::<String>();
    let fine = reports.len() - listed.len();
    if fine > 0 {
        text += &format!("{} with neither error nor warning (--all lists them)\n", plural(fine, "file"));
    }
    text + &summary(reports) + "\n"
}

fn file(report: &Report, findings: &[&Finding], width: u16) -> String {
    let platform = report.platform.as_ref().map_or_else(String::new, |platform| format!(" ({platform})"));
    if findings.is_empty() {
        return format!("{}{platform}: clean\n", report.file);
    }
    format!("{}{platform}\n{}\n", report.file, rows(findings, width).trim_fmt())
}

fn rows(findings: &[&Finding], width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(usable(width));
    let mut sorted = findings.to_vec();
    // The sort is stable, so rules keep their order.
    sorted.sort_by_key(|finding| Reverse(finding.severity));
    for finding in sorted {
        let Finding { message, evidence, remedy, .. } = finding;
        let what = format!("{message}\nseen: {evidence}\nfix:  {remedy}");
        table.add_row([Cell::new(finding.severity), Cell::new(finding.rule), Cell::new(what)]);
    }
    table
}

fn summary(reports: &[Report]) -> String {
    let total = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    format!(
        "{}: {}, {}, {} info",
        plural(reports.len(), "file"),
        plural(total(Severity::Error), "error"),
        plural(total(Severity::Warning), "warning"),
        total(Severity::Info),
    )
}
