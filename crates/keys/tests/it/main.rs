//! Integration tests of strongroom-keys: one binary, a module per topic.
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod core_dump;
mod derive;
mod key;
mod memory;
mod parameters;
mod recovery_code;
mod slot_id;
