//! `cargo xtask pack`: makes the npm packages from artifacts that were built anywhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use machine::{Workspace, report};
use pack::{Packed, Request};

/// The artifacts, and the packages to make.
#[derive(Args)]
pub(crate) struct Options {
    /// Folders with the artifacts, directly or below: bindings_node.PLATFORM.node and the compiled JavaScript; without any,
    /// bindings/node/dist, of which this machine's platform is packed
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Packs only these platforms; without it, all of targets.json
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    only: Vec<String>,
    /// Also makes one package with every addon inside, for projects that check their dependencies in
    #[arg(long)]
    bundle: bool,
    /// The repository's URL for package.json, with which `npm publish --provenance` compares
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// The folder to create, which must not exist; without it, target/npm
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Packs, and prints a row for each package.
///
/// Without a folder, the packages of an earlier call are replaced, and the command that installs the new ones is printed.
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
