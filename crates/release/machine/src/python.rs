//! Downloads from PyPI with Python's pip, either python3's own or that of a virtual environment.

use std::fs;
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

/// Installs the packages that a list pins by version and hash into a folder of the cache, unless the folder exists. Returns
/// whether the folder was missing.
pub fn install_packages(workspace: &Workspace, list: &str, folder: &Path) -> Result<bool> {
    if folder.is_dir() {
        return Ok(false);
    }
    let scratch = workspace.scratch()?;
    let unpacked = scratch.path().join("packages");
    let mut pip = pip(workspace)?;
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement"]);
    pip.arg(workspace.root().join(list)).arg("--target").arg(&unpacked);
    workspace.run(&format!("pip install {list}"), pip)?;
    // The rename is atomic, so an interrupted installation starts again.
    fs::rename(unpacked, folder).with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(true)
}

/// Returns the name that Python gives to its version, such as `cpython-311`. Compiled packages run only in this version.
pub fn version_tag() -> Result<String> {
    let mut python = process::command("python3");
    process::capture(python.args(["-c", "import sys; print(sys.implementation.cache_tag)"]))
        .map(|tag| tag.trim().to_owned())
        .context("cannot run python3: install Python 3.11 or later")
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
