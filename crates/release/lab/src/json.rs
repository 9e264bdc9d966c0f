//! Reads the JSON lists of the checkout.

use std::fs;

use anyhow::{Context, Result};
use machine::Workspace;
use serde::de::DeserializeOwned;

/// Reads a JSON file of the checkout. Errors describe the expected content by `kind`, such as `a list of Nodes`.
pub(crate) fn read<T: DeserializeOwned>(workspace: &Workspace, file: &str, kind: &str) -> Result<T> {
    let text = fs::read(workspace.root().join(file)).with_context(|| format!("cannot read {file}"))?;
    serde_json::from_slice(&text).with_context(|| format!("{file} is not {kind}"))
}
