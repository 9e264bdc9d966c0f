//! The Rust tests of all crates.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::Result;
use lab::newer_sqlcipher;
use machine::report::Tally;
use machine::{CargoTool, Workspace, process};

use crate::junit::{self, Skips};

/// The test runner, without its updater. An unoptimized build takes half the time.
pub const CARGO_NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.151",
    options: &["--no-default-features", "--debug", "--config", "profile.dev.debug=false"],
};

/// nextest's report, which `.config/nextest.toml` names. nextest writes the report into the checkout, not into the
/// target directory.
const REPORT: &str = "target/nextest/default/junit.xml";

/// The arguments of cargo that run the models of `crates/queue` in every interleaving of their threads.
const MODELS: [&str; 9] =
    ["nextest", "run", "--locked", "-p", "strongroom-queue", "--features", "loom", "--test", "loom"];

/// Runs the tests of all crates with nextest, then the models of the queues, which need loom in place of std's locks, and the
/// doctests, which nextest does not run.
pub(crate) fn tests(workspace: &Workspace) -> Result<Tally> {
    let Some(program) = CARGO_NEXTEST.find(workspace) else {
        return Ok(Tally::skipped("cargo-nextest is not installed: run cargo xtask setup"));
    };
    let arguments = ["nextest", "run", "--locked", "--workspace", "--run-ignored", "all"];
    let nextest = test_runner(workspace, &program, &arguments);
    let report = workspace.root().join(REPORT);
    let run = || workspace.attempt("rust tests", nextest);
    let mut tally = junit::count(run, &report, Skips::SaidByTests)?;
    let models = test_runner(workspace, &program, &MODELS);
    let run = || workspace.attempt("models of the queues", models);
    tally.merge(junit::count(run, &report, Skips::SaidByTests)?);
    tally.merge(doctests(workspace)?);
    Ok(tally)
}

/// Runs the tests that kill a process during a conversion, a rekey or a transaction, with more kills than by default.
pub(crate) fn many_kills(workspace: &Workspace) -> Result<Tally> {
    longer(workspace, "kills", "test(kill)", &[("STRONGROOM_TEST_KILL_POINTS", "200")])
}

/// Runs the harness for power loss with at least 100,000 points: the number is that of each of three formats, without the
/// points during recoveries and after faults. In further runs of a workload, another call fails each time.
pub(crate) fn many_losses_of_power(workspace: &Workspace) -> Result<Tally> {
    let longer_runs = [
        ("STRONGROOM_TEST_POWER_POINTS", "32000"),
        ("STRONGROOM_TEST_POWER_FAULTS", "600"),
        ("STRONGROOM_TEST_POWER_EVERY_CALL", "1"),
    ];
    longer(workspace, "power loss", "binary(power_loss)", &longer_runs)
}

/// Runs the tests that mutate headers and logs, with more mutations than by default, and those with files beyond 1 GiB.
pub(crate) fn mutations_and_large_files(workspace: &Workspace) -> Result<Tally> {
    let longer_runs = [("STRONGROOM_TEST_MUTATIONS", "3000"), ("STRONGROOM_TEST_LARGE_FILES", "1")];
    longer(workspace, "mutations", "test(/^fuzz::/) | test(/^beyond_gibibyte::/)", &longer_runs)
}

/// Runs the engine's tests that a filter selects, with variables that lengthen them.
fn longer(workspace: &Workspace, name: &str, filter: &str, variables: &[(&str, &str)]) -> Result<Tally> {
    let Some(program) = CARGO_NEXTEST.find(workspace) else {
        return Ok(Tally::skipped("cargo-nextest is not installed: run cargo xtask setup"));
    };
    let arguments = ["nextest", "run", "--locked", "-p", "strongroom-database", "-E", filter];
    let mut nextest = test_runner(workspace, program, &arguments);
    nextest.envs(variables.iter().copied());
    let report = workspace.root().join(REPORT);
    junit::count(|| workspace.attempt(name, nextest), &report, Skips::SaidByTests)
}

/// Runs the doctests, and sums the counts in the lines `test result: ok. 12 passed; 0 failed; ...`, since stable Rust's
/// test runner writes no other report.
fn doctests(workspace: &Workspace) -> Result<Tally> {
    let arguments = ["test", "--locked", "--workspace", "--doc", "--no-fail-fast"];
    let finished = workspace.attempt("doctests", test_runner(workspace, "cargo", &arguments))?;
    let counted = doctest_results(&finished.output);
    Ok(Tally::of_runner(finished, counted))
}

fn test_runner(workspace: &Workspace, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = process::command(program);
    command.args(arguments).current_dir(workspace.root());
    command.envs(newer_sqlcipher::command(workspace).map(|sqlcipher| ("STRONGROOM_SQLCIPHER", sqlcipher)));
    command
}

fn doctest_results(output: &str) -> Tally {
    libtest_results(output, "doctest")
}

/// Sums the counts in the output of libtest: lines `test result: ok. 12 passed; 0 failed; ...`. The note names the failed
/// tests as this kind of test.
pub(crate) fn libtest_results(output: &str, kind: &str) -> Tally {
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for line in output.lines().map(str::trim) {
        if let Some(test) = line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED")) {
            failed.push(format!("{kind} {test}"));
        }
        let Some(result) = line.strip_prefix("test result: ") else { continue };
        tally.passed += number_before(result, "passed");
        tally.failed += number_before(result, "failed");
        let ignored = number_before(result, "ignored");
        tally.skipped.extend((0..ignored).map(|_| format!("a {kind} marked `ignore`")));
    }
    tally.note = junit::note(&failed);
    tally
}

/// Returns the number before a word: 12 for `passed` in `ok. 12 passed; 0 failed`.
fn number_before(text: &str, word: &str) -> u32 {
    let words: Vec<&str> = text.split([' ', ';', '.']).filter(|part| !part.is_empty()).collect();
    let position = words.iter().position(|part| *part == word);
    position.and_then(|position| words.get(position.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctests_are_summed_over_the_crates() {
        let output = "test src/lib.rs - Key (line 9) ... FAILED\n\
                      test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
                      test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let tally = doctest_results(output);
        assert_eq!((tally.passed, tally.failed, tally.skipped.len()), (6, 1, 1));
        assert_eq!(tally.note, "failed: doctest src/lib.rs - Key (line 9)");
        assert_eq!(doctest_results("error: could not compile"), Tally::default());
    }
}
