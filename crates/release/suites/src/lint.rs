//! Formatters and linters for the sources.

use anyhow::Result;
use machine::report::Tally;
use machine::{CargoTool, Workspace, npm, process};

/// Checks licences, sources and versions of crates.
pub const CARGO_DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2", options: &[] };

pub(crate) fn rustfmt(workspace: &Workspace) -> Result<Tally> {
    cargo(workspace, "rustfmt", &["fmt", "--all", "--check", "--", "--color", "never"])
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<Tally> {
    let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    cargo(workspace, "clippy", &arguments)
}

/// Checks every licence, source and version in Cargo.lock. Ignores advisories, which change daily and need a network.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<Tally> {
    let Some(program) = CARGO_DENY.find(workspace) else {
        return Ok(Tally::skipped("cargo-deny is not installed: run cargo xtask setup"));
    };
    let mut deny = process::command(program);
    deny.args(["--workspace", "--locked", "--all-features", "check", "bans", "licenses", "sources"]);
    let output = workspace.run("cargo-deny", deny.current_dir(workspace.root()))?;
    Ok(Tally::passed(output.lines().last().unwrap_or_default().trim()))
}

pub(crate) fn js_lint(workspace: &Workspace) -> Result<Tally> {
    npm::install(workspace)?;
    npm::script(workspace, "lint", &[])?.ok()?;
    Ok(Tally::passed(""))
}

/// Runs cargo as a step.
pub(crate) fn cargo(workspace: &Workspace, step: &str, arguments: &[&str]) -> Result<Tally> {
    workspace.run(step, process::command("cargo").args(arguments).current_dir(workspace.root()))?;
    Ok(Tally::passed(""))
}
