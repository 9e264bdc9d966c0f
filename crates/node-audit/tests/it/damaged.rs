//! Files that have an addon's name but are not complete addons: every output format reports an error.
//!
//! node-audit once named such a file only on standard error, and `--format json` printed `[]`, which means clean.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::node_audit;
use crate::object_maker::Maker;
use crate::tarball_maker::Tarball;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n";

/// Returns a folder with one file for each kind of damage.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let whole = Maker::addon().make();
    write("cut.linux-x64-gnu.node", &whole[..whole.len() - 100]);
    write("empty.linux-x64-gnu.node", b"");
    write("page.linux-x64-gnu.node", PAGE.as_bytes());
    write("pointer.linux-x64-gnu.node", POINTER.as_bytes());
    write("zeros.linux-x64-gnu.node", &[0; 4096]);
    folder
}

/// Returns the findings of a run with `--format json`, and checks the exit status.
fn findings(folder: &TempDir, path: &str) -> Vec<Value> {
    let (status, out, err) = node_audit(folder, &["--format=json", path]);
    assert_eq!((status, err.as_str()), (1, ""));
    let findings: Value = serde_json::from_str(&out).unwrap();
    findings.as_array().unwrap().clone()
}

#[test]
fn json_describes_each_damaged_file() {
    let length = Maker::addon().make().len();
    let findings = findings(&folder(), ".");
    let rows: Vec<Value> = findings
        .iter()
        .map(|finding| {
            assert_eq!((&finding["rule"], &finding["severity"]), (&json!("damaged"), &json!("error")));
            assert_eq!(finding["platform"], "linux-x64-gnu");
            json!([finding["file"], finding["message"]])
        })
        .collect();
    let cut = format!(
        "the file is cut short: the ELF headers describe {length} bytes, but the last 100 bytes are missing"
    );
    assert_eq!(
        rows,
        [
            json!(["./cut.linux-x64-gnu.node", cut]),
            json!(["./empty.linux-x64-gnu.node", "the file is empty"]),
            json!([
                "./page.linux-x64-gnu.node",
                "the file is an HTML page, not an addon: a download seems to have saved an error page"
            ]),
            json!(["./pointer.linux-x64-gnu.node", "the file is a Git LFS pointer, not the addon itself"]),
            json!(["./zeros.linux-x64-gnu.node", "the file contains only zeros"]),
        ]
    );
    assert_eq!(findings[2]["evidence"], "the page \"404 Not Found\"");
    assert_eq!(findings[3]["evidence"], "oid sha256:4d7a2146, size 12345");
    assert!(findings[3]["remedy"].as_str().unwrap().contains("`git lfs pull`"));
}

#[test]
fn the_table_and_sarif_contain_the_finding() {
    let folder = folder();
    let (status, out, err) = node_audit(&folder, &["pointer.linux-x64-gnu.node"]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.contains("damaged") && out.contains("fix:  run `git lfs pull`"), "{out}");
    assert!(out.ends_with("1 file: 1 error, 0 warnings, 0 info\n"), "{out}");
    let (status, out, _) = node_audit(&folder, &["--format=sarif", "empty.linux-x64-gnu.node"]);
    let log: Value = serde_json::from_str(&out).unwrap();
    let run = &log["runs"][0];
    assert_eq!((status, &run["results"][0]["ruleId"]), (1, &json!("damaged")));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn the_summary_says_that_the_package_fails() {
    let folder = tempfile::tempdir().unwrap();
    let tarball = Tarball::package(r#"{"name": "p", "version": "1.0.0"}"#)
        .file("package/x.linux-x64-gnu.node", POINTER.as_bytes());
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let (status, out, err) = node_audit(&folder, &["--summary", "--format=json", "p.tgz"]);
    assert_eq!((status, err.as_str()), (1, ""));
    let rows: Value = serde_json::from_str(&out).unwrap();
    let verdict = &rows[0]["verdicts"]["linux-x64-gnu"];
    assert_eq!((&verdict["verdict"], &verdict["rule"]), (&json!("fails"), &json!("damaged")));
    assert_eq!(rows[0]["verdicts"]["linux-x64-musl"]["verdict"], "missing");
    let (_, out, _) = node_audit(&folder, &["--summary", "p.tgz"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("fails: the file is a Git"), "{out}");
}

/// A file whose name gives no platform applies to every system.
#[test]
fn a_damaged_file_without_a_claim_fails_on_every_system() {
    let folder = tempfile::tempdir().unwrap();
    let tarball = Tarball::package(r#"{"name": "p", "version": "1.0.0"}"#).file("package/x.node", b"");
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let (_, out, _) = node_audit(&folder, &["--summary", "--format=json", "p.tgz"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    for (system, verdict) in rows[0]["verdicts"].as_object().unwrap() {
        assert_eq!(verdict["verdict"], "fails", "{system}");
    }
}

#[test]
fn a_policy_can_change_the_severity() {
    let folder = folder();
    std::fs::write(folder.path().join("p.toml"), "[severities]\ndamaged = \"warning\"\n").unwrap();
    let (status, out, _) = node_audit(&folder, &["--policy=p.toml", "empty.linux-x64-gnu.node"]);
    assert!(status == 0 && out.contains("warning"), "{out}");
}
