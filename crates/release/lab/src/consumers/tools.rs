//! The programs that install and run the packages, at pinned versions, in the cache.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use machine::pinned::pinned_folder;
use machine::{Workspace, process};
use serde::Deserialize;

use crate::{folder, json};

/// The file with the versions of the programs.
const PINS: &str = "crates/release/lab/consumers/package.json";
/// The file with the hashes of the programs.
const LOCK: &str = "crates/release/lab/consumers/package-lock.json";
/// The platform that the pinned programs run on.
const PLATFORM: &str = "linux-x64-gnu";

/// A program's path below `node_modules`, which begins with the name of the pinned package.
///
/// The pins of pnpm, Bun and Deno are packages for one platform, because the main packages install or download the program with
/// a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tool(&'static str);

/// npm of the Node on `PATH`, the only program without a pin.
pub(super) const NPM: Tool = Tool("npm");
pub(super) const PNPM: Tool = Tool("@pnpm/exe.linux-x64/pnpm");
pub(super) const YARN1: Tool = Tool("yarn/bin/yarn.js");
pub(super) const YARN4: Tool = Tool("@yarnpkg/cli-dist/bin/yarn.js");
pub(super) const BUN: Tool = Tool("@oven/bun-linux-x64-baseline/bin/bun");
pub(super) const DENO: Tool = Tool("@deno/linux-x64-glibc/deno");
/// The registry.
pub(super) const VERDACCIO: Tool = Tool("verdaccio/bin/verdaccio");

/// The pinned programs: their folder and their versions. `Display` writes `@pnpm/exe.linux-x64 12.21.0, ...`.
#[derive(Debug, Deserialize)]
pub struct Tools {
    #[serde(skip)]
    folder: PathBuf,
    /// The version of each package.
    dependencies: BTreeMap<String, String>,
}

impl Tools {
    /// Returns the reason if this machine cannot run the programs.
    pub fn unavailable() -> Result<Option<String>> {
        let is_available = node_targets::host()?.platform == PLATFORM;
        Ok((!is_available).then(|| format!("the pinned package managers run only on {PLATFORM}")))
    }

    /// Returns the programs if the cache has the pinned versions.
    pub fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let tools = Self::pinned(workspace)?;
        Ok(tools.folder.is_dir().then_some(tools))
    }

    /// Installs the programs, and checks them against the hashes in the lock file. A failed installation leaves nothing behind.
    pub fn install(workspace: &Workspace) -> Result<Self> {
        let scratch = workspace.scratch()?;
        let folder = scratch.path().join("tools");
        fs::create_dir(&folder)?;
        for pins in [PINS, LOCK].map(|file| workspace.root().join(file)) {
            let name = pins.file_name().unwrap_or_default();
            fs::copy(&pins, folder.join(name)).with_context(|| format!("cannot copy {}", pins.display()))?;
        }
        let mut npm = process::command("npm");
        npm.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        // npm caches a second copy, a third of a gigabyte. In the scratch folder, the copy is removed afterwards.
        npm.arg("--cache").arg(scratch.path().join("npm-cache"));
        workspace.run("npm ci package managers", npm)?;
        let tools = Self::pinned(workspace)?;
        folder::replace(&folder, &tools.folder)?;
        Ok(tools)
    }

    /// Returns the command that runs a program.
    pub(super) fn command(&self, tool: Tool) -> Command {
        match tool {
            NPM => process::command("npm"),
            Tool(program) => process::command(self.folder.join("node_modules").join(program)),
        }
    }

    /// Returns a program's pinned version, or the version that npm prints.
    pub(super) fn version(&self, tool: Tool) -> Result<String> {
        if tool == NPM {
            let mut npm = process::command("npm");
            npm.arg("--version");
            return process::capture(npm);
        }
        let pin = self.dependencies.iter().find(|(package, _)| Path::new(tool.0).starts_with(package));
        let (_, version) = pin.with_context(|| format!("{PINS} has no version of {}: add one", tool.0))?;
        Ok(version.clone())
    }

    fn pinned(workspace: &Workspace) -> Result<Self> {
        let folder = pinned_folder(workspace, "consumers", LOCK)?;
        Ok(Self { folder, ..json::read(workspace, PINS, "a package.json with dependencies")? })
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pins = self.dependencies.iter();
        let names: Vec<String> = pins.map(|(package, version)| format!("{package} {version}")).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_pinned_and_the_lock_file_has_only_hashes() {
        let workspace = Workspace::find().unwrap();
        let tools = Tools::pinned(&workspace).unwrap();
        let lock: serde_json::Value = json::read(&workspace, LOCK, "a lock file").unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let all = [PNPM, YARN1, YARN4, BUN, DENO, VERDACCIO];
        for tool in all {
            let version = tools.version(tool).unwrap();
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{tool:?} {version}");
        }
        for package in tools.dependencies.keys() {
            assert!(packages.contains_key(&format!("node_modules/{package}")), "{package} is not locked");
            assert!(all.iter().any(|tool| Path::new(tool.0).starts_with(package)), "{package} is unused");
        }
        for (path, package) in packages.iter().filter(|(path, _)| !path.is_empty()) {
            assert!(package["integrity"].is_string(), "{path} has no hash");
            assert!(package["resolved"].is_null(), "{path} names a registry");
        }
    }

    /// Some programs are scripts, which npm makes executable.
    #[test]
    fn npm_is_on_path_and_the_other_programs_are_in_the_cache() {
        let tools = Tools::pinned(&Workspace::find().unwrap()).unwrap();
        assert_eq!(tools.command(NPM).get_program(), process::command("npm").get_program());
        for tool in [YARN4, VERDACCIO, BUN, PNPM] {
            let program = tools.folder.join("node_modules").join(tool.0);
            assert_eq!(tools.command(tool).get_program(), program);
        }
    }
}
