//! Rust's standard library for each target, which rustup has.

use std::path::Path;

use anyhow::{Result, bail};
use node_targets::Target;

use crate::paths::{Workspace, program};
use crate::process;

/// Gets the standard libraries that are missing, and says for which targets.
///
/// # Errors
/// Where one is missing and cannot be had.
pub(crate) fn install(workspace: &Workspace, targets: &[&Target]) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for target in targets {
        if !is_there(workspace, target)? {
            missing.push(target.triple.clone());
        }
    }
    if missing.is_empty() {
        return Ok(missing);
    }
    let wanted = missing.join(" ");
    if program("rustup").is_none() {
        bail!(
            "this Rust has no standard library for {wanted}, and there is no rustup to get it: install rustup"
        );
    }
    let mut rustup = process::command("rustup");
    // In the workspace, whose rust-toolchain.toml says which Rust it is.
    rustup.args(["target", "add"]).args(&missing).current_dir(workspace.root());
    process::run(workspace, "rustup target add", rustup)?;
    Ok(missing)
}

/// Whether Rust's standard library for a target is installed.
pub(crate) fn is_there(workspace: &Workspace, target: &Target) -> Result<bool> {
    let mut rustc = process::command("rustc");
    rustc.args(["--print", "target-libdir", "--target", &target.triple]).current_dir(workspace.root());
    Ok(Path::new(&process::capture(rustc)?).is_dir())
}
