//! `bindings/node/scripts/publish.mjs`, with a stand-in for npm and its registry.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use tempfile::TempDir;

/// A folder as `cargo xtask pack` makes it, and a registry.
pub(crate) struct Release {
    folder: TempDir,
}

/// The names of all packages, in the order of publication.
fn names() -> Vec<String> {
    let platforms = node_targets::targets().iter().map(|target| format!("@strongroom/{target}"));
    platforms.chain(["strongroom".to_owned()]).collect()
}

/// Makes tarballs, which are none, and their manifest.
pub(crate) fn seal(packages: &Path, version: &str) {
    fs::create_dir_all(packages).unwrap();
    let mut entries = Vec::new();
    // The other way round: the order is not the manifest's.
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

fn integrity(content: &str) -> String {
    format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(content)))
}

/// A `PATH` on which this folder's programs come first.
pub(crate) fn path_with(programs: &Path) -> std::ffi::OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&rest))).unwrap()
}

impl Release {
    /// A release of which the registry has an older version; `None` where the stand-in is no program.
    fn new(version: &str) -> Option<Self> {
        if cfg!(windows) {
            println!("skipped: npm's stand-in is a script with a first line that Windows does not read");
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

    fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    fn registry(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    fn entry(&self, package: &str, version: &str) -> PathBuf {
        self.registry().join(format!("{package}@{version}").replace('@', "%40").replace('/', "%2F"))
    }

    fn has(&self, package: &str, version: &str, content: &str) {
        fs::write(self.entry(package, version), format!("\"{}\"", integrity(content))).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let root = crate::folder();
        let mut node = Command::new("node");
        node.arg(root.join("../../bindings/node/scripts/publish.mjs")).arg(self.packages()).args(arguments);
        node.env("PATH", path_with(&root.join("tests/programs"))).env("REGISTRY", self.registry());
        node.stdin(Stdio::null()).output().unwrap()
    }

    /// What it says when it succeeds.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says when it refuses: no stack, and nothing on how Node came to it.
    fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("error: ") && !error.contains("    at "), "{error}");
        error
    }

    /// What was published, since this was last asked.
    fn published(&self) -> Vec<String> {
        let log = self.registry().join("log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        text.lines().filter_map(|line| line.strip_prefix("publish ")).map(str::to_owned).collect()
    }

    fn change_manifest(&self, change: impl Fn(&mut Vec<Value>)) {
        let path = self.packages().join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(manifest["packages"].as_array_mut().unwrap());
        fs::write(path, manifest.to_string()).unwrap();
    }
}

#[test]
fn the_platforms_are_published_first_with_provenance_and_a_second_run_publishes_nothing() {
    let Some(release) = Release::new("1.2.3") else { return };
    let said = release.succeeds(&["--tag", "v1.2.3"]);
    let published = release.published();
    assert_eq!(published.len(), names().len());
    let last = "strongroom-1.2.3.tgz --provenance --access public --tag latest";
    assert_eq!(published.last().unwrap(), last);
    assert!(published[0].starts_with("strongroom-linux-x64-gnu-1.2.3.tgz "), "{published:?}");
    assert!(said.ends_with("strongroom 1.2.3 is published: 8 packages now, 0 before\n"), "{said}");
    let again = release.succeeds(&["--tag", "v1.2.3"]);
    assert_eq!(release.published(), Vec::<String>::new());
    assert!(again.ends_with("0 packages now, 8 before\n"), "{again}");
}

#[test]
fn a_prerelease_is_not_what_npm_install_takes() {
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
    assert!(said.contains("@strongroom/darwin-x64@1.2.3: not published, and a new package\n"), "{said}");
    assert!(said.contains("@strongroom/linux-x64-gnu@1.2.3: published already\n"), "{said}");
    assert!(said.contains("strongroom@1.2.3: not published\n"), "{said}");
    assert!(said.contains("by hand the first time: see RELEASING.md"), "{said}");
}

#[test]
fn what_stopped_half_way_says_what_is_missing_and_goes_on_where_it_stopped() {
    let Some(release) = Release::new("1.2.3") else { return };
    fs::write(release.registry().join("refuse"), "@strongroom/linux-x64-musl").unwrap();
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("npm publish failed for @strongroom/linux-x64-musl@1.2.3"), "{error}");
    assert!(
        error.contains("Published were 2 of 8; still missing: @strongroom/linux-x64-musl@1.2.3, "),
        "{error}"
    );
    assert!(error.contains("run this job again"), "{error}");
    assert_eq!(release.published().len(), 3);
    fs::remove_file(release.registry().join("refuse")).unwrap();
    let said = release.succeeds(&["--tag", "v1.2.3"]);
    assert_eq!(release.published().len(), 6);
    assert!(said.ends_with("6 packages now, 2 before\n"), "{said}");
}

#[test]
fn a_version_that_exists_with_another_content_stops_before_anything_is_published() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.has("strongroom", "1.2.3", "something else");
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("nothing was published: the registry has another content"), "{error}");
    let there = format!("strongroom@1.2.3 is {} there, and ", integrity("something else"));
    assert!(error.contains(&there) && error.contains("raise the version"), "{error}");
    // Between a release and the next version every change is in this state, and must pass its checks.
    let said = release.succeeds(&["--dry-run"]);
    assert!(said.contains("strongroom@1.2.3: published with another content\n"), "{said}");
    assert!(said.contains("1.2.3 is taken: raise the version"), "{said}");
    assert_eq!(release.published(), Vec::<String>::new());
}

#[test]
fn a_new_name_is_left_to_a_person() {
    let Some(release) = Release::new("1.2.3") else { return };
    fs::remove_file(release.entry("@strongroom/win32-x64-msvc", "0.0.1")).unwrap();
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(error.contains("@strongroom/win32-x64-msvc: strongroom-win32-x64-msvc-1.2.3.tgz"), "{error}");
    assert!(error.contains("by hand this once, as RELEASING.md says"), "{error}");
    assert_eq!(release.published(), Vec::<String>::new());
}

#[test]
fn everything_that_is_wrong_with_a_folder_is_said_at_once() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.change_manifest(|packages| {
        packages.retain(|sealed| sealed["name"] != "@strongroom/darwin-arm64");
        let mut amiga = packages[0].clone();
        amiga["name"] = "@strongroom/amiga".into();
        packages.push(amiga);
        packages.push(packages[0].clone());
        packages[1]["version"] = "1.2.2".into();
    });
    fs::write(release.packages().join("strongroom-linux-x64-gnu-1.2.3.tgz"), "damaged").unwrap();
    fs::remove_file(release.packages().join("strongroom-linux-arm64-gnu-1.2.3.tgz")).unwrap();
    let error = release.refuses(&["--dry-run"]);
    for problem in [
        "missing: @strongroom/darwin-arm64\n",
        "more than once: strongroom\n",
        "not in targets.json: @strongroom/amiga\n",
        "not of 1.2.3: @strongroom/win32-x64-msvc@1.2.2\n",
        "damaged: strongroom-linux-x64-gnu-1.2.3.tgz has 7 bytes and ",
        "missing: strongroom-linux-arm64-gnu-1.2.3.tgz (ENOENT)\n",
        "cargo xtask pack",
    ] {
        assert!(error.contains(problem), "{problem} is not in {error}");
    }
    assert!(!release.registry().join("log").exists(), "the registry was asked about a broken release");
}

#[test]
fn another_versions_tag_and_a_registry_that_does_not_answer_stop_it() {
    let Some(release) = Release::new("1.2.3") else { return };
    let error = release.refuses(&["--tag", "v1.2.4"]);
    assert!(error.contains("the tag is v1.2.4, but the packages are of version 1.2.3"), "{error}");
    fs::write(release.registry().join("down"), "").unwrap();
    let error = release.refuses(&["--tag", "v1.2.3"]);
    assert!(
        error.contains("npm view @strongroom/linux-x64-gnu@1.2.3 failed: getaddrinfo ENOTFOUND"),
        "{error}"
    );
    assert!(error.contains("run this again when the registry answers"), "{error}");
    assert_eq!(release.published(), Vec::<String>::new());
}

#[test]
fn a_folder_without_a_manifest_and_wrong_arguments_are_refused() {
    let Some(release) = Release::new("1.2.3") else { return };
    for arguments in [[].as_slice(), &["--tag"], &["--dry-run", "--tag"], &["--tag", "v1.2.3", "--dry-run"]] {
        assert!(release.refuses(arguments).contains("usage: node publish.mjs FOLDER"), "{arguments:?}");
    }
    release.change_manifest(|packages| packages[0]["file"] = "../elsewhere.tgz".into());
    assert!(release.refuses(&["--dry-run"]).contains("manifest.json is no manifest of a release"));
    fs::remove_file(release.packages().join("manifest.json")).unwrap();
    let error = release.refuses(&["--dry-run"]);
    assert!(error.contains("manifest.json cannot be read (ENOENT"), "{error}");
}
