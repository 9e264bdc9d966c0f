//! `cargo xtask test`: runs every suite, and prints a row for each.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use machine::Workspace;
use machine::report::{self, Report, Tally};
use suites::Suite;

/// The suites to run, and the treatment of skips.
#[derive(Args)]
pub(crate) struct Options {
    /// Counts a skip as a failure
    #[arg(long)]
    strict: bool,
    /// Also runs the long suites: kills rekeys, conversions and writers at 200 points, makes 1,000,000 random calls of the
    /// asynchronous class, mutates headers and logs, writes and reads files of more than 1 GiB, and builds each Nix package a
    /// second time
    #[arg(long)]
    long: bool,
    /// Runs only the suites whose names contain this text, including long suites; may be repeated
    #[arg(long, value_name = "NAME", long_help = only_help())]
    only: Vec<String>,
    /// Skips the suites that would begin more than this many minutes after the start
    #[arg(long, value_name = "MINUTES")]
    within: Option<u64>,
}

/// Returns the help of `--only`, which names every suite.
fn only_help() -> String {
    let names: Vec<&str> = suites::ALL.iter().map(|suite| suite.name).collect();
    format!(
        "Runs only the suites whose names contain this text, including long suites; may be repeated. The suites are {}",
        names.join(", ")
    )
}

/// The duration of all suites on two cores.
const DURATION: &str = "all suites take about 40 minutes on two processors with warm caches, and more than an hour with cold \
                        caches, mostly to compile C. cargo xtask test --only NAME runs fewer suites";

/// Runs the suites one after another, and continues after a failure. Returns whether nothing failed.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> Result<bool> {
    let suites = chosen(&suites::ALL, options)?;
    if options.only.is_empty() {
        eprintln!("{DURATION}");
    }
    let mut report = Report::default();
    let started = Instant::now();
    for suite in suites {
        report.run(suite.name, || match is_late(options.within, started.elapsed()) {
            true => Ok(Tally::skipped("not run: no time was left, see --within")),
            false => (suite.run)(workspace),
        });
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

/// Returns whether so much time has passed that no further suite begins.
fn is_late(within: Option<u64>, passed: Duration) -> bool {
    within.is_some_and(|minutes| passed >= Duration::from_secs(minutes.saturating_mul(60)))
}

/// Returns the suites that the command line selects, in the order of [`suites::ALL`].
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
    fn no_suite_begins_after_the_given_time() {
        let seconds = Duration::from_secs;
        assert!(!is_late(None, Duration::MAX));
        assert!(
            !is_late(Some(2), seconds(119))
                && is_late(Some(2), seconds(120))
                && !is_late(Some(u64::MAX), seconds(1))
        );
    }

    #[test]
    fn a_part_of_a_name_selects_suites_and_an_unknown_part_is_refused() {
        let names = |only: &[&str], long: bool| {
            let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
            chosen(&suites::ALL, &Options { strict: false, long, only, within: None })
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
