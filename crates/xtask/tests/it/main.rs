//! Tests of the program as it is called.

mod command_line;
mod load_packages;
#[expect(dead_code, clippy::unwrap_used, reason = "the maker of node-audit's tests, which need more of it")]
#[path = "../../../node-audit/tests/it/object_maker.rs"]
mod object_maker;
mod pack;
mod publish;
mod repository;
mod workflow;
mod workflow_rules;
mod workflow_run;

use std::path::PathBuf;

/// The crate's folder. Of the checkout whose tests cargo runs: `env!` would be the one whose tests it compiled, which
/// with a shared target directory may be another.
#[expect(clippy::unwrap_used, reason = "cargo sets it for every test")]
fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}
