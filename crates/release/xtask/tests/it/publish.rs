//! Tests `bindings/node/scripts/publish.mjs` with a stub of npm and its registry: dry runs, and publication without
//! staging. The module also has the release and the registry that the tests of staging use.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use tempfile::TempDir;

/// A folder like the output of `cargo xtask pack`, and a registry.
pub(crate) struct Release {
    folder: TempDir,
}

/// Returns the names of all packages in the order of publication.
pub(crate) fn names() -> Vec<String> {
    let platforms = node_targets::targets().iter().map(|target| format!("@strongroom/{target}"));
    platforms.chain(["strongroom".to_owned()]).collect()
}

/// Writes placeholder tarballs and their manifest.
pub(crate) fn seal(packages: &Path, version: &str) {
    fs::create_dir_all(packages).unwrap();
    let mut entries = Vec::new();
    // Writes the names in reverse order: the order of publication must not depend on the manifest's order.
    for name in names().iter().rev() {
        let file = format!("{}-{version}.tgz", name.trim_start_matches('@').replace('/', "-"));
        let content = format!("{name} {version}");
        fs::write(packages.join(&file), &content).unwrap();
        entries.push(json!({
            "name": name, "version": version, "file": file, "size": content.len(), "integrity": integrity(&content),
        }));
    }
    let manifest = json!({ "version": version, "packages": entries, "documents": [] });
    fs::write(packages.join("manifest.json"), manifest.to_string()).unwrap();
}

pub(crate) fn integrity(content: &str) -> String {
    format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(content)))
}

fn scripts() -> PathBuf {
    crate::folder().join("../../../bindings/node/scripts").canonicalize().unwrap()
}

/// Returns `PATH` with this folder in front.
pub(crate) fn path_with(programs: &Path) -> std::ffi::OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&rest))).unwrap()
}

impl Release {
    /// Seals a release; the registry has an older version of every package. Returns `None` if the stub cannot run.
    pub(crate) fn new(version: &str) -> Option<Self> {
        if cfg!(windows) {
            println!("skipped: Windows ignores the `#!` line of the npm stub");
            return None;
        }
        let release = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(release.registry()).unwrap();
        seal(&release.packages(), version);
        for name in names() {
            release.has(&name, "0.0.1", "older");
        }
        Some(release)
    }

    pub(crate) fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    pub(crate) fn entry(&self, package: &str, version: &str) -> PathBuf {
        self.registry().join(format!("{package}@{version}").replace('@', "%40").replace('/', "%2F"))
    }

    pub(crate) fn has(&self, package: &str, version: &str, content: &str) {
        fs::write(self.entry(package, version), format!("\"{}\"", integrity(content))).unwrap();
    }

    /// Returns a Node that finds the stub of npm.
    fn node(&self) -> Command {
        let mut node = Command::new("node");
        node.env("PATH", path_with(&crate::folder().join("tests/programs"))).env("REGISTRY", self.registry());
        node.env_remove("GITHUB_RUN_ID").stdin(Stdio::null());
        node
    }

    /// Returns the command that runs publish.mjs on the release's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut node = self.node();
        node.arg(scripts().join("publish.mjs")).arg(self.packages()).args(arguments);
        node
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs JavaScript, whose arguments are the folder of the scripts and `argument`.
    pub(crate) fn evaluate(&self, script: &str, argument: &str) -> Output {
        let mut node = self.node();
        node.args(["--input-type=module", "--eval", script]).arg(scripts()).arg(argument);
        node.output().unwrap()
    }

    /// Runs `publish.mjs --placeholders`, and returns its output.
    pub(crate) fn placeholders(&self, folder: &Path) -> Output {
        self.node().arg(scripts().join("publish.mjs")).arg("--placeholders").arg(folder).output().unwrap()
    }

    /// Returns the staged versions.
    pub(crate) fn staged(&self) -> Vec<Value> {
        let read = fs::read(self.registry().join("staged"));
        read.map(|json| serde_json::from_slice(&json).unwrap()).unwrap_or_default()
    }

    /// Runs the script, expects success, and returns its output.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the script, expects an error without a stack trace, and returns the error.
    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("error: ") && !error.contains("    at "), "{error}");
        error
    }

    /// Returns the lines of the stub's log for packages published since the last call.
    fn published(&self) -> Vec<String> {
        self.logged("publish ")
    }

    /// Returns the rest of the log's lines that start with `command`, and clears the log.
    pub(crate) fn logged(&self, command: &str) -> Vec<String> {
        let log = self.registry().join("log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        text.lines().filter_map(|line| line.strip_prefix(command)).map(str::to_owned).collect()
    }

    /// Sets a switch of the stub, or its `tags` or `staged`.
    pub(crate) fn set(&self, switch: &str, value: impl AsRef<[u8]>) {
        fs::write(self.registry().join(switch), value).unwrap();
    }

    pub(crate) fn unset(&self, switch: &str) {
        fs::remove_file(self.registry().join(switch)).unwrap();
    }

    /// Sets the dist-tags of the main package.
    pub(crate) fn tags(&self, tags: &Value) {
        self.set("tags", json!({ "strongroom": tags }).to_string());
    }

    pub(crate) fn change_manifest(&self, change: impl Fn(&mut Vec<Value>)) {
        let path = self.packages().join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(manifest["packages"].as_array_mut().unwrap());
        fs::write(path, manifest.to_string()).unwrap();
    }
}

#[test]
fn platforms_are_published_first_and_a_second_run_publishes_nothing() {
    let Some(release) = Release::new("1.2.3") else { return };
    let said = release.succeeds(&["--tag", "v1.2.3"]);
    let published = release.published();
    assert_eq!(published.len(), names().len());
    let last = "strongroom-1.2.3.tgz --provenance --access public --tag latest";
    assert_eq!(published.last().unwrap(), last);
    assert!(published[0].starts_with("strongroom-linux-x64-gnu-1.2.3.tgz "), "{published:?}");
    let all = names().len();
    let end = format!("strongroom 1.2.3 is published: {all} packages now, 0 before\n");
    assert!(said.ends_with(&end), "{said}");
    let again = release.succeeds(&["--tag", "v1.2.3"]);
    assert_eq!(release.published(), Vec::<String>::new());
    assert!(again.ends_with(&format!("0 packages now, {all} before\n")), "{again}");
}

#[test]
fn a_prerelease_gets_the_tag_next() {
    let Some(release) = Release::new("2.0.0-rc.1") else { return };
    release.succeeds(&["--tag", "v2.0.0-rc.1"]);
    assert!(release.published().iter().all(|line| line.ends_with(" --tag next")));
}

#[test]
fn a_dry_run_checks_and_publishes_nothing() {
    let Some(release) = Release::new("1.2.3") else { return };
    fs::remove_file(release.entry("@strongroom/darwin-x64", "0.0.1")).unwrap();
    release.has("@strongroom/linux-x64-gnu", "1.2.3", "@strongroom/linux-x64-gnu 1.2.3");
    let said = release.succeeds(&["--dry-run"]);
    assert_eq!(release.published(), Vec::<String>::new());
    assert!(said.contains("@strongroom/darwin-x64@1.2.3: not published (new package)\n"), "{said}");
    assert!(said.contains("@strongroom/linux-x64-gnu@1.2.3: published already\n"), "{said}");
    assert!(said.contains("strongroom@1.2.3: not published\n"), "{said}");
    let next = "publish placeholders of the new packages first: node bindings/node/scripts/publish.mjs --placeholders";
    assert!(said.contains(next), "{said}");
    assert!(said.contains("the tag of 1.2.3: latest\n"), "{said}");
}

#[test]
fn an_interrupted_publication_lists_the_rest_and_can_be_resumed() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.set("refuse", "@strongroom/linux-x64-musl");
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("npm publish failed for @strongroom/linux-x64-musl@1.2.3"), "{error}");
    let left = format!("Published 2 of {}; still missing: @strongroom/linux-x64-musl@1.2.3, ", names().len());
    assert!(error.contains(&left), "{error}");
    assert!(error.contains("run this job again"), "{error}");
    assert_eq!(release.published().len(), 3);
    release.unset("refuse");
    let said = release.succeeds(&["--tag", "v1.2.3"]);
    assert_eq!(release.published().len(), names().len() - 2);
    assert!(said.ends_with(&format!("{} packages now, 2 before\n", names().len() - 2)), "{said}");
}

#[test]
fn nothing_is_published_if_a_version_exists_with_different_content() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.has("strongroom", "1.2.3", "something else");
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("nothing was published: the registry has different content"), "{error}");
    let there = format!("strongroom@1.2.3: the registry has {}, ", integrity("something else"));
    assert!(error.contains(&there) && error.contains("raise the version"), "{error}");
    // Every change between a release and the next version is in this state, and its dry run must pass.
    let said = release.succeeds(&["--dry-run"]);
    assert!(said.contains("strongroom@1.2.3: published with different content\n"), "{said}");
    assert!(said.contains("1.2.3 is taken: raise the version"), "{said}");
    assert_eq!(release.published(), Vec::<String>::new());
}

#[test]
fn a_new_package_needs_a_placeholder() {
    let Some(release) = Release::new("1.2.3") else { return };
    fs::remove_file(release.entry("@strongroom/win32-x64-msvc", "0.0.1")).unwrap();
    for mode in ["--tag", "--stage", "--approve"] {
        let error = release.refuses(&[mode, "v1.2.3"]);
        assert!(error.contains("does not have these packages yet, "), "{error}");
        assert!(
            error.contains("  - @strongroom/win32-x64-msvc\nwrite placeholders (node bindings/"),
            "{error}"
        );
        assert!(error.contains("RELEASING.md describes"), "{error}");
    }
    assert_eq!(release.published(), Vec::<String>::new());
    release.has("@strongroom/win32-x64-msvc", "0.0.0", "placeholder");
    release.succeeds(&["--tag", "v1.2.3"]);
    assert_eq!(release.published().len(), names().len());
}

/// npm answers so if a publication is staged or still processed: <https://github.com/npm/cli/issues/9889>.
#[test]
fn a_staged_version_stops_publication_without_staging() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.succeeds(&["--stage", "v1.2.3"]);
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("Cannot publish over previously staged version"), "{error}");
    let remedy =
        "@strongroom/linux-x64-gnu@1.2.3 is staged: approve it (publish.mjs --approve v1.2.3), or reject it";
    assert!(error.contains(remedy), "{error}");
}

#[test]
fn one_error_lists_every_problem_of_a_folder() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.change_manifest(|packages| {
        packages.retain(|sealed| sealed["name"] != "@strongroom/darwin-arm64");
        let mut amiga = packages[0].clone();
        amiga["name"] = "@strongroom/amiga".into();
        packages.push(amiga);
        packages.push(packages[0].clone());
        let windows = packages.iter_mut().find(|sealed| sealed["name"] == "@strongroom/win32-x64-msvc");
        windows.unwrap()["version"] = "1.2.2".into();
    });
    fs::write(release.packages().join("strongroom-linux-x64-gnu-1.2.3.tgz"), "damaged").unwrap();
    fs::remove_file(release.packages().join("strongroom-linux-arm64-gnu-1.2.3.tgz")).unwrap();
    let error = release.refuses(&["--dry-run"]);
    for problem in [
        "missing: @strongroom/darwin-arm64\n",
        "more than once: strongroom\n",
        "not in targets.json: @strongroom/amiga\n",
        "not version 1.2.3: @strongroom/win32-x64-msvc@1.2.2\n",
        "damaged: strongroom-linux-x64-gnu-1.2.3.tgz has 7 bytes and ",
        "missing: strongroom-linux-arm64-gnu-1.2.3.tgz (ENOENT)\n",
        "cargo xtask pack",
    ] {
        assert!(error.contains(problem), "{problem} is missing from {error}");
    }
    assert!(!release.registry().join("log").exists(), "the script asked the registry about a broken release");
}

#[test]
fn a_wrong_tag_or_an_unreachable_registry_publishes_nothing() {
    let Some(release) = Release::new("1.2.3") else { return };
    let error = release.refuses(&["--tag", "v1.2.4"]);
    assert!(error.contains("the tag is v1.2.4, but the packages have version 1.2.3"), "{error}");
    release.set("down", "");
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(
        error.contains("npm view @strongroom/linux-x64-gnu@1.2.3 failed: getaddrinfo ENOTFOUND"),
        "{error}"
    );
    assert!(error.contains("run the command again when the registry answers"), "{error}");
    assert_eq!(release.published(), Vec::<String>::new());
}

#[test]
fn a_folder_without_a_manifest_and_wrong_arguments_are_refused() {
    let Some(release) = Release::new("1.2.3") else { return };
    let wrong = [
        [].as_slice(),
        &["--tag"],
        &["--stage"],
        &["--approve", "v1.2.3", "v1.2.3"],
        &["--dry-run", "--tag"],
        &["--tag", "v1.2.3", "--dry-run"],
        &["constructor", "v1.2.3"],
    ];
    for arguments in wrong {
        assert!(release.refuses(arguments).contains("usage: node publish.mjs FOLDER"), "{arguments:?}");
    }
    release.change_manifest(|packages| packages[0]["file"] = "../elsewhere.tgz".into());
    assert!(release.refuses(&["--dry-run"]).contains("manifest.json is not a release manifest"));
    fs::remove_file(release.packages().join("manifest.json")).unwrap();
    let error = release.refuses(&["--dry-run"]);
    assert!(error.contains("manifest.json: ENOENT"), "{error}");
}
