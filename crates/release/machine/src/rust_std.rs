//! Rust's standard library for each target, installed by rustup.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process;
use crate::program::program;
use crate::workspace::Workspace;

/// Installs the missing standard libraries. Returns their triples.
pub fn install(workspace: &Workspace, triples: &[&str]) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for &triple in triples {
        if !is_installed(workspace, triple)? {
            missing.push(triple.to_owned());
        }
    }
    if missing.is_empty() {
        return Ok(missing);
    }
    if program("rustup").is_none() {
        let wanted = missing.join(" ");
        bail!("cannot install Rust's standard library for {wanted}: rustup is not on PATH; install rustup");
    }
    let mut rustup = process::command("rustup");
    // rustup reads rust-toolchain.toml in the workspace, which pins the toolchain.
    rustup.args(["target", "add"]).args(&missing).current_dir(workspace.root());
    workspace.run("rustup target add", rustup)?;
    Ok(missing)
}

/// Returns whether Rust's standard library for a target is installed.
pub fn is_installed(workspace: &Workspace, triple: &str) -> Result<bool> {
    let mut rustc = process::command("rustc");
    rustc.args(["--print", "target-libdir", "--target", triple]).current_dir(workspace.root());
    Ok(Path::new(&process::capture(rustc)?).is_dir())
}
