//! Compiles the package's JavaScript.

use std::fs;

use anyhow::{Context, Result};
use machine::{Workspace, npm};

/// Compiles the TypeScript into `bindings/node/dist`, after `npm ci` if the lock file changed.
pub fn javascript(workspace: &Workspace) -> Result<()> {
    let dist = workspace.dist();
    // Checks the folder first, because the compilers report an unwritable folder only after minutes, and at length.
    fs::create_dir_all(&dist).and_then(|()| tempfile::tempfile_in(&dist)).with_context(|| {
        let dist = workspace.relative(&dist);
        format!("cannot write {dist}: make it writable, or remove the file in its place")
    })?;
    npm::install(workspace)?;
    npm::script(workspace, "build:finish", &[])?.ok().map(drop)
}
