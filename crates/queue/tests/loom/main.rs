//! Models of the queues, which loom runs in every interleaving: `cargo test -p strongroom-queue --features loom`.
//!
//! Each model names a change of the crate with which the model was seen to fail. The manifest does not name this test with its
//! feature: Nix builds the crate without its tests, and cargo refuses a manifest that names a missing file.
#![cfg(feature = "loom")]

mod queue;
mod replies;
mod running;
mod window;
