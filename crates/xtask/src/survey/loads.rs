//! What real Nodes say of an addon: each load in a process of its own.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::paths::Workspace;
use crate::runtimes::Runtime;
use crate::survey::packages::FOLDER;

/// How long an addon may take; the slowest here take three seconds, in an emulated Node.
const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
/// What stands before the probe's line.
const MARK: &str = "probe: ";

/// What came of loading an addon into a Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// `require` returned.
    Loads,
    /// It is bound to another Node's V8, and says so.
    OtherNode(String),
    /// `require` threw, with this text.
    Fails(String),
    /// It took the process with it: how that ended.
    Crashes(String),
    /// It did not return.
    Hangs,
}

/// An addon, and a Node to load it in.
pub(crate) struct Job<'a> {
    /// The file.
    pub(crate) addon: &'a Path,
    /// The Node.
    pub(crate) runtime: &'a Runtime,
}

#[derive(Deserialize)]
struct Probed {
    loads: bool,
    #[serde(default)]
    text: String,
}

impl Outcome {
    /// Whether it failed in a Node that it is for.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Loads | Self::OtherNode(_))
    }

    /// In one line.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Loads => "loads",
            Self::OtherNode(text) | Self::Fails(text) | Self::Crashes(text) => text,
            Self::Hangs => "does not return",
        }
    }
}

/// Loads each, several at a time; what came of it, in the order of the jobs.
pub(crate) fn run(workspace: &Workspace, jobs: &[Job<'_>], scratch: &Path) -> Result<Vec<Outcome>> {
    let next = Mutex::new(jobs.iter().enumerate());
    let work = |worker: usize| -> Result<Vec<(usize, Outcome)>> {
        let home = scratch.join(format!("home-{worker}"));
        fs::create_dir_all(&home)?;
        let mut outcomes = Vec::new();
        loop {
            // A worker that panicked has taken nothing halfway.
            let job = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
            let Some((index, job)) = job else { return Ok(outcomes) };
            outcomes.push((index, probe(workspace, job, &home)?));
        }
    };
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(jobs.len());
    let mut outcomes = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut all = Vec::new();
        for handle in handles {
            all.extend(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, anyhow::Error>(all)
    })?;
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Loads one. What it prints goes to files: some Nodes and emulators treat pipes in ways of their own.
fn probe(workspace: &Workspace, job: &Job<'_>, home: &Path) -> Result<Outcome> {
    let output = home.join("output");
    let mut node = job.runtime.command(workspace)?;
    node.arg(workspace.root().join(FOLDER).join("probe.cjs")).arg(job.addon);
    node.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("TMPDIR", home).current_dir(home);
    let finished = run_limited(&mut node, &output)?;
    Ok(finished.map_or(Outcome::Hangs, |(status, text)| outcome(&text, status)))
}

/// How it ended and what it printed; None where it did not end in time.
fn run_limited(command: &mut Command, output: &Path) -> Result<Option<(ExitStatus, String)>> {
    let file = File::create(output).with_context(|| format!("{} cannot be written", output.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().context("a Node cannot be started")?;
    let status = wait(&mut child, LIMIT)?;
    let text = String::from_utf8_lossy(&fs::read(output)?).into_owned();
    Ok(status.map(|status| (status, text)))
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            child
                .kill()
                .and_then(|()| child.wait())
                .context("an addon that does not return cannot be stopped")?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn outcome(output: &str, status: ExitStatus) -> Outcome {
    let probed =
        output.lines().find_map(|line| serde_json::from_str::<Probed>(line.strip_prefix(MARK)?).ok());
    match probed {
        Some(Probed { loads: true, .. }) => Outcome::Loads,
        Some(Probed { text, .. }) => {
            let text = readable(&text);
            if text.contains("was compiled against a different Node.js version") {
                Outcome::OtherNode(text)
            } else {
                Outcome::Fails(text)
            }
        }
        None => Outcome::Crashes(ending(status)),
    }
}

fn ending(status: ExitStatus) -> String {
    // An emulator ends by the signal by which its program would have.
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("ends Node with signal {signal}");
    }
    format!("ends Node ({status})")
}

/// In one line, and without this machine's folders.
fn readable(text: &str) -> String {
    // A path, alone or after a quote or a bracket.
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
    fn the_probes_line_is_found_in_what_an_addon_prints() {
        let noise = "debug output\nprobe: is running";
        let loads = format!("{noise}\nprobe: {{\"loads\":true}}\n");
        assert_eq!(outcome(&loads, ended(0)), Outcome::Loads);
        let fails = "probe: {\"loads\":false,\"text\":\"/a/b/libc.so.6: version `GLIBC_2.38' not found (required by \
                     /tmp/x/y.node)\"}";
        let text = "libc.so.6: version `GLIBC_2.38' not found (required by y.node)";
        assert_eq!(outcome(fails, ended(0)), Outcome::Fails(text.to_owned()));
        let other =
            "probe: {\"loads\":false,\"text\":\"was compiled against a different Node.js version using\"}";
        assert!(!outcome(other, ended(0)).is_failure());
        assert_eq!(outcome(noise, ended(11)), Outcome::Crashes("ends Node with signal 11".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn what_does_not_return_is_stopped() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::ZERO).unwrap(), None);
        assert!(child.try_wait().unwrap().is_some());
    }

    /// In the Node on PATH: the probe itself, with what is an addon to nobody.
    #[test]
    fn a_text_file_fails_with_the_loaders_own_words() {
        let workspace = Workspace::find().unwrap();
        let runtime = Runtime::on_path().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let addon = folder.path().join("text.node");
        fs::write(&addon, "no addon").unwrap();
        let jobs: Vec<Job<'_>> = (0..3).map(|_| Job { addon: &addon, runtime: &runtime }).collect();
        let outcomes = run(&workspace, &jobs, folder.path()).unwrap();
        assert_eq!(outcomes.len(), 3);
        for outcome in outcomes {
            assert!(matches!(&outcome, Outcome::Fails(text) if !text.is_empty()), "{outcome:?}");
        }
    }
}
