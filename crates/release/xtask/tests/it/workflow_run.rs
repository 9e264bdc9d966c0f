//! Runs the shell steps of the workflows, job by job, as GitHub does.
//!
//! Each job starts with a copy of the checkout, and artifacts pass from job to job. `bash`, `jq`, `node`, `git`, `tar` and
//! the scripts of this repository are real. Nix, cargo's builds, Docker, GitHub and npm's registry are stubs
//! (`tests/programs`), since real runs take hours or cannot be undone. The loads without Docker (macOS and Windows) are
//! not run; `load_packages.rs` tests the errors of the script that loads.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::publish::path_with;
use crate::workflow::{Expressions, Workflow, steps, texts};
use crate::workflow_checkout::{copy_checkout, link_checkout};

/// The tag of this checkout's version.
pub(crate) const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// A run of a workflow.
pub(crate) struct Run {
    workflow: Workflow,
    folder: TempDir,
    pub(crate) environment: BTreeMap<&'static str, String>,
    pub(crate) expressions: Expressions,
    pub(crate) results: BTreeMap<String, &'static str>,
    /// The output of failed steps.
    pub(crate) said: String,
    /// `true` if main does not contain the commit that the run checks out.
    pub(crate) is_unrelated: bool,
    /// `true` if CHANGELOG.md has no section for the version of the tag.
    pub(crate) is_unlisted: bool,
    /// The folder of the stubs.
    pub(crate) programs: PathBuf,
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
        for state in ["registry", "github"] {
            fs::create_dir(folder.path().join(state)).unwrap();
        }
        let (kind, name) = reference;
        let text = |text: &str| text.to_owned();
        let environment = BTreeMap::from([
            ("GITHUB_SERVER_URL", text("https://github.example")),
            ("GITHUB_REPOSITORY", text("owner/strongroom")),
            ("GITHUB_REF_NAME", text(name)),
            ("GITHUB_RUN_ID", text("7")),
            ("GITHUB_STATE", folder.path().join("github").display().to_string()),
            ("GITHUB_STEP_SUMMARY", folder.path().join("summary").display().to_string()),
            ("REGISTRY", folder.path().join("registry").display().to_string()),
            ("XTASK", text(env!("CARGO_BIN_EXE_xtask"))),
        ]);
        let expressions = [
            ("github.event_name", event),
            ("github.ref_type", kind),
            ("github.repository", "owner/strongroom"),
            ("github.token", "a token"),
            ("vars.NPM_PUBLISH", ""),
        ]
        .map(|(name, value)| (text(name), text(value)));
        Some(Self {
            workflow: Workflow::named(file),
            folder,
            environment,
            expressions: Expressions(expressions.into()),
            results: BTreeMap::new(),
            said: String::new(),
            is_unrelated: false,
            is_unlisted: false,
            programs: programs(),
        })
    }

    /// Runs every job after the jobs it needs. Returns the result of each job.
    pub(crate) fn all(&mut self) -> &BTreeMap<String, &'static str> {
        self.results.clear();
        self.results = self.jobs(&self.workflow.jobs().clone());
        &self.results
    }

    /// Runs one job, after the jobs it needs if they have not run. Returns its result.
    pub(crate) fn one(&mut self, name: &str) -> &'static str {
        let jobs = self.workflow.jobs().clone();
        for need in texts(&jobs[name]["needs"]) {
            if !self.results.contains_key(need) {
                let result = self.one(need);
                self.results.insert(need.to_owned(), result);
            }
        }
        self.job(&jobs[name], &self.results.clone())
    }

    fn jobs(&mut self, jobs: &Map<String, Value>) -> BTreeMap<String, &'static str> {
        let mut results = BTreeMap::new();
        while results.len() < jobs.len() {
            let ready = jobs.iter().find(|(name, job)| {
                let needs = texts(&job["needs"]);
                !results.contains_key(*name) && needs.iter().all(|need| results.contains_key(*need))
            });
            let (name, job) = ready.unwrap();
            let result = self.job(job, &results);
            results.insert(name.clone(), result);
        }
        results
    }

    /// Runs the jobs of a workflow that a job calls, with the inputs of the call.
    fn call(&mut self, file: &str, inputs: &Value) -> &'static str {
        for (name, value) in inputs.as_object().unwrap() {
            let value = self.expressions.fill(value.as_str().unwrap());
            self.expressions.0.insert(format!("inputs.{name}"), value);
        }
        let called = Workflow::named(file.strip_prefix("./.github/workflows/").unwrap());
        let results = self.jobs(called.jobs());
        let succeeded = results.values().all(|result| *result == "success");
        if succeeded { "success" } else { "failure" }
    }

    fn job(&mut self, job: &Value, results: &BTreeMap<String, &'static str>) -> &'static str {
        let condition = job["if"].as_str().unwrap_or("success()");
        let needs_succeeded = texts(&job["needs"]).iter().all(|need| results[*need] == "success");
        let runs = match condition {
            "always()" => true,
            "success()" => needs_succeeded,
            other => needs_succeeded && self.expressions.holds(other),
        };
        if !runs {
            return "skipped";
        }
        if let Some(file) = job["uses"].as_str() {
            return self.call(file, &job["with"]);
        }
        let needs: Map<String, Value> = texts(&job["needs"])
            .iter()
            .map(|need| ((*need).to_owned(), json!({ "result": results[*need] })))
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
                let with = |key: &str| match &step["with"][key] {
                    Value::Null => None,
                    Value::String(text) => Some(expressions.fill(text)),
                    other => Some(other.to_string()),
                };
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
            bash.env_clear().env("PATH", path_with(&self.programs)).env("HOME", home.path());
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
            "actions/checkout" => {
                let copied = self.folder.path().join("checkout");
                if !copied.exists() {
                    copy_checkout(&copied);
                    self.add_to_changelog(&copied);
                }
                link_checkout(&copied, workspace);
                if with("fetch-depth").as_deref() == Some("0") {
                    self.commit(workspace);
                }
            }
            "cachix/install-nix-action" | "actions/setup-node" => {}
            "actions/attest" => {
                let path = with("subject-path").unwrap();
                let (folder, suffix) = path.split_once('*').unwrap();
                let attested = self.folder.path().join("attested");
                assert!(suffix.is_empty() && copy(&workspace.join(folder), &attested, "") > 0, "{path}");
            }
            "actions/upload-artifact" => {
                let to = uploads.join(with("name").unwrap());
                let replaces = with("overwrite").as_deref() == Some("true");
                assert!(replaces || !to.exists(), "{} exists, and is not overwritten", to.display());
                let _ = fs::remove_dir_all(&to);
                let path = workspace.join(with("path").unwrap());
                if path.is_file() {
                    fs::create_dir_all(&to).unwrap();
                    fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
                    return;
                }
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
                        let merges = with("merge-multiple").as_deref() == Some("true");
                        copy(&upload, &if merges { path.clone() } else { path.join(name) }, "");
                    }
                }
            }
            other => panic!("the test cannot imitate the action {other}"),
        }
    }

    /// Creates a repository with one commit, which is on main unless the run is for an unrelated commit.
    fn commit(&self, workspace: &Path) {
        let git = |words: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=test", "-c", "user.email=test@example.org"]).args(words);
            assert!(git.current_dir(workspace).output().unwrap().status.success(), "git {words:?}");
        };
        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "main"]);
        git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        if self.is_unrelated {
            git(&["commit", "--quiet", "--allow-empty", "--message", "not on main"]);
        }
    }

    /// Adds a section for the tag's version to the checkout's changelog, unless there is one.
    fn add_to_changelog(&self, workspace: &Path) {
        let (path, version) = (workspace.join("CHANGELOG.md"), env!("CARGO_PKG_VERSION"));
        let text = fs::read_to_string(&path).unwrap();
        if self.is_unlisted {
            fs::write(path, text.replace(&format!("\n## {version}"), "\n## 0.0.0")).unwrap();
        } else if !text.contains(&format!("\n## {version}")) {
            let section = format!("\n## {version} - 2026-01-31\n\n- An entry for users.\n\n## ");
            fs::write(path, text.replacen("\n## ", &section, 1)).unwrap();
        }
    }

    /// Returns the lines of a stub's log that begin with these words.
    pub(crate) fn logged(&self, log: &str, words: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join(log)).unwrap_or_default();
        log.lines().filter(|line| line.starts_with(words)).map(str::to_owned).collect()
    }

    /// Returns a file in the folder of the run.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Puts an older version of every package into the registry.
    pub(crate) fn released_before(&self) {
        let names = node_targets::targets().iter().map(|target| format!("%40strongroom%2F{target}"));
        for name in names.chain(["strongroom".to_owned()]) {
            fs::write(self.folder.path().join("registry").join(name + "%400.0.1"), "\"sha512-\"").unwrap();
        }
    }
}

pub(crate) fn programs() -> PathBuf {
    crate::folder().join("tests/programs")
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
