//! What every workflow keeps to, beyond what actionlint and zizmor ask.

#![expect(clippy::unwrap_used, reason = "a workflow that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::workflow::{Workflow, root, steps, texts};

/// Lines of a workflow at most: what is longer is hard to review, and this is what publishes.
const LINES: usize = 200;

#[test]
fn a_workflow_is_short_grants_nothing_at_the_top_and_ends_in_one_check() {
    for Workflow { file, text, yaml } in Workflow::all() {
        assert!(text.lines().count() <= LINES, "{file} has more than {LINES} lines");
        assert_eq!(yaml["permissions"], serde_json::json!({}), "{file}");
        let jobs = yaml["jobs"].as_object().unwrap();
        let aggregate = file.trim_end_matches(".yml");
        let needs: BTreeSet<&str> = texts(&jobs[aggregate]["needs"]).into_iter().collect();
        let others: BTreeSet<&str> =
            jobs.keys().map(String::as_str).filter(|job| *job != aggregate).collect();
        assert_eq!(needs, others, "{file}: {aggregate} is the required check, and must need every other job");
        assert_eq!(jobs[aggregate]["if"], "always()", "{file}: a check that is skipped counts as passed");
        for (name, job) in jobs {
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name} has no timeout");
            assert!(job["permissions"].is_object(), "{file}: {name} says nothing of its permissions");
        }
    }
}

#[test]
fn an_action_is_pinned_by_its_commit_the_same_everywhere_and_an_expression_is_no_shell() {
    let mut pins = BTreeMap::new();
    for Workflow { file, text, yaml } in Workflow::all() {
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("- uses: ")) {
            let (pin, version) =
                line.split_once(" # v").unwrap_or_else(|| panic!("{file}: {line}: which version?"));
            let (action, commit) = pin.split_once('@').unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {pin} is no commit");
            let pinned = (commit.to_owned(), version.to_owned());
            let first = pins.entry(action.to_owned()).or_insert(pinned.clone());
            assert_eq!(*first, pinned, "{file}: {action} is pinned twice");
        }
        for (name, job) in yaml["jobs"].as_object().unwrap() {
            for step in steps(job) {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{file}, {name}: {run}");
                assert!(run.lines().count() <= 4, "{file}, {name}: this is a script: {run}");
            }
        }
    }
    assert_eq!(pins.len(), 5, "{pins:?}");
}

#[test]
fn the_release_sets_up_no_compiler_and_caches_nothing() {
    let release = Workflow::named("release-node.yml");
    for forbidden in
        ["cache@", "rust-cache", "rust-toolchain", "apt-get", "_LINKER", "napi build", "secrets."]
    {
        assert!(!release.text.contains(forbidden), "release-node.yml has {forbidden}");
    }
    let uses = |job: &Value, action: &str| {
        steps(job).iter().any(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(action)))
    };
    for (name, job) in release.jobs() {
        assert_eq!(uses(job, "actions/setup-node@"), name == "publish", "{name}");
        assert_eq!(job["permissions"]["id-token"] == "write", name == "publish", "{name}");
        let builds_by_nix = ["build-linux", "build-macos", "build-js"].contains(&name.as_str());
        assert_eq!(uses(job, "cachix/install-nix-action@"), builds_by_nix, "{name}");
    }
    let publish = &release.jobs()["publish"];
    assert_eq!(texts(&publish["needs"]), ["pack", "load"], "only what was audited and loaded is published");
}

#[test]
fn the_rows_are_those_of_the_target_table() {
    for Workflow { file, text, .. } in Workflow::all() {
        for target in node_targets::targets() {
            for name in [&target.platform, &target.triple] {
                assert!(!text.contains(name.as_str()), "{file} repeats {name} of targets.json");
            }
        }
    }
    let Some(matrix) = matrix("targets.json") else { return };
    let rows = |output: &str| -> Vec<Value> { serde_json::from_str(&matrix[output]).unwrap() };
    assert_eq!(["linux", "macos", "windows"].map(|output| rows(output).len()), [4, 2, 1]);
    let built: BTreeSet<String> = ["linux", "macos", "windows"]
        .iter()
        .flat_map(|output| rows(output))
        .map(|row| row["platform"].as_str().unwrap().to_owned())
        .collect();
    let all: BTreeSet<String> =
        node_targets::targets().iter().map(|target| target.platform.clone()).collect();
    assert_eq!(built, all);
    let load = rows("load");
    let loaded: BTreeSet<String> =
        load.iter().map(|row| row["platform"].as_str().unwrap().to_owned()).collect();
    assert_eq!(loaded, all);
    for version in ["node:20-", "node:22-", "node:24-"] {
        let images = load.iter().filter(|row| row["image"].as_str().unwrap().starts_with(version));
        assert_eq!(images.count(), 4, "{version}");
    }
}

#[test]
fn a_target_that_no_machine_builds_stops_the_release() {
    let table = fs::read_to_string(root().join("targets.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (known, unknown, message) in [
        ("\"x86_64-linux\"", "\"riscv64-linux\"", "no runner is known for the build host riscv64-linux"),
        ("\"arm64\"", "\"ppc64\"", "no runner is known for linux on ppc64"),
    ] {
        let changed = folder.path().join("targets.json");
        fs::write(&changed, table.replace(known, unknown)).unwrap();
        let Some(output) = jq(changed.to_str().unwrap()) else { return };
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(message), "{error}");
    }
}

/// What the first job of the release hands on.
fn matrix(table: &str) -> Option<BTreeMap<String, String>> {
    let output = jq(table)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split_once('=').unwrap()).map(|(a, b)| (a.into(), b.into())).collect())
}

fn jq(table: &str) -> Option<std::process::Output> {
    let mut jq = Command::new("jq");
    jq.args(["--raw-output", "--from-file", ".github/matrix.jq", table]).current_dir(root());
    match jq.output() {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: jq is not there: cargo xtask setup");
            None
        }
    }
}
