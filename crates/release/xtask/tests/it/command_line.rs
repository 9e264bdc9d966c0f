//! Tests the command line: exit codes, the summary line, and errors with a remedy.

use std::path::Path;
use std::process::{Command, Output, Stdio};

#[expect(clippy::unwrap_used, reason = "a program that cannot be started fails the test")]
fn xtask(folder: &Path, arguments: &[&str]) -> Output {
    xtask_command(folder, arguments).output().unwrap()
}

fn xtask_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // Without CARGO_MANIFEST_DIR, xtask searches for the checkout from its working directory, as when it is started
    // without cargo.
    command.env_remove("CARGO_MANIFEST_DIR").env("STRONGROOM_CACHE", folder.join("no-cache"));
    command.env("STRONGROOM_NIX", folder.join("no-nix"));
    command
}

#[test]
fn outside_a_checkout_the_error_says_where_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let output = xtask(folder.path(), &["test"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.starts_with("error: ") && error.contains("is not in a Strongroom checkout"), "{error}");
    assert!(error.contains("run `cargo xtask` inside one"), "{error}");
}

#[test]
fn an_unknown_suite_is_refused_and_the_error_lists_all() {
    let output = xtask(&crate::folder(), &["test", "--only", "no such suite"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("no suite is named `no such suite`; the suites are rustfmt, clippy, "), "{error}");
}

/// `print!` panics if the reader has closed the pipe.
#[test]
fn xtask_does_not_panic_on_a_closed_stdout() {
    let mut command = xtask_command(&crate::folder(), &["load", "win32-x64-msvc"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("panicked"), "{error}");
    if cfg!(windows) {
        return println!(
            "skipped: the test loads a foreign platform, and this machine can load win32-x64-msvc"
        );
    }
    assert_eq!(output.status.code(), Some(1), "{error}");
}

#[test]
fn a_relative_cache_path_is_refused_and_an_empty_one_means_the_default() {
    for (cache, refused) in [("relative/cache", true), ("", false)] {
        let mut command = xtask_command(&crate::folder(), &["load", "amiga"]);
        let output = command.env("STRONGROOM_CACHE", cache).env("HOME", "/nonexistent").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(error.contains("STRONGROOM_CACHE is `relative/cache`"), refused, "{error}");
        assert_eq!(error.contains("unknown target"), !refused, "{error}");
    }
}

/// A platform whose addon this machine cannot load.
const FOREIGN: &str = if cfg!(target_os = "macos") { "win32-x64-msvc" } else { "darwin-arm64" };

#[test]
fn a_platform_that_cannot_be_loaded_fails_instead_of_being_skipped() {
    let output = xtask(&crate::folder(), &["load", FOREIGN]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().last(), Some("0 passed, 1 failed, 0 skipped"), "{text}");
}

#[test]
fn load_prints_json_on_request() {
    let output = xtask(&crate::folder(), &["load", "--format", "json", FOREIGN]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{rows}");
    assert_eq!(rows[0]["platform"], FOREIGN);
    let status = rows[0]["status"].as_str().unwrap();
    assert!(status.starts_with(&format!("failed: {FOREIGN} cannot be loaded on this machine")), "{status}");
    assert_eq!((&rows[0]["node"], rows.as_array().unwrap().len()), (&serde_json::Value::Null, 1));
}

#[test]
fn survey_refuses_an_unlisted_package() {
    let output = xtask(&crate::folder(), &["survey", "--only", "no such package"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("no package of the survey has `no such package` in its name"), "{error}");
    let output = xtask(&crate::folder(), &["survey", "--only", "argon2", "--write"]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "--write with --only would drop the other packages from the table"
    );
}

#[test]
fn an_unknown_platform_is_refused_and_the_error_lists_the_known_ones() {
    for arguments in [["load", "linux-x64"].as_slice(), &["load", "linux-x64-gnu", "amiga"]] {
        let output = xtask(&crate::folder(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains("unknown target") && error.contains("darwin-arm64"), "{error}");
    }
}

#[test]
fn a_missing_file_in_strongroom_nix_gives_an_error() {
    let output = xtask(&crate::folder(), &["nix", "check"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("STRONGROOM_NIX names ") && error.contains("which is not a file"), "{error}");
}
