//! Tests the package as npm ships it: packed, and installed into an empty project.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use anyhow::{Context, Result};
use machine::{Finished, Workspace, npm, process};
use tempfile::TempDir;

use crate::folder;

/// A project with only the packed package, removed when dropped.
pub struct Project {
    folder: TempDir,
}

/// Returns the arguments of `node --test` for two reports: text on standard output, with the failures at the end, and JUnit XML
/// in a file. The file's path must be absolute, and its folder must exist.
#[must_use]
pub fn reporter_arguments(junit: &Path) -> [String; 4] {
    [
        "--test-reporter=spec".to_owned(),
        "--test-reporter-destination=stdout".to_owned(),
        "--test-reporter=junit".to_owned(),
        format!("--test-reporter-destination={}", junit.display()),
    ]
}

impl Project {
    /// Packs and installs the package, and copies the tests of the checkout into the project.
    pub fn install(workspace: &Workspace) -> Result<Self> {
        let folder =
            tempfile::tempdir().context("cannot create a temporary folder for the packed package")?;
        let project = Self { folder };
        let tarball = pack(workspace, project.root())?;
        fs::write(project.root().join("package.json"), "{ \"name\": \"empty\", \"private\": true }\n")?;
        let mut install = process::command("npm");
        install.current_dir(project.root());
        // The installation works offline, because the package has no dependencies and no install script.
        install.args(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"]).arg(tarball);
        workspace.run("npm install tarball", install)?;
        // The tests import the package by its name, so the copies test the installed package.
        folder::copy(&workspace.package().join("test"), &project.tests(), |_| true)?;
        project.copy_extension(workspace)?;
        Ok(project)
    }

    /// Runs the tests, which import the installed package, and writes a JUnit report.
    pub fn test(&self, workspace: &Workspace, node: &Path, junit: &Path) -> Result<Finished> {
        let mut node = process::command(node);
        // Node leaves one processor to itself: on two, the files would run one after another.
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        node.current_dir(self.root()).args(["--test", &format!("--test-concurrency={processors}")]);
        node.args(reporter_arguments(junit));
        node.args(test_files(&self.tests())?);
        workspace.attempt("js tests, tarball", node)
    }

    /// Checks the installed types with the TypeScript compilers of the checkout.
    pub fn check_types(&self, workspace: &Workspace) -> Result<Finished> {
        let mut node = process::command("node");
        node.arg(workspace.package().join("scripts/types.mjs")).arg(self.tests().join("types"));
        workspace.attempt("js types, tarball", node)
    }

    /// Copies sqlite-vec and its library, which the tests load, if `npm ci` has installed them.
    fn copy_extension(&self, workspace: &Workspace) -> Result<()> {
        let modules = workspace.package().join("node_modules");
        let Ok(entries) = fs::read_dir(&modules) else { return Ok(()) };
        for entry in entries {
            let name = entry?.file_name();
            if name.to_string_lossy().starts_with("sqlite-vec") {
                folder::copy(&modules.join(&name), &self.root().join("node_modules").join(&name), |_| true)?;
            }
        }
        Ok(())
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn tests(&self) -> PathBuf {
        self.root().join("test")
    }
}

/// Runs `npm pack`. Returns the tarball.
fn pack(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    let mut pack = npm::npm(workspace);
    pack.args(["pack", "--ignore-scripts", "--pack-destination"]).arg(folder);
    workspace.run("npm pack", pack)?;
    let mut files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let tarball = files.find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    tarball.with_context(|| format!("npm pack left no tarball in {}", folder.display()))
}

/// Returns the test files of a folder, sorted, without those in subfolders.
pub fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_test = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
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
    fn tests_are_copied_with_their_folders_but_only_test_files_run() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("worker")).unwrap();
        for file in ["b.test.mjs", "a.test.cjs", "setup.mjs", "worker/run.mjs"] {
            fs::write(from.join(file), file).unwrap();
        }
        folder::copy(&from, &to, |_| true).unwrap();
        assert_eq!(fs::read_to_string(to.join("worker/run.mjs")).unwrap(), "worker/run.mjs");
        assert_eq!(test_files(&to).unwrap(), [to.join("a.test.cjs"), to.join("b.test.mjs")]);
    }

    #[test]
    fn a_test_run_writes_text_and_a_junit_report() {
        let project = Project { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(project.tests()).unwrap();
        let test = "require('node:test')('it works', () => {})\n";
        fs::write(project.tests().join("a.test.cjs"), test).unwrap();
        let junit = project.root().join("junit.xml");
        let workspace = Workspace::at(project.root());
        let output = project.test(&workspace, Path::new("node"), &junit).unwrap().ok().unwrap();
        assert!(output.contains("it works") && !output.contains("<testcase"), "{output}");
        assert!(fs::read_to_string(junit).unwrap().contains("<testcase name=\"it works\""));
    }
}
