//! Runs the shell steps of the workflows, job by job, as GitHub does.
//!
//! Each job starts with a copy of the checkout, and artifacts pass from job to job. `bash`, `jq`, `node` and the
//! scripts of this repository are real. Nix, cargo's builds, Docker and npm's registry are stubs (`tests/programs`),
//! since real runs take hours or cannot be undone. The loads without Docker (macOS and Windows) are not run;
//! `load_packages.rs` tests the errors of the script that loads.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::publish::path_with;
use crate::workflow::{Expressions, Workflow, root, steps, texts};

/// The tag of this checkout's version.
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// A run of a workflow.
pub(crate) struct Run {
    workflow: Workflow,
    folder: TempDir,
    pub(crate) environment: BTreeMap<&'static str, String>,
    pub(crate) expressions: Expressions,
    results: BTreeMap<String, &'static str>,
    /// The output of failed steps.
    pub(crate) said: String,
}

impl Run {
    /// Prepares a run. Returns `None` if this machine lacks a program that the steps need.
    pub(crate) fn new(file: &str, event: &str, reference: (&str, &str)) -> Option<Self> {
        for program in ["bash", "jq", "node", "git"] {
            if cfg!(windows) || Command::new(program).arg("--version").output().is_err() {
                println!("skipped: the workflow's steps need {program}, which cannot run here");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("registry")).unwrap();
        let (kind, name) = reference;
        let text = |text: &str| text.to_owned();
        let environment = BTreeMap::from([
            ("GITHUB_SERVER_URL", text("https://github.example")),
            ("GITHUB_REPOSITORY", text("owner/strongroom")),
            ("GITHUB_REF_NAME", text(name)),
            ("REGISTRY", folder.path().join("registry").display().to_string()),
            ("XTASK", text(env!("CARGO_BIN_EXE_xtask"))),
        ]);
        let expressions = [("github.event_name", event), ("github.ref_type", kind)]
            .map(|(name, value)| (text(name), text(value)));
        Some(Self {
            workflow: Workflow::named(file),
            folder,
            environment,
            expressions: Expressions(expressions.into()),
            results: BTreeMap::new(),
            said: String::new(),
        })
    }

    /// Runs every job after the jobs it needs. Returns the result of each job.
    pub(crate) fn all(&mut self) -> &BTreeMap<String, &'static str> {
        let jobs = self.workflow.jobs().clone();
        while self.results.len() < jobs.len() {
            let ready = jobs.iter().find(|(name, job)| {
                let needs = texts(&job["needs"]);
                !self.results.contains_key(*name) && needs.iter().all(|need| self.results.contains_key(*need))
            });
            let (name, job) = ready.unwrap();
            let result = self.job(job);
            self.results.insert(name.clone(), result);
        }
        &self.results
    }

    fn job(&mut self, job: &Value) -> &'static str {
        let condition = job["if"].as_str().unwrap_or("success()");
        let needs_succeeded = texts(&job["needs"]).iter().all(|need| self.results[*need] == "success");
        let runs = match condition {
            "always()" => true,
            "success()" => needs_succeeded,
            other => needs_succeeded && self.expressions.holds(other),
        };
        if !runs {
            return "skipped";
        }
        let needs: Map<String, Value> = texts(&job["needs"])
            .iter()
            .map(|need| ((*need).to_owned(), json!({ "result": self.results[*need] })))
            .collect();
        let mut succeeded = true;
        for row in self.rows(job) {
            let mut expressions = self.expressions.clone();
            expressions.0.insert("toJSON(needs)".to_owned(), Value::Object(needs.clone()).to_string());
            for (key, value) in row {
                expressions.0.insert(format!("matrix.{key}"), value.as_str().unwrap().to_owned());
            }
            succeeded &= self.row(job, &expressions);
        }
        if succeeded { "success" } else { "failure" }
    }

    /// Returns the rows of a job's matrix, or one empty row if the job has no matrix.
    fn rows(&self, job: &Value) -> Vec<Map<String, Value>> {
        let matrix = &job["strategy"]["matrix"];
        if let Some(include) = matrix["include"].as_str() {
            let expression = include.trim_start_matches("${{ fromJSON(").trim_end_matches(") }}");
            return serde_json::from_str(&self.expressions.fill(&format!("${{{{ {expression} }}}}")))
                .unwrap();
        }
        let Some((key, values)) = matrix.as_object().and_then(|matrix| matrix.iter().next()) else {
            return vec![Map::new()];
        };
        texts(values).iter().map(|value| Map::from_iter([(key.clone(), json!(value))])).collect()
    }

    /// Runs one row of a job in a new folder. Returns whether every step succeeded.
    fn row(&mut self, job: &Value, expressions: &Expressions) -> bool {
        let home = tempfile::tempdir_in(self.folder.path()).unwrap();
        let workspace = home.path().join("workspace");
        fs::create_dir(&workspace).unwrap();
        let output = home.path().join("output");
        fs::write(&output, "").unwrap();
        for step in steps(job) {
            let condition = step["if"].as_str().unwrap_or_default();
            if !condition.is_empty() && !expressions.holds(condition) {
                continue;
            }
            if let Some(action) = step["uses"].as_str() {
                let with = |key: &str| step["with"][key].as_str().map(|text| expressions.fill(text));
                self.action(action.split('@').next().unwrap(), &with, &workspace);
                continue;
            }
            let script = step["run"].as_str().unwrap();
            if script.starts_with("node bindings/node/scripts/load.mjs") {
                continue;
            }
            let folder = workspace.join(step["working-directory"].as_str().unwrap_or_default());
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder);
            bash.env_clear().env("PATH", path_with(&programs())).env("HOME", home.path());
            bash.env("TMPDIR", home.path()).env("GITHUB_OUTPUT", &output).envs(&self.environment);
            for environment in [&job["env"], &step["env"]] {
                for (name, value) in environment.as_object().into_iter().flatten() {
                    bash.env(name, expressions.fill(value.as_str().unwrap()));
                }
            }
            let result = bash.stdin(Stdio::null()).output().unwrap();
            if !result.status.success() {
                let said =
                    [&result.stdout, &result.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
                self.said += &format!("{script}\n{}", said.concat());
                return false;
            }
        }
        self.hand_on(job, &fs::read_to_string(output).unwrap());
        true
    }

    /// Stores a job's outputs for the jobs that need it.
    fn hand_on(&mut self, job: &Value, output: &str) {
        let step = steps(job).iter().find_map(|step| step["id"].as_str()).unwrap_or_default();
        let written: Vec<(String, String)> = output
            .lines()
            .map(|line| line.split_once('=').unwrap())
            .map(|(name, value)| (format!("steps.{step}.outputs.{name}"), value.to_owned()))
            .collect();
        let written = Expressions(written.into_iter().collect());
        for (name, value) in job["outputs"].as_object().into_iter().flatten() {
            let value = written.fill(value.as_str().unwrap());
            self.expressions.0.insert(format!("needs.plan.outputs.{name}"), value);
        }
    }

    /// Imitates an action.
    fn action(&self, action: &str, with: &dyn Fn(&str) -> Option<String>, workspace: &Path) {
        let uploads = self.folder.path().join("uploads");
        match action {
            "actions/checkout" => check_out(workspace),
            "cachix/install-nix-action" | "actions/setup-node" => {}
            "actions/upload-artifact" => {
                let to = uploads.join(with("name").unwrap());
                assert!(!to.exists(), "{} is uploaded twice", to.display());
                let path = workspace.join(with("path").unwrap());
                let (from, suffix) = match path.to_str().unwrap().split_once('*') {
                    Some((folder, suffix)) => (PathBuf::from(folder), suffix.to_owned()),
                    None => (path, String::new()),
                };
                assert!(copy(&from, &to, &suffix) > 0, "nothing to upload in {}", from.display());
            }
            "actions/download-artifact" => {
                let path = workspace.join(with("path").unwrap());
                let Some(pattern) = with("pattern") else {
                    assert!(copy(&uploads.join(with("name").unwrap()), &path, "") > 0);
                    return;
                };
                for upload in fs::read_dir(uploads).unwrap().map(|entry| entry.unwrap().path()) {
                    let name = upload.file_name().unwrap().to_str().unwrap();
                    if name.starts_with(pattern.trim_end_matches('*')) {
                        copy(&upload, &path.join(name), "");
                    }
                }
            }
            other => panic!("the test cannot imitate the action {other}"),
        }
    }

    /// Counts the packages that the npm stub published.
    fn published(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("registry/log")).unwrap_or_default();
        log.lines().filter(|line| line.starts_with("publish ")).count()
    }

    /// Puts an older version of every package into the registry.
    fn released_before(&self) {
        let names = node_targets::targets().iter().map(|target| format!("%40strongroom%2F{target}"));
        for name in names.chain(["strongroom".to_owned()]) {
            fs::write(self.folder.path().join("registry").join(name + "%400.0.1"), "\"sha512-\"").unwrap();
        }
    }
}

fn programs() -> PathBuf {
    crate::folder().join("tests/programs")
}

/// Copies this checkout's tracked files, and its untracked files that git doesn't ignore, with uncommitted changes.
fn check_out(workspace: &Path) {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = git.output().unwrap();
    assert!(listed.status.success(), "git ls-files failed: the tests must run in a git checkout");
    for file in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (root().join(file), workspace.join(file));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

/// Copies the files of a folder whose names end in `suffix`. Returns the number of copied files.
fn copy(from: &Path, to: &Path, suffix: &str) -> usize {
    fs::create_dir_all(to).unwrap();
    let mut copied = 0;
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(suffix) {
            fs::copy(&path, to.join(name)).unwrap();
            copied += 1;
        }
    }
    copied
}

#[test]
fn a_tag_publishes_every_package() {
    let Some(mut run) = Run::new("release-node.yml", "push", ("tag", TAG)) else { return };
    run.released_before();
    let results = run.all().clone();
    assert!(results.values().all(|result| *result == "success"), "{results:?}\n{}", run.said);
    assert_eq!(run.published(), node_targets::targets().len() + 1);
}

#[test]
fn a_pull_request_runs_every_job_except_publish() {
    let Some(mut run) = Run::new("release-node.yml", "pull_request", ("branch", "1/merge")) else { return };
    let results = run.all().clone();
    let skipped: Vec<&str> =
        results.iter().filter(|(_, result)| **result != "success").map(|(name, _)| name.as_str()).collect();
    assert_eq!((skipped, results["publish"]), (vec!["publish"], "skipped"), "{}", run.said);
    assert_eq!(run.published(), 0);
}

#[test]
fn a_failed_build_stops_the_release() {
    let Some(mut run) = Run::new("release-node.yml", "push", ("tag", TAG)) else { return };
    run.environment.insert("BROKEN", "linux-arm64-musl".to_owned());
    let results = run.all().clone();
    assert!(run.said.contains("linux-arm64-musl does not build"), "{}", run.said);
    let expected = [("build-linux", "failure"), ("build-macos", "success"), ("pack", "skipped")];
    for (job, result) in expected.into_iter().chain([("publish", "skipped"), ("release-node", "failure")]) {
        assert_eq!(results[job], result, "{job}: {}", run.said);
    }
    assert_eq!(run.published(), 0);
}

#[test]
fn a_tag_of_another_version_stops_the_release_before_the_builds() {
    let Some(mut run) = Run::new("release-node.yml", "push", ("tag", "v99.0.0")) else { return };
    let results = run.all().clone();
    assert_eq!((results["plan"], results["release-node"]), ("failure", "failure"), "{}", run.said);
    assert_eq!(results.values().filter(|result| **result == "skipped").count(), results.len() - 2);
    assert!(
        run.said
            .contains("::error::the tag is v99.0.0, but Cargo.toml has a different version: delete the tag"),
        "{}",
        run.said
    );
}

#[test]
fn ci_passes_on_a_pull_request() {
    let Some(mut run) = Run::new("ci.yml", "pull_request", ("branch", "1/merge")) else { return };
    let results = run.all().clone();
    assert!(results.values().all(|result| *result == "success"), "{results:?}\n{}", run.said);
}
