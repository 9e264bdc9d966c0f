//! The Rust tests of the Strongroom format and of its VFS, built by mingw and run under Wine.

use std::path::Path;

use anyhow::{Result, ensure};
use build::{Product, TestProgram};
use lab::wine_command;
use machine::Workspace;
use machine::report::Tally;

use crate::junit;
use crate::rust::libtest_results;

/// The crates that contain the format, and SQLite's operating system layer for it.
const CRATES: [&str; 2] = ["strongroom-format", "strongroom-database"];

/// The integration tests of a crate that run under Wine: the starts of their names.
///
/// The published test values, the format's files, locks, crashes and recorded writes. The system cannot change the results of
/// the other tests, some of which expect Unix.
fn topics(crate_folder: &Path) -> &'static [&'static str] {
    match crate_folder.ends_with("format") {
        true => &["by_document::", "pages::", "unlock::", "xaes::"],
        false => &[
            "header_damage::",
            "key_slots::",
            "key_slots_rotation::",
            "key_slots_shared::",
            "locks::",
            "recorded::",
            "sealed_kills::",
            "sealed_locks::",
            "strongroom::",
            "strongroom_operations::",
            "vacuum_into::",
        ],
    }
}

/// The unit tests of a crate that must exist.
fn unit_topics(crate_folder: &Path) -> &'static [&'static str] {
    match crate_folder.ends_with("database") {
        true => &["seam::vfs::layout::", "seam::vfs::lock_bytes::"],
        false => &[],
    }
}

/// Builds and runs the tests: the unit tests of both crates, and the integration tests of these topics.
pub(crate) fn tests(workspace: &Workspace) -> Result<Tally> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Tally::skipped("mingw and Wine run only on x86_64 Linux"));
    }
    let product = Product::find("win32-x64-gnu")?;
    if let Some(why) = product.check(workspace)? {
        return Ok(Tally::skipped(why));
    }
    let mut tally = Tally::default();
    for program in build::test_programs(workspace, &product, &CRATES)? {
        // The harness for power loss is empty on other systems than Linux.
        let name = program.path.file_name().unwrap_or_default().to_string_lossy();
        if program.is_unit || name.starts_with("it-") {
            tally.merge(run(workspace, &program)?);
        }
    }
    Ok(tally)
}

fn run(workspace: &Workspace, program: &TestProgram) -> Result<Tally> {
    let (mut command, wine) = match wine_command(workspace, &program.path)? {
        Ok(wine) => wine,
        Err(why) => return Ok(Tally::skipped(why)),
    };
    let name = program.folder.file_name().unwrap_or_default().display();
    let name = format!("{} tests of {name}, {wine}", if program.is_unit { "unit" } else { "integration" });
    // `--show-output` prints the line `skipped: <reason>` of a test that returned early.
    command.arg("--show-output").current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    let wanted = match program.is_unit {
        // All unit tests run.
        true => unit_topics(&program.folder),
        false => topics(&program.folder),
    };
    if !program.is_unit {
        command.args(wanted);
    }
    let finished = workspace.attempt(&name, command)?;
    if finished.failure.is_none() {
        let missing = wanted.iter().find(|topic| !finished.output.contains(&format!("test {topic}")));
        ensure!(missing.is_none(), "the {name} have no test `{}`", missing.unwrap_or(&""));
    }
    let counted = counts(&finished.output);
    Ok(Tally::of_runner(finished, counted))
}

/// Counts the tests in libtest's output. A test that printed `skipped: <reason>` counts as skipped. Only the last result
/// counts: the output of a test that starts its own program again contains the result of that program.
fn counts(output: &str) -> Tally {
    let (before, last) = output.rsplit_once("\ntest result: ").unwrap_or((output, ""));
    let outer =
        before.lines().filter(|line| !line.starts_with("test result: ")).collect::<Vec<_>>().join("\n");
    let mut tally = libtest_results(&format!("{outer}\ntest result: {last}"), "test");
    let said: Vec<String> = output.lines().filter_map(junit::skip_reason).map(str::to_owned).collect();
    tally.passed = tally.passed.saturating_sub(machine::report::count(&said));
    tally.skipped.extend(said);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_returned_early_is_skipped() {
        let output = "test a ... ok\r\ntest b::c ... FAILED\r\ntest d ... ok\r\n\r\nsuccesses:\r\n\r\n---- d stdout ----\r\n\
                      skipped: no tmpfs\r\n---- a stdout ----\r\ntest result: ok. 1 passed; 0 failed; 0 ignored\r\n\r\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out\r\n";
        let tally = counts(output);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["no tmpfs"]);
        assert_eq!(tally.note, "failed: test b::c");
    }
}
