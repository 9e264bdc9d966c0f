//! An empty project into which one manager installs the package, and what is run there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use super::example::{DATABASE, Example, TEXT};
use super::home;
use super::manager::Manager;
use super::tools::Tools;
use crate::paths::Workspace;
use crate::process;

const MODULE: &str = "example.mjs";
const SCRIPT: &str = "example.cjs";

/// A project, and a home that is its manager's alone.
pub(super) struct Project<'a> {
    workspace: &'a Workspace,
    tools: &'a Tools,
    manager: &'a Manager,
    /// The manager with its version.
    name: String,
    root: PathBuf,
    home: PathBuf,
}

impl<'a> Project<'a> {
    /// Makes an empty one in a folder.
    pub(super) fn new(
        workspace: &'a Workspace,
        tools: &'a Tools,
        manager: &'a Manager,
        folder: &Path,
    ) -> Result<Self> {
        let name = format!("{} {}{}", manager.name, tools.version(manager.tool)?, manager.variant);
        let (root, home) = (folder.join(&name).join("project"), folder.join(&name).join("home"));
        fs::create_dir_all(&root)?;
        fs::create_dir_all(&home)?;
        Ok(Self { workspace, tools, manager, name, root, home })
    }

    /// `Yarn 4.18.1 PnP`
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Installs the package from a registry, and looks at what was installed.
    pub(super) fn install(&self, registry: &str) -> Result<()> {
        // With Plug'n'Play, Yarn lets Node import packages in projects of this type alone.
        let manifest = "{ \"name\": \"empty\", \"private\": true, \"type\": \"module\" }\n";
        fs::write(self.root.join("package.json"), manifest)?;
        for (file, text) in self.manager.settings(registry) {
            fs::write(self.root.join(file), text)?;
        }
        let mut add = self.tools.command(self.manager.tool);
        add.args(self.manager.add);
        self.run("install", add)?;
        let (installed, expected) =
            (platforms(&self.root), self.manager.installs(node_targets::host()?).into_iter());
        let expected: BTreeSet<String> = expected.map(str::to_owned).collect();
        ensure!(
            installed == expected,
            "{} installed the packages of {}, but {} was expected: does strongroom's package.json name them, and do \
             their os, cpu and libc say which they are?",
            self.name,
            listed(&installed),
            listed(&expected)
        );
        Ok(())
    }

    /// Runs the example by the machine's Node: what `import` wrote, `require` opens again.
    pub(super) fn run_by_node(&self, example: &Example) -> Result<()> {
        fs::write(self.root.join(MODULE), &example.module)?;
        fs::write(self.root.join(SCRIPT), &example.script)?;
        for (step, file) in [("import in Node", MODULE), ("require in Node", SCRIPT)] {
            self.example(step, self.node(), file)?;
        }
        Ok(())
    }

    /// Runs the example by the manager itself, which is a runtime, and then what every Node runs: with a worker thread,
    /// and a panic that is survived.
    pub(super) fn run_by_itself(&self, example: &Example, runs: &[&str]) -> Result<()> {
        fs::write(self.root.join(MODULE), &example.module)?;
        let command = || {
            let mut command = self.tools.command(self.manager.tool);
            command.args(runs);
            command
        };
        self.example("import in itself", command(), MODULE)?;
        let mut smoke = command();
        smoke.arg(self.workspace.package().join("test/smoke.cjs"));
        smoke.arg(self.root.join("node_modules/strongroom"));
        self.run("smoke test in itself", smoke).map(drop)
    }

    fn node(&self) -> Command {
        if !self.manager.is_plug_and_play() {
            return process::command("node");
        }
        let mut command = self.tools.command(self.manager.tool);
        command.arg("node");
        command
    }

    fn example(&self, step: &str, mut command: Command, file: &str) -> Result<()> {
        command.arg(file);
        let output = self.run(step, command)?;
        ensure!(
            output.contains(TEXT),
            "{}, {step}: README.md's example did not print `{TEXT}`, but:{}",
            self.name,
            process::tail(&output)
        );
        let path = self.root.join(DATABASE);
        let file =
            fs::read(&path).with_context(|| format!("{}, {step}: no {DATABASE} is left", self.name))?;
        let is_readable = file.windows(TEXT.len()).any(|bytes| bytes == TEXT.as_bytes());
        let is_plain = file.starts_with(b"SQLite format 3") || is_readable;
        ensure!(!is_plain, "{}, {step}: {DATABASE} is not encrypted", self.name);
        Ok(())
    }

    fn run(&self, step: &str, command: Command) -> Result<String> {
        let mut command = home::at(&self.home, command);
        command.current_dir(&self.root);
        process::run(self.workspace, &format!("{}, {step}", self.name), command)
    }
}

/// The platforms whose packages are below a folder: whole, in whatever way the manager lays them out.
fn platforms(root: &Path) -> BTreeSet<String> {
    let entries = WalkDir::new(root).into_iter().flatten();
    let packages = entries.filter(|entry| {
        let parent = entry.path().parent().and_then(Path::file_name);
        parent.is_some_and(|name| name == "@strongroom") && entry.path().join("package.json").is_file()
    });
    packages.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn listed(platforms: &BTreeSet<String>) -> String {
    if platforms.is_empty() {
        return "no platform".to_owned();
    }
    platforms.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_wherever_a_manager_puts_them_and_only_whole_ones() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(listed(&platforms(root)), "no platform");
        let package = |path: &str| {
            fs::create_dir_all(root.join(path)).unwrap();
            fs::write(root.join(path).join("package.json"), "{}").unwrap();
        };
        package("node_modules/strongroom");
        package("node_modules/@other/linux-x64-gnu");
        package("node_modules/@strongroom/linux-x64-gnu");
        package(".yarn/unplugged/@strongroom-a-npm-1/node_modules/@strongroom/linux-x64-musl");
        fs::create_dir_all(root.join("node_modules/@strongroom/darwin-x64")).unwrap();
        assert_eq!(listed(&platforms(root)), "linux-x64-gnu, linux-x64-musl");
    }
}
