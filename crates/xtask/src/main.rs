//! The repository's own automation: `cargo xtask setup | dist | pack | test | nix | load`.

#![forbid(unsafe_code)]

mod addon;
mod apt;
mod counts;
mod dist;
mod load;
mod newer_sqlcipher;
mod nix;
mod nix_layers;
mod nix_store;
mod npm;
mod pack;
mod paths;
mod pinned;
mod prerequisites;
mod process;
mod progress;
mod python;
mod report;
mod setup;
mod suites;
mod tarball;
mod test;
mod toolchain;
mod tools;
mod zig_cc;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::paths::Workspace;

/// Builds, tests and loads Strongroom.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Gets what the longer tests need of a Debian machine and is missing
    Setup,
    /// Builds the package for this machine as a release is built, audits and loads it, and runs the quickstart
    Dist,
    /// Makes the npm packages out of artifacts that were built anywhere
    Pack(pack::Options),
    /// Runs everything that proves the project
    Test(test::Options),
    /// Builds and checks with Nix
    #[command(subcommand)]
    Nix(nix::Action),
    /// Loads built addons into the Nodes that they are for
    Load {
        /// Platforms, such as linux-x64-gnu; this machine's where none is named
        platforms: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn run(action: Action) -> Result<bool> {
    let workspace = Workspace::find()?;
    let report = match action {
        Action::Setup => return setup::setup(&workspace),
        Action::Dist => return dist::dist(&workspace).map(|()| true),
        Action::Pack(options) => return pack::pack(&workspace, &options).map(|()| true),
        Action::Test(options) => test::test(&workspace, &options)?,
        Action::Nix(action) => nix::nix(&workspace, &action)?,
        Action::Load { platforms } => load::load(&workspace, &platforms)?,
    };
    report::print(&report.to_string())?;
    Ok(report.is_success())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
