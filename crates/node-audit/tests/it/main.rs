//! Integration tests of node-audit, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; clippy looks away in test functions only"
)]

mod arch;
mod bad_input;
mod command;
mod glibc_floor;
mod napi_entry;
mod needed;
mod object_maker;
mod real_objects;
mod runpath;
mod symbols;

#[test]
fn every_file_is_a_module() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || listed.contains(&format!("mod {module};")),
            "{name} is not listed in main.rs"
        );
    }
}
