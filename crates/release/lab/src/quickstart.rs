//! Runs the quickstart, the package's example, on real data.

use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use machine::{Workspace, process};

/// Runs `example/quickstart.mjs` on the metadata of all crates in this workspace's build. Returns the output.
pub fn quickstart(workspace: &Workspace) -> Result<String> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace.root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cannot read the quickstart's input from `cargo metadata`")?;
    let folder = tempfile::tempdir().context("cannot create a temporary folder for the quickstart")?;
    let input = folder.path().join("metadata.json");
    fs::write(&input, serde_json::to_string(&metadata)?)
        .with_context(|| format!("cannot write {}", input.display()))?;
    let mut node = process::command("node");
    node.arg(workspace.package().join("example/quickstart.mjs")).arg(&input).current_dir(folder.path());
    workspace.run("quickstart", node)
}
