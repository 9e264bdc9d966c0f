//! Steps: long-running programs with progress, a log, and an error that shows the end of the log.

use std::borrow::BorrowMut;
use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{cannot_start, display_command, display_status};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// The maximum number of lines of a failed step's output in an error.
const MAX_TAIL_LINES: usize = 30;
/// The maximum length of a failed step's last line in a table, in characters.
const MAX_LAST_LINE: usize = 200;
/// The maximum length of a failed step's last lines in a table, in characters.
const MAX_LAST_LINES: usize = 600;
/// The number of bytes at the end of a growing log that are searched for the last line.
const MAX_LAST_BYTES: u64 = 600;
const POLL: Duration = Duration::from_millis(100);
/// The beginning of cargo's progress line, which ends in a carriage return.
const CARGO_PROGRESS: &str = "Building [";

impl Workspace {
    /// Runs a program as a named step. Shows the step's progress, and writes the output to
    /// `target/xtask/logs/<step>.log`.
    ///
    /// A program that fails isn't an error here; [`Finished::ok`] returns one.
    pub fn attempt(&self, step: &str, mut command: impl BorrowMut<Command>) -> Result<Finished> {
        let command = command.borrow_mut();
        let log_path = self.log_path(step)?;
        let cannot_write = || format!("cannot write {}", log_path.display());
        let mut log = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&log_path)
            .with_context(cannot_write)?;
        log.set_len(0).with_context(cannot_write)?;
        // Both streams share one file, so that errors appear where they happened.
        command.stdout(log.try_clone().with_context(cannot_write)?);
        command.stderr(log.try_clone().with_context(cannot_write)?);
        let mut progress = Progress::start(step);
        let spawned = command.spawn().inspect_err(|_| progress.end(false));
        let mut child = spawned.with_context(|| cannot_start(command))?;
        let waiting = || format!("cannot wait for {}", display_command(command));
        let status = loop {
            if let Some(status) = child.try_wait().with_context(waiting)? {
                break status;
            }
            progress.update(&current_work(&mut log));
            thread::sleep(POLL);
        };
        progress.end(status.success());
        let output = fs::read(&log_path).with_context(|| format!("cannot read {}", log_path.display()))?;
        let output = without_cargo_progress(&String::from_utf8_lossy(&output));
        let failure = (!status.success()).then(|| StepFailed {
            step: step.to_owned(),
            command: display_command(command),
            summary: format!("{}; full log: {}", display_status(status), self.relative(&log_path)),
            tail: tail(&output),
        });
        Ok(Finished { output, failure })
    }

    /// Runs a program as a named step, and returns its output.
    pub fn run(&self, step: &str, command: impl BorrowMut<Command>) -> Result<String> {
        self.attempt(step, command)?.ok()
    }

    /// Returns the path of a step's log.
    pub fn log_path(&self, step: &str) -> Result<PathBuf> {
        let logs = self.logs();
        fs::create_dir_all(logs).with_context(|| format!("cannot create {}", logs.display()))?;
        let name: String =
            step.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        Ok(logs.join(format!("{name}.log")))
    }
}

/// A step that ended.
pub struct Finished {
    /// Standard output and standard error, in the order in which they were written.
    pub output: String,
    /// The failure, if the step did not exit with 0.
    pub failure: Option<StepFailed>,
}

impl Finished {
    /// Returns the output, or the failure with the end of the output.
    pub fn ok(self) -> Result<String> {
        self.failure.map_or(Ok(self.output), |failure| Err(failure.into()))
    }
}

/// A step that did not exit with 0.
#[derive(Debug)]
pub struct StepFailed {
    step: String,
    command: String,
    /// The exit code or the signal that ended the step, and the path of its log.
    summary: String,
    /// The last lines of the step's output, each after a line break and indented.
    tail: String,
}

impl StepFailed {
    /// Returns the step's name.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.step
    }

    /// Returns how the step ended and where its log is, in one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Returns the last lines of the step's output joined into one, and how the step ended, for a table cell.
    #[must_use]
    pub fn table_cell(&self) -> String {
        let words = self.tail.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return self.summary.clone();
        }
        format!("{} ({})", truncate(&words, MAX_LAST_LINES), self.summary)
    }

    /// Returns the last line that says what went wrong. npm's own last line only names its log.
    fn last_line(&self) -> Option<&str> {
        let lines = self.tail.lines().map(str::trim);
        lines.rev().find(|line| !line.is_empty() && !line.contains("complete log of this run"))
    }
}

impl fmt::Display for StepFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, command, summary, tail } = self;
        write!(f, "{step} {summary}\n  command: {command}{tail}")
    }
}

impl std::error::Error for StepFailed {}

/// Formats an error as one line for a table: the outermost message, the last line of the failed step, and its log.
#[must_use]
pub fn one_line(error: &anyhow::Error) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let Some(failure) = error.downcast_ref::<StepFailed>() else { return first(&error.to_string()) };
    let is_outermost = error.chain().next().is_some_and(<dyn std::error::Error>::is::<StepFailed>);
    let context = if is_outermost { String::new() } else { first(&error.to_string()) + "; " };
    match failure.last_line() {
        Some(line) => format!("{context}{}: {}", failure.summary, truncate(line, MAX_LAST_LINE)),
        None => context + &failure.summary,
    }
}

/// Returns the last lines of an output, each after a line break and indented.
#[must_use]
pub fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let last = &lines[lines.len().saturating_sub(MAX_TAIL_LINES)..];
    last.iter().fold(String::new(), |text, line| text + "\n    " + line.trim_end())
}

fn truncate(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the last line of a growing log that is not empty. Cargo's progress line becomes `120 of 181: openssl-sys
/// (compiles C)`.
fn current_work(log: &mut File) -> String {
    let mut end = Vec::new();
    let length = log.metadata().map_or(0, |metadata| metadata.len());
    if log.seek(SeekFrom::Start(length.saturating_sub(MAX_LAST_BYTES))).is_ok() {
        let _ = log.read_to_end(&mut end);
    }
    let text = String::from_utf8_lossy(&end);
    let last =
        text.split(['\n', '\r']).rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    cargo_progress(last).unwrap_or_else(|| last.chars().filter(|c| !c.is_control()).collect())
}

/// Returns the count and the crates of cargo's progress line, `Building [==>   ] 120/181: openssl-sys(build), napi`.
/// Marks the build script of a -sys crate, which compiles C.
fn cargo_progress(line: &str) -> Option<String> {
    let (_, progress) = line.strip_prefix(CARGO_PROGRESS)?.split_once("] ")?;
    let (count, crates) = progress.split_once(": ")?;
    let count = count.replace('/', " of ");
    Some(format!("{count}: {}", crates.trim_end().replace("-sys(build)", "-sys (compiles C)")))
}

/// Returns the output without the lines that cargo overwrites.
fn without_cargo_progress(output: &str) -> String {
    if !output.contains('\r') {
        return output.to_owned();
    }
    let kept = output.split('\n').map(|line| line.rsplit('\r').next().unwrap_or(line));
    kept.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::sh;

    #[test]
    fn a_failed_step_names_the_command_the_exit_code_and_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let script = "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; echo broken >&2; exit 3";
        let message = workspace.run("some step", sh(script)).unwrap_err().to_string();
        assert!(message.contains("  command: `sh -c '"), "{message}");
        assert!(
            message.starts_with("some step ended with code 3; full log: target/xtask/logs/some-step.log\n"),
            "{message}"
        );
        assert!(message.ends_with("line 50\n    broken"), "{message}");
        assert!(!message.contains("line 21\n") && message.contains("line 22\n"), "{message}");
        let log = fs::read_to_string(workspace.logs().join("some-step.log")).unwrap();
        assert!(log.starts_with("line 1\n"), "{log}");
    }

    #[test]
    fn a_failed_step_fits_in_one_line_of_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let script = "echo Error: one cause; echo '  - a place: why'; echo 'A complete log of this run is here'; exit 3";
        let error = workspace.run("s", sh(script)).unwrap_err();
        let summary = "ended with code 3; full log: target/xtask/logs/s.log";
        assert_eq!(one_line(&error), format!("{summary}: - a place: why"));
        let cell = error.downcast_ref::<StepFailed>().unwrap().table_cell();
        let words = "Error: one cause - a place: why A complete log of this run is here";
        assert_eq!(cell, format!("{words} ({summary})"));
        let error = error.context("cannot download it: is there a network?");
        assert_eq!(
            one_line(&error),
            format!("cannot download it: is there a network?; {summary}: - a place: why")
        );
        let silent = workspace.run("s", sh("exit 4")).unwrap_err();
        assert_eq!(one_line(&silent), "ended with code 4; full log: target/xtask/logs/s.log");
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("äbcd", 3), "äbc...");
    }

    #[test]
    fn a_step_has_no_standard_input_and_a_fresh_log() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        for _ in 0..2 {
            assert_eq!(workspace.run("read", sh("cat; echo end")).unwrap(), "end\n");
        }
    }

    #[test]
    fn cargos_progress_names_what_compiles_and_how_far_it_is() {
        let line = "Building [=========>     ] 120/181: openssl-sys(build), napi            ";
        assert_eq!(cargo_progress(line).unwrap(), "120 of 181: openssl-sys (compiles C), napi");
        assert_eq!(cargo_progress("Compiling napi v3.0.0"), None);
        let log = format!("   Compiling a\n    {line}\r   Compiling b\n    {line}\r    Finished\n");
        assert_eq!(without_cargo_progress(&log), "   Compiling a\n   Compiling b\n    Finished\n");
    }
}
