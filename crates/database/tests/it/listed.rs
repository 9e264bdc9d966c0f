//! Every file of this folder is a module of main.rs: one that is not would silently not run.

use std::fs;
use std::path::Path;

#[test]
fn every_file_is_a_module() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            name == "main" || main.lines().any(|line| line == format!("mod {name};")),
            "tests/it/{name}.rs is not a module of tests/it/main.rs"
        );
    }
}
