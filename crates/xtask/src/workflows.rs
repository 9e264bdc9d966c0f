//! Lints `.github/workflows`: actionlint, which has shellcheck read the shell, and zizmor for what attackers look for.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{Workspace, program};
use crate::pinned::pinned_folder;
use crate::process;
use crate::python;
use crate::report::{self, Tally};

/// The one pin of the linters.
const LIST: &str = "crates/xtask/linters.txt";

/// Runs each linter; one that is not there is skipped.
pub(crate) fn lint(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let linter = |name| linter(workspace, name);
    if let (Some(actionlint), Some(shellcheck)) = (linter("actionlint")?, linter("shellcheck")?) {
        let mut command = process::command(actionlint);
        command.arg("-shellcheck").arg(shellcheck);
        run(workspace, "actionlint", command, &mut tally)?;
    } else {
        tally.skipped.push("actionlint or shellcheck is not there: cargo xtask setup".to_owned());
    }
    if let Some(zizmor) = linter("zizmor")? {
        let mut command = process::command(zizmor);
        // Offline, like every test: what has been found in an action since is no property of this tree.
        command.args(["--offline", "--persona", "pedantic", ".github"]);
        run(workspace, "zizmor", command, &mut tally)?;
    } else {
        tally.skipped.push("zizmor is not there: cargo xtask setup".to_owned());
    }
    Ok(tally)
}

fn run(workspace: &Workspace, name: &str, mut linter: Command, tally: &mut Tally) -> Result<()> {
    linter.current_dir(workspace.root());
    let finished = process::attempt(workspace, name, linter)?;
    let note = if finished.succeeded {
        tally.passed += 1;
        name.to_owned()
    } else {
        tally.failed += 1;
        let failure = finished.into_failure();
        eprintln!("error: {failure}");
        format!("{name} {}", failure.summary())
    };
    tally.note = report::join(&tally.note, &note);
    Ok(())
}

/// Whether all linters are in the cache.
pub(crate) fn is_installed(workspace: &Workspace) -> Result<bool> {
    Ok(folder(workspace)?.is_dir())
}

/// Installs the pinned linters into the cache, by their hashes.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let scratch = workspace.scratch()?;
    let mut pip = python::pip(workspace)?;
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement"]);
    pip.arg(workspace.root().join(LIST)).arg("--target").arg(scratch.path().join("linters"));
    process::run(workspace, "pip install linters", pip)?;
    let folder = folder(workspace)?;
    // Whole or not at all: an interrupted set-up starts anew.
    fs::rename(scratch.path().join("linters"), &folder)
        .with_context(|| format!("{} cannot be written", folder.display()))
}

/// A linter: the pinned one, or else the one on `PATH`.
fn linter(workspace: &Workspace, name: &str) -> Result<Option<PathBuf>> {
    let pinned = folder(workspace)?.join("bin").join(name);
    Ok(if pinned.is_file() { Some(pinned) } else { program(name) })
}

fn folder(workspace: &Workspace) -> Result<PathBuf> {
    pinned_folder(workspace, "linters", LIST)
}
