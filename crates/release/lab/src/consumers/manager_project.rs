//! A project into which a package manager installs the package, and in which the example runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use machine::{Workspace, process, tail};
use walkdir::WalkDir;

use super::example::{DATABASE, Example, TEXT};
use super::home;
use super::manager::Manager;
use super::tools::Tools;
use crate::folder;

/// A project of one manager, with a home of its own.
pub(super) struct ManagerProject<'a> {
    workspace: &'a Workspace,
    tools: &'a Tools,
    manager: &'a Manager,
    /// The manager with its version, such as `Yarn 4.18.1 PnP`.
    pub(super) name: String,
    root: PathBuf,
    home: PathBuf,
}

impl<'a> ManagerProject<'a> {
    /// Creates an empty project in a folder.
    pub(super) fn new(
        workspace: &'a Workspace,
        tools: &'a Tools,
        manager: &'a Manager,
        folder: &Path,
    ) -> Result<Self> {
        let variant = if manager.is_plug_and_play() { " PnP" } else { "" };
        let name = format!("{} {}{variant}", manager.name, tools.version(manager.tool)?);
        let (root, home) = (folder.join(&name).join("project"), folder.join(&name).join("home"));
        fs::create_dir_all(&root)?;
        fs::create_dir_all(&home)?;
        Ok(Self { workspace, tools, manager, name, root, home })
    }

    /// Installs the package from a registry, and checks that the manager installed the right platform packages.
    pub(super) fn install(&self, registry: &str) -> Result<()> {
        // With Plug'n'Play, Node can import packages only in a project of type `module`.
        let manifest = "{ \"name\": \"empty\", \"private\": true, \"type\": \"module\" }\n";
        fs::write(self.root.join("package.json"), manifest)?;
        let (file, settings) = self.manager.settings(registry);
        fs::write(self.root.join(file), settings)?;
        self.run("install", self.by_manager(self.manager.add))?;
        let installed = installed_platforms(&self.root);
        let expected = self.manager.platforms(node_targets::host()?);
        ensure!(
            installed == expected,
            "{} installed the packages of [{}], but [{}] was expected: check the names in strongroom's package.json, and \
             their os, cpu and libc",
            self.name,
            installed.join(", "),
            expected.join(", ")
        );
        Ok(())
    }

    /// Copies the manager's project from `clients/managers` into this project, and installs its dependencies from a registry.
    pub(super) fn install_copy(&self, registry: &str) -> Result<()> {
        let from = self.workspace.package().join("clients/managers").join(self.manager.replacing);
        folder::copy(&from, &self.root, |_| true)?;
        let (file, settings) = self.manager.settings(registry);
        fs::write(self.root.join(file), settings)?;
        self.run("install in better-sqlite3's place", self.by_manager(self.manager.install)).map(drop)
    }

    /// Writes a script, and runs it with the machine's Node. Returns the output.
    pub(super) fn run_script(&self, step: &str, script: &str) -> Result<String> {
        fs::write(self.root.join("program.cjs"), script)?;
        let mut node = self.node();
        node.arg("program.cjs");
        self.run(step, node)
    }

    /// Runs both programs of the example with the machine's Node. The second program, with `require`, opens the file that the
    /// first program wrote.
    pub(super) fn run_by_node(&self, example: &Example) -> Result<()> {
        fs::write(self.root.join("example.mjs"), &example.module)?;
        fs::write(self.root.join("example.cjs"), &example.script)?;
        self.run_example("import in Node", self.node(), "example.mjs")?;
        self.run_example("require in Node", self.node(), "example.cjs")
    }

    /// Runs the program `strongroom` as a person with this manager runs it: through the manager's link to the package's
    /// `bin`. The versions come from the addon.
    pub(super) fn run_program(&self) -> Result<()> {
        let mut command = self.by_manager(self.manager.program);
        command.args(["--version", "--json"]);
        let output = self.run("the program strongroom", command)?;
        ensure!(
            output.contains("\"sqlcipher\": "),
            "{}: `strongroom --version` did not print the versions of the libraries; its output:{}",
            self.name,
            tail(&output)
        );
        Ok(())
    }

    /// Runs the example in the manager's own runtime, then the smoke test that every Node runs.
    pub(super) fn run_by_itself(&self, example: &Example, arguments: &[&str]) -> Result<()> {
        fs::write(self.root.join("example.mjs"), &example.module)?;
        self.run_example("import in its own runtime", self.by_manager(arguments), "example.mjs")?;
        let mut smoke = self.by_manager(arguments);
        smoke.arg(self.workspace.package().join("test/smoke.cjs"));
        smoke.arg(self.root.join("node_modules/strongroom"));
        self.run("smoke test in its own runtime", smoke).map(drop)
    }

    /// Returns the command for the machine's Node, started so that it finds the project's packages.
    fn node(&self) -> Command {
        match self.manager.is_plug_and_play() {
            true => self.by_manager(&["node"]),
            false => process::command("node"),
        }
    }

    fn by_manager(&self, arguments: &[&str]) -> Command {
        let mut command = self.tools.command(self.manager.tool);
        command.args(arguments);
        command
    }

    fn run_example(&self, step: &str, mut command: Command, file: &str) -> Result<()> {
        command.arg(file);
        let output = self.run(step, command)?;
        let name = &self.name;
        ensure!(
            output.contains(TEXT),
            "{name}, {step}: README.md's example did not print `{TEXT}`; its output:{}",
            tail(&output)
        );
        let database = fs::read(self.root.join(DATABASE))
            .with_context(|| format!("{name}, {step}: the example left no {DATABASE}"))?;
        let has_text = database.windows(TEXT.len()).any(|bytes| bytes == TEXT.as_bytes());
        let is_plain = database.starts_with(b"SQLite format 3") || has_text;
        ensure!(!is_plain, "{name}, {step}: {DATABASE} is not encrypted");
        Ok(())
    }

    fn run(&self, step: &str, command: Command) -> Result<String> {
        let mut command = home::isolated(&self.home, command);
        command.current_dir(&self.root);
        self.workspace.run(&format!("{}, {step}", self.name), command)
    }
}

/// Returns the platforms, sorted, whose complete packages are anywhere below a folder.
fn installed_platforms(root: &Path) -> Vec<String> {
    let entries = WalkDir::new(root).into_iter().flatten();
    let packages = entries.filter(|entry| {
        let parent = entry.path().parent().and_then(Path::file_name);
        parent.is_some_and(|name| name == "@strongroom") && entry.path().join("package.json").is_file()
    });
    let platforms = packages.map(|entry| entry.file_name().to_string_lossy().into_owned());
    platforms.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_packages_are_found_wherever_a_manager_puts_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(installed_platforms(root).is_empty());
        let package = |path: &str| {
            fs::create_dir_all(root.join(path)).unwrap();
            fs::write(root.join(path).join("package.json"), "{}").unwrap();
        };
        package("node_modules/strongroom");
        package("node_modules/@other/linux-x64-gnu");
        package("node_modules/@strongroom/linux-x64-gnu");
        package(".yarn/unplugged/@strongroom-a-npm-1/node_modules/@strongroom/linux-x64-musl");
        fs::create_dir_all(root.join("node_modules/@strongroom/darwin-x64")).unwrap();
        assert_eq!(installed_platforms(root), ["linux-x64-gnu", "linux-x64-musl"]);
    }
}
