//! Tests of the program as it is called.

mod command_line;
mod load_packages;
#[expect(dead_code, clippy::unwrap_used, reason = "the maker of node-audit's tests, which need more of it")]
#[path = "../../../node-audit/tests/it/object_maker.rs"]
mod object_maker;
mod pack;
mod publish;
mod repository;
mod workflow;
mod workflow_rules;
mod workflow_run;
