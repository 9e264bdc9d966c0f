//! Calls cargo for the crates of the product, with the release profile.

use std::process::Command;

use machine::{Workspace, process};
use node_targets::Target;

/// The addon's crate.
pub(crate) const ADDON: &[&str] = &["bindings_node"];

/// Returns a cargo command for these crates and their dependencies, with the release profile.
pub(crate) fn cargo(workspace: &Workspace, action: &str, crates: &[&str], targets: &[&Target]) -> Command {
    let mut cargo = process::command("cargo");
    cargo.current_dir(workspace.root());
    cargo.args([action, "--locked", "--release"]);
    cargo.args(crates.iter().flat_map(|name| ["-p", name]));
    cargo.args(targets.iter().flat_map(|target| ["--target", target.triple.as_str()]));
    cargo.env("CARGO_TARGET_DIR", workspace.release_target_dir());
    // Flags in the environment would replace the flags in cargo's configuration.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}
