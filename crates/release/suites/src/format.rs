//! The tests of `docs/read_strongroom.py`, which opens files in the Strongroom format by docs/format.md alone.

use std::path::PathBuf;

use anyhow::Result;
use machine::pinned::pinned_folder;
use machine::report::Tally;
use machine::{Workspace, process, python};

use crate::junit::{self, Skips};
use crate::release::host_package;

/// The tests and their files.
const FOLDER: &str = "crates/release/suites/format";

/// The list of packages that the tests import, pinned by hash.
const LIST: &str = "crates/release/suites/format/packages.txt";

/// Runs the reader on files of an independent writer, and on files that the host's addon writes.
pub(crate) fn reader(workspace: &Workspace) -> Result<Tally> {
    pytest(workspace, "not long")
}

/// Runs the reader on files of more than 1 GiB that the host's addon writes.
pub(crate) fn reader_beyond_1_gib(workspace: &Workspace) -> Result<Tally> {
    pytest(workspace, "long")
}

/// Runs the tests that have or do not have a mark.
fn pytest(workspace: &Workspace, marks: &str) -> Result<Tally> {
    let packages = folder(workspace)?;
    if !packages.is_dir() {
        return Ok(Tally::skipped("the reader's libraries are not installed: run cargo xtask setup"));
    }
    host_package(workspace)?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let mut pytest = process::command("python3");
    pytest.current_dir(workspace.root().join(FOLDER));
    // The packages must be the pinned ones, and the tests must leave no files in the checkout.
    pytest.env("PYTHONPATH", &packages).env("PYTHONDONTWRITEBYTECODE", "1");
    pytest.env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1").env("STRONGROOM_PACKAGE", workspace.package());
    pytest.args(["-m", "pytest", "--strict-markers", "-p", "no:cacheprovider", "-m", marks]);
    pytest.arg("--basetemp").arg(scratch.path().join("files")).arg("--junitxml").arg(&report);
    junit::count(|| workspace.attempt("format reader", pytest), &report, Skips::Reported)
}

/// Installs the pinned packages into the cache if they are missing. Returns whether the packages were missing.
pub fn install(workspace: &Workspace) -> Result<bool> {
    python::install_packages(workspace, LIST, &folder(workspace)?)
}

fn folder(workspace: &Workspace) -> Result<PathBuf> {
    pinned_folder(workspace, &format!("format-reader-{}", python::version_tag()?), LIST)
}
