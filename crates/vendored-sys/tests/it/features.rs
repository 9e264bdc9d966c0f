//! vendored-sys names every feature of the C that the workspace uses, so that the C is the same whoever asks.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

/// The crates that bring C, or decide how it is compiled.
const CRATES: [&str; 5] = ["libsqlite3-sys ", "openssl-src ", "openssl-sys ", "sqlcipher-src ", "zstd-sys "];

/// The crates that bring C, each with its version and features, as cargo unifies them for `packages`.
fn features(packages: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--color",
            "never",
            "--target",
            "all",
            "--edges",
            "normal,build",
        ])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p} [{f}]"])
        .args(packages)
        .current_dir(Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| CRATES.iter().any(|name| line.starts_with(name)));
    lines.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn the_workspace_and_the_addon_use_no_more_of_the_c_than_vendored_sys_names() {
    let named = features(&["-p", "vendored-sys"]);
    assert_eq!(named.len(), CRATES.len(), "{named:#?}");
    assert_eq!(features(&["--workspace"]), named);
    assert_eq!(features(&["-p", "bindings_node"]), named);
}
