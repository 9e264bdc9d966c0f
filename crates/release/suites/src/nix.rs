//! Evaluates the flake, builds its checks and packages, and audits, loads and compares its addons.

use anyhow::Result;
use build::Product;
use flake::{Build, DebuggedAddon, Flake};
use lab::{LoadablePackage, Parts, Runtime};
use machine::Workspace;
use machine::report::{self, Tally};

/// Evaluates every output for every system with a nixpkgs that has the real stdenv. Builds nothing.
pub(crate) fn nixpkgs_evaluated(workspace: &Workspace) -> Result<Tally> {
    let Some(nixpkgs) = flake::nixpkgs()? else { return Ok(Tally::skipped(flake::NO_NIXPKGS)) };
    with_flake(workspace, |flake| {
        let outputs = flake.evaluate_with(&nixpkgs)?;
        let note = format!("outputs of three systems, evaluated with {}; nothing built", nixpkgs.display());
        Ok(Tally { passed: outputs, ..Tally::passed(note) })
    })
}

/// Evaluates the flake for every system, and builds this system's checks.
pub(crate) fn check(workspace: &Workspace) -> Result<Tally> {
    with_flake(workspace, |flake| flake.check().map(Tally::passed))
}

/// Builds the addon of each target that this system builds. Audits each addon by our own policy, which is stricter than
/// the audit in Nix, and resolves its entry point through its debug information.
pub(crate) fn targets(workspace: &Workspace) -> Result<Tally> {
    with_flake(workspace, |flake| {
        let mut audits = Vec::new();
        let mut lines = Vec::new();
        for target in flake::targets() {
            let addon = flake.build(target)?;
            audits.push(format!("{target} {}", pack::audit_addon(workspace, &addon, target)?));
            let debug_information = flake.build_debug_information(target)?;
            let built = DebuggedAddon { addon: &addon, debug_information: &debug_information };
            lines.push(flake::entry_line(target, &built)?);
        }
        if audits.is_empty() {
            let why = format!("{} builds no target of targets.json", machine::system());
            return Ok(Tally::skipped(why));
        }
        let passed = report::count(&audits) + report::count(&lines);
        lines.dedup();
        let (audits, lines) = (audits.join(", "), lines.join(", "));
        let note = format!("built here; audit: {audits}; the entry point is at {lines}");
        Ok(Tally { passed, ..Tally::passed(note) })
    })
}

/// Builds this system's packages a second time from their layers. Each addon and its debug information must have the
/// same bytes.
pub(crate) fn rebuild(workspace: &Workspace) -> Result<Tally> {
    with_flake(workspace, |flake| {
        let mut built = Vec::new();
        for target in flake::targets() {
            flake.build(target)?;
            flake.build_again(target)?;
            built.push(target.to_string());
        }
        Ok(Tally { passed: report::count(&built), ..Tally::passed(built.join(", ")) })
    })
}

/// Builds each target's addon with Nix and with `dist`, and compares the facts of the two addons.
pub(crate) fn nix_and_dist(workspace: &Workspace) -> Result<Tally> {
    with_flake(workspace, |flake| {
        let products: Vec<Product> = flake::targets().map(Product::own).collect();
        let mut same = Vec::new();
        for built in build::build(workspace, &products) {
            let built = built?;
            let nix = flake.build(built.product.platform())?;
            flake::same_facts([
                Build { name: "Nix's addon", addon: &nix },
                Build { name: "the addon of `cargo xtask dist`", addon: &built.library },
            ])?;
            same.push(built.product.to_string());
        }
        let note = format!("the same facts: {}", same.join(", "));
        Ok(Tally { passed: report::count(&same), ..Tally::passed(note) })
    })
}

/// Loads the addons and the JavaScript of a release into each Node that this system can run.
pub(crate) fn addon(workspace: &Workspace) -> Result<Tally> {
    with_flake(workspace, |flake| {
        let javascript = flake.build_output("js")?;
        let mut tally = Tally::default();
        let mut not_run = Vec::new();
        for target in flake::targets() {
            let runtimes = Runtime::of(workspace, target)?;
            if runtimes.is_empty() {
                not_run.push(target.to_string());
                continue;
            }
            let addon = flake.build(target)?;
            let parts = Parts { addon: &addon, javascript: &javascript };
            let package = LoadablePackage::laid_out(workspace, &Product::own(target), &parts)?;
            tally.merge(lab::load_in(workspace, &runtimes, &package));
        }
        if tally == Tally::default() {
            let why = format!("this machine has no Node for the targets that {} builds", machine::system());
            return Ok(Tally::skipped(why));
        }
        if !not_run.is_empty() {
            tally.note = report::join(&tally.note, &format!("no Node here loads {}", not_run.join(", ")));
        }
        Ok(tally)
    })
}

/// Runs a suite with the flake. Skips the suite if Nix, or a file that the flake needs, is missing.
fn with_flake(workspace: &Workspace, suite: impl FnOnce(&Flake<'_>) -> Result<Tally>) -> Result<Tally> {
    let Some(flake) = Flake::find(workspace)? else { return Ok(Tally::skipped(flake::REMEDY)) };
    match flake.missing()? {
        Some(why) => Ok(Tally::skipped(why)),
        None => suite(&flake),
    }
}
