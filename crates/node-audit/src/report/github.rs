//! Formats annotations for GitHub Actions: workflow commands, one on each line.
//!
//! The syntax and the escapes are those of
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> and of the function `issueCommand` of
//! GitHub's package `@actions/core`.

use super::groups::{groups, joined};
use super::sarif::sentence;
use crate::audit::Audit;
use crate::audit_view::views;
use crate::finding::{Finding, Severity};
use crate::limits::MAX_TABLE_FILES;
use crate::locations::{Location, Locations};

/// Formats the findings of at least one severity, and the files that could not be read, as annotations.
///
/// GitHub displays at most ten errors and ten warnings of a step, so a finding in several files of a package is one
/// annotation, at the first file.
#[must_use]
pub fn github(audit: &Audit, locations: &Locations, from: Severity) -> String {
    let mut lines: Vec<(Severity, String)> = Vec::new();
    for failure in &audit.failures {
        lines.push((Severity::Error, command("error", &[("title", "node-audit")], &failure.to_string())));
    }
    for view in views(audit) {
        for group in groups(view.findings()).iter().filter(|group| group.severity() >= from) {
            let Finding { file, rule, remedy, severity, .. } = group.first();
            let files: Vec<&str> = group.files().into_iter().map(|file| view.relative(file)).collect();
            let (evidence, _) = group.evidence();
            let message = format!(
                "{} Seen: {evidence}. Fix: {remedy}.\n{}: {}",
                sentence(&group.message()),
                view.title(),
                joined(&files, MAX_TABLE_FILES),
            );
            let Location { path, is_outside, entry } = locations.of(file);
            let title = format!("node-audit: {rule}");
            let line = view.line(group.first()).filter(|_| entry.is_none()).map(|line| line.to_string());
            let mut properties = Vec::new();
            // GitHub knows only the files of the repository.
            if !is_outside {
                properties.push(("file", path.as_str()));
                properties.extend(line.as_deref().map(|line| ("line", line)));
            }
            properties.push(("title", title.as_str()));
            lines.push((*severity, command(level(*severity), &properties, &message)));
        }
    }
    // The sort is stable.
    lines.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Returns a workflow command.
fn command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties = properties.iter().map(|(key, value)| format!("{key}={}", escaped(value, true)));
    format!("::{name} {}::{}", properties.collect::<Vec<_>>().join(","), escaped(message, false))
}

/// Escapes a message, or the value of a property, which ends at a colon or a comma.
fn escaped(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_end_its_command() {
        let properties = [("file", "a,b:c%.node"), ("title", "node-audit: arch")];
        assert_eq!(
            command("error", &properties, "100% of\r\na, b: c"),
            "::error file=a%2Cb%3Ac%25.node,title=node-audit%3A arch::100%25 of%0D%0Aa, b: c"
        );
    }
}
