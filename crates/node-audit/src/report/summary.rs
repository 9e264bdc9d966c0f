//! Which packages load where, for people.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::wrap::{plural, usable};
use crate::platform::Libc;
use crate::policy::Policy;
use crate::summary::{Row, SYSTEMS, Verdict};

/// A row for each package and a column for each system, for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn summary_table(rows: &[Row], policy: &Policy, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(usable(width));
    let systems = SYSTEMS.map(|system| match system.libc {
        Some(Libc::Glibc) => format!("{system}\nglibc {}", policy.floors.glibc),
        _ => format!("{system}\nAlpine"),
    });
    table.set_header(std::iter::once("package".to_owned()).chain(systems));
    let mut sorted: Vec<&Row> = rows.iter().collect();
    // The sort is stable, so that the names keep their order.
    sorted.sort_by_key(|row| !row.verdicts.iter().any(Verdict::is_failure));
    for row in sorted {
        table.add_row(std::iter::once(Cell::new(&row.package)).chain(row.verdicts.iter().map(cell)));
    }
    let failing = SYSTEMS.iter().enumerate().map(|(column, system)| {
        let fails = rows.iter().filter(|row| row.verdicts.get(column).is_some_and(Verdict::is_failure));
        format!("{} on {system}", fails.count())
    });
    let failing = failing.collect::<Vec<_>>().join(", ");
    format!("{}\n{} with addons; failing: {failing}\n", table.trim_fmt(), plural(rows.len(), "package"))
}

fn cell(verdict: &Verdict) -> Cell {
    let cell = Cell::new(words(verdict));
    // The names of platform packages are longer than a column is wide.
    if matches!(verdict, Verdict::NotInstalled { .. }) { cell.set_delimiter('-') } else { cell }
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Loads => "loads".to_owned(),
        Verdict::Fails { message, .. } => {
            // What comes after is the limit, which stands above the column.
            let message = message.split(';').next().unwrap_or(message);
            format!("fails: {}", message.strip_prefix("it ").unwrap_or(message))
        }
        Verdict::OtherLibc { .. } => "may fail: it is linked to glibc".to_owned(),
        Verdict::NotInstalled { package } => format!("not installed here:\n{package}"),
        Verdict::Script { script } => format!("none here; npm runs:\n{script}"),
        Verdict::Missing => "no addon for it".to_owned(),
    }
}
