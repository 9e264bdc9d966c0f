//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; clippy looks away in test functions only"
)]

mod arch;
mod bad_input;
mod build_path;
mod command;
mod glibc_floor;
mod napi_entry;
mod napi_version;
mod needed;
mod object_maker;
mod real_objects;
mod runpath;
mod store_path;
mod symbols;
