//! A registry of npm packages on this machine, which knows no other.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use super::home;
use super::tools::{Tool, Tools};
use crate::paths::Workspace;
use crate::process;

/// How long it may take to start, which takes a second.
const LIMIT: Duration = Duration::from_secs(60);
/// How long one question may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);

/// What verdaccio reads: no uplink, and anybody publishes.
const SETTINGS: &str = "\
storage: ./storage
auth:
  htpasswd:
    file: ./users
web:
  enable: false
uplinks: {}
packages:
  '**':
    access: $all
    publish: $all
log: { type: stdout, format: pretty, level: http }
";

/// A running registry, stopped when dropped.
pub(super) struct Registry {
    server: Child,
    port: u16,
    folder: PathBuf,
    log: PathBuf,
}

impl Registry {
    /// Starts an empty registry in a folder, and waits until it answers.
    pub(super) fn start(workspace: &Workspace, tools: &Tools, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("config.yaml"), SETTINGS)?;
        let port = free_port().context("no port on 127.0.0.1 for a registry")?;
        let mut command = home::at(folder, tools.command(Tool::Verdaccio));
        command.arg("--config").arg(folder.join("config.yaml"));
        command.arg("--listen").arg(format!("127.0.0.1:{port}")).current_dir(folder);
        Self::run(workspace, command, port, folder)
    }

    /// Its address, as managers are told it.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How many tarballs it has.
    pub(super) fn count(&self) -> usize {
        let files = WalkDir::new(self.folder.join("storage")).into_iter().flatten();
        files.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "tgz")).count()
    }

    fn run(workspace: &Workspace, mut command: Command, port: u16, folder: &Path) -> Result<Self> {
        let log = process::log_path(workspace, "verdaccio")?;
        let output = File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        command.stdout(output.try_clone()?).stderr(output).stdin(Stdio::null());
        let server = command.spawn().context("verdaccio cannot be started: is node on PATH?")?;
        let mut registry = Self { server, port, folder: folder.to_owned(), log };
        registry.wait(LIMIT)?;
        Ok(registry)
    }

    fn wait(&mut self, limit: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.server.try_wait()? {
                bail!("verdaccio {} before it answered{}", process::ending(status), self.end_of_log());
            }
            if answers(self.port) {
                return Ok(());
            }
            if started.elapsed() > limit {
                let seconds = limit.as_secs();
                bail!("verdaccio did not answer within {seconds} s at {}{}", self.url(), self.end_of_log());
            }
            thread::sleep(POLL);
        }
    }

    fn end_of_log(&self) -> String {
        let output = fs::read(&self.log).unwrap_or_default();
        format!("; full log: {}{}", self.log.display(), process::tail(&String::from_utf8_lossy(&output)))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A port that nothing listens on. Another program can take it before the registry does, which then says so and ends.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether the registry answers verdaccio's own question.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(b"GET /-/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_ends_or_never_answers_is_shown_by_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let sh = |script: &str| {
            let mut command = process::command("sh");
            command.args(["-c", script]);
            command
        };
        let port = free_port().unwrap();
        let ended = Registry::run(&workspace, sh("echo no such storage >&2; exit 3"), port, folder.path());
        let message = ended.err().unwrap().to_string();
        assert!(
            message.starts_with("verdaccio ended with code 3 before it answered; full log: "),
            "{message}"
        );
        assert!(message.ends_with("verdaccio.log\n    no such storage"), "{message}");
        let server = sh("exec sleep 60").spawn().unwrap();
        let log = workspace.logs().join("verdaccio.log");
        let mut silent = Registry { server, port, folder: folder.path().to_owned(), log };
        let message = silent.wait(Duration::ZERO).unwrap_err().to_string();
        assert!(message.starts_with("verdaccio did not answer within 0 s at http://127.0.0.1:"), "{message}");
    }

    #[test]
    fn only_a_good_answer_is_one() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            for status in ["200 OK", "503 Service Unavailable"] {
                let mut stream = listener.accept().unwrap().0;
                let mut question = [0; 4];
                stream.read_exact(&mut question).unwrap();
                stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).unwrap();
            }
        });
        assert!(answers(port));
        assert!(!answers(port));
        server.join().unwrap();
        assert!(!answers(port), "nothing listens any more");
    }
}
