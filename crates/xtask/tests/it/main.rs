//! Tests of the program as it is called.

mod command_line;
mod load_packages;
mod publish;
mod repository;
mod workflow;
mod workflow_rules;
mod workflow_run;
