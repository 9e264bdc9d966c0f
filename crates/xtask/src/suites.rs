//! The suites of `cargo xtask test`, in the order in which they run: cheap ones first.

use std::fs;
use std::path::Path;

use anyhow::Result;
use node_targets::Target;

use crate::addon;
use crate::consumers;
use crate::counts;
use crate::dist;
use crate::load::{self, Package, Parts};
use crate::newer_sqlcipher;
use crate::nix::{self, Nix};
use crate::nix_artifacts::{self, Built, Pair};
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
    /// Runs with `--long` only.
    pub(crate) long: bool,
}

impl Suite {
    const fn new(name: &'static str, run: fn(&Workspace) -> Result<Tally>) -> Self {
        Self { name, run, long: false }
    }

    const fn long(name: &'static str, run: fn(&Workspace) -> Result<Tally>) -> Self {
        Self { name, run, long: true }
    }
}

/// Every suite.
pub(crate) const ALL: [Suite; 21] = [
    Suite::new("rustfmt", rustfmt),
    Suite::new("clippy", clippy),
    Suite::new("cargo-deny", cargo_deny),
    Suite::new("js lint", js_lint),
    Suite::new("workflows", workflows::lint),
    Suite::new("rust tests", rust_tests),
    Suite::new("release addon", release_addon),
    Suite::new("js tests (tree)", js_tests),
    Suite::new("js tests (tarball)", js_tarball),
    Suite::new("quickstart", quickstart),
    Suite::new("packages", packages),
    Suite::new("package managers", consumers::test),
    Suite::new("load (host)", load_host),
    Suite::new("load (other Nodes)", load_other_nodes),
    Suite::new("windows (mingw, Wine)", windows),
    Suite::new("nixpkgs (evaluated)", nixpkgs_evaluated),
    Suite::new("nix check", nix_check),
    Suite::new("nix targets", nix_targets),
    Suite::new("nix addon", nix_addon),
    Suite::new("nix and dist", nix_and_dist),
    Suite::long("nix rebuild", nix_twice),
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
        return Ok(Tally::skipped("the pinned Nodes are for Linux"));
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

/// Runs a suite with Nix; skips it if Nix or what the flake needs is missing.
fn with_nix(workspace: &Workspace, suite: impl FnOnce(&Nix) -> Result<Tally>) -> Result<Tally> {
    let Some(nix) = Nix::find()? else { return Ok(Tally::skipped(nix::REMEDY)) };
    match nix_store::missing(workspace, &nix)? {
        Some(why) => Ok(Tally::skipped(why)),
        None => suite(&nix),
    }
}

fn nix_check(workspace: &Workspace) -> Result<Tally> {
    with_nix(workspace, |nix| Ok(Tally::passed(nix::check(workspace, nix)?)))
}

/// Every output of every system, evaluated with a nixpkgs that has the real stdenv. Nothing is built.
fn nixpkgs_evaluated(workspace: &Workspace) -> Result<Tally> {
    let nixpkgs = match nix::nixpkgs()? {
        Ok(nixpkgs) => nixpkgs,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    with_nix(workspace, |nix| {
        let outputs = nix::evaluate_with(workspace, nix, &nixpkgs)?;
        let note = format!("outputs of three systems, evaluated with {}; nothing built", nixpkgs.display());
        Ok(Tally { passed: outputs, ..Tally::passed(note) })
    })
}

/// The targets that Nix builds on this system.
fn built_by_nix() -> impl Iterator<Item = &'static Target> {
    let system = nix::system();
    node_targets::targets().iter().filter(move |target| target.builds_on(&system))
}

/// The addon of each target that this system builds, held against our own policy, which is stricter than the gate's, and its
/// debug information.
fn nix_targets(workspace: &Workspace) -> Result<Tally> {
    with_nix(workspace, |nix| {
        let mut tally = Tally::default();
        let mut audits = Vec::new();
        let mut lines = Vec::new();
        for target in built_by_nix() {
            let addon = nix::build(workspace, nix, target)?;
            audits.push(format!("{target} {}", dist::audited(workspace, &addon, target)?));
            let debug = nix::build_debug(workspace, nix, target)?;
            let built = Built { addon: &addon, debug: &debug };
            match nix_artifacts::entry_line(target, &built)? {
                Ok(line) => lines.push(line),
                Err(why) => tally.skipped.push(format!("{target}'s debug information: {why}")),
            }
        }
        if audits.is_empty() {
            return Ok(Tally::skipped(format!("no target of targets.json is built on {}", nix::system())));
        }
        tally.passed += report::count(&audits) + report::count(&lines);
        lines.dedup();
        tally.note =
            format!("built here; audit: {}; the entry point is at {}", audits.join(", "), lines.join(", "));
        Ok(tally)
    })
}

/// Each package that this system builds, from its layers once more: the same bytes, debug information included.
fn nix_twice(workspace: &Workspace) -> Result<Tally> {
    with_nix(workspace, |nix| {
        let mut built = Vec::new();
        for target in built_by_nix() {
            nix::build(workspace, nix, target)?;
            nix::build_again(workspace, nix, target)?;
            built.push(target.to_string());
        }
        Ok(Tally { passed: report::count(&built), note: built.join(", "), ..Tally::default() })
    })
}

/// Compares the facts of each target's Nix-built and `dist`-built addon.
fn nix_and_dist(workspace: &Workspace) -> Result<Tally> {
    with_nix(workspace, |nix| {
        let targets: Vec<&Target> = built_by_nix().collect();
        let mut same = Vec::new();
        for (target, addon) in targets.iter().zip(addon::build(workspace, &targets)) {
            let library = addon?.library;
            let nix = nix::build(workspace, nix, target)?;
            nix_artifacts::same_facts(workspace, &Pair { nix: &nix, dist: &library })?;
            same.push(target.to_string());
        }
        Ok(Tally {
            passed: report::count(&same),
            note: format!("the same facts: {}", same.join(", ")),
            ..Tally::default()
        })
    })
}

/// The addons and the JavaScript as a release has them, loaded in each Node that this system can run.
fn nix_addon(workspace: &Workspace) -> Result<Tally> {
    with_nix(workspace, |nix| {
        let javascript = nix::build_javascript(workspace, nix)?;
        let mut tally = Tally::default();
        let mut not_run = Vec::new();
        for target in built_by_nix() {
            let runtimes = Runtime::of(workspace, target)?;
            if runtimes.is_empty() {
                not_run.push(target.to_string());
                continue;
            }
            let addon = nix::build(workspace, nix, target)?;
            let parts = Parts { addon: &addon, javascript: &javascript };
            let package = Package::laid_out(workspace, target, &parts)?;
            tally.merge(load::load_in(workspace, &runtimes, &package));
        }
        if tally == Tally::default() {
            return Ok(Tally::skipped(format!(
                "no Node here loads a target that is built on {}",
                nix::system()
            )));
        }
        if !not_run.is_empty() {
            tally.note = report::join(&tally.note, &format!("no Node here runs {}", not_run.join(", ")));
        }
        Ok(tally)
    })
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
