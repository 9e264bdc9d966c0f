//! Formats tables of findings, for people.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::groups::{Group, groups, joined};
use super::wrap::{plural, usable, wrap, wrap_hanging};
use crate::audit::Audit;
use crate::audit_view::{View, views};
use crate::finding::{Finding, Report, Severity};
use crate::limits::MAX_TABLE_FILES;
use crate::verdict::PackageVerdict;

/// Formats the verdicts, one after the other, for a terminal of `width` columns.
#[must_use]
pub fn verdict_lines(verdicts: &[PackageVerdict], width: u16) -> String {
    let line = |PackageVerdict { name, text }: &PackageVerdict| {
        wrap_hanging(&format!("{name}: {text}"), usize::from(usable(width)))
    };
    verdicts.iter().map(line).collect()
}

/// Formats each file and all its findings for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn table(reports: &[Report], width: u16) -> String {
    let mut total = Total { files: reports.len(), ..Total::default() };
    let mut text = String::new();
    for report in reports {
        let groups = groups(&report.findings);
        total.add(&groups);
        let platform = report.platform.as_ref().map_or_else(String::new, |platform| format!(" ({platform})"));
        text += &match groups.as_slice() {
            [] => format!("{}{platform}: clean\n", report.file),
            groups => format!("{}{platform}\n{}", report.file, rows(groups, |_| None, width)),
        };
    }
    text + &total.text() + "\n"
}

/// Formats the findings of at least one severity for a terminal of `width` columns, with a summary line: a table for each
/// package, packages with an error first. A finding in several files is one row, which lists the files.
#[must_use]
pub fn findings_table(audit: &Audit, from: Severity, width: u16) -> String {
    let views = views(audit);
    let mut total = Total { files: audit.reports().len(), ..Total::default() };
    let mut sections: Vec<(&View<'_>, Vec<Group<'_>>)> = Vec::new();
    for view in &views {
        let mut groups = groups(view.findings());
        total.add(&groups);
        groups.retain(|group| group.severity() >= from);
        if !groups.is_empty() {
            sections.push((view, groups));
        }
    }
    // The sort is stable, and a group with an error comes first.
    sections
        .sort_by_key(|(_, groups)| groups.first().is_none_or(|group| group.severity() != Severity::Error));
    let mut text = String::new();
    for (view, groups) in &sections {
        let files = |group: &Group<'_>| view.package.map(|_| files(view, group));
        text += &(wrap(&title(view), usize::from(usable(width))).join("\n") + "\n");
        text += &rows(groups, files, width);
    }
    if from == Severity::Error {
        return text;
    }
    let hidden = total.counts[0] > 0 && from > Severity::Info;
    text + &total.text() + if hidden { " (--verbose lists info)\n" } else { "\n" }
}

/// Returns the name of a package with its folder, or the name of an addon with its platform.
fn title(view: &View<'_>) -> String {
    let more = match (view.package, view.files.first()) {
        (Some(_), _) => Some(view.folder()).filter(|folder| !folder.is_empty()),
        (None, file) => file.and_then(|file| file.report.platform.as_deref()),
    };
    more.map_or_else(|| view.title(), |more| format!("{} ({more})", view.title()))
}

/// Returns the files of a group in a package.
fn files(view: &View<'_>, group: &Group<'_>) -> String {
    let files: Vec<&str> = group.files().into_iter().map(|file| view.relative(file)).collect();
    let text = joined(&files, MAX_TABLE_FILES);
    if files.len() == 1 { text } else { format!("{} files: {text}", files.len()) }
}

/// Formats a row for each group; `files` lists a group's files if the title does not.
fn rows(groups: &[Group<'_>], files: impl Fn(&Group<'_>) -> Option<String>, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(usable(width));
    for group in groups {
        let Finding { severity, rule, remedy, .. } = group.first();
        let (evidence, is_all) = group.evidence();
        let elsewhere = if is_all { "" } else { " (in the first file)" };
        let files = files(group).map_or_else(String::new, |files| format!("\nin:   {files}"));
        let what = format!("{}\nseen: {evidence}{elsewhere}\nfix:  {remedy}{files}", group.message());
        table.add_row([Cell::new(severity), Cell::new(rule), Cell::new(what)]);
    }
    format!("{}\n", table.trim_fmt())
}

/// Formats the number of files, and of findings by severity.
#[derive(Default)]
struct Total {
    files: usize,
    counts: [usize; 3],
}

impl Total {
    fn add(&mut self, groups: &[Group<'_>]) {
        for group in groups {
            let severities = [Severity::Info, Severity::Warning, Severity::Error];
            for (severity, count) in severities.into_iter().zip(&mut self.counts) {
                *count += usize::from(severity == group.severity());
            }
        }
    }

    fn text(&self) -> String {
        let [info, warnings, errors] = self.counts;
        format!(
            "{}: {}, {}, {info} info",
            plural(self.files, "file"),
            plural(errors, "error"),
            plural(warnings, "warning")
        )
    }
}
