//! What one file of the repository says about another.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file that no `mod` names would never run.
#[test]
fn every_file_of_integration_tests_is_a_module() {
    let crates = root().join("crates");
    let nested = crates.join("vendored-sys/toolchain");
    let folders = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path()).chain([nested]);
    let mut seen = 0;
    for folder in folders.map(|folder| folder.join("tests/it")).filter(|folder| folder.is_dir()) {
        let main = fs::read_to_string(folder.join("main.rs")).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap();
            let listed = main.lines().any(|line| line == format!("mod {module};"));
            assert!(module == "main" || listed, "{} is not listed in main.rs", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} files were seen: are the tests elsewhere now?");
}

#[test]
fn the_readme_shows_the_table_of_targets() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    for target in node_targets::targets() {
        let row = format!("| `{}` | {} |", target.platform, target.triple);
        let Some(row) = rows.iter().find(|line| line.starts_with(&row)) else {
            panic!("README.md has no row that begins {row}");
        };
        if let Some(floor) = &target.floor {
            assert!(row.contains(&format!(" {floor} |")), "{row} does not show the floor {floor}");
        }
    }
}

#[test]
fn the_lock_of_npm_holds_no_address() {
    let lock = fs::read_to_string(root().join("bindings/node/package-lock.json")).unwrap();
    assert!(!lock.contains("\"resolved\""), "run npm install with omit-lockfile-registry-resolved=true");
}
