//! Tests `cargo xtask nix compare` with small Mach-O files.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::process::{Command, Stdio};

use object::macho;

use crate::macho_maker::MachO;

const FILE: &str = "bindings_node.darwin-x64.node";

/// Compares two files. Returns whether the command succeeded, its output and its error output.
fn compare(platform: &str, first: &[u8], second: &[u8]) -> (bool, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let files = ["mac", "linux"].map(|name| folder.path().join(name).join(FILE));
    for (path, content) in files.iter().zip([first, second]) {
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["nix", "compare", platform]).args(files).current_dir(crate::folder());
    let output = xtask.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn equal_files_pass() {
    let addon = MachO::x64().make();
    let (succeeded, output, error) = compare("darwin-x64", &addon, &addon);
    assert!(succeeded && output.contains(" have the same bytes\n"), "{output}{error}");
    assert!(output.ends_with("The facts are the same.\n"), "{output}");
}

#[test]
fn a_changed_byte_of_code_is_shown_and_passes() {
    let addon = MachO::x64().make();
    let mut changed = addon.clone();
    let code = addon.windows(64).position(|window| window == [0xc3; 64]).unwrap();
    changed[code + 5] = 0x90;
    let (succeeded, output, error) = compare("darwin-x64", &addon, &changed);
    assert!(succeeded && output.contains(" have different bytes\n"), "{output}{error}");
    assert_eq!(output.matches("1 byte differs, at ").count(), 1, "{output}");
    assert!(output.ends_with("The facts are the same.\n"), "{output}");
}

#[test]
fn another_load_command_fails() {
    let addon = MachO::x64();
    let mut other = addon.clone();
    other.dylibs.push((macho::LC_LOAD_DYLIB, "/usr/lib/libiconv.2.dylib"));
    let (succeeded, output, error) = compare("darwin-x64", &addon.make(), &other.make());
    assert!(!succeeded && output.contains("**The facts differ.** "), "{output}{error}");
    for said in [&output, &error] {
        assert!(said.contains("libiconv.2.dylib"), "{said}");
    }
}

#[test]
fn a_file_of_another_platform_is_refused() {
    let addon = MachO::x64().make();
    let (succeeded, output, error) = compare("darwin-arm64", &addon, &addon);
    assert!(!succeeded && output.is_empty(), "{output}");
    assert!(error.contains("is not an addon for darwin-arm64: pass two files with the name "), "{error}");
    let (succeeded, _, error) = compare("amiga", &addon, &addon);
    assert!(!succeeded && error.contains("unknown target `amiga`"), "{error}");
}
