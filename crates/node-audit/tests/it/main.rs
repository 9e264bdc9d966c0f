//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; clippy looks away in test functions only"
)]

mod arch;
mod bad_input;
mod command;
mod elf_facts;
mod glibc_floor;
mod hardening;
mod imports;
mod libstdcxx;
mod napi_entry;
mod needed;
mod nodelete;
mod object_maker;
mod pe;
mod pe_bad_input;
mod pe_maker;
mod readelf;
mod real_objects;
mod runpath;
mod size;
mod static_tls;
mod stripped;
mod symbols;
