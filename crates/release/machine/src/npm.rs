//! Runs npm in the package's folder: installs dependencies and runs scripts.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::process;
use crate::step::Finished;
use crate::workspace::Workspace;

/// Runs `npm ci` if the lock file changed since the last run. Returns whether it ran.
pub fn install(workspace: &Workspace) -> Result<bool> {
    let package = workspace.package();
    let lock = changed(&package.join("package-lock.json")).with_context(|| {
        format!("{} has no package-lock.json: restore the file with git", workspace.relative(&package))
    })?;
    // npm writes this file when an installation ends.
    if changed(&package.join("node_modules/.package-lock.json")).is_some_and(|installed| installed >= lock) {
        return Ok(false);
    }
    workspace.run("npm ci", npm(workspace).args(["ci", "--no-audit", "--no-fund"]))?;
    Ok(true)
}

/// Runs a script of package.json with arguments.
pub fn script(workspace: &Workspace, name: &str, arguments: &[&str]) -> Result<Finished> {
    workspace.attempt(&format!("npm run {name}"), npm(workspace).args(["run", name, "--"]).args(arguments))
}

/// Returns an npm command that runs in the package's folder.
pub fn npm(workspace: &Workspace) -> Command {
    let mut command = process::command("npm");
    command.current_dir(workspace.package());
    command
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
