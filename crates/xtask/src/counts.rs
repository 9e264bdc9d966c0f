//! Reads how many tests passed, failed and were skipped out of what test runners print.

use crate::report::Tally;

/// Sums up `cargo test -- --show-output`: its result lines, ignored tests, and `skipped: <why>` lines of tests
/// that found they cannot run here.
pub(crate) fn cargo_test(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut ignored = 0;
    let mut failed = Vec::new();
    for line in output.lines().map(str::trim) {
        if let Some(why) = line.strip_prefix("skipped: ") {
            tally.skipped.push(why.to_owned());
        } else if let Some(test) =
            line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
        {
            failed.push(test);
        } else if let Some(result) = line.strip_prefix("test result: ") {
            tally.passed += number_before(result, "passed");
            tally.failed += number_before(result, "failed");
            ignored += number_before(result, "ignored");
        }
    }
    // Such a test returns early, and the test runner counts it as passed.
    tally.passed = tally.passed.saturating_sub(u32::try_from(tally.skipped.len()).unwrap_or(u32::MAX));
    tally.note = named(&failed);
    tally.skipped.extend((0..ignored).map(|_| "marked #[ignore]".to_owned()));
    tally
}

/// Sums up `node --test`, in its TAP or its spec format.
pub(crate) fn node_test(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut skipped = 0_usize;
    let mut failed = Vec::new();
    // The spec format repeats what failed after its sum.
    let mut summed = false;
    for line in output.lines().map(str::trim) {
        if let Some(test) = line.strip_prefix("✖ ").filter(|_| !summed) {
            // Without the time that it took.
            failed.push(test.rsplit_once(" (").map_or(test, |(name, _)| name));
        }
        if let Some(why) = node_skip(line) {
            tally.skipped.push(why);
            continue;
        }
        let Some((key, value)) = line.trim_start_matches(['#', 'ℹ', ' ']).split_once(' ') else { continue };
        let Ok(value) = value.parse::<u32>() else { continue };
        match key {
            "pass" => {
                tally.passed += value;
                summed = true;
            }
            "fail" | "cancelled" => tally.failed += value,
            "skipped" | "todo" => skipped += value as usize,
            _ => {}
        }
    }
    tally.note = named(&failed);
    // A whole suite that is skipped is one line, yet the sum counts its tests; and the reverse happens as well.
    tally.skipped.truncate(skipped);
    tally.skipped.resize(skipped, "marked as skipped or todo".to_owned());
    tally
}

/// The first of the tests that failed.
fn named(failed: &[&str]) -> String {
    match failed {
        [] => String::new(),
        [only] => format!("failed: {only}"),
        [first, second] => format!("failed: {first}, {second}"),
        [first, second, rest @ ..] => format!("failed: {first}, {second} and {} more", rest.len()),
    }
}

/// The reason in `ok 3 - name # SKIP reason`, or in `﹣ name (0.1ms) # reason`.
fn node_skip(line: &str) -> Option<String> {
    let (name, why) = match line.split_once("# SKIP").or_else(|| line.split_once("# TODO")) {
        Some(parts) => parts,
        None => line.starts_with('﹣').then(|| line.split_once(" # ").unwrap_or((line, "")))?,
    };
    let name = name.trim_start_matches('﹣').trim();
    let name =
        name.split_once(" - ").filter(|(start, _)| start.contains("ok")).map_or(name, |(_, name)| name);
    let why = why.trim();
    Some(if why.is_empty() { name.trim().to_owned() } else { why.to_owned() })
}

/// The number in front of a word: 12 in "ok. 12 passed; 0 failed".
fn number_before(text: &str, word: &str) -> u32 {
    let words: Vec<&str> = text.split([' ', ';', '.']).filter(|part| !part.is_empty()).collect();
    let position = words.iter().position(|part| *part == word);
    position.and_then(|position| words.get(position.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARGO: &str = "\
running 3 tests
test a ... ok
test b ... ok
test c ... ignored
test d::e ... FAILED

successes:

---- b stdout ----
skipped: Debian's sqlcipher is not installed

successes:
    a
    b

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s

test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";

    #[test]
    fn a_rust_test_that_says_skipped_is_not_passed() {
        let tally = cargo_test(CARGO);
        assert_eq!((tally.passed, tally.failed), (5, 1));
        assert_eq!(tally.note, "failed: d::e");
        assert_eq!(tally.skipped, ["Debian's sqlcipher is not installed", "marked #[ignore]"]);
    }

    #[test]
    fn output_without_results_has_no_tests() {
        assert_eq!(cargo_test("error: could not compile"), Tally::default());
        assert_eq!(node_test(""), Tally::default());
    }

    #[test]
    fn node_counts_in_both_formats() {
        let tap = "ok 1 - opens\nok 2 - on musl # SKIP no musl here\n# tests 14\n# suites 0\n# pass 12\n# fail 1\n\
                   # cancelled 0\n# skipped 1\n# todo 0\n# duration_ms 9.5\n";
        let tally = node_test(tap);
        assert_eq!((tally.passed, tally.failed), (12, 1));
        assert_eq!(tally.skipped, ["no musl here"]);
        let spec = "✔ opens (1.2ms)\n✖ closes (3ms)\n﹣ on musl (0.1ms) # no musl here\n﹣ later (0.1ms) # SKIP\nℹ tests 14\nℹ pass 11\n\
                    ℹ fail 0\nℹ cancelled 1\nℹ skipped 2\nℹ todo 0\n✖ failing tests:\n✖ closes (3ms)\n";
        let tally = node_test(spec);
        assert_eq!((tally.passed, tally.failed), (11, 1));
        assert_eq!(tally.note, "failed: closes");
        assert_eq!(tally.skipped, ["no musl here", "later (0.1ms)"]);
    }

    #[test]
    fn a_skip_without_a_line_of_its_own_is_counted() {
        assert_eq!(node_test("# pass 1\n# skipped 2\n").skipped.len(), 2);
    }
}
