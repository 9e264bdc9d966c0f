//! The packages of the survey: which they are, and how they come here without running anything of theirs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use tempfile::TempDir;

use crate::paths::Workspace;
use crate::pinned::PinnedFile;
use crate::process;

/// The list, with what belongs to it.
pub(crate) const FOLDER: &str = "crates/node-audit/survey";

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Pin {
    /// Its name on npm.
    pub(crate) name: String,
    /// Which version.
    pub(crate) version: String,
    integrity: String,
}

/// A package of the survey.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Package {
    /// What is fetched.
    #[serde(flatten)]
    pub(crate) pin: Pin,
    /// What it is, in a few words.
    pub(crate) what: String,
    /// What its addons need to find next to it.
    #[serde(default)]
    beside: Vec<Pin>,
}

/// A package as npm would have installed it, removed when dropped.
pub(crate) struct Installed {
    folder: TempDir,
    /// As it was fetched.
    pub(crate) tarball: PathBuf,
    /// Where it stands in the folder's `node_modules`.
    pub(crate) root: PathBuf,
}

/// The list of this checkout.
pub(crate) fn list(workspace: &Workspace) -> Result<Vec<Package>> {
    let path = workspace.root().join(FOLDER).join("packages.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", workspace.shown(&path)))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no list of packages", workspace.shown(&path)))
}

impl Pin {
    /// `name@version`
    pub(crate) fn title(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    fn fetch(&self, workspace: &Workspace) -> Result<PathBuf> {
        PinnedFile::npm(&self.name, &self.version, &self.integrity).fetch(workspace)
    }

    fn unpack(&self, workspace: &Workspace, modules: &Path) -> Result<(PathBuf, PathBuf)> {
        let tarball = self.fetch(workspace)?;
        let root = modules.join(&self.name);
        fs::create_dir_all(&root).with_context(|| format!("{} cannot be made", root.display()))?;
        let mut tar = process::command("tar");
        tar.args([
            "--extract",
            "--gzip",
            "--no-same-owner",
            "--no-same-permissions",
            "--strip-components=1",
            "--file",
        ]);
        tar.arg(&tarball).arg("--directory").arg(&root);
        process::run(workspace, &format!("unpack {}", self.title()), tar)?;
        Ok((tarball, root))
    }
}

impl Package {
    /// Fetches it and what it needs, and lays them out in a scratch folder.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<Installed> {
        let folder = tempfile::tempdir().context("no temporary folder for a package")?;
        let modules = folder.path().join("node_modules");
        let (tarball, root) = self.pin.unpack(workspace, &modules)?;
        for pin in &self.beside {
            pin.unpack(workspace, &modules)?;
        }
        Ok(Installed { folder, tarball, root })
    }
}

impl Installed {
    /// A folder for what its addons write.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_pins_each_version_once_and_names_no_registry() {
        let workspace = Workspace::find().unwrap();
        let packages = list(&workspace).unwrap();
        assert!(packages.len() >= 16, "only {} packages", packages.len());
        let titles: BTreeSet<String> = packages.iter().map(|package| package.pin.title()).collect();
        assert_eq!(titles.len(), packages.len());
        for pin in packages.iter().flat_map(|package| [&package.pin].into_iter().chain(&package.beside)) {
            assert!(pin.integrity.starts_with("sha512-") && pin.integrity.len() == 95, "{}", pin.title());
            let safe = |c: char| c.is_ascii_alphanumeric() || "-_.@/".contains(c);
            assert!(pin.name.chars().all(safe) && !pin.name.contains(".."), "{}", pin.name);
        }
        assert!(
            !fs::read_to_string(workspace.root().join(FOLDER).join("packages.json")).unwrap().contains("://")
        );
    }
}
