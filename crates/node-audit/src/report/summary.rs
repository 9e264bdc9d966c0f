//! Which packages load where, for people.

use comfy_table::{ContentArrangement, Table, presets};

use super::wrap::{plural, usable, wrap_names};
use crate::platform::Libc;
use crate::policy::Policy;
use crate::summary::{Row, SYSTEMS, Verdict};

/// The widest that the column of names gets.
const NAMES: usize = 30;

/// A row for each package and a column for each system, for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn summary_table(rows: &[Row], policy: &Policy, width: u16) -> String {
    let width = usable(width);
    let names = rows.iter().map(|row| row.package.chars().count()).max().unwrap_or_default().min(NAMES);
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
    let mut sorted: Vec<&Row> = rows.iter().collect();
    // The sort is stable, so that the names keep their order.
    sorted.sort_by_key(|row| !row.verdicts.iter().any(Verdict::is_failure));
    for row in sorted {
        let verdicts = row.verdicts.iter().map(|verdict| wrap_names(&words(verdict), each).join("\n"));
        table.add_row(std::iter::once(wrap_names(&row.package, names).join("\n")).chain(verdicts));
    }
    let failing = SYSTEMS.iter().enumerate().map(|(column, system)| {
        let fails = rows.iter().filter(|row| row.verdicts.get(column).is_some_and(Verdict::is_failure));
        format!("{} on {system}", fails.count())
    });
    let failing = failing.collect::<Vec<_>>().join(", ");
    format!("{}\n{} with addons; failing: {failing}\n", table.trim_fmt(), plural(rows.len(), "package"))
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Loads => "loads".to_owned(),
        Verdict::Fails { rule: "needed", message, .. } if message.starts_with("it needs ") => {
            let library =
                message.trim_start_matches("it needs ").split([',', ';']).next().unwrap_or_default();
            format!("fails without {library}")
        }
        Verdict::Fails { message, .. } => {
            // What comes after is the limit or the system, which stand above the column.
            let message = message.split("; ").next().unwrap_or(message);
            let message = message.split(", which ").next().unwrap_or(message);
            let message = message.split(": require() ").next().unwrap_or(message);
            format!("fails: {}", message.strip_prefix("it ").unwrap_or(message))
        }
        Verdict::OtherLibc { .. } => "may fail: it is linked to glibc".to_owned(),
        Verdict::NotInstalled { package } => format!("not installed here: {package}"),
        Verdict::Script { script } => format!("none here; npm runs: {script}"),
        Verdict::Missing => "no addon for it".to_owned(),
    }
}
