//! Integration tests of strongroom-codec: one binary, a module per topic.
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod bad_input;
mod dictionary;
mod round_trip;
