//! Runs other programs: without standard input, logged in full, their last lines shown when they fail.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use std::{env, fmt};

use anyhow::{Context, Result, bail};

use crate::paths::Workspace;
use crate::progress::Progress;

/// How much of a failed step's output is shown.
const TAIL_LINES: usize = 30;
const POLL: Duration = Duration::from_millis(100);

/// What a step left behind.
pub(crate) struct Finished {
    /// Standard output and error, as they came.
    pub(crate) output: String,
    /// Whether it exited with 0.
    pub(crate) succeeded: bool,
    failure: StepFailed,
}

impl Finished {
    /// The output, or else the failure with the end of it.
    pub(crate) fn ok(self) -> Result<String> {
        if self.succeeded { Ok(self.output) } else { Err(self.failure.into()) }
    }

    /// The failure, for a caller that reports success in its own way.
    pub(crate) fn into_failure(self) -> StepFailed {
        self.failure
    }
}

/// A step that did not exit with 0.
#[derive(Debug)]
pub(crate) struct StepFailed {
    step: String,
    command: String,
    /// How it ended, and where its log is.
    summary: String,
    /// The last lines of what it printed, each on a line of its own.
    tail: String,
}

impl StepFailed {
    /// The step's name.
    pub(crate) fn step(&self) -> &str {
        &self.step
    }

    /// How it ended and where its log is, in one line.
    pub(crate) fn summary(&self) -> &str {
        &self.summary
    }

    /// The last lines of what it printed in one line, and how it ended.
    pub(crate) fn told(&self) -> String {
        let words: Vec<&str> = self.tail.split_whitespace().collect();
        match words.as_slice() {
            [] => self.summary.clone(),
            words => format!("{} ({})", cut(&words.join(" "), 600), self.summary),
        }
    }

    /// The last line that says what went wrong; npm's own last one only says where it says so.
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

/// An error in one line, for a table: what was tried, the last word of the step that failed, and where its log is.
pub(crate) fn brief(error: &anyhow::Error) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let Some(failure) = error.downcast_ref::<StepFailed>() else { return first(&error.to_string()) };
    let is_outermost = error.chain().next().is_some_and(<dyn std::error::Error>::is::<StepFailed>);
    let tried = if is_outermost { String::new() } else { first(&error.to_string()) + "; " };
    match failure.last_line() {
        Some(line) => format!("{tried}{}: {}", failure.summary, cut(line, 200)),
        None => tried + &failure.summary,
    }
}

/// A text of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl std::error::Error for StepFailed {}

/// A program, without what `cargo run` sets for xtask itself and without standard input.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(launched(program.as_ref()));
    command.stdin(Stdio::null());
    // Logs are read as text, by people and by the parsers of test results.
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let own =
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix));
        if own || text == "CARGO_CRATE_NAME" || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(name);
        }
    }
    command
}

/// npm is a batch file on Windows, which is started by its whole name only.
fn launched(program: &OsStr) -> &OsStr {
    if cfg!(windows) && program == "npm" { OsStr::new("npm.cmd") } else { program }
}

/// Runs a command as a named step, with progress, its output in `target/xtask/logs/<step>.log`.
///
/// That it fails is no error here: see [`Finished::ok`].
pub(crate) fn attempt(workspace: &Workspace, step: &str, mut command: Command) -> Result<Finished> {
    let log_path = log_path(workspace, step)?;
    let unreadable = || format!("{} cannot be written", log_path.display());
    let mut log = File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(&log_path)
        .and_then(|log| log.set_len(0).map(|()| log))
        .with_context(unreadable)?;
    // One file for both, so that errors stand where they happened.
    command.stdout(log.try_clone().with_context(unreadable)?);
    command.stderr(log.try_clone().with_context(unreadable)?);
    let mut progress = Progress::start(step);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            progress.fail();
            return Err(error).with_context(|| unstarted(&command));
        }
    };
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("waiting for {}", shown(&command)))? {
            break status;
        }
        progress.update(&last_line(&mut log));
        thread::sleep(POLL);
    };
    if status.success() {
        progress.succeed()
    } else {
        progress.fail()
    }
    let output = fs::read(&log_path).with_context(|| format!("{} cannot be read", log_path.display()))?;
    let output = String::from_utf8_lossy(&output).into_owned();
    let failure = StepFailed {
        step: step.to_owned(),
        command: shown(&command),
        summary: format!("{}; full log: {}", ending(status), workspace.shown(&log_path)),
        tail: tail(&output),
    };
    Ok(Finished { output, succeeded: status.success(), failure })
}

/// Runs a command as a named step, and returns its output.
///
/// # Errors
/// Where it cannot be started or fails: its last lines, and where the full log is.
pub(crate) fn run(workspace: &Workspace, step: &str, command: Command) -> Result<String> {
    attempt(workspace, step, command)?.ok()
}

/// Runs a short query, and returns its standard output without the final newline.
pub(crate) fn capture(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| unstarted(&command))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").trim();
        bail!("{} {}: {last}", shown(&command), ending(output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Where the output of a step is written.
pub(crate) fn log_path(workspace: &Workspace, step: &str) -> Result<PathBuf> {
    let logs = workspace.logs();
    fs::create_dir_all(&logs).with_context(|| format!("{} cannot be made", logs.display()))?;
    let name: String =
        step.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    Ok(logs.join(format!("{name}.log")))
}

/// A command's program, without the folder.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// A command as a person would type it, its program without the folder.
fn shown(command: &Command) -> String {
    let mut text = format!("`{}", name(command));
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let quote = if argument.contains([' ', '"', '\n']) { "'" } else { "" };
        let _ = write!(text, " {quote}{argument}{quote}");
    }
    if text.chars().count() > 100 {
        text = text.chars().take(97).collect::<String>() + "...";
    }
    text + "`"
}

fn unstarted(command: &Command) -> String {
    format!("{} cannot be started: is {} on PATH?", shown(command), name(command))
}

/// How a program ended, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with code {code}"),
        None => format!("was stopped ({status})"),
    }
}

/// The end of an output, indented, on lines of its own.
pub(crate) fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let shown = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    shown.iter().fold(String::new(), |text, line| text + "\n    " + line.trim_end())
}

/// The last line that is not empty in the last bytes of a growing log; unreadable means none.
fn last_line(log: &mut File) -> String {
    let mut end = Vec::new();
    let length = log.metadata().map_or(0, |metadata| metadata.len());
    if log.seek(SeekFrom::Start(length.saturating_sub(400))).is_ok() {
        let _ = log.read_to_end(&mut end);
    }
    let text = String::from_utf8_lossy(&end);
    let visible = |c: &char| !c.is_control();
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
        .chars()
        .filter(visible)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failed_step_says_what_ran_how_it_ended_and_where_the_log_is() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let script = "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; echo broken >&2; exit 3";
        let message = run(&workspace, "some step", sh(script)).unwrap_err().to_string();
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
    fn a_failed_step_is_told_in_one_line_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let script = "echo Error: one cause; echo '  - a place: why'; echo 'A complete log of this run is here'; exit 3";
        let error = run(&workspace, "s", sh(script)).unwrap_err();
        let summary = "ended with code 3; full log: target/xtask/logs/s.log";
        assert_eq!(brief(&error), format!("{summary}: - a place: why"));
        let told = error.downcast_ref::<StepFailed>().unwrap().told();
        let words = "Error: one cause - a place: why A complete log of this run is here";
        assert_eq!(told, format!("{words} ({summary})"));
        let tried = error.context("it could not be had: is there a network?");
        assert_eq!(
            brief(&tried),
            format!("it could not be had: is there a network?; {summary}: - a place: why")
        );
        let silent = run(&workspace, "s", sh("exit 4")).unwrap_err();
        assert_eq!(brief(&silent), "ended with code 4; full log: target/xtask/logs/s.log");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äbcd", 3), "äbc...");
    }

    #[test]
    fn a_step_gets_no_standard_input_and_starts_a_fresh_log() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        for _ in 0..2 {
            assert_eq!(run(&workspace, "read", sh("cat; echo end")).unwrap(), "end\n");
        }
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = run(&Workspace::at(folder.path()), "s", command("no-such-program")).unwrap_err();
        assert_eq!(message.to_string(), "`no-such-program` cannot be started: is no-such-program on PATH?");
    }

    #[test]
    fn capture_gives_standard_output_or_the_last_error_line() {
        assert_eq!(capture(sh("echo 1.2.3; echo noise >&2")).unwrap(), "1.2.3");
        let message = capture(sh("echo first >&2; echo last >&2; exit 1")).unwrap_err().to_string();
        assert!(message.ends_with("ended with code 1: last"), "{message}");
    }
}
