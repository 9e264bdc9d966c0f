//! Integration tests of strongroom-codec: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, but not in what they call")]

mod bad_input;
mod dictionary;
mod round_trip;
