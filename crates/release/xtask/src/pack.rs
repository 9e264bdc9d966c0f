//! `cargo xtask pack`: packs built artifacts into the npm packages, wherever the artifacts were built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use machine::{Workspace, report};
use pack::{Packed, Request};

/// The artifacts, and the packages to make.
#[derive(Args)]
pub(crate) struct Options {
    /// Folders to search, with their subfolders, for the artifacts: bindings_node.PLATFORM.node and the compiled
    /// JavaScript; by default, bindings/node/dist
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Packs only these platforms. By default, packs every platform of targets.json if a FOLDER is given, and otherwise
    /// this machine's platform
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    only: Vec<String>,
    /// Also makes one package that contains every addon, for projects that commit their dependencies
    #[arg(long)]
    bundle: bool,
    /// The repository's URL for package.json, which `npm publish --provenance` verifies
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// The folder to create, which must not exist; by default, target/npm, which is replaced if no FOLDER is given
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Makes the packages, and prints a row for each.
///
/// Without a folder, replaces the packages of an earlier call, and prints the command that installs the new packages.
pub(crate) fn pack(workspace: &Workspace, options: Options) -> Result<bool> {
    let Options { mut folders, mut only, bundle, repository, out } = options;
    let is_local = folders.is_empty();
    if is_local {
        folders.push(workspace.dist());
        if only.is_empty() {
            only.push(node_targets::host()?.platform.clone());
        }
        if out.is_none() {
            pack::remove_default(workspace)?;
        }
    }
    let Packed { table, folder } =
        pack::pack(workspace, &Request { folders, only, bundle, repository, out })?;
    let last = if is_local { install_command(&folder)? } else { workspace.relative(&folder) };
    report::print(&format!("{table}\n{last}\n"))?;
    Ok(true)
}

/// Returns the command that installs the packages of a folder into another project.
fn install_command(folder: &Path) -> Result<String> {
    let mut tarballs = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            tarballs.push(path.display().to_string());
        }
    }
    tarballs.sort();
    Ok(format!("To install the packages into a project: npm install {}", tarballs.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_installs_every_tarball_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["strongroom-linux-x64-gnu-0.1.0.tgz", "strongroom-0.1.0.tgz", "manifest.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let at = folder.path().display();
        assert_eq!(
            install_command(folder.path()).unwrap(),
            format!(
                "To install the packages into a project: npm install {at}/strongroom-0.1.0.tgz \
                 {at}/strongroom-linux-x64-gnu-0.1.0.tgz"
            )
        );
    }
}
