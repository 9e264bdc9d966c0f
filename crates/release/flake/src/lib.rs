//! The flake's outputs: evaluated, built, built again, compared with other builds of the same target.
//!
//! The crate finds Nix, and passes it the offline nixpkgs if it has no binary cache. It knows the flake's outputs, and
//! neither our policy for addons nor the Nodes that load them.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_errors_doc,
    reason = "every error of the tools ends in one line for the person who called them"
)]

mod debug_information;
mod edit;
mod evaluate;
mod facts;
mod layers;
mod nix;
mod outputs;
mod store;

pub use debug_information::{DebuggedAddon, entry_line};
pub use evaluate::{NO_NIXPKGS, nixpkgs};
pub use facts::{Pair, same_facts};
pub use layers::layers;
pub use nix::{Flake, REMEDY};
pub use outputs::{MUSL_BY_ZIG, targets};
