//! Starts other programs, without standard input and without the variables that cargo sets for xtask.

use std::borrow::BorrowMut;
use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// The maximum length of a command in a message, in characters.
const MAX_COMMAND: usize = 100;

/// Prefixes of the variables that cargo sets for xtask.
const XTASKS_VARIABLES: [&str; 5] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];

/// Returns a command without standard input, without colours, and without the variables that cargo sets for xtask.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program_file(program.as_ref()));
    command.stdin(Stdio::null());
    // People read the logs as plain text, and so do the parsers of test results.
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").env_remove("FORCE_COLOR");
    for (name, _) in env::vars_os() {
        if XTASKS_VARIABLES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// On Windows, npm is a batch file, which starts only by its full name.
fn program_file(program: &OsStr) -> &OsStr {
    if cfg!(windows) && program == "npm" { OsStr::new("npm.cmd") } else { program }
}

/// Runs a short query. Returns its standard output without the final newline.
pub fn capture(mut command: impl BorrowMut<Command>) -> Result<String> {
    let command = command.borrow_mut();
    let output = command.output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        let last = error.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").trim();
        bail!("{} {}: {last}", display_command(command), display_status(output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Formats a command as a person would type it, without the program's folder. Shortens a long command.
#[must_use]
pub fn display_command(command: &Command) -> String {
    let mut text = format!("`{}", program_name(command));
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let quote = if argument.contains([' ', '"', '\n']) { "'" } else { "" };
        let _ = write!(text, " {quote}{argument}{quote}");
    }
    if text.chars().count() > MAX_COMMAND {
        text = text.chars().take(MAX_COMMAND - 3).collect::<String>() + "...";
    }
    text + "`"
}

/// Returns the message for a command that cannot be started.
#[must_use]
pub fn cannot_start(command: &Command) -> String {
    format!("cannot start {}: is {} on PATH?", display_command(command), program_name(command))
}

/// Returns in words how a program ended, such as `ended with code 1`.
#[must_use]
pub fn display_status(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with code {code}"),
        None => format!("was stopped ({status})"),
    }
}

fn program_name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a shell that runs a script.
    pub(crate) fn sh(script: &str) -> Command {
        let mut command = command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn capture_returns_standard_output_or_the_last_error_line() {
        assert_eq!(capture(sh("echo 1.2.3; echo noise >&2")).unwrap(), "1.2.3");
        let message = capture(sh("echo first >&2; echo last >&2; exit 1")).unwrap_err().to_string();
        assert!(message.ends_with("ended with code 1: last"), "{message}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let message = capture(command("no-such-program")).unwrap_err().to_string();
        assert_eq!(message, "cannot start `no-such-program`: is no-such-program on PATH?");
    }
}
