//! Linters of `.github/workflows`: actionlint, which passes the shell to shellcheck, and zizmor, which finds security
//! problems.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use machine::pinned::pinned_folder;
use machine::report::Tally;
use machine::{Workspace, process, program, python};

/// The list of linters, pinned by hash.
const LIST: &str = "crates/release/suites/linters.txt";

/// Runs each linter. Skips a linter that is not installed.
pub(crate) fn lint(workspace: &Workspace) -> Result<Tally> {
    let linter = |name| linter(workspace, name);
    let mut tally = match (linter("actionlint")?, linter("shellcheck")?) {
        (Some(actionlint), Some(shellcheck)) => {
            run(workspace, "actionlint", process::command(actionlint).arg("-shellcheck").arg(shellcheck))?
        }
        _ => Tally::skipped("actionlint or shellcheck is not installed: run cargo xtask setup"),
    };
    tally.merge(match linter("zizmor")? {
        // zizmor runs offline, like every test: the result must not depend on advisories that are published later.
        Some(zizmor) => {
            let arguments = ["--offline", "--persona", "pedantic", ".github"];
            run(workspace, "zizmor", process::command(zizmor).args(arguments))?
        }
        None => Tally::skipped("zizmor is not installed: run cargo xtask setup"),
    });
    Ok(tally)
}

fn run(workspace: &Workspace, name: &str, linter: &mut Command) -> Result<Tally> {
    Ok(Tally::of_program(name, workspace.attempt(name, linter.current_dir(workspace.root()))?))
}

/// Installs the pinned linters into the cache if they are missing. Returns whether the linters were missing.
pub fn install(workspace: &Workspace) -> Result<bool> {
    python::install_packages(workspace, LIST, &folder(workspace)?)
}

/// Finds a linter in the cache, or else on `PATH`.
fn linter(workspace: &Workspace, name: &str) -> Result<Option<PathBuf>> {
    let pinned = folder(workspace)?.join("bin").join(name);
    Ok(if pinned.is_file() { Some(pinned) } else { program(name) })
}

fn folder(workspace: &Workspace) -> Result<PathBuf> {
    pinned_folder(workspace, "linters", LIST)
}
