//! Builds, packs, installs and loads the addon and the packages as a release does.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use build::Product;
use lab::{LoadablePackage, Runtime};
use machine::report::Tally;
use machine::{Workspace, prerequisites, process};
use node_targets::Target;

use crate::lint::cargo;

/// Builds and audits the addon that every later suite loads, in the steps of `cargo xtask dist`.
pub(crate) fn addon(workspace: &Workspace) -> Result<Tally> {
    prerequisites::check()?;
    build::javascript(workspace)?;
    let built = build::build_one(workspace, &Product::own(node_targets::host()?))?;
    let audit = pack::install_audited(workspace, &built)?;
    let size = built.size()?;
    Ok(Tally::passed(format!("{}, {:.1} MB, audit {audit}", built.toolchain, size as f64 / 1e6)))
}

/// Runs the README's example.
pub(crate) fn quickstart(workspace: &Workspace) -> Result<Tally> {
    host_package(workspace)?;
    Ok(Tally::passed(lab::quickstart(workspace)?.trim().lines().next().unwrap_or_default()))
}

/// Packs the published packages twice, and compares the bytes. Installs them with npm into an empty project, which uses
/// them.
pub(crate) fn packages(workspace: &Workspace) -> Result<Tally> {
    let target = node_targets::host()?;
    host_package(workspace)?;
    let scratch = workspace.scratch()?;
    let (first, second) = (scratch.path().join("first"), scratch.path().join("second"));
    for folder in [&first, &second] {
        pack::pack_one(workspace, target, folder)?;
    }
    let mut sizes = Vec::new();
    for entry in fs::read_dir(&first)? {
        let name = entry?.file_name();
        let (once, again) = (fs::read(first.join(&name))?, fs::read(second.join(&name))?);
        ensure!(once == again, "packing {} twice gives different bytes", name.display());
        if Path::new(&name).extension().is_some_and(|extension| extension == "tgz") {
            sizes.push(format!("{} {:.2} MB", name.display(), once.len() as f64 / 1e6));
        }
    }
    sizes.sort();
    let script = workspace.package().join("scripts/load.mjs");
    let mut node = process::command("node");
    workspace.run("load packages", node.arg(script).arg(&first).arg(&target.platform))?;
    Ok(Tally { passed: 2, ..Tally::passed(sizes.join(", ")) })
}

/// Loads the addon into the Node on `PATH`.
pub(crate) fn load_host(workspace: &Workspace) -> Result<Tally> {
    let package = host_package(workspace)?;
    let runtime = Runtime::on_path()?;
    lab::smoke(workspace, &runtime, &package)?;
    Ok(Tally::passed(runtime.name()))
}

/// Loads every built addon into each Node except the one on `PATH`. These Nodes have other versions, C libraries and
/// processors.
pub(crate) fn load_other_nodes(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    for product in lab::built_products(workspace)? {
        let package = LoadablePackage::built(workspace, &product)?;
        let mut runtimes = Runtime::of(workspace, product.target())?;
        if runtimes.is_empty() {
            tally.skipped.push(Runtime::unavailable(product.target())?);
        }
        runtimes.retain(|runtime| !runtime.is_on_path());
        tally.merge(lab::load_in(workspace, &runtimes, &package));
    }
    if tally == Tally::default() {
        return Ok(Tally::skipped("the pinned Nodes run only on Linux"));
    }
    Ok(tally)
}

/// Checks, on another system, the addons that only Windows builds. Type-checks each addon and the tools that build it on
/// Windows. For x64, builds a proxy from the same sources, audits it, and loads it under Wine.
pub(crate) fn windows(workspace: &Workspace) -> Result<Tally> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Tally::skipped("mingw and Wine run only on x86_64 Linux"));
    }
    let mut tally = Tally::default();
    for platform in node_targets::targets().iter().filter(|target| !Product::own(target).is_built_here()) {
        tally.merge(check_tools(workspace, platform)?);
        tally.merge(check_addon(workspace, &Product::here(platform))?);
    }
    Ok(tally)
}

/// Type-checks xtask, which a release job runs on Windows.
fn check_tools(workspace: &Workspace, platform: &Target) -> Result<Tally> {
    let arguments = ["check", "--locked", "--package", "xtask", "--target", &platform.triple];
    cargo(workspace, &format!("check xtask for {platform}"), &arguments)
}

fn check_addon(workspace: &Workspace, product: &Product) -> Result<Tally> {
    if let Some(why) = product.check(workspace)? {
        return Ok(Tally {
            skipped: vec![why],
            ..Tally::passed(format!("{} type-checked", product.platform()))
        });
    }
    let built = build::build_one(workspace, product)?;
    let audit = pack::install_audited(workspace, &built)?;
    let note = format!("{} and xtask type-checked; {}, audit {audit}", product.platform(), built.toolchain);
    let mut tally = Tally { passed: 2, ..Tally::passed(note) };
    let runtimes = Runtime::of(workspace, product.target())?;
    tally.merge(lab::load_in(workspace, &runtimes, &LoadablePackage::built(workspace, product)?));
    Ok(tally)
}

/// Returns the package with the host's addon.
pub(crate) fn host_package(workspace: &Workspace) -> Result<LoadablePackage> {
    LoadablePackage::built(workspace, &Product::own(node_targets::host()?))
        .context("cannot use the host's addon: first run the suite `release addon`, which builds the addon")
}
