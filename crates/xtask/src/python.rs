//! Python, by which files come from PyPI: with pip, or with a virtual environment that brings it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::paths::{Workspace, program};
use crate::process;

/// Installs Python or its venv where there is neither pip nor a way to get it. Whether it had to.
pub(crate) fn install(workspace: &Workspace) -> Result<bool> {
    if has("pip") || has("ensurepip") {
        return Ok(false);
    }
    let installed = apt::install(workspace, &["python3", "python3-venv"]);
    installed.context("zig, the C compiler of a release, comes by way of Python's pip, which is missing")?;
    if !has("ensurepip") {
        bail!("python3 still has neither pip nor ensurepip: is another python3 first on PATH?");
    }
    Ok(true)
}

/// pip: the one of python3, or of a virtual environment in the cache.
pub(crate) fn pip(workspace: &Workspace) -> Result<Command> {
    install(workspace)?;
    let python = if has("pip") { PathBuf::from("python3") } else { environment(workspace)? };
    let mut command = process::command(python);
    command.args(["-m", "pip"]);
    Ok(command)
}

/// Unpacks a zip file, which is what a wheel is.
pub(crate) fn unzip(workspace: &Workspace, file: &Path, into: &Path) -> Result<()> {
    let mut python = process::command("python3");
    python.args(["-m", "zipfile", "-e"]).arg(file).arg(into);
    process::run(workspace, "unpack a wheel", python).map(drop)
}

fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.cache().join("python");
    let python = folder.join("bin/python");
    if !python.is_file() {
        let mut venv = process::command("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        process::run(workspace, "python venv", venv)?;
    }
    Ok(python)
}

fn has(module: &str) -> bool {
    let mut python = process::command("python3");
    python.args(["-c", &format!("import {module}")]);
    program("python3").is_some() && process::capture(python).is_ok()
}
