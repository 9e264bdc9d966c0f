//! Integration tests of strongroom-format: one binary, a module per topic.
#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows unwrap in test functions, but not in functions that they call"
)]

mod altered;
mod by_document;
mod codes;
mod document;
mod hex;
mod memory;
mod mutations;
mod pages;
mod rekey;
mod slots;
mod torn;
mod unlock;
mod xaes;
