//! Integration tests of xtask, as one binary.

mod approve;
mod checkout;
mod command_line;
mod compare;
mod dist_tag;
mod load_packages;
mod lock_files;
#[expect(dead_code, reason = "shared with node-audit's tests, which use more of it")]
#[path = "../../../../node-audit/tests/it/macho_binds.rs"]
mod macho_binds;
#[expect(dead_code, clippy::unwrap_used, reason = "shared with node-audit's tests, which use more of it")]
#[path = "../../../../node-audit/tests/it/macho_maker.rs"]
mod macho_maker;
mod ninth_platform;
mod npm_program;
#[expect(dead_code, clippy::unwrap_used, reason = "shared with node-audit's tests, which use more of it")]
#[path = "../../../../node-audit/tests/it/object_maker.rs"]
mod object_maker;
mod pack;
mod publish;
mod releasing;
mod repository;
mod stage;
mod watch;
mod watch_world;
mod workflow;
mod workflow_checkout;
mod workflow_published;
mod workflow_release;
mod workflow_rules;
mod workflow_run;

use std::path::PathBuf;

/// The crate's folder in the checkout whose tests cargo runs.
///
/// Reads the variable at run time: with a shared target directory, `env!` may name another checkout, which compiled the
/// tests.
#[expect(clippy::unwrap_used, reason = "cargo sets the variable for every test")]
fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}
