//! Reports: a row for each check (passed, failed or skipped), and the totals as the last line.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use console::Term;

use crate::step::{Finished, one_line};

/// The width of a table outside a terminal, in columns.
const WIDTH: u16 = 120;
/// The minimum width of a table. A narrower terminal wraps its lines, which are easier to read than narrower cells.
const MIN_WIDTH: u16 = 80;

/// The result of one row: the counts of its tests, or of the check itself if its tests aren't counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of tests that passed.
    pub passed: u32,
    /// The number of tests that failed.
    pub failed: u32,
    /// The reason of each skipped test.
    pub skipped: Vec<String>,
    /// A note for the reader.
    pub note: String,
}

impl Tally {
    /// A check that passed, with a note.
    pub fn passed(note: impl Into<String>) -> Self {
        Self { passed: 1, note: note.into(), ..Self::default() }
    }

    /// A check that failed, with the reason.
    pub fn failed(note: impl Into<String>) -> Self {
        Self { failed: 1, note: note.into(), ..Self::default() }
    }

    /// A check that cannot run here, with the reason.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: vec![why.into()], ..Self::default() }
    }

    /// Counts a finished program as one check, with its name as the note. Prints a failure at once, and adds to the
    /// note how the program ended.
    pub fn of_program(name: &str, finished: Finished) -> Self {
        let Some(failure) = finished.failure else { return Self::passed(name) };
        eprintln!("error: {failure}");
        Self::failed(format!("{name} {}", failure.summary()))
    }

    /// Returns the counts of a test runner. A runner that fails without a failed test counts as one failure.
    #[must_use]
    pub fn of_runner(finished: Finished, counted: Self) -> Self {
        let Some(failure) = finished.failure else { return counted };
        eprintln!("error: {failure}");
        let note = join(&counted.note, failure.summary());
        Self { failed: counted.failed.max(1), note, ..counted }
    }

    /// Adds another part of the same row.
    pub fn merge(&mut self, part: Self) {
        self.passed += part.passed;
        self.failed += part.failed;
        self.skipped.extend(part.skipped);
        if !part.note.is_empty() {
            self.note = join(&self.note, &part.note);
        }
    }
}

/// All rows that a command prints.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<(String, Tally, Duration)>,
    /// Lines between the table and the totals.
    remarks: Vec<String>,
}

impl Report {
    /// Runs a check, and adds its row. Prints an error at once, and counts it as a failure.
    pub fn run(&mut self, name: &str, check: impl FnOnce() -> Result<Tally>) {
        let started = Instant::now();
        let tally = check().unwrap_or_else(|error| Tally::failed(print_error(&error)));
        self.add(name, tally, started.elapsed());
    }

    /// Adds a row.
    pub fn add(&mut self, name: &str, tally: Tally, elapsed: Duration) {
        self.rows.push((name.to_owned(), tally, elapsed));
    }

    /// Adds a line below the table.
    pub fn add_remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Turns every skip into a failure.
    pub fn deny_skips(&mut self) {
        for (_, tally, _) in self.rows.iter_mut().filter(|(_, tally, _)| !tally.skipped.is_empty()) {
            tally.failed += count(&tally.skipped);
            let reasons = std::mem::take(&mut tally.skipped).join("; ");
            let sentence = format!("skipped, which --strict counts as failed: {reasons}");
            tally.note = join(&tally.note, &sentence);
        }
    }

    /// Returns whether nothing failed.
    pub fn is_success(&self) -> bool {
        self.rows.iter().all(|(_, tally, _)| tally.failed == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = table(["check", "result", "passed", "failed", "skipped", "seconds", "note"]);
        let mut sum = [0; 3];
        for (name, tally, elapsed) in &self.rows {
            let skipped = count(&tally.skipped);
            let result = match (tally.failed, tally.passed) {
                (0, 0) => "skipped",
                (0, _) => "passed",
                _ => "FAILED",
            };
            let reasons = grouped(&tally.skipped);
            let note = match (result, skipped) {
                (_, 0) => tally.note.clone(),
                ("skipped", _) => reasons,
                _ => join(&tally.note, &format!("skipped: {reasons}")),
            };
            let counts = [tally.passed, tally.failed, skipped];
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            let [passed, failed, skipped] = counts.map(|count| count.to_string());
            let seconds = format!("{:.1}", elapsed.as_secs_f64());
            table.add_row([name.as_str(), result, &passed, &failed, &skipped, &seconds, &note]);
        }
        let [passed, failed, skipped] = sum;
        writeln!(f, "{table}")?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "{remark}"))?;
        writeln!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Returns each reason once, with the number of its tests if the reasons differ.
fn grouped(reasons: &[String]) -> String {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for reason in reasons {
        match groups.iter_mut().find(|(other, _)| other == reason) {
            Some((_, count)) => *count += 1,
            None => groups.push((reason, 1)),
        }
    }
    if let [(reason, _)] = groups[..] {
        return reason.to_owned();
    }
    // Reasons contain semicolons.
    groups.iter().map(|(reason, count)| format!("{count} × {reason}")).collect::<Vec<_>>().join(" / ")
}

/// Returns an empty table in the style of every command.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    let terminal = Term::stdout().size_checked().filter(|_| Term::stdout().is_term());
    table.set_width(terminal.map_or(WIDTH, |(_, columns)| columns.max(MIN_WIDTH)));
    table.set_header(header);
    table
}

/// Writes a result to standard output. A closed pipe (`| head`) is not an error.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write the result"),
        _ => Ok(()),
    }
}

/// Prints an error with its causes. Returns the error in one line, for a table.
pub fn print_error(error: &anyhow::Error) -> String {
    eprintln!("error: {error:#}");
    one_line(error)
}

/// Returns the number of lines, for a tally.
pub fn count(lines: &[String]) -> u32 {
    u32::try_from(lines.len()).unwrap_or(u32::MAX)
}

/// Joins two notes; either may be empty.
pub fn join(first: &str, second: &str) -> String {
    if first.is_empty() { second.to_owned() } else { format!("{first}; {second}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        let mixed =
            Tally { passed: 40, failed: 0, skipped: vec!["no sqlcipher".into()], note: String::new() };
        report.add("rust", mixed, Duration::from_millis(1_250));
        report.add("lint", Tally::passed("biome"), Duration::ZERO);
        report.add("nix", Tally::skipped("no nix on PATH"), Duration::ZERO);
        report
    }

    #[test]
    fn each_reason_of_a_skip_is_shown_once() {
        let reasons = ["no folder", "root may write", "no folder"].map(str::to_owned);
        assert_eq!(grouped(&reasons), "2 × no folder / 1 × root may write");
        assert_eq!(grouped(&reasons[..1]), "no folder");
    }

    #[test]
    fn the_last_line_is_the_sum() {
        let text = report().to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 0 failed, 2 skipped"));
        assert_eq!(text.lines().filter(|line| line.contains(" passed, ")).count(), 1);
        let row = text.lines().find(|line| line.contains(" nix ")).unwrap();
        assert!(row.contains("┆ skipped ┆") && row.contains("┆ no nix on PATH"), "{row}");
        assert!(text.contains("┆ skipped: no sqlcipher"), "{text}");
    }

    #[test]
    fn a_skip_fails_only_if_skips_are_denied() {
        let mut report = report();
        assert!(report.is_success());
        report.deny_skips();
        assert!(!report.is_success());
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed, 0 skipped"));
        assert!(text.contains("FAILED"), "{text}");
    }

    #[test]
    fn a_row_with_a_failed_test_failed() {
        let mut report = Report::default();
        let tally = Tally { passed: 3, failed: 1, skipped: vec![], note: "see the log".into() };
        report.add("rust", tally, Duration::ZERO);
        assert!(!report.is_success());
        assert_eq!(report.to_string().lines().last(), Some("3 passed, 1 failed, 0 skipped"));
    }
}
