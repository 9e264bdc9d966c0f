//! Integration tests of strongroom-keys: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, but not in what they call")]

mod core_dump;
mod derive;
mod key;
mod memory;
mod parameters;
