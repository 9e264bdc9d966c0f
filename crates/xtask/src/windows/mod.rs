//! Windows on a Linux machine: the Rust type-checked as MSVC's addon has it, and an addon of the same sources made by
//! mingw, audited, and loaded into Windows' Node under Wine.
//!
//! What ships is built by MSVC, on Windows. This shows on every change what would else show there only.

mod check;
mod wine;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

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

/// Each target that MSVC alone can link, and what mingw builds in its place: the same sources for the GNU ABI.
static STAND_INS: LazyLock<Vec<(&'static Target, Target)>> = LazyLock::new(|| {
    let elsewhere = node_targets::targets().iter().filter(|target| target.os == Os::Win32 && !cfg!(windows));
    elsewhere.map(|target| (target, mingw::target(target))).collect()
});

/// What stands in for targets of Windows here: none where this machine is one.
pub(crate) fn stand_ins() -> impl Iterator<Item = &'static Target> {
    STAND_INS.iter().map(|(_, stand_in)| stand_in)
}

/// What stands in for a target, if something must.
pub(crate) fn stand_in(target: &Target) -> Option<&'static Target> {
    STAND_INS.iter().find(|(shipped, _)| *shipped == target).map(|(_, stand_in)| stand_in)
}

/// The target that a stand-in is in the place of.
pub(crate) fn shipped(target: &Target) -> Option<&'static Target> {
    STAND_INS.iter().find(|(_, stand_in)| stand_in == target).map(|(shipped, _)| *shipped)
}

/// Where a stand-in is kept, in the place of this target: apart from `bindings/node/dist`, from where packages are made,
/// and under the name of what is shipped, by which it is audited and found.
pub(crate) fn kept(workspace: &Workspace, shipped: &Target) -> PathBuf {
    folder(workspace).join(shipped.artifact_file())
}

/// Keeps a stand-in if it passes the audit.
pub(crate) fn keep<T>(
    workspace: &Workspace,
    shipped: &Target,
    addon: &Addon,
    audit: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    addon::install(addon, shipped, &folder(workspace))?;
    let kept = kept(workspace, shipped);
    audit(&kept).inspect_err(|_| drop(fs::remove_file(&kept)))
}

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
    installed.extend(rust_std::install(workspace, &stand_ins().collect::<Vec<_>>())?);
    let wine = Wine::find()?.with_context(|| format!("{WINE_PACKAGE} is installed, and has no wine64"))?;
    if !wine.is_ready(workspace) {
        wine.install(workspace)?;
        installed.push(format!("{}'s drive C", wine.name()));
    }
    Ok(installed)
}

/// Why a stand-in cannot be built here, if so.
pub(crate) fn missing(workspace: &Workspace, target: &Target) -> Result<Option<String>> {
    if let Err(error) = mingw::compiler() {
        return Ok(Some(error.to_string()));
    }
    let is_there = rust_std::is_there(workspace, target)?;
    Ok((!is_there).then(|| format!("Rust has no standard library for {}: cargo xtask setup", target.triple)))
}
