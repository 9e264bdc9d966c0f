//! The npm package: its dependencies and its scripts.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::paths::Workspace;
use crate::process::{self, Finished};

/// Installs what package-lock.json says, where that was not done since it changed. Whether it had to.
pub(crate) fn install(workspace: &Workspace) -> Result<bool> {
    let package = workspace.package();
    let lock = changed(&package.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", workspace.shown(&package)))?;
    // npm writes this file at the end of an installation.
    if changed(&package.join("node_modules/.package-lock.json")).is_some_and(|installed| installed >= lock) {
        return Ok(false);
    }
    let mut install = npm(workspace);
    install.args(["ci", "--no-audit", "--no-fund"]);
    process::run(workspace, "npm ci", install)?;
    Ok(true)
}

/// Runs one of the package's scripts, with arguments of its own.
pub(crate) fn script(workspace: &Workspace, name: &str, arguments: &[&str]) -> Result<Finished> {
    let mut run = npm(workspace);
    run.args(["run", name, "--"]).args(arguments);
    process::attempt(workspace, &format!("npm run {name}"), run)
}

/// npm in the package's folder.
pub(crate) fn npm(workspace: &Workspace) -> Command {
    let mut command = process::command("npm");
    command.current_dir(workspace.package());
    command
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
