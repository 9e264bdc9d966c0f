//! The JavaScript tests: in the tree, and in the package as npm installs it.

use anyhow::Result;
use build::Product;
use lab::LoadablePackage;
use lab::tarball::{Project, reporter_arguments};
use machine::report::Tally;
use machine::{Workspace, npm};

use crate::junit::{self, Skips};

/// Runs the tests on the tree's own package.
pub(crate) fn tree(workspace: &Workspace) -> Result<Tally> {
    npm::install(workspace)?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let arguments = reporter_arguments(&report);
    let run = || npm::script(workspace, "test", &arguments.each_ref().map(String::as_str));
    junit::count(run, &report, Skips::Reported)
}

/// Packs the package, installs it into an empty project, and runs the tests and the type checks there.
pub(crate) fn tarball(workspace: &Workspace) -> Result<Tally> {
    LoadablePackage::built(workspace, &Product::own(node_targets::host()?))?;
    npm::install(workspace)?;
    let project = Project::install(workspace)?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let mut tally = junit::count(|| project.test(workspace, &report), &report, Skips::Reported)?;
    tally.merge(Tally::of_program("types", project.check_types(workspace)?));
    Ok(tally)
}
