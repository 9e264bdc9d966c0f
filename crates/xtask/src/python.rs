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

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let mut python = process::command("python3");
    python
        .arg("-c")
        .arg("import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())");
    python.arg(path);
    process::capture(python).with_context(|| format!("the hash of {} cannot be computed", path.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_standards_example() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        if program("python3").is_none() {
            return println!("skipped: no python3 on PATH");
        }
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
    }
}
