//! The crate's integration tests: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod archive;
mod compile_options;
mod configuration;
mod features;
mod versions;

#[path = "../../build/environment.rs"]
#[expect(dead_code, reason = "the build script's, of which a test makes one type")]
mod environment;

/// A file in this folder that is not listed above would never run.
#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap();
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "tests/it/{name} is not listed"
        );
    }
}
