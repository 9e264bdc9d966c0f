//! Counts the tests in the JUnit reports of test runners.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use machine::Finished;
use machine::report::Tally;
use roxmltree::Document;

/// The maximum number of failed tests that a note names.
const MAX_NAMED: usize = 2;

/// The marks of a skipped test in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skips {
    /// A skipped test has an element `skipped`.
    Reported,
    /// A skipped test may also pass and print a line `skipped: <reason>`, since a Rust test can only return early.
    SaidByTests,
}

/// Runs a test runner, and counts the tests in the report that it writes. A runner that fails without a failed test
/// counts as one failure.
pub(crate) fn count(run: impl FnOnce() -> Result<Finished>, report: &Path, skips: Skips) -> Result<Tally> {
    // If the runner stops early, the report of the previous run must not be counted.
    if report.exists() {
        fs::remove_file(report).with_context(|| format!("cannot remove {}", report.display()))?;
    }
    let finished = run()?;
    let tally = match fs::read_to_string(report) {
        Ok(text) => parse(&text, skips).with_context(|| format!("cannot read {}", report.display()))?,
        Err(_) => Tally::default(),
    };
    let ran = finished.failure.is_some() || tally.passed > 0;
    ensure!(ran, "the test runner succeeded, but no test in {} passed", report.display());
    Ok(Tally::of_runner(finished, tally))
}

/// Counts every `testcase` at any depth: node:test also writes tests outside suites, and suites inside suites.
fn parse(report: &str, skips: Skips) -> Result<Tally> {
    let document = Document::parse(report)?;
    let mut tally = Tally::default();
    let mut failed = Vec::new();
    for test in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let name = test.attribute("name").unwrap_or("a test without a name");
        // nextest writes the crate's name here; node:test writes `test` for every test.
        let of = test.attribute("classname").filter(|of| *of != "test");
        let full_name = of.map_or_else(|| name.to_owned(), |of| format!("{of} {name}"));
        let child = |name| test.children().find(|node| node.has_tag_name(name));
        let said = || child("system-out")?.text()?.lines().find_map(skip_reason);
        if let Some(skipped) = child("skipped") {
            // node:test writes `true` if no reason is given.
            let why = skipped.attribute("message").filter(|why| !["", "true"].contains(why));
            tally.skipped.push(why.unwrap_or(name).to_owned());
        } else if child("failure").or(child("error")).is_some() {
            failed.push(full_name);
        } else if skips == Skips::SaidByTests
            && let Some(why) = said()
        {
            tally.skipped.push(why.to_owned());
        } else {
            tally.passed += 1;
        }
    }
    tally.failed = u32::try_from(failed.len())?;
    tally.note = note(&failed);
    Ok(tally)
}

/// Returns the reason in a line `skipped: <reason>` of a test's output. With one thread, as on a machine with one
/// processor, libtest prints `test <name> ... ` in front.
pub(crate) fn skip_reason(line: &str) -> Option<&str> {
    let line = line.trim();
    let said = match line.strip_prefix("test ") {
        Some(test) => test.split_once(" ... ")?.1,
        None => line,
    };
    said.strip_prefix("skipped: ")
}

/// Returns a note that names the first failed tests.
pub(crate) fn note(failed: &[String]) -> String {
    let (named, rest) = failed.split_at(failed.len().min(MAX_NAMED));
    match (named, rest.len()) {
        ([], _) => String::new(),
        (named, 0) => format!("failed: {}", named.join(", ")),
        (named, rest) => format!("failed: {} and {rest} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report of node:test: a test outside a suite, a skipped suite as one test, a failed TODO test.
    const NODE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="opens" time="0.001036" classname="test"/>
	<testcase name="on musl" time="0.0001" classname="test"><skipped type="skipped" message="no musl here"/></testcase>
	<testcase name="bare" time="0.0001" classname="test"><skipped type="skipped" message="true"/></testcase>
	<testcase name="later" time="0.0002" classname="test" failure="x">
		<skipped type="todo" message="true"/><failure type="testCodeFailure" message="x">x</failure>
	</testcase>
	<testsuite name="a" tests="2" failures="1" skipped="0">
		<testsuite name="b"><testcase name="inner" classname="test"/></testsuite>
		<testcase name="closes &lt;twice>" failure="bad"><failure type="t" message="bad">bad &amp; worse</failure></testcase>
	</testsuite>
	<!-- tests 5 -->
</testsuites>"#;

    /// A report of nextest.
    const NEXTEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0">
  <testsuite name="keys" tests="4" disabled="0" errors="0" failures="1">
    <testcase name="a" classname="keys"><system-out>running 1 test&#10;test a ... ok</system-out></testcase>
    <testcase name="b" classname="keys"><system-out>
running 1 test
skipped: Debian&apos;s sqlcipher is not installed
test b ... ok</system-out></testcase>
    <testcase name="c::d" classname="keys"><failure message="thread panicked">x</failure><system-out>skipped: no</system-out></testcase>
    <testcase name="e" classname="keys"/>
  </testsuite>
</testsuites>"#;

    #[test]
    fn node_tests_count_at_every_depth_and_keep_the_reason_of_a_skip() {
        let tally = parse(NODE, Skips::Reported).unwrap();
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.skipped, ["no musl here", "bare", "later"]);
        assert_eq!(tally.note, "failed: closes <twice>");
    }

    #[test]
    fn a_rust_test_that_prints_skipped_counts_as_skipped_unless_it_failed() {
        let tally = parse(NEXTEST, Skips::SaidByTests).unwrap();
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.skipped, ["Debian's sqlcipher is not installed"]);
        assert_eq!(tally.note, "failed: keys c::d");
        assert_eq!(parse(NEXTEST, Skips::Reported).unwrap().skipped, [""; 0]);
    }

    #[test]
    fn the_reason_of_a_skip_may_follow_the_name_of_the_test() {
        for line in ["skipped: no jq", "  skipped: no jq", "test key::reads ... skipped: no jq"] {
            assert_eq!(skip_reason(line), Some("no jq"), "{line}");
        }
        for line in
            ["test key::reads ... ok", "test result: ok. 1 passed", "it was skipped: no jq", "skipped"]
        {
            assert_eq!(skip_reason(line), None, "{line}");
        }
    }

    #[test]
    fn a_note_names_the_first_failed_tests() {
        let note = |names: &[&str]| note(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(note(&[]), "");
        assert_eq!(note(&["a", "b"]), "failed: a, b");
        assert_eq!(note(&["a", "b", "c", "d"]), "failed: a, b and 2 more");
    }

    #[test]
    fn a_report_that_is_cut_short_gives_an_error() {
        assert!(parse("<testsuites><testcase name=\"a\"/>", Skips::Reported).is_err());
    }
}
