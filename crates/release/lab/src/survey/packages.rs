//! The packages of the survey: reads the list, and installs packages without running scripts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use machine::pinned::PinnedFile;
use machine::{Workspace, process};
use serde::Deserialize;
use tempfile::TempDir;

use crate::json;

/// The folder with the list and the probe.
pub(super) const FOLDER: &str = "crates/node-audit/survey";
pub(super) const LIST: &str = "crates/node-audit/survey/packages.json";

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Pin {
    /// The name on npm.
    pub(super) name: String,
    pub(super) version: String,
    integrity: String,
}

/// A package of the survey's list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ListedPackage {
    #[serde(flatten)]
    pub(super) pin: Pin,
    /// A description of a few words.
    #[serde(rename = "what")]
    pub(super) description: String,
    /// Packages that must be installed next to the package, because the addons look for them there.
    #[serde(default, rename = "beside")]
    neighbours: Vec<Pin>,
    /// `true` if the survey also calls `require()` on the package's own module, in the Nodes on glibc.
    #[serde(default, rename = "main")]
    pub(super) is_main: bool,
    /// The rules whose verdicts may differ from the loads.
    #[serde(default)]
    pub(super) exceptions: Vec<Exception>,
}

/// A rule whose verdict on a package differs from the loads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    /// The id of the rule.
    pub(super) rule: String,
    /// The reason, as a sentence.
    pub(super) why: String,
}

/// A package, laid out as npm installs it, and removed when dropped.
pub(super) struct InstalledPackage {
    /// The tarball from the registry.
    pub(super) tarball: PathBuf,
    /// The folder `node_modules` with the package and its neighbours.
    pub(super) modules: PathBuf,
    /// The package's folder below `node_modules`.
    pub(super) root: PathBuf,
    _scratch: TempDir,
}

/// Reads the list of this checkout.
pub(super) fn packages(workspace: &Workspace) -> Result<Vec<ListedPackage>> {
    json::read(workspace, LIST, "a list of packages")
}

impl Pin {
    /// Returns `name@version`.
    pub(super) fn title(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Fetches the tarball, unless the cache has it.
    pub(super) fn tarball(&self, workspace: &Workspace) -> Result<PathBuf> {
        PinnedFile::npm(&self.name, &self.version, &self.integrity).fetch(workspace)
    }

    /// Unpacks the package below `node_modules`. Returns the tarball and the package's folder.
    fn unpack(&self, workspace: &Workspace, modules: &Path) -> Result<(PathBuf, PathBuf)> {
        let tarball = self.tarball(workspace)?;
        let root = modules.join(&self.name);
        fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let mut tar = process::command("tar");
        tar.args(["--extract", "--gzip", "--no-same-owner", "--no-same-permissions", "--strip-components=1"]);
        tar.arg("--file").arg(&tarball).arg("--directory").arg(&root);
        workspace.run(&format!("unpack {}", self.title()), tar)?;
        Ok((tarball, root))
    }
}

impl ListedPackage {
    /// Installs the package and its neighbours into a temporary folder.
    pub(super) fn install(&self, workspace: &Workspace) -> Result<InstalledPackage> {
        let scratch = tempfile::tempdir().context("cannot create a temporary folder for a package")?;
        let modules = scratch.path().join("node_modules");
        let (tarball, root) = self.pin.unpack(workspace, &modules)?;
        for pin in &self.neighbours {
            pin.unpack(workspace, &modules)?;
        }
        Ok(InstalledPackage { tarball, modules, root, _scratch: scratch })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use node_audit::Rule;

    use super::*;

    #[test]
    fn the_list_pins_each_version_once_and_names_no_registry() {
        let workspace = Workspace::find().unwrap();
        let packages = packages(&workspace).unwrap();
        let titles: BTreeSet<String> = packages.iter().map(|package| package.pin.title()).collect();
        assert_eq!(titles.len(), packages.len());
        for pin in packages.iter().flat_map(|package| [&package.pin].into_iter().chain(&package.neighbours)) {
            assert!(pin.integrity.starts_with("sha512-") && pin.integrity.len() == 95, "{}", pin.title());
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_.@/".contains(c);
            assert!(pin.name.chars().all(is_safe) && !pin.name.contains(".."), "{}", pin.name);
        }
        for Exception { rule, why } in packages.iter().flat_map(|package| &package.exceptions) {
            assert!(Rule::by_id(rule).is_some() && why.ends_with('.') && !why.contains('|'), "{rule}: {why}");
        }
        let list = fs::read_to_string(workspace.root().join(LIST)).unwrap();
        assert!(!list.contains("://"));
    }
}
