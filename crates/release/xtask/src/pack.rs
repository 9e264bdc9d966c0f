//! `cargo xtask pack`: makes the npm packages from artifacts that were built anywhere.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use machine::{Workspace, report};
use pack::{Packed, Request};

/// The artifacts, and the packages to make.
#[derive(Args)]
pub(crate) struct Options {
    /// Folders with the artifacts, directly or below: bindings_node.PLATFORM.node and the compiled JavaScript
    #[arg(required = true, value_name = "FOLDER")]
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
pub(crate) fn pack(workspace: &Workspace, options: Options) -> Result<bool> {
    let Options { folders, only, bundle, repository, out } = options;
    let Packed { table, folder } =
        pack::pack(workspace, &Request { folders, only, bundle, repository, out })?;
    report::print(&format!("{table}\n{}\n", workspace.relative(&folder)))?;
    Ok(true)
}
