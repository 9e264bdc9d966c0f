//! The command line of the repository's tools: `cargo xtask setup | dist | pack | test | nix | load | survey`.
//!
//! The crate has one file per command, which parses arguments, calls the crates below, and prints their results. Other
//! crates build, audit, pack and load.

#![forbid(unsafe_code)]

mod dist;
mod load;
mod nix;
mod pack;
mod setup;
mod survey;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use machine::Workspace;

/// Builds, tests and packs Strongroom.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Installs the programs and files that the tests need on a Debian machine
    Setup,
    /// Builds release addons, audits and loads them, and runs the quickstart
    ///
    /// Without --all and --target, builds this machine's platform.
    Dist(dist::Options),
    /// Packs built addons into the npm packages, wherever the addons were built
    Pack(pack::Options),
    /// Runs every test suite
    Test(test::Options),
    /// Checks the flake, and builds with Nix
    #[command(subcommand)]
    Nix(nix::Action),
    /// Loads built addons into each Node of their platform
    Load(load::Options),
    /// Compares node-audit's verdicts on published npm packages with loads in real Nodes
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

/// Runs a command. Returns whether nothing failed.
fn run(action: Action) -> Result<bool> {
    let workspace = Workspace::find()?;
    match action {
        Action::Setup => setup::setup(&workspace),
        Action::Dist(options) => dist::dist(&workspace, &options),
        Action::Pack(options) => pack::pack(&workspace, options),
        Action::Test(options) => test::test(&workspace, &options),
        Action::Nix(action) => nix::nix(&workspace, &action),
        Action::Load(options) => load::load(&workspace, &options),
        Action::Survey(options) => survey::survey(&workspace, &options),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
