//! The suites of `cargo xtask test`: each runs one kind of check, and counts the tests that passed, failed or were
//! skipped.
//!
//! The crate calls the crates below it, runs test runners, and reads their reports. The crate contains no other checks,
//! and neither parses arguments nor prints tables.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

mod exchange;
pub mod format;
mod javascript;
mod junit;
mod lint;
mod nix;
mod release;
mod rust;
mod wine;
pub mod workflows;

use anyhow::Result;
use machine::Workspace;
use machine::report::Tally;

pub use lint::CARGO_DENY;
pub use rust::CARGO_NEXTEST;

/// A suite, which is one row of the table.
pub struct Suite {
    /// The name in the table and for `--only`.
    pub name: &'static str,
    /// Runs the suite. An error means that the suite failed as a whole.
    pub run: fn(&Workspace) -> Result<Tally>,
    /// `true` if the suite runs only with `--long`.
    pub long: bool,
}

impl Suite {
    const fn new(name: &'static str, run: fn(&Workspace) -> Result<Tally>) -> Self {
        Self { name, run, long: false }
    }
}

/// All suites in the order in which they run. Cheap suites come first, and later suites load the files that earlier
/// suites build.
pub const ALL: [Suite; 32] = [
    Suite::new("rustfmt", lint::rustfmt),
    Suite::new("clippy", lint::clippy),
    Suite::new("cargo-deny", lint::cargo_deny),
    Suite::new("js lint", lint::js_lint),
    Suite::new("workflows", workflows::lint),
    Suite::new("rust tests", rust::tests),
    Suite::new("release addon", release::addon),
    Suite::new("js tests (checkout)", javascript::checkout),
    Suite::new("js tests (tarball)", javascript::tarball),
    Suite::new("quickstart", release::quickstart),
    Suite::new("format reader", format::reader),
    Suite::new("packages", release::packages),
    Suite::new("package managers", lab::consumers::test),
    Suite::new("clients", javascript::clients),
    Suite::new("node-audit capture", lab::check_terminal_capture),
    Suite::new("load (host)", release::load_host),
    Suite::new("load (other Nodes)", release::load_other_nodes),
    Suite::new("windows (mingw, Wine)", release::windows),
    Suite::new("rust tests (Wine)", wine::tests),
    Suite::new("format exchange", exchange::exchange),
    Suite::new("nixpkgs (evaluated)", nix::nixpkgs_evaluated),
    Suite::new("nix check", nix::check),
    Suite::new("nix targets", nix::targets),
    Suite::new("nix addon", nix::addon),
    Suite::new("nix and dist", nix::nix_and_dist),
    Suite { long: true, ..Suite::new("kills (200 points)", rust::many_kills) },
    Suite { long: true, ..Suite::new("kills of async writers (200 points)", javascript::async_kills) },
    Suite { long: true, ..Suite::new("async model (1,000,000 steps)", javascript::async_model) },
    Suite { long: true, ..Suite::new("power loss (100,000 points)", rust::many_losses_of_power) },
    Suite { long: true, ..Suite::new("mutations and large files", rust::mutations_and_large_files) },
    Suite { long: true, ..Suite::new("reader (beyond 1 GiB)", format::reader_beyond_1_gib) },
    Suite { long: true, ..Suite::new("nix rebuild", nix::rebuild) },
];
