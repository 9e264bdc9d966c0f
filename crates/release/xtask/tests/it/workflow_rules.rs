//! Tests rules for the workflows that actionlint and zizmor don't check.

#![expect(clippy::unwrap_used, reason = "a workflow that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use node_targets::{Cpu, Os, Target};
use serde_json::Value;

use crate::checkout::root;
use crate::workflow::{Workflow, steps, texts};

/// The maximum number of lines in a `run` step. A longer step belongs in a script that tests can run.
const MAX_RUN_LINES: usize = 4;

#[test]
fn a_workflow_grants_no_top_level_permissions_and_ends_in_one_check() {
    for Workflow { file, yaml, .. } in Workflow::all() {
        assert_eq!(yaml["permissions"], serde_json::json!({}), "{file}");
        let jobs = yaml["jobs"].as_object().unwrap();
        for (name, job) in jobs {
            // GitHub allows no timeout for a job that calls a workflow; the called jobs have their own.
            let calls = job["uses"].is_string();
            assert!(calls || job["timeout-minutes"].is_u64(), "{file}: {name} has no timeout");
            assert!(job["permissions"].is_object(), "{file}: {name} sets no permissions");
        }
        if yaml["on"]["workflow_call"].is_object() {
            // The calling workflow's check needs the call, whose result is the result of all called jobs.
            assert_eq!(yaml["on"].as_object().unwrap().len(), 1, "{file} is called, and runs on its own");
            continue;
        }
        let aggregate = file.trim_end_matches(".yml");
        let needs: BTreeSet<&str> = texts(&jobs[aggregate]["needs"]).into_iter().collect();
        let others: BTreeSet<&str> =
            jobs.keys().map(String::as_str).filter(|job| *job != aggregate).collect();
        assert_eq!(needs, others, "{file}: {aggregate} is the required check and must need every other job");
        assert_eq!(jobs[aggregate]["if"], "always()", "{file}: GitHub counts a skipped check as passed");
    }
}

#[test]
fn a_workflow_has_at_most_200_lines_and_uploads_can_run_again() {
    for Workflow { file, text, yaml } in Workflow::all() {
        assert!(text.lines().count() <= 200, "{file} has more than 200 lines: split it");
        for (name, job) in yaml["jobs"].as_object().unwrap() {
            for step in steps(job) {
                let uploads = step["uses"].as_str().is_some_and(|uses| uses.contains("/upload-artifact@"));
                // Without `overwrite`, "Re-run all jobs" fails: an artifact of the first attempt has the name.
                assert!(
                    !uploads || step["with"]["overwrite"] == true,
                    "{file}, {name}: an upload must overwrite"
                );
            }
        }
    }
}

#[test]
fn actions_are_pinned_to_one_commit_and_run_steps_have_no_expressions() {
    let mut pins = BTreeMap::new();
    for Workflow { file, text, yaml } in Workflow::all() {
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("- uses: ")) {
            let (pin, version) = line
                .split_once(" # v")
                .unwrap_or_else(|| panic!("{file}: {line} has no comment with the version"));
            let (action, commit) = pin.split_once('@').unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{file}: {pin} is not pinned to a commit");
            let pinned = (commit.to_owned(), version.to_owned());
            let first = pins.entry(action.to_owned()).or_insert(pinned.clone());
            assert_eq!(*first, pinned, "{file}: {action} is pinned to two commits");
        }
        for (name, job) in yaml["jobs"].as_object().unwrap() {
            for step in steps(job) {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{file}, {name}: a run step has an expression: {run}");
                assert!(
                    run.lines().count() <= MAX_RUN_LINES,
                    "{file}, {name}: a run step is too long: {run}"
                );
            }
        }
    }
}

#[test]
fn the_release_installs_no_compiler_and_uses_no_cache() {
    let uses = |job: &Value, action: &str| {
        steps(job).iter().any(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(action)))
    };
    for file in ["release-node.yml", "build.yml", "check.yml"] {
        let workflow = Workflow::named(file);
        for forbidden in
            ["cache@", "rust-cache", "rust-toolchain", "apt-get", "_LINKER", "napi build", "secrets."]
        {
            assert!(!workflow.text.contains(forbidden), "{file} contains {forbidden}");
        }
        for (name, job) in workflow.jobs() {
            let name = name.as_str();
            let uses_node = ["load", "stage"].contains(&name);
            assert_eq!(uses(job, "actions/setup-node@"), uses_node, "{name}");
            // npm accepts only the identity of a job in the environment `npm`.
            let has_identity = ["stage", "draft"].contains(&name);
            assert_eq!(job["permissions"]["id-token"] == "write", has_identity, "{name}");
            assert_eq!(job["environment"] == "npm", name == "stage", "{name}");
            assert_eq!(job["permissions"]["contents"] == "write", name == "draft", "{name}");
            let builds_by_nix = ["build-linux", "build-macos", "build-js", "rebuild-darwin"].contains(&name);
            assert_eq!(uses(job, "cachix/install-nix-action@"), builds_by_nix, "{name}");
        }
    }
    let release = Workflow::named("release-node.yml");
    let needs =
        |job: &str| texts(&release.jobs()[job]["needs"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        needs("stage"),
        ["pack", "check"],
        "stage must wait for the audit in pack, the loads and the rebuilds"
    );
    assert_eq!(needs("draft"), ["stage"]);
}

#[test]
fn the_matrix_has_the_rows_of_the_target_table() {
    for Workflow { file, text, .. } in Workflow::all() {
        for target in node_targets::targets() {
            for name in [&target.platform, &target.triple] {
                assert!(
                    !text.contains(name.as_str()),
                    "{file} repeats {name}, which belongs in targets.json"
                );
            }
        }
    }
    let Some(matrix) = matrix("targets.json") else { return };
    let rows = |output: &str| -> Vec<Value> { serde_json::from_str(&matrix[output]).unwrap() };
    let all: BTreeSet<String> =
        node_targets::targets().iter().map(|target| target.platform.clone()).collect();
    for (output, os) in [("linux", Os::Linux), ("macos", Os::Darwin), ("windows", Os::Win32)] {
        let built: BTreeSet<String> =
            rows(output).iter().map(|row| row["platform"].as_str().unwrap().to_owned()).collect();
        let targets = node_targets::targets().iter().filter(|target| target.os == os);
        assert_eq!(built, targets.map(|target| target.platform.clone()).collect(), "{output}");
    }
    let load = rows("load");
    let loaded: BTreeSet<String> =
        load.iter().map(|row| row["platform"].as_str().unwrap().to_owned()).collect();
    assert_eq!(loaded, all);
    for target in node_targets::targets().iter().filter(|target| target.os == Os::Win32) {
        let find = |rows: &[Value], runner: &str| {
            let fits = |row: &&Value| row["platform"] == target.platform.as_str() && row["runner"] == runner;
            rows.iter().find(fits).cloned()
        };
        let own = if target.cpu == Cpu::Arm64 { "windows-11-arm" } else { "windows-2025" };
        assert!(find(&rows("windows"), own).is_some(), "{target} is not built on {own}, which could load it");
        // A Node for x64 also runs on Windows on arm64, and takes the addon for x64.
        for runner in [own, "windows-11-arm"] {
            let row = find(&load, runner).unwrap_or_else(|| panic!("{target} is not loaded on {runner}"));
            assert_eq!(
                row["cpu"],
                target.cpu.name(),
                "setup-node must install a Node for the addon's processor"
            );
        }
    }
    let row_of = |target: &Target, field: &str, start: &str| {
        load.iter().any(|row| {
            row["platform"] == target.platform.as_str() && row[field].as_str().unwrap().starts_with(start)
        })
    };
    for target in node_targets::targets() {
        let (field, versions): (&str, &[&str]) = match target.os {
            Os::Linux => ("image", &["node:20-", "node:22-", "node:24-", "node:26-"]),
            _ => ("node", &["20", "22", "24"]),
        };
        for version in versions {
            assert!(row_of(target, field, version), "{target} is not loaded in {version}");
        }
    }
    for row in &load {
        assert_ne!(row["image"] == "", row["node"] == "", "a row has an image or a version of Node: {row}");
    }
}

#[test]
fn a_target_without_a_runner_stops_the_release() {
    let table = fs::read_to_string(root().join("targets.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (known, unknown, message) in [
        ("\"x86_64-linux\"", "\"riscv64-linux\"", "no runner is known for the build host riscv64-linux"),
        (
            "\"arm64\", \"libc\": \"glibc\"",
            "\"ppc64\", \"libc\": \"glibc\"",
            "no runner is known for linux on ppc64",
        ),
        (
            "\"arm64\", \"libc\": null",
            "\"ppc64\", \"libc\": null",
            "win32-arm64-msvc: no runner is known for the build host windows",
        ),
        ("\"musl\"", "\"uclibc\"", "no image is known for the C library uclibc"),
    ] {
        let changed = folder.path().join("targets.json");
        fs::write(&changed, table.replace(known, unknown)).unwrap();
        let Some(output) = jq(changed.to_str().unwrap()) else { return };
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(message), "{error}");
    }
}

/// Returns the outputs of `matrix.jq`, or `None` if jq isn't installed.
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
            println!("skipped: jq is not installed; run cargo xtask setup");
            None
        }
    }
}
