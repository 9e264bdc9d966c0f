//! Integration tests of strongroom-format: one binary, a module per topic.
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod hex;
mod unlock;
mod xaes;
