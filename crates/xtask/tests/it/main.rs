//! Tests of the program as it is called.

mod command_line;

/// A file that no `mod` names would never run.
#[test]
fn every_file_of_this_folder_is_a_module() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap();
        let listed = include_str!("main.rs").lines().any(|line| line == format!("mod {module};"));
        assert!(module == "main" || listed, "{name} is not listed in main.rs");
    }
}
