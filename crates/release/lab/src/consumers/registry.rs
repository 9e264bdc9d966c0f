//! A local registry of npm packages that does not forward to another registry.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use machine::{Workspace, process, tail};
use walkdir::WalkDir;

use super::home;
use super::tools::{Tools, VERDACCIO};

/// The time limit for the start, which normally takes a second.
const MAX_START: Duration = Duration::from_secs(60);
/// The time limit for an answer.
const MAX_ANSWER: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);

/// verdaccio's configuration: no uplink, and everybody may publish.
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

/// A running registry. Dropping the value stops the registry.
pub(super) struct Registry {
    server: Child,
    port: u16,
    folder: PathBuf,
    log: PathBuf,
}

impl Registry {
    /// Starts an empty registry in a folder, and waits for its first answer.
    pub(super) fn start(workspace: &Workspace, tools: &Tools, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("config.yaml"), SETTINGS)?;
        let port = free_port().context("cannot find a free port on 127.0.0.1 for a registry")?;
        let mut command = home::isolated(folder, tools.command(VERDACCIO));
        command.arg("--config").arg(folder.join("config.yaml"));
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        Self::spawn(workspace, command, port, folder)
    }

    /// Returns the registry's address for a manager's settings.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Returns the number of tarballs in the registry.
    pub(super) fn count(&self) -> usize {
        let files = WalkDir::new(self.folder.join("storage")).into_iter().flatten();
        files.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "tgz")).count()
    }

    fn spawn(workspace: &Workspace, mut command: Command, port: u16, folder: &Path) -> Result<Self> {
        let log = workspace.log_path("verdaccio")?;
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(output.try_clone()?).stderr(output);
        let server = command.spawn().with_context(|| process::cannot_start(&command))?;
        let mut registry = Self { server, port, folder: folder.to_owned(), log };
        registry.wait(MAX_START)?;
        Ok(registry)
    }

    fn wait(&mut self, limit: Duration) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() <= limit {
            if let Some(status) = self.server.try_wait()? {
                let status = process::display_status(status);
                bail!("verdaccio {status} before its first answer{}", self.end_of_log());
            }
            if ping(self.port).unwrap_or(false) {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        let seconds = limit.as_secs();
        bail!("verdaccio did not answer within {seconds} s at {}{}", self.url(), self.end_of_log());
    }

    fn end_of_log(&self) -> String {
        let output = fs::read(&self.log).unwrap_or_default();
        format!("; full log: {}{}", self.log.display(), tail(&String::from_utf8_lossy(&output)))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Returns a free port. If another program takes the port first, the registry ends with an error.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Returns whether verdaccio answers a ping with status 200.
fn ping(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(MAX_ANSWER))?;
    stream.write_all(b"GET /-/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_ends_or_never_answers_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let sh = |script: &str| {
            let mut command = process::command("sh");
            command.args(["-c", script]);
            command
        };
        let port = free_port().unwrap();
        let ended = Registry::spawn(&workspace, sh("echo no such storage >&2; exit 3"), port, folder.path());
        let message = ended.err().unwrap().to_string();
        let start = "verdaccio ended with code 3 before its first answer; full log: ";
        assert!(message.starts_with(start), "{message}");
        assert!(message.ends_with("verdaccio.log\n    no such storage"), "{message}");
        let server = sh("exec sleep 60").spawn().unwrap();
        let log = workspace.logs().join("verdaccio.log");
        let mut silent = Registry { server, port, folder: folder.path().to_owned(), log };
        let message = silent.wait(Duration::ZERO).unwrap_err().to_string();
        assert!(message.starts_with("verdaccio did not answer within 0 s at http://127.0.0.1:"), "{message}");
    }

    #[test]
    fn only_status_200_is_an_answer() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            for status in ["200 OK", "503 Service Unavailable"] {
                let mut stream = listener.accept().unwrap().0;
                let mut request = [0; 4];
                stream.read_exact(&mut request).unwrap();
                stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).unwrap();
            }
        });
        assert!(ping(port).unwrap());
        assert!(!ping(port).unwrap());
        server.join().unwrap();
        assert!(ping(port).is_err(), "the listener is closed");
    }
}
