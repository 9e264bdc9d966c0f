//! Tests of the program as it is called.

mod command_line;
#[expect(dead_code, clippy::unwrap_used, reason = "the maker of node-audit's tests, which need more of it")]
#[path = "../../../node-audit/tests/it/object_maker.rs"]
mod object_maker;
mod pack;
mod repository;
