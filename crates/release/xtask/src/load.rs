//! `cargo xtask load`: loads built addons into each Node of their platform.

use anyhow::Result;
use clap::{Args, ValueEnum};
use machine::Workspace;
use machine::report::{self, Report};

/// The platforms, and the output format.
#[derive(Args)]
pub(crate) struct Options {
    /// Platforms to load, such as linux-arm64-musl; by default, every built platform. A named platform that cannot be
    /// loaded here fails instead of being skipped
    platforms: Vec<String>,
    /// The output: a table, or a JSON array of {platform, node, libc, status}
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Loads each platform, and prints a row for each Node. Returns whether nothing failed.
pub(crate) fn load(workspace: &Workspace, options: &Options) -> Result<bool> {
    let results = lab::load(workspace, &options.platforms)?;
    let mut report = Report::default();
    for result in &results {
        report.add(&result.name(), result.outcome.tally(), result.elapsed);
    }
    report::print(&match options.format {
        Format::Table => report.to_string(),
        Format::Json => serde_json::to_string_pretty(&results)? + "\n",
    })?;
    Ok(report.is_success())
}
