//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; clippy looks away in test functions only"
)]

mod arch;
mod bad_input;
mod command;
mod glibc_floor;
mod install_name;
mod load_command;
mod macho_facts;
mod macho_input;
mod macho_maker;
mod min_os;
mod napi_entry;
mod needed;
mod object_maker;
mod real_macho;
mod real_objects;
mod runpath;
mod signature;
mod symbols;
