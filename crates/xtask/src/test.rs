//! `cargo xtask test`: everything that proves the project, each suite a row.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::paths::Workspace;
use crate::process;
use crate::report::{Report, Tally};
use crate::suites::{self, Suite};

/// Which suites run, and what a skip means.
#[derive(Args)]
pub(crate) struct Options {
    /// Makes a skip a failure
    #[arg(long)]
    strict: bool,
    /// Also builds each Nix package a second time, and compares the bytes
    #[arg(long)]
    long: bool,
    /// Runs only the suites whose names contain this, long ones included; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Runs the suites one after another; a failing one does not stop the next.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> Result<Report> {
    let suites = chosen(&suites::ALL, options)?;
    let mut report = Report::default();
    for suite in suites {
        let started = Instant::now();
        let tally = match (suite.run)(workspace) {
            Ok(tally) => tally,
            Err(error) => {
                eprintln!("error: {error:#}");
                Tally::failed(process::brief(&error))
            }
        };
        report.add(suite.name, tally, started.elapsed());
    }
    if options.strict {
        report.deny_skips();
    }
    if !options.long && options.only.is_empty() {
        let long: Vec<&str> = suites::ALL.iter().filter(|suite| suite.long).map(|suite| suite.name).collect();
        report.add_remark(format!("not run without --long: {}", long.join(", ")));
    }
    Ok(report)
}

fn chosen<'a>(all: &'a [Suite], options: &Options) -> Result<Vec<&'a Suite>> {
    let Options { only, long, .. } = options;
    if let Some(unknown) = only
        .iter()
        .find(|name| name.is_empty() || !all.iter().any(|suite| suite.name.contains(name.as_str())))
    {
        let names: Vec<&str> = all.iter().map(|suite| suite.name).collect();
        bail!("no suite is named `{unknown}`; there are: {}", names.join(", "));
    }
    let wanted = |suite: &&Suite| match only.as_slice() {
        [] => *long || !suite.long,
        only => only.iter().any(|name| suite.name.contains(name.as_str())),
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
        assert!(names(&["nothing"], false).unwrap_err().to_string().contains("there are: rustfmt, clippy"));
    }
}
