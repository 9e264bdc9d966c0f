//! The table of a summary, for people.

use comfy_table::{ContentArrangement, Table, presets};

use super::wrap::{plural, usable, wrap_names};
use crate::limits::MAX_PACKAGE_WIDTH;
use crate::platform::Libc;
use crate::policy::Policy;
use crate::summary::{PackageSummary, SYSTEMS, Verdict};

/// Formats a row for each package and a column for each system, for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn summary_table(packages: &[PackageSummary], policy: &Policy, width: u16) -> String {
    let width = usable(width);
    let longest = packages.iter().map(|package| package.package.chars().count()).max();
    let names = longest.unwrap_or_default().min(MAX_PACKAGE_WIDTH);
    // A space before and after each cell, and one between two.
    let left = usize::from(width).saturating_sub(names + 3 * (SYSTEMS.len() + 1));
    let each = left / SYSTEMS.len();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    let systems = SYSTEMS.map(|system| match system.libc {
        Some(Libc::Glibc) => format!("{system}\nglibc {}", policy.floors.glibc),
        _ => format!("{system}\nAlpine"),
    });
    table.set_header(std::iter::once("package".to_owned()).chain(systems));
    let mut sorted: Vec<&PackageSummary> = packages.iter().collect();
    // The sort is stable, so the names keep their order.
    sorted.sort_by_key(|package| !package.verdicts.iter().any(Verdict::is_failure));
    for PackageSummary { package, verdicts } in sorted {
        let verdicts = verdicts.iter().map(|verdict| wrap_names(&table_cell(verdict), each).join("\n"));
        table.add_row(std::iter::once(wrap_names(package, names).join("\n")).chain(verdicts));
    }
    let failing = SYSTEMS.iter().enumerate().map(|(column, system)| {
        let failing =
            packages.iter().filter(|package| package.verdicts.get(column).is_some_and(Verdict::is_failure));
        format!("{} on {system}", failing.count())
    });
    let failing = failing.collect::<Vec<_>>().join(", ");
    format!("{}\n{} with addons; failing: {failing}\n", table.trim_fmt(), plural(packages.len(), "package"))
}

/// The start of the message about a library that the system lacks.
const NEEDS: &str = "the addon needs ";

/// Returns a verdict as the text of a cell.
fn table_cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Loads => "loads".to_owned(),
        Verdict::Fails { rule: "needed", message, .. } if message.starts_with(NEEDS) => {
            let library = message.trim_start_matches(NEEDS).split([',', ';']).next().unwrap_or_default();
            format!("fails without {library}")
        }
        Verdict::Fails { message, .. } => {
            // The rest is the limit or the system, which the column's heading has.
            let message = message.split("; ").next().unwrap_or(message);
            let message = message.split(", which ").next().unwrap_or(message);
            let message = message.split(": require() ").next().unwrap_or(message);
            format!("fails: {}", message.strip_prefix("the addon ").unwrap_or(message))
        }
        Verdict::OtherLibc { .. } => "may fail: linked to glibc".to_owned(),
        Verdict::NotInstalled { package } => format!("not installed here: {package}"),
        Verdict::Script { script } => format!("none here; npm runs: {script}"),
        Verdict::Missing => "no addon".to_owned(),
    }
}
