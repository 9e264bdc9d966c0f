//! The package as npm ships it: packed, installed into an empty project, tested there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::npm;
use crate::paths::Workspace;
use crate::process::{self, Finished};

/// node:test's format for people: what failed stands at its end.
pub(crate) const REPORTER: &str = "--test-reporter=spec";

/// An empty project with the packed package installed, removed when dropped.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// Packs the package, installs it, and copies the tree's tests beside it.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder for the packed package")?;
        let project = Self { folder };
        let tarball = pack(workspace, project.root())?;
        fs::write(project.root().join("package.json"), "{ \"name\": \"empty\", \"private\": true }\n")?;
        let mut install = process::command("npm");
        install.current_dir(project.root());
        // Offline: the package depends on nothing but itself, and nothing runs at its installation.
        install.args(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"]).arg(tarball);
        process::run(workspace, "npm install tarball", install)?;
        copy_tests(&workspace.package().join("test"), &project.tests())?;
        Ok(project)
    }

    /// Runs the tests, which import what is installed.
    pub(crate) fn test(&self, workspace: &Workspace) -> Result<Finished> {
        let mut node = process::command("node");
        node.current_dir(self.root()).args(["--test", REPORTER]).args(test_files(&self.tests())?);
        process::attempt(workspace, "js tests, tarball", node)
    }

    /// Checks the types that are installed, by the tree's compiler.
    pub(crate) fn check_types(&self, workspace: &Workspace) -> Result<Finished> {
        let modules = workspace.package().join("node_modules");
        let mut tsc = process::command("node");
        tsc.arg(modules.join("typescript/bin/tsc")).arg("--noEmit").arg("-p").arg(self.tests().join("types"));
        tsc.arg("--typeRoots").arg(modules.join("@types"));
        process::attempt(workspace, "js types, tarball", tsc)
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn tests(&self) -> PathBuf {
        self.root().join("test")
    }
}

/// `npm pack` into a folder; the file.
fn pack(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let mut pack = npm::npm(workspace);
    pack.args(["pack", "--ignore-scripts", "--pack-destination"]).arg(folder);
    process::run(workspace, "npm pack", pack)?;
    let mut files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let tarball = files.find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    tarball.with_context(|| format!("npm pack left no tarball in {}", folder.display()))
}

/// The tree's tests import the package by its name, so that a copy of them tests what is installed beside it.
fn copy_tests(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy_tests(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).with_context(|| format!("{} cannot be copied", path.display()))?;
        }
    }
    Ok(())
}

/// The test files of a folder, in a fixed order.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_test = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.ends_with(".test.mjs") || name.ends_with(".test.cjs")
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(is_test).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_copied_with_their_folders_and_only_test_files_are_run() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("worker")).unwrap();
        for file in ["b.test.mjs", "a.test.cjs", "setup.mjs", "worker/run.mjs"] {
            fs::write(from.join(file), file).unwrap();
        }
        copy_tests(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("worker/run.mjs")).unwrap(), "worker/run.mjs");
        assert_eq!(test_files(&to).unwrap(), [to.join("a.test.cjs"), to.join("b.test.mjs")]);
    }
}
