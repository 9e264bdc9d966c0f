//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; clippy looks away in test functions only"
)]

mod arch;
mod bad_input;
mod command;
mod explanations;
mod folders;
mod glibc_floor;
mod napi_entry;
mod needed;
mod object_maker;
mod package;
mod policy_file;
mod real_objects;
mod runpath;
mod sarif;
mod summary;
mod symbols;
mod tarball_maker;
mod tarballs;
