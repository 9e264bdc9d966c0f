//! Evaluates, builds and rebuilds the flake's outputs, and compares them with other builds of the same target.
//!
//! The crate finds Nix, and passes the offline nixpkgs to a Nix without a binary cache. The crate knows the flake's outputs,
//! but does not depend on our policy for addons or on the Nodes that load addons.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

mod debug_information;
mod edit;
mod evaluate;
mod facts;
mod layers;
mod nix;
mod outputs;
mod sections;
mod store;

pub use debug_information::{DebuggedAddon, entry_line};
pub use evaluate::{NO_NIXPKGS, nixpkgs};
pub use facts::{Build, same_facts};
pub use layers::layers;
pub use nix::{Flake, REMEDY};
pub use outputs::{MUSL_BY_ZIG, targets};
pub use sections::Sections;
