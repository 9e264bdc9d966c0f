//! The crate's integration tests: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod check;
mod choice;
mod select;
mod wrong_compiler;
