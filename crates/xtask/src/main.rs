//! The repository's own automation: `cargo xtask setup | dist | pack | test | nix | load | survey`.

#![forbid(unsafe_code)]

mod addon;
mod apple_sdk;
mod apt;
mod consumers;
mod counts;
mod dist;
mod load;
mod mingw;
mod newer_sqlcipher;
mod nix;
mod nix_artifacts;
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
mod runtimes;
mod rust_std;
mod setup;
mod suites;
mod survey;
mod system;
mod tarball;
mod test;
mod toolchain;
mod tools;
mod windows;
mod workflows;
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
    /// Builds packages as a release is built, audits and loads them, and runs the quickstart
    ///
    /// For this machine, where no platform is named.
    Dist(dist::Options),
    /// Makes the npm packages out of artifacts that were built anywhere
    Pack(pack::Options),
    /// Runs everything that proves the project
    Test(test::Options),
    /// Builds and checks with Nix
    #[command(subcommand)]
    Nix(nix::Action),
    /// Loads built addons into the Nodes that they are for
    Load(load::Options),
    /// Holds node-audit's verdict on published npm packages against what real Nodes do with their addons
    Survey(survey::Options),
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
        Action::Load(options) => return load::load(&workspace, &options),
        Action::Survey(options) => return survey::survey(&workspace, &options),
        Action::Dist(options) => return dist::dist(&workspace, &options),
        Action::Pack(options) => return pack::pack(&workspace, &options).map(|()| true),
        Action::Test(options) => test::test(&workspace, &options)?,
        Action::Nix(action) => nix::nix(&workspace, &action)?,
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
