//! Models of the queues, which loom runs in every interleaving: `cargo test -p strongroom-queue --features loom`.
//!
//! Each model names a change of the crate with which the model was seen to fail.

mod queue;
mod replies;
mod running;
mod window;
