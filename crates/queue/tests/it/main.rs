//! Integration tests of strongroom-queue: one binary, a module per topic. `tests/loom` checks the interleavings.
#![cfg(not(feature = "loom"))]
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod queue;
mod replies;
mod running;
mod window;
