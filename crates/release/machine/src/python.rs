//! Downloads from PyPI with Python's pip, either python3's own or that of a virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{apt, process};

/// Installs Python and its venv module if Python has neither pip nor ensurepip. Returns whether an
/// installation was needed.
pub fn install(workspace: &Workspace) -> Result<bool> {
    if has("pip") || has("ensurepip") {
        return Ok(false);
    }
    let installed = apt::install(workspace, &["python3", "python3-venv"]);
    installed.context("cannot install pip, which downloads zig, the C compiler of a release")?;
    if !has("ensurepip") {
        bail!(
            "python3 still has neither pip nor ensurepip after the installation: is another python3 first on PATH?"
        );
    }
    Ok(true)
}

/// Returns pip: python3's own, or that of a virtual environment in the cache.
pub fn pip(workspace: &Workspace) -> Result<Command> {
    install(workspace)?;
    let python = if has("pip") { PathBuf::from("python3") } else { environment(workspace)? };
    let mut command = process::command(python);
    command.args(["-m", "pip"]);
    Ok(command)
}

/// Unpacks a zip file, such as a wheel.
pub fn unzip(workspace: &Workspace, file: &Path, into: &Path) -> Result<()> {
    let mut python = process::command("python3");
    workspace.run("unpack a wheel", python.args(["-m", "zipfile", "-e"]).arg(file).arg(into)).map(drop)
}

fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.cache().join("python");
    let python = folder.join("bin/python");
    if !python.is_file() {
        let mut python3 = process::command("python3");
        workspace.run("python venv", python3.args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    Ok(python)
}

fn has(module: &str) -> bool {
    process::capture(process::command("python3").args(["-c", &format!("import {module}")])).is_ok()
}
