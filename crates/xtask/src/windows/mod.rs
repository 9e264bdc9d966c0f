//! Windows on a Linux machine: the Rust type-checked as MSVC's addon has it, and an addon of the same sources made by
//! mingw, audited, and loaded into Windows' Node under Wine.
//!
//! What ships is built by MSVC, on Windows. This shows on every change what would else show there only.

mod check;
mod wine;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use node_targets::{Os, Target};

use crate::addon::{self, Addon};
use crate::apt;
use crate::mingw;
use crate::paths::Workspace;
use crate::rust_std;

pub(crate) use check::check;
pub(crate) use wine::Wine;

/// Debian's package of Wine for 64-bit programs.
const WINE_PACKAGE: &str = "wine64";

/// Whether a target is Windows' and this machine is none.
pub(crate) fn is_elsewhere(target: &Target) -> bool {
    target.os == Os::Win32 && !cfg!(windows)
}

/// The addon that mingw made in place of a target's, where `dist` has kept one.
pub(crate) fn stand_in(workspace: &Workspace, target: &Target) -> Option<PathBuf> {
    let file = folder(workspace).join(target.artifact_file());
    (is_elsewhere(target) && file.is_file()).then_some(file)
}

/// Keeps the addon that mingw made if it passes the audit, which reads its name: that of the one that is shipped.
pub(crate) fn keep<T>(
    workspace: &Workspace,
    target: &Target,
    addon: &Addon,
    audit: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let folder = folder(workspace);
    addon::install(addon, target, &folder)?;
    let kept = folder.join(target.artifact_file());
    audit(&kept).inspect_err(|_| drop(fs::remove_file(&kept)))
}

/// Apart from `bindings/node/dist`, from where packages are made.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target/xtask/windows")
}

/// Gets the compiler, its standard library and Wine where they are missing; what it had to get.
pub(crate) fn install(workspace: &Workspace) -> Result<Vec<String>> {
    let mut installed = Vec::new();
    let mut missing = Vec::new();
    if mingw::compiler().is_err() {
        missing.push(mingw::PACKAGE);
    }
    if Wine::find()?.is_none() {
        missing.push(WINE_PACKAGE);
    }
    if !missing.is_empty() {
        apt::install(workspace, &missing)?;
        installed.extend(missing.into_iter().map(str::to_owned));
    }
    for target in node_targets::targets().iter().filter(|target| is_elsewhere(target)) {
        installed.extend(rust_std::install(workspace, &[&mingw::target(target)])?);
    }
    let wine = Wine::find()?.with_context(|| format!("{WINE_PACKAGE} is installed, and has no wine64"))?;
    if !wine.is_ready(workspace) {
        wine.install(workspace)?;
        installed.push(format!("{}'s drive C", wine.name()));
    }
    Ok(installed)
}

/// Why mingw cannot build a target here, if so.
pub(crate) fn missing(workspace: &Workspace, target: &Target) -> Result<Option<String>> {
    if let Err(error) = mingw::compiler() {
        return Ok(Some(error.to_string()));
    }
    let target = mingw::target(target);
    let is_there = rust_std::is_there(workspace, &target)?;
    Ok((!is_there).then(|| format!("Rust has no standard library for {}: cargo xtask setup", target.triple)))
}
