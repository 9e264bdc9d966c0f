//! Integration tests of strongroom-format: one binary, a module per topic.
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod again;
mod altered;
mod by_document;
mod codes;
mod document;
mod hex;
mod labels;
mod memory;
mod mutations;
mod named_slot;
mod pages;
mod rekey;
mod rotation;
mod slot_changes;
mod slots;
mod torn;
mod unlock;
mod xaes;
