//! The programs with which users install and run the packages: pinned, and installed into the cache.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::paths::Workspace;
use crate::pinned::pinned_folder;
use crate::process;

/// The folder with the pins: package.json names them, and package-lock.json holds the hashes.
const PINS: &str = "crates/xtask/consumers";
const LOCK: &str = "crates/xtask/consumers/package-lock.json";
/// The platform for which the pinned programs are.
const PLATFORM: &str = "linux-x64-gnu";

/// What is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// The one that comes with the Node on `PATH`.
    Npm,
    Pnpm,
    Yarn1,
    Yarn4,
    Bun,
    Deno,
    /// The registry.
    Verdaccio,
}

/// Where the pinned programs are, and which versions.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
    pins: Pins,
}

#[derive(Debug, Deserialize)]
struct Pins {
    dependencies: BTreeMap<String, String>,
}

impl Tools {
    /// Why this machine cannot have them, if so.
    pub(crate) fn unavailable() -> Result<Option<String>> {
        let is_theirs = node_targets::host()?.platform == PLATFORM;
        Ok((!is_theirs).then(|| format!("the pinned programs are for {PLATFORM}")))
    }

    /// What the cache has of the pinned versions.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let tools = Self::pinned(workspace)?;
        Ok(tools.folder.is_dir().then_some(tools))
    }

    /// Installs them, by the hashes of the lock.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let scratch = workspace.scratch()?;
        let folder = scratch.path().join("tools");
        fs::create_dir(&folder)?;
        for file in ["package.json", "package-lock.json"] {
            let pins = workspace.root().join(PINS).join(file);
            fs::copy(&pins, folder.join(file))
                .with_context(|| format!("{} cannot be copied", pins.display()))?;
        }
        let mut npm = process::command("npm");
        npm.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        // Beside what is kept, so that a second copy of a third of a gigabyte goes with the scratch folder.
        npm.arg("--cache").arg(scratch.path().join("npm-cache"));
        process::run(workspace, "npm ci package managers", npm)?;
        let tools = Self::pinned(workspace)?;
        // Whole or not at all: an interrupted set-up starts anew.
        fs::rename(&folder, &tools.folder)
            .with_context(|| format!("{} cannot be written", tools.folder.display()))?;
        Ok(tools)
    }

    /// A program, without arguments.
    pub(super) fn command(&self, tool: Tool) -> Command {
        let Some(program) = tool.program() else { return process::command("npm") };
        let program = self.folder.join("node_modules").join(program);
        match tool {
            Tool::Yarn1 | Tool::Yarn4 | Tool::Verdaccio => {
                let mut node = process::command("node");
                node.arg(program);
                node
            }
            _ => process::command(program),
        }
    }

    /// A program's version: the pinned one, or npm's own word.
    pub(super) fn version(&self, tool: Tool) -> Result<String> {
        let Some(package) = tool.package() else {
            let mut npm = process::command("npm");
            npm.arg("--version");
            return process::capture(npm);
        };
        self.pins.dependencies.get(package).cloned().with_context(|| format!("{PINS} pins no {package}"))
    }

    fn pinned(workspace: &Workspace) -> Result<Self> {
        let path = workspace.root().join(PINS).join("package.json");
        let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let pins =
            serde_json::from_slice(&text).with_context(|| format!("{} pins nothing", path.display()))?;
        Ok(Self { folder: pinned_folder(workspace, "consumers", LOCK)?, pins })
    }
}

/// `pnpm 12.21.0, ...`, each by its package.
impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pins = self.pins.dependencies.iter();
        let names: Vec<String> = pins.map(|(package, version)| format!("{package} {version}")).collect();
        f.write_str(&names.join(", "))
    }
}

impl Tool {
    /// The package that is pinned; npm is not.
    fn package(self) -> Option<&'static str> {
        Some(match self {
            Self::Npm => return None,
            Self::Pnpm => "@pnpm/exe.linux-x64",
            Self::Yarn1 => "yarn",
            Self::Yarn4 => "@yarnpkg/cli-dist",
            Self::Bun => "@oven/bun-linux-x64-baseline",
            Self::Deno => "@deno/linux-x64-glibc",
            Self::Verdaccio => "verdaccio",
        })
    }

    /// Its program below node_modules. pnpm, Bun and Deno are pinned by their packages for one platform: those with the
    /// plain names put a program in place by a script, or download it.
    fn program(self) -> Option<&'static str> {
        Some(match self {
            Self::Npm => return None,
            Self::Pnpm => "@pnpm/exe.linux-x64/pnpm",
            Self::Yarn1 => "yarn/bin/yarn.js",
            Self::Yarn4 => "@yarnpkg/cli-dist/bin/yarn.js",
            Self::Bun => "@oven/bun-linux-x64-baseline/bin/bun",
            Self::Deno => "@deno/linux-x64-glibc/deno",
            Self::Verdaccio => "verdaccio/bin/verdaccio",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Tool; 7] =
        [Tool::Npm, Tool::Pnpm, Tool::Yarn1, Tool::Yarn4, Tool::Bun, Tool::Deno, Tool::Verdaccio];

    #[test]
    fn each_program_is_pinned_by_one_version_and_the_lock_names_no_registry() {
        let workspace = Workspace::find().unwrap();
        let tools = Tools::pinned(&workspace).unwrap();
        let pinned = ALL.iter().filter(|tool| tool.package().is_some());
        for &tool in pinned.clone() {
            let version = tools.version(tool).unwrap();
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{tool:?} {version}");
        }
        assert_eq!(tools.pins.dependencies.len(), pinned.count());
        let lock: serde_json::Value =
            serde_json::from_slice(&fs::read(workspace.root().join(LOCK)).unwrap()).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        for (path, package) in packages.iter().filter(|(path, _)| !path.is_empty()) {
            assert!(package["integrity"].is_string(), "{path} has no hash");
            assert!(package["resolved"].is_null(), "{path} names a registry");
        }
        for package in ALL.iter().filter_map(|tool| tool.program()) {
            let name = package.split('/').take(if package.starts_with('@') { 2 } else { 1 });
            let path = format!("node_modules/{}", name.collect::<Vec<_>>().join("/"));
            assert!(packages.contains_key(&path), "{path} is not locked");
        }
    }

    #[test]
    fn scripts_are_started_by_node_and_programs_by_themselves() {
        let tools = Tools::pinned(&Workspace::find().unwrap()).unwrap();
        for (tool, program) in
            [(Tool::Yarn4, "node"), (Tool::Verdaccio, "node"), (Tool::Bun, "bun"), (Tool::Pnpm, "pnpm")]
        {
            let command = tools.command(tool);
            assert!(command.get_program().to_str().unwrap().ends_with(program), "{command:?}");
        }
    }
}
