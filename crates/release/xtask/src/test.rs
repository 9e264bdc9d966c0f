//! `cargo xtask test`: runs every suite, and prints a row for each.

use anyhow::{Result, bail};
use clap::Args;
use machine::Workspace;
use machine::report::{self, Report};
use suites::Suite;

/// Which suites run, and what a skip means.
#[derive(Args)]
pub(crate) struct Options {
    /// Makes a skip a failure
    #[arg(long)]
    strict: bool,
    /// Also kills changes of key and conversions at 200 points, and builds each Nix package a second time
    #[arg(long)]
    long: bool,
    /// Runs only the suites whose names contain this, long ones included; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// The time that all suites take on two cores. The first figure is measured; the others are sums of measured parts, without
/// the downloads of the clients.
const DURATION: &str = "all suites take about 10 minutes with warm caches. Cold, they take about 50 minutes, most of which compiles \
                        C, and Nix' own layers another 25. cargo xtask test --only NAME runs fewer";

/// Runs the suites one after another; a failing one does not stop the next. Returns whether nothing failed.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> Result<bool> {
    let suites = chosen(&suites::ALL, options)?;
    if options.only.is_empty() {
        eprintln!("{DURATION}");
    }
    let mut report = Report::default();
    for suite in suites {
        report.run(suite.name, || (suite.run)(workspace));
    }
    if options.strict {
        report.deny_skips();
    }
    if !options.long && options.only.is_empty() {
        let long: Vec<&str> = suites::ALL.iter().filter(|suite| suite.long).map(|suite| suite.name).collect();
        report.add_remark(format!("not run without --long: {}", long.join(", ")));
    }
    report::print(&report.to_string())?;
    Ok(report.is_success())
}

/// Returns the suites that the command line asks for, in the order of the table.
fn chosen<'a>(all: &'a [Suite], options: &Options) -> Result<Vec<&'a Suite>> {
    let Options { only, long, .. } = options;
    let is_part = |name: &str| !name.is_empty() && all.iter().any(|suite| suite.name.contains(name));
    if let Some(unknown) = only.iter().find(|name| !is_part(name)) {
        let names: Vec<&str> = all.iter().map(|suite| suite.name).collect();
        bail!("no suite is named `{unknown}`; the suites are {}", names.join(", "));
    }
    let wanted = |suite: &&Suite| match only.is_empty() {
        true => *long || !suite.long,
        false => only.iter().any(|name| suite.name.contains(name)),
    };
    Ok(all.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chooses_by_a_part_of_the_name_and_refuses_what_fits_none() {
        let names = |only: &[&str], long: bool| {
            let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
            chosen(&suites::ALL, &Options { strict: false, long, only })
                .map(|suites| suites.iter().map(|suite| suite.name).collect::<Vec<_>>())
        };
        let long = suites::ALL.iter().find(|suite| suite.long).unwrap().name;
        assert_eq!(names(&[], true).unwrap().len(), suites::ALL.len());
        assert!(!names(&[], false).unwrap().contains(&long) && names(&[long], false).unwrap() == [long]);
        assert_eq!(names(&["clippy", "rustfmt"], false).unwrap(), ["rustfmt", "clippy"]);
        assert!(names(&[""], false).is_err());
        assert!(
            names(&["nothing"], false).unwrap_err().to_string().contains("the suites are rustfmt, clippy")
        );
    }
}
