//! What a command did, row by row: passed, failed, skipped; and the sum that is printed last.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use console::Term;

/// Width of a table where no terminal says how wide it is.
const WIDTH: u16 = 120;
/// A narrower terminal wraps the table, which is then the better reading.
const NARROWEST: u16 = 80;

/// The result of one row. Where single tests are known, they are counted; else the row counts as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u32,
    /// Tests that failed.
    pub(crate) failed: u32,
    /// Why each skipped test was skipped.
    pub(crate) skipped: Vec<String>,
    /// What a reader should know beyond the numbers.
    pub(crate) note: String,
}

impl Tally {
    /// A check that is one whole.
    pub(crate) fn passed(note: impl Into<String>) -> Self {
        Self { passed: 1, note: note.into(), ..Self::default() }
    }

    /// A check that failed, and why.
    pub(crate) fn failed(note: impl Into<String>) -> Self {
        Self { failed: 1, note: note.into(), ..Self::default() }
    }

    /// A check that cannot run here, and why.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: vec![why.into()], ..Self::default() }
    }

    /// Adds another part of the same row.
    pub(crate) fn merge(&mut self, part: Self) {
        self.passed += part.passed;
        self.failed += part.failed;
        self.skipped.extend(part.skipped);
        if !part.note.is_empty() {
            self.note = join(&self.note, &part.note);
        }
    }
}

/// All rows of a command.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(String, Tally, Duration)>,
    /// Lines between the table and the sum.
    remarks: Vec<String>,
}

impl Report {
    /// Adds a row.
    pub(crate) fn add(&mut self, name: &str, tally: Tally, elapsed: Duration) {
        self.rows.push((name.to_owned(), tally, elapsed));
    }

    /// Adds a line below the table.
    pub(crate) fn add_remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Makes every skip a failure that says so.
    pub(crate) fn deny_skips(&mut self) {
        for (_, tally, _) in &mut self.rows {
            if tally.skipped.is_empty() {
                continue;
            }
            tally.failed += count(&tally.skipped);
            let reasons = std::mem::take(&mut tally.skipped).join("; ");
            let sentence = format!("skipped, which --strict makes a failure: {reasons}");
            tally.note = join(&tally.note, &sentence);
        }
    }

    /// Whether nothing failed.
    pub(crate) fn is_success(&self) -> bool {
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
            let reasons = tally.skipped.join("; ");
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

/// A table in the one style that xtask has.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    let terminal = Term::stdout().size_checked().filter(|_| Term::stdout().is_term());
    table.set_width(terminal.map_or(WIDTH, |(_, columns)| columns.max(NARROWEST)));
    table.set_header(header);
    table
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("the result cannot be written")
        }
        _ => Ok(()),
    }
}

/// How many there are, for a tally.
pub(crate) fn count(lines: &[String]) -> u32 {
    u32::try_from(lines.len()).unwrap_or(u32::MAX)
}

/// Two notes as one.
pub(crate) fn join(first: &str, second: &str) -> String {
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
    fn the_sum_stands_alone_on_the_last_line() {
        let text = report().to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 0 failed, 2 skipped"));
        assert_eq!(text.lines().filter(|line| line.contains(" passed, ")).count(), 1);
        let row = text.lines().find(|line| line.contains(" nix ")).unwrap();
        assert!(row.contains("┆ skipped ┆") && row.contains("┆ no nix on PATH"), "{row}");
        assert!(text.contains("┆ skipped: no sqlcipher"), "{text}");
    }

    #[test]
    fn a_skip_is_no_failure_unless_it_is_denied() {
        let mut report = report();
        assert!(report.is_success());
        report.deny_skips();
        assert!(!report.is_success());
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed, 0 skipped"));
        assert!(text.contains("FAILED"), "{text}");
    }

    #[test]
    fn a_failed_row_shows_beside_its_passed_tests() {
        let mut report = Report::default();
        let tally = Tally { passed: 3, failed: 1, skipped: vec![], note: "see the log".into() };
        report.add("rust", tally, Duration::ZERO);
        assert!(!report.is_success());
        assert_eq!(report.to_string().lines().last(), Some("3 passed, 1 failed, 0 skipped"));
    }
}
