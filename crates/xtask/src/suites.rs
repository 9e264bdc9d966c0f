//! The suites of `cargo xtask test`, in the order in which they run: cheap ones first.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::consumers;
use crate::counts;
use crate::dist;
use crate::load::{self, Package, Parts};
use crate::newer_sqlcipher;
use crate::nix::{self, Nix};
use crate::nix_store;
use crate::npm;
use crate::pack;
use crate::paths::Workspace;
use crate::process::{self, Finished};
use crate::report::{self, Tally};
use crate::runtimes::Runtime;
use crate::tarball::{self, Project};
use crate::tools;
use crate::windows;
use crate::workflows;

/// One row of the table.
pub(crate) struct Suite {
    /// Its name, for the table and for `--only`.
    pub(crate) name: &'static str,
    /// Runs it. An error is a failure of the suite as a whole.
    pub(crate) run: fn(&Workspace) -> Result<Tally>,
}

/// Every suite.
pub(crate) const ALL: [Suite; 18] = [
    Suite { name: "rustfmt", run: rustfmt },
    Suite { name: "clippy", run: clippy },
    Suite { name: "cargo-deny", run: cargo_deny },
    Suite { name: "js lint", run: js_lint },
    Suite { name: "workflows", run: workflows::lint },
    Suite { name: "rust tests", run: rust_tests },
    Suite { name: "release addon", run: release_addon },
    Suite { name: "js tests (tree)", run: js_tests },
    Suite { name: "js tests (tarball)", run: js_tarball },
    Suite { name: "quickstart", run: quickstart },
    Suite { name: "packages", run: packages },
    Suite { name: "package managers", run: consumers::test },
    Suite { name: "load (host)", run: load_host },
    Suite { name: "load (other Nodes)", run: load_other_nodes },
    Suite { name: "windows (mingw, Wine)", run: windows },
    Suite { name: "nix check", run: nix_check },
    Suite { name: "nix targets", run: nix_targets },
    Suite { name: "nix addon", run: nix_addon },
];

fn rustfmt(workspace: &Workspace) -> Result<Tally> {
    cargo(workspace, "rustfmt", &["fmt", "--all", "--check", "--", "--color", "never"])
}

fn clippy(workspace: &Workspace) -> Result<Tally> {
    let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    cargo(workspace, "clippy", &arguments)
}

/// Decides on every licence, source and version in Cargo.lock. Advisories change by the day and come over the
/// network, so they are no test of this tree.
fn cargo_deny(workspace: &Workspace) -> Result<Tally> {
    let Some(program) = tools::cargo_deny(workspace) else {
        return Ok(Tally::skipped("cargo-deny is not there: cargo xtask setup"));
    };
    let mut deny = process::command(program);
    deny.current_dir(workspace.root());
    deny.args(["--workspace", "--locked", "--all-features", "check", "bans", "licenses", "sources"]);
    let output = process::run(workspace, "cargo-deny", deny)?;
    Ok(Tally::passed(output.lines().last().unwrap_or_default().trim()))
}

fn js_lint(workspace: &Workspace) -> Result<Tally> {
    npm::install(workspace)?;
    npm::script(workspace, "lint", &[])?.ok()?;
    Ok(Tally::passed(""))
}

fn rust_tests(workspace: &Workspace) -> Result<Tally> {
    let mut test = process::command("cargo");
    test.current_dir(workspace.root());
    // With the output of tests that pass: among it is why some could not run.
    test.args(["test", "--locked", "--workspace", "--no-fail-fast", "--", "--show-output"]);
    if let Some(command) = newer_sqlcipher::command(workspace) {
        test.env("STRONGROOM_SQLCIPHER", command);
    }
    counted(process::attempt(workspace, "rust tests", test)?, counts::cargo_test)
}

/// What every later suite loads. Built by the same steps as `cargo xtask dist`, and audited.
fn release_addon(workspace: &Workspace) -> Result<Tally> {
    Ok(Tally::passed(dist::build(workspace, node_targets::host()?)?))
}

fn js_tests(workspace: &Workspace) -> Result<Tally> {
    npm::install(workspace)?;
    counted(npm::script(workspace, "test", &[tarball::REPORTER])?, counts::node_test)
}

fn js_tarball(workspace: &Workspace) -> Result<Tally> {
    Package::built(workspace, node_targets::host()?)?;
    npm::install(workspace)?;
    let project = Project::install(workspace)?;
    let mut tally = counted(project.test(workspace)?, counts::node_test)?;
    let types = project.check_types(workspace)?;
    if types.succeeded {
        tally.passed += 1;
    } else {
        let failure = types.into_failure();
        eprintln!("error: {failure}");
        tally.failed += 1;
        tally.note = report::join(&tally.note, &format!("types: {}", failure.summary()));
    }
    Ok(tally)
}

fn quickstart(workspace: &Workspace) -> Result<Tally> {
    Package::built(workspace, node_targets::host()?)?;
    let output = dist::quickstart(workspace)?;
    let first = output.lines().find(|line| !line.trim().is_empty());
    Ok(Tally::passed(first.unwrap_or_default().trim()))
}

/// The packages that are published: sealed twice with the same bytes, installed by npm into an empty project, and used.
fn packages(workspace: &Workspace) -> Result<Tally> {
    let target = node_targets::host()?;
    Package::built(workspace, target)?;
    let scratch = workspace.scratch()?;
    let (first, second) = (scratch.path().join("first"), scratch.path().join("second"));
    for out in [&first, &second] {
        pack::pack_one(workspace, target, out)?;
    }
    let mut sizes = Vec::new();
    for entry in fs::read_dir(&first)? {
        let (name, content) = (entry?.file_name(), |folder: &Path, name| fs::read(folder.join(name)));
        let (once, again) = (content(&first, &name)?, content(&second, &name)?);
        anyhow::ensure!(once == again, "{} has other bytes when it is packed again", name.display());
        if Path::new(&name).extension().is_some_and(|extension| extension == "tgz") {
            sizes.push(format!("{} {:.2} MB", name.display(), once.len() as f64 / 1e6));
        }
    }
    sizes.sort();
    let mut load = process::command("node");
    load.arg(workspace.package().join("scripts/load.mjs")).arg(&first).arg(&target.platform);
    process::run(workspace, "load packages", load)?;
    Ok(Tally { passed: 2, note: sizes.join(", "), ..Tally::default() })
}

fn load_host(workspace: &Workspace) -> Result<Tally> {
    let target = node_targets::host()?;
    let package = Package::built(workspace, target)?;
    let runtime = Runtime::on_path()?;
    load::smoke(workspace, &runtime, &package)?;
    Ok(Tally::passed(runtime.name()))
}

/// Every addon that is built, in each Node but the one on `PATH`: other versions, C libraries and processors.
fn load_other_nodes(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    for target in load::built_targets(workspace)? {
        let package = Package::built(workspace, target)?;
        let runtimes = Runtime::of(workspace, target)?;
        if runtimes.is_empty() {
            tally.skipped.push(Runtime::none(target)?);
        }
        let others: Vec<Runtime> = runtimes.into_iter().filter(|runtime| !runtime.is_on_path()).collect();
        tally.merge(load::load_in(workspace, &others, &package));
    }
    if tally == Tally::default() {
        return Ok(Tally::skipped("the Nodes that can be had are for Linux"));
    }
    Ok(tally)
}

/// Windows' addon as far as another system can show it. On Windows itself it is this machine's, which other suites load.
fn windows(workspace: &Workspace) -> Result<Tally> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Tally::skipped("mingw and Wine are for x86_64 Linux"));
    }
    let mut tally = Tally::default();
    for target in node_targets::targets().iter().filter(|target| windows::stand_in(target).is_some()) {
        tally.merge(dist::try_windows(workspace, target)?);
    }
    Ok(tally)
}

/// Nix with all that the flake needs, or why it is not to be had here.
fn ready_nix(workspace: &Workspace) -> Result<Result<Nix, String>> {
    let Some(nix) = Nix::find()? else { return Ok(Err(nix::REMEDY.to_owned())) };
    Ok(nix_store::missing(workspace, &nix)?.map_or(Ok(nix), Err))
}

fn nix_check(workspace: &Workspace) -> Result<Tally> {
    let nix = match ready_nix(workspace)? {
        Ok(nix) => nix,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    Ok(Tally::passed(nix::check(workspace, &nix)?))
}

/// The addon of each target that this system builds, held against our own policy, which is stricter than the gate's.
fn nix_targets(workspace: &Workspace) -> Result<Tally> {
    let nix = match ready_nix(workspace)? {
        Ok(nix) => nix,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    let system = nix::system();
    let mut tally = Tally::default();
    let mut built = Vec::new();
    for target in node_targets::targets().iter().filter(|target| target.build_host == system) {
        let addon = nix::build(workspace, &nix, target)?;
        built.push(format!("{target} {}", dist::audited(workspace, &addon, target)?));
        tally.passed += 1;
    }
    if built.is_empty() {
        return Ok(Tally::skipped(format!("no target of targets.json is built on {system}")));
    }
    tally.note = format!("audit: {}", built.join(", "));
    Ok(tally)
}

/// The addons and the JavaScript as a release has them, loaded in each Node that can be had here.
fn nix_addon(workspace: &Workspace) -> Result<Tally> {
    let nix = match ready_nix(workspace)? {
        Ok(nix) => nix,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    let javascript = nix::build_javascript(workspace, &nix)?;
    let system = nix::system();
    let mut tally = Tally::default();
    for target in node_targets::targets().iter().filter(|target| target.build_host == system) {
        let runtimes = Runtime::of(workspace, target)?;
        if runtimes.is_empty() {
            tally.skipped.push(Runtime::none(target)?);
            continue;
        }
        let addon = nix::build(workspace, &nix, target)?;
        let parts = Parts { addon: &addon, javascript: &javascript };
        let package = Package::laid_out(workspace, target, &parts)?;
        tally.merge(load::load_in(workspace, &runtimes, &package));
    }
    if tally == Tally::default() {
        return Ok(Tally::skipped(format!("no target of targets.json is built on {system}")));
    }
    Ok(tally)
}

fn cargo(workspace: &Workspace, step: &str, arguments: &[&str]) -> Result<Tally> {
    let mut cargo = process::command("cargo");
    cargo.current_dir(workspace.root()).args(arguments);
    process::run(workspace, step, cargo)?;
    Ok(Tally::passed(""))
}

/// The tests of a finished step. One that failed without a failed test failed as a whole.
fn counted(finished: Finished, count: fn(&str) -> Tally) -> Result<Tally> {
    let mut tally = count(&finished.output);
    if finished.succeeded {
        anyhow::ensure!(tally.passed > 0, "{} ran no test", finished.into_failure().step());
        return Ok(tally);
    }
    let failure = finished.into_failure();
    eprintln!("error: {failure}");
    tally.failed = tally.failed.max(1);
    tally.note = report::join(&tally.note, failure.summary());
    Ok(tally)
}
