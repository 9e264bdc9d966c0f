//! Loads an addon in real Nodes, each time in a separate process.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use machine::{Workspace, process};
use serde::Deserialize;

use super::packages::FOLDER;
use crate::runtime::Runtime;

/// The time limit of a load. The slowest load, in an emulated Node, takes three seconds.
const MAX_LOAD: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
/// The prefix of the probe's line.
const PREFIX: &str = "probe: ";

/// The result of loading an addon into a Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProbeOutcome {
    /// `require` returned.
    Loads,
    /// `require` threw this message, because the addon needs the V8 of another Node.
    OtherNode(String),
    /// `require` threw this message or did not return, or the addon ended the process as described.
    Fails(String),
}

/// The line that the probe prints.
#[derive(Deserialize)]
struct Line {
    loads: bool,
    #[serde(default)]
    text: String,
}

impl ProbeOutcome {
    /// Returns the outcome in one line.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Loads => "loads",
            Self::OtherNode(text) | Self::Fails(text) => text,
        }
    }
}

/// Loads an addon into a Node with a temporary home.
pub(super) fn probe(workspace: &Workspace, runtime: &Runtime, addon: &Path) -> Result<ProbeOutcome> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder for a load")?;
    let home = folder.path();
    // The output goes to a file, because some Nodes and emulators treat pipes differently.
    let output = home.join("output");
    let log = File::create(&output).with_context(|| format!("cannot write {}", output.display()))?;
    let mut node = runtime.command(workspace)?;
    node.arg(workspace.root().join(FOLDER).join("probe.cjs")).arg(addon);
    node.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("TMPDIR", home).current_dir(home);
    node.stdout(log.try_clone()?).stderr(log);
    let mut child = node.spawn().with_context(|| process::cannot_start(&node))?;
    Ok(match wait(&mut child, MAX_LOAD)? {
        Some(status) => outcome(&String::from_utf8_lossy(&fs::read(output)?), status),
        None => ProbeOutcome::Fails("does not return".to_owned()),
    })
}

/// Waits until a process ends. At the time limit, kills the process and returns `None`.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() <= limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(POLL);
    }
    let killed = child.kill().and_then(|()| child.wait());
    killed.context("cannot stop a Node whose addon does not return")?;
    Ok(None)
}

fn outcome(output: &str, status: ExitStatus) -> ProbeOutcome {
    let line = output.lines().find_map(|line| serde_json::from_str::<Line>(line.strip_prefix(PREFIX)?).ok());
    let Some(Line { loads, text }) = line else { return ProbeOutcome::Fails(display_end(status)) };
    let text = without_folders(&text);
    if loads {
        ProbeOutcome::Loads
    } else if text.contains("was compiled against a different Node.js version") {
        ProbeOutcome::OtherNode(text)
    } else {
        ProbeOutcome::Fails(text)
    }
}

fn display_end(status: ExitStatus) -> String {
    // An emulator ends with the signal that ended its program.
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("ends Node with signal {signal}");
    }
    format!("ends Node ({status})")
}

/// Joins a message into one line, and removes this machine's folders from paths.
fn without_folders(text: &str) -> String {
    // A path begins a word, or follows a quote or a bracket.
    let word = |word: &str| match (word.find('/'), word.rsplit_once('/')) {
        (Some(start @ (0 | 1)), Some((_, name))) => {
            format!("{}{name}", word.get(..start).unwrap_or_default())
        }
        _ => word.to_owned(),
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn ended(code: i32) -> ExitStatus {
        std::os::unix::process::ExitStatusExt::from_raw(code)
    }

    #[cfg(unix)]
    #[test]
    fn the_line_of_the_probe_is_found_in_an_addons_output() {
        let noise = "debug output\nprobe: is running";
        let loads = format!("{noise}\nprobe: {{\"loads\":true}}\n");
        assert_eq!(outcome(&loads, ended(0)), ProbeOutcome::Loads);
        let fails = "probe: {\"loads\":false,\"text\":\"/a/b/libc.so.6: version `GLIBC_2.38' not found (required by \
                     /tmp/x/y.node)\"}";
        let text = "libc.so.6: version `GLIBC_2.38' not found (required by y.node)";
        assert_eq!(outcome(fails, ended(0)), ProbeOutcome::Fails(text.to_owned()));
        let other =
            "probe: {\"loads\":false,\"text\":\"was compiled against a different Node.js version using\"}";
        assert!(matches!(outcome(other, ended(0)), ProbeOutcome::OtherNode(_)));
        assert_eq!(outcome(noise, ended(11)), ProbeOutcome::Fails("ends Node with signal 11".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_does_not_end_is_killed() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::ZERO).unwrap(), None);
        assert!(child.try_wait().unwrap().is_some());
    }

    /// Runs the real probe in the Node on `PATH`, on a file that is not an addon.
    #[test]
    fn a_text_file_fails_with_the_loaders_message() {
        let workspace = Workspace::find().unwrap();
        let runtime = Runtime::on_path().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let addon = folder.path().join("text.node");
        fs::write(&addon, "a text").unwrap();
        for _ in 0..3 {
            let outcome = probe(&workspace, &runtime, &addon).unwrap();
            assert!(matches!(&outcome, ProbeOutcome::Fails(text) if !text.is_empty()), "{outcome:?}");
        }
    }
}
