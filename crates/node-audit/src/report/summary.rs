//! Formats the table of a summary, for people.

use comfy_table::{ContentArrangement, Table, presets};

use super::wrap::{plural, prose, usable, wrap, wrap_names};
use crate::limits::MAX_PACKAGE_WIDTH;
use crate::platform::{Libc, Os, Platform};
use crate::policy::Policy;
use crate::reason::{FITS_ONE_GLIBC, LOADS_ONLY_IN, MAY_FAIL_LATER, loads_in, missing_library, short_reason};
use crate::summary::{PackageSummary, Verdict};

/// Formats a row for each package and a column for each system, for a terminal of `width` columns, with a summary line.
#[must_use]
pub fn summary_table(packages: &[PackageSummary], policy: &Policy, width: u16) -> String {
    let (columns, width) = (prose(width), usable(width));
    let longest = packages.iter().map(|package| package.package.chars().count()).max();
    let names = longest.unwrap_or_default().min(MAX_PACKAGE_WIDTH);
    // Each cell has a space before and after it, and cells have one space between them.
    let systems: Vec<Platform> = packages
        .first()
        .map_or_else(Vec::new, |package| package.verdicts.iter().map(|(system, _)| *system).collect());
    let left = usize::from(width).saturating_sub(names + 3 * (systems.len() + 1));
    let each = left / systems.len().max(1);
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    let headings = systems.iter().map(|system| match (system.os, system.libc) {
        (Os::Linux, Some(Libc::Musl)) => format!("{system}\nAlpine"),
        (Os::Linux, _) => format!("{system}\nglibc {}", policy.floors.glibc),
        (Os::Darwin, _) => format!("{system}\nmacOS {}", policy.macos(Some(system.cpu))),
        _ => system.to_string(),
    });
    table.set_header(std::iter::once("package".to_owned()).chain(headings));
    let mut sorted: Vec<&PackageSummary> = packages.iter().collect();
    // The sort is stable, so the names keep their order.
    sorted.sort_by_key(|package| !package.has_failure());
    for PackageSummary { package, verdicts } in sorted {
        let verdicts = verdicts.iter().map(|(_, verdict)| wrap_names(&table_cell(verdict), each).join("\n"));
        table.add_row(std::iter::once(wrap_names(package, names).join("\n")).chain(verdicts));
    }
    let failing = systems.iter().enumerate().map(|(column, system)| {
        let fails = |package: &&PackageSummary| {
            package.verdicts.get(column).is_some_and(|(_, verdict)| verdict.is_failure())
        };
        let failing = packages.iter().filter(fails);
        format!("{} on {system}", failing.count())
    });
    let failing = failing.collect::<Vec<_>>().join(", ");
    let total = format!("{}; failing: {failing}", plural(packages.len(), "package"));
    format!("{}\n{}\n", table.trim_fmt(), wrap(&total, columns).join("\n"))
}

/// Returns the text of a cell for a verdict.
fn table_cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Loads { nodes: None } => "loads".to_owned(),
        Verdict::Loads { nodes: Some(nodes) } => format!("loads only in {nodes}"),
        Verdict::Fails { rule: "node-abi", message, .. } => {
            format!("only {}", message.strip_prefix(LOADS_ONLY_IN).unwrap_or(message))
        }
        Verdict::Fails { message, .. } if message.ends_with(FITS_ONE_GLIBC) => MAY_FAIL_LATER.to_owned(),
        Verdict::Fails { message, .. } if loads_in(message).is_some() => {
            format!("only {}", loads_in(message).unwrap_or_default())
        }
        Verdict::Fails { rule, message, .. } => match missing_library(rule, message) {
            Some(library) => format!("fails without {library}"),
            None => format!("fails: {}", short_reason(rule, message)),
        },
        Verdict::OtherLibc { .. } => "may fail: linked to glibc".to_owned(),
        Verdict::NotInstalled { package } => format!("not installed here: {package}"),
        Verdict::Script { script } => format!("no addon here; npm runs: {script}"),
        Verdict::Download { script } => format!("addon not in this package; npm runs: {script}"),
        Verdict::Missing => "no addon".to_owned(),
    }
}
