//! `cargo xtask survey`: compares node-audit's verdicts on published packages with loads in real Nodes.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use machine::{Workspace, report};

/// The packages, and the files to write.
#[derive(Args)]
pub(crate) struct Options {
    /// Surveys only packages whose names contain this text; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Writes the table of findings into the README of crates/node-audit/survey
    #[arg(long, conflicts_with = "only")]
    write: bool,
    /// Writes the terminal capture that the READMEs show, and surveys nothing
    #[arg(long, conflicts_with_all = ["only", "write", "loads"])]
    capture: bool,
    /// Writes a line per load to this file: package, version, addon, platform, Node, outcome
    #[arg(long, value_name = "FILE")]
    loads: Option<PathBuf>,
}

/// Surveys the packages, and prints a row for each. Returns whether every verdict agrees with the Nodes.
pub(crate) fn survey(workspace: &Workspace, options: &Options) -> Result<bool> {
    if options.capture {
        lab::write_terminal_capture(workspace)?;
        return Ok(true);
    }
    let survey = lab::survey(workspace, &options.only)?;
    if let Some(file) = &options.loads {
        survey.write_loads(file)?;
    }
    report::print(&survey.report.to_string())?;
    if options.write {
        survey.write_table(workspace)?;
    }
    Ok(survey.report.is_success())
}
