//! Tests that a compiler for the wrong machine, or a missing compiler, stops the build before OpenSSL's build starts.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The result of a cargo build of vendored-sys in a fresh target directory, with one variable set.
struct Build {
    succeeded: bool,
    output: String,
    target: PathBuf,
}

/// A build that does not stop at once would compile C for minutes. After this time, the build is killed and the test
/// fails.
const LIMIT: Duration = Duration::from_secs(120);

fn build(name: &str, variable: &str, value: &Path) -> Build {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let (log, target) = (folder.join("log"), folder.join("target"));
    let output = fs::File::create(&log).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["check", "--offline", "--locked", "--color", "never", "-p", "vendored-sys", "--manifest-path"])
        .arg(Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../Cargo.toml"))
        // With too few jobs, cargo would first start the jobs that most crates wait for, before the check.
        .args(["--jobs", "8"])
        .env("CARGO_TARGET_DIR", &target)
        .env(variable, value)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    for name in ["OPENSSL_NO_VENDOR", "LIBSQLITE3_SYS_USE_PKG_CONFIG", "ZSTD_SYS_USE_PKG_CONFIG", "RUSTFLAGS"]
    {
        cargo.env_remove(name);
    }
    let mut child = cargo.spawn().unwrap();
    let started = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if started.elapsed() > LIMIT => {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => sleep(Duration::from_millis(50)),
        }
    };
    Build { succeeded: status.success(), output: fs::read_to_string(log).unwrap(), target }
}

impl Build {
    /// Asserts that the build stopped before OpenSSL was configured, with one line that contains all of `words`.
    fn assert_stopped(&self, words: &[&str]) {
        assert!(!self.succeeded, "{}", self.output);
        let lines: Vec<&str> =
            self.output.lines().filter(|line| line.contains("vendored-toolchain@")).collect();
        assert_eq!(lines.len(), 1, "{}", self.output);
        assert!(words.iter().all(|word| lines[0].contains(word)), "{}", lines[0]);
        let builds = self.target.join("debug/build");
        let folders = fs::read_dir(&builds).unwrap().map(|entry| entry.unwrap().path());
        let mut toolchain_checked = false;
        for folder in folders {
            toolchain_checked |=
                folder.file_name().unwrap().to_str().unwrap().starts_with("vendored-toolchain-");
            let sources = folder.join("out/openssl-build");
            assert!(!sources.exists(), "OpenSSL's build has started: {}", sources.display());
        }
        assert!(toolchain_checked, "{} has no build directory to inspect", builds.display());
    }
}

fn variable() -> String {
    format!("CC_{}_unknown_linux_gnu", env::consts::ARCH)
}

#[test]
fn a_compiler_for_another_machine_stops_the_build() {
    let other = if env::consts::ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    let cc = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{other}-cc"));
    fs::write(&cc, format!("#!/bin/sh\necho probe_arch_{other}\necho probe_os_linux\necho probe_env_gnu\n"))
        .unwrap();
    fs::set_permissions(&cc, fs::Permissions::from_mode(0o755)).unwrap();
    let made = format!("compiles for {other} linux (gnu)");
    let wanted = format!("not for {}-unknown-linux-gnu", env::consts::ARCH);
    build("wrong-compiler", &variable(), &cc).assert_stopped(&[
        &variable(),
        cc.to_str().unwrap(),
        &made,
        &wanted,
    ]);
}

#[test]
fn a_missing_compiler_stops_the_build() {
    let words = [&variable(), "/nonexistent/cc", "did not start"];
    build("no-compiler", &variable(), Path::new("/nonexistent/cc")).assert_stopped(&words);
}
