//! A world for the workflow watch, which the stubs in `tests/programs/watch` show to its steps: GitHub, crates.io, npm
//! and cargo-deny.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::checkout::root;
use crate::publish::path_with;
use crate::workflow_run::Run;

pub(crate) const OPENSSL: &str = "api repos%2Fopenssl%2Fopenssl%2Freleases%3Fper_page%3D100";
pub(crate) const SQLCIPHER: &str = "api repos%2Fsqlcipher%2Fsqlcipher%2Fgit%2Fmatching-refs%2Ftags%2Fv";
pub(crate) const SQLITE: &str = "api repos%2Fsqlite%2Fsqlite%2Fgit%2Fmatching-refs%2Ftags%2Fversion-";
pub(crate) const ZSTD: &str = "api repos%2Ffacebook%2Fzstd%2Freleases%3Fper_page%3D100";
pub(crate) const AUDITS: [&str; 2] = ["audit bindings%2Fnode", "audit crates%2Frelease%2Flab%2Fconsumers"];

/// What the stubs answer, and the issues of the repository.
pub(crate) struct World {
    folder: TempDir,
}

/// The versions in Cargo.lock: the crate's, and the part of the crate's that names the library.
pub(crate) fn locked(package: &str) -> String {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let (_, rest) = lock.split_once(&format!("\nname = \"{package}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn openssl() -> String {
    locked("openssl-src").split_once('+').unwrap().1.to_owned()
}

pub(crate) fn sqlcipher(part: usize) -> String {
    locked("sqlcipher-src").split_once('+').unwrap().1.split('-').nth(part).unwrap().to_owned()
}

/// Returns a version with another last component.
pub(crate) fn with_patch(version: &str, patch: u32) -> String {
    format!("{}.{patch}", version.rsplit_once('.').unwrap().0)
}

/// The answer of GitHub's API to a list of releases, in two pages.
pub(crate) fn releases(tags: &[&str]) -> Value {
    let one = |tag: &&str| json!({ "tag_name": tag, "draft": false, "prerelease": tag.contains("-pre") });
    let (first, second) = tags.split_at(tags.len() / 2);
    json!([first.iter().map(one).collect::<Vec<_>>(), second.iter().map(one).collect::<Vec<_>>()])
}

/// The answer of GitHub's API to a list of references.
pub(crate) fn references(tags: &[&str]) -> Value {
    json!([tags.iter().map(|tag| json!({ "ref": format!("refs/tags/{tag}") })).collect::<Vec<_>>()])
}

/// A crate's file in the index of crates.io.
pub(crate) fn index(name: &str, versions: &[(&str, bool)]) -> String {
    let line = |(vers, yanked): &(&str, bool)| {
        format!("{}\n", json!({ "name": name, "vers": vers, "yanked": yanked }))
    };
    versions.iter().map(line).collect()
}

pub(crate) fn summary(errors: u32) -> Value {
    json!({ "type": "summary", "fields": { "advisories": { "errors": errors, "warnings": 0, "notes": 0, "helps": 0 } } })
}

/// An advisory as cargo-deny 0.20.2 prints it, with a title that would notify a person and break the table.
pub(crate) fn advisory() -> Value {
    json!({ "type": "diagnostic", "fields": {
        "advisory": { "id": "RUSTSEC-2020-0071", "package": "time", "title": "Segfault" },
        "code": "vulnerability", "severity": "error", "message": "Segfault | of `time`,\n@octocat",
        "graphs": [{ "Krate": { "name": "time", "version": "0.1.42" }, "parents": [] }],
        "labels": [{ "column": 1, "line": 3, "span": "time 0.1.42 registry" }],
        "notes": ["ID: RUSTSEC-2020-0071", "Solution: Upgrade to >=0.2.23"],
    } })
}

pub(crate) fn audit(vulnerabilities: &Value) -> String {
    let total = vulnerabilities.as_object().unwrap().len();
    let metadata = json!({ "vulnerabilities": { "total": total } });
    json!({ "auditReportVersion": 2, "vulnerabilities": vulnerabilities, "metadata": metadata }).to_string()
}

impl World {
    /// A world in which the vendored libraries are current, and no advisory is known. Every list also has entries that
    /// the workflow must not count: prereleases, drafts, other lines, foreign tags and yanked crates.
    pub(crate) fn current() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let [ours, zstd] = [openssl(), locked("zstd-sys").split_once("+zstd.").unwrap().1.to_owned()];
        let tag = |version: &str| format!("openssl-{version}");
        let older = with_patch(&ours, 0);
        let tags =
            [tag(&ours), tag("99.0.0"), tag("3.5.98-pre1"), tag("3.5.99-beta1"), tag(&older), "rsync".into()];
        world.put(OPENSSL, releases(&tags.each_ref().map(String::as_str)));
        world.put(ZSTD, releases(&[&format!("v{zstd}"), "v0.8.1", "v99.0.0-pre", "fuzz-corpora"]));
        world.put(SQLCIPHER, references(&["v1.1.9", &format!("v{}", sqlcipher(1)), "v4.6.0", "v99.0-beta"]));
        let sqlite = format!("version-{}", sqlcipher(3));
        world.put(SQLITE, references(&["version-3.8.11.1", &sqlite, "version-3.9.0", "version-99"]));
        let crates = ["openssl-src", "sqlcipher-src", "zstd-sys"].map(|name| (name, locked(name)));
        for (name, version) in &crates {
            let library = version.split_once('+').unwrap().1;
            let yanked = format!("999.0.0+{}", library.replace(&ours, "3.5.99"));
            world.put_text(&format!("index {name}"), &index(name, &[(version, false), (&yanked, true)]));
        }
        for audited in AUDITS {
            world.put_text(audited, &audit(&json!({})));
        }
        world.put("deny", json!({ "status": 0, "lines": [summary(0)] }));
        world.put("issues", json!([
            { "number": 1, "state": "open", "labels": [], "body": "<!-- watch -->", "comments": [] },
            { "number": 2, "state": "open", "labels": ["watch"], "body": "A person wrote this.", "comments": [] },
        ]));
        world.put("labels", json!([{ "name": "watchdog" }]));
        world
    }

    /// Makes a release of OpenSSL's own line that is newer than the vendored one. Returns its version.
    pub(crate) fn outdated(&self) -> String {
        let newest = with_patch(&openssl(), 10_000);
        self.put(OPENSSL, releases(&[&format!("openssl-{newest}"), &format!("openssl-{}", openssl())]));
        newest
    }

    pub(crate) fn put(&self, name: &str, value: impl Into<Value>) {
        self.put_text(name, &value.into().to_string());
    }

    pub(crate) fn put_text(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the workflow on a branch. Returns the results of `look`, `report` and `watch`, and what failed steps said.
    pub(crate) fn run_on(&self, branch: &str) -> Option<([&'static str; 3], String)> {
        let mut run = Run::new("watch.yml", "schedule", ("branch", branch))?;
        let programs = crate::folder().join("tests/programs/watch");
        run.environment.insert("PATH", path_with(&programs).into_string().unwrap());
        run.environment.insert("WORLD", self.folder.path().display().to_string());
        let known = [("github.ref", &*format!("refs/heads/{branch}")), ("github.token", "token")];
        for (name, value) in known.into_iter().chain([("github.repository", "owner/strongroom")]) {
            run.expressions.0.insert(name.to_owned(), value.to_owned());
        }
        let results = run.all().clone();
        Some((["look", "report", "watch"].map(|job| results[job]), run.said))
    }

    /// Runs the workflow on `main`, which must succeed. Returns the commands that changed issues or labels.
    pub(crate) fn run(&self) -> Option<String> {
        let _ = fs::remove_file(self.path("log"));
        let (results, said) = self.run_on("main")?;
        assert_eq!(results, ["success"; 3], "{said}");
        Some(fs::read_to_string(self.path("log")).unwrap_or_default())
    }

    /// Runs the workflow, which must fail in `look` and must not touch an issue. Returns the annotations.
    pub(crate) fn refuses(&self) -> Option<String> {
        let (results, said) = self.run_on("main")?;
        assert_eq!(results, ["failure", "skipped", "failure"], "{said}");
        assert!(!self.path("log").exists(), "{}", fs::read_to_string(self.path("log")).unwrap());
        assert!(!said.contains("    at "), "a stack: {said}");
        let lines = said.lines().filter(|line| line.starts_with("::error::"));
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    /// The issue with a number.
    pub(crate) fn issue(&self, number: usize) -> Value {
        let issues: Value = serde_json::from_str(&fs::read_to_string(self.path("issues")).unwrap()).unwrap();
        issues[number - 1].clone()
    }

    /// The row of a table in an issue's text.
    pub(crate) fn row(&self, number: usize, start: &str) -> String {
        let body = self.issue(number)["body"].as_str().unwrap().to_owned();
        let row = body.lines().find(|line| line.starts_with(start));
        row.unwrap_or_else(|| panic!("no row {start} in {body}")).to_owned()
    }
}
