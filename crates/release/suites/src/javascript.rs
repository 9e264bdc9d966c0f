//! The JavaScript tests, run in the checkout and in the package that npm installs.

use anyhow::Result;
use build::Product;
use lab::LoadablePackage;
use lab::tarball::{Project, reporter_arguments, test_files};
use machine::report::Tally;
use machine::{Workspace, npm, process};

use crate::junit::{self, Skips};

/// Runs the tests on the checkout's package.
pub(crate) fn checkout(workspace: &Workspace) -> Result<Tally> {
    npm::install(workspace)?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let arguments = reporter_arguments(&report);
    let run = || npm::script(workspace, "test", &arguments.each_ref().map(String::as_str));
    junit::count(run, &report, Skips::Reported)
}

/// Packs the package, installs it into an empty project, and runs the tests and the type checks there.
///
/// The tests run in the newest pinned Node if it is installed: the suite of the checkout runs in the Node on
/// `PATH`.
pub(crate) fn tarball(workspace: &Workspace) -> Result<Tally> {
    let host = node_targets::host()?;
    LoadablePackage::built(workspace, &Product::own(host))?;
    let node = lab::newest_node(workspace, host)?.map_or_else(|_| "node".into(), |node| node.program);
    npm::install(workspace)?;
    let project = Project::install(workspace)?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let mut tally = junit::count(|| project.test(workspace, &node, &report), &report, Skips::Reported)?;
    tally.merge(Tally::of_program("types", project.check_types(workspace)?));
    Ok(tally)
}

/// Runs programs that use the packed package through other packages, frameworks and bundlers.
///
/// Some of these programs need a newer Node than the package does, so all run in the newest pinned Node.
pub(crate) fn clients(workspace: &Workspace) -> Result<Tally> {
    let host = node_targets::host()?;
    LoadablePackage::built(workspace, &Product::own(host))?;
    let node = match lab::newest_node(workspace, host)? {
        Ok(node) => node,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    npm::install(workspace)?;
    let scratch = workspace.scratch()?;
    let (packed, report) = (scratch.path().join("packed"), scratch.path().join("junit.xml"));
    pack::pack_one(workspace, host, &packed)?;
    let mut command = process::command(&node.program);
    command.current_dir(workspace.package()).env("STRONGROOM_PACKED", &packed);
    command.args(["--test", "--test-concurrency=2"]).args(reporter_arguments(&report));
    command.args(test_files(&workspace.package().join("clients"))?);
    let mut tally = junit::count(|| workspace.attempt("clients", command), &report, Skips::Reported)?;
    if tally.note.is_empty() {
        tally.note = format!("Node {}", node.version);
    }
    Ok(tally)
}

/// Compares the asynchronous class with its sequential model in more random calls than by default.
pub(crate) fn async_model(workspace: &Workspace) -> Result<Tally> {
    let longer = [("STRONGROOM_TEST_ASYNC_SEEDS", "20"), ("STRONGROOM_TEST_ASYNC_STEPS", "50000")];
    one_file(workspace, "async-model.test.mjs", &longer)
}

/// Kills writers that use the asynchronous class more often than by default.
pub(crate) fn async_kills(workspace: &Workspace) -> Result<Tally> {
    one_file(workspace, "async-kills.test.mjs", &[("STRONGROOM_TEST_KILL_POINTS", "200")])
}

/// Runs one file of the checkout's tests, with variables that lengthen it.
fn one_file(workspace: &Workspace, file: &str, variables: &[(&str, &str)]) -> Result<Tally> {
    LoadablePackage::built(workspace, &Product::own(node_targets::host()?))?;
    let scratch = workspace.scratch()?;
    let report = scratch.path().join("junit.xml");
    let mut command = process::command("node");
    command.current_dir(workspace.package()).envs(variables.iter().copied());
    command.arg("--test").args(reporter_arguments(&report)).arg(workspace.package().join("test").join(file));
    junit::count(|| workspace.attempt(file, command), &report, Skips::Reported)
}
