//! Calls cargo for the addon's crates, with the release profile.

use std::process::Command;

use machine::{Workspace, process};
use node_targets::Target;

/// Returns a cargo command for the addon's crates, with the release profile.
pub(crate) fn cargo(workspace: &Workspace, action: &str, targets: &[&Target]) -> Command {
    let mut cargo = process::command("cargo");
    cargo.current_dir(workspace.root());
    cargo.args([action, "--locked", "--release", "-p", "bindings_node"]);
    cargo.args(targets.iter().flat_map(|target| ["--target", target.triple.as_str()]));
    cargo.env("CARGO_TARGET_DIR", workspace.release_target_dir());
    // Flags in the environment would replace the flags in cargo's configuration.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}
