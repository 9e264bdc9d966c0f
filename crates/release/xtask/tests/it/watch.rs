//! Runs the shell steps of watch.yml in a stubbed world.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::checkout::root;
use crate::watch_world::{
    AUDITS, OPENSSL, SQLCIPHER, SQLITE, World, ZSTD, advisory, audit, index, locked, openssl, references,
    releases, sqlcipher, summary,
};

#[test]
fn a_current_state_opens_no_issue() {
    let world = World::current();
    let Some(log) = world.run() else { return };
    assert_eq!(log, "");
}

/// The whole life of an issue: opened, unchanged, edited, closed, and a new one later.
#[test]
fn one_issue_follows_the_state() {
    let world = World::current();
    let newest = world.outdated();
    let Some(log) = world.run() else { return };
    assert_eq!(log, "label create\nissue create\n");
    let issue = world.issue(3);
    assert_eq!((&issue["state"], &issue["labels"]), (&json!("open"), &json!(["watch"])));
    let link = format!("[{newest}](https://github.com/openssl/openssl/releases/tag/openssl-{newest})");
    let crates = format!("the newest `openssl-src`, `{}`, lacks {newest}: ", locked("openssl-src"));
    let row = world.row(3, "| OpenSSL |");
    assert!(row.starts_with(&format!("| OpenSSL | {} | {link} | {crates}", openssl())), "{row}");
    assert!(world.row(3, "| zstd |").ends_with("| nothing |"));

    assert_eq!(world.run().unwrap(), "", "the same state must not edit the issue");

    // GitHub's editor writes other line ends.
    let mut issues = json!([world.issue(1), world.issue(2), world.issue(3)]);
    issues[2]["body"] = json!(issue["body"].as_str().unwrap().trim_end().replace('\n', "\r\n"));
    world.put("issues", issues);
    assert_eq!(world.run().unwrap(), "");

    let update = format!("300.5.10000+{newest}");
    world.put_text(
        "index openssl-src",
        &index("openssl-src", &[(&locked("openssl-src"), false), (&update, false)]),
    );
    assert_eq!(world.run().unwrap(), "issue edit 3\n");
    let row = world.row(3, "| OpenSSL |");
    assert!(
        row.contains(&format!("update `openssl-src` to `{update}`: CONTRIBUTING.md, \"Updating a")),
        "{row}"
    );

    world.put(OPENSSL, releases(&[&format!("openssl-{}", openssl())]));
    assert_eq!(world.run().unwrap(), "issue close 3\n");
    let issue = world.issue(3);
    assert_eq!(issue["state"], "closed");
    assert_eq!(issue["comments"], json!(["The libraries are current, and no advisory is open."]));
    assert_eq!(world.run().unwrap(), "");

    world.outdated();
    assert_eq!(world.run().unwrap(), "issue create\n", "the label exists already");
    assert_eq!(world.issue(4)["state"], "open");
    for number in [1, 2] {
        assert_eq!(world.issue(number)["state"], "open", "the workflow must not touch the issues of others");
    }
}

/// Strongroom gets SQLite with SQLCipher, so a new SQLite may have no crate yet.
#[test]
fn a_new_sqlite_waits_for_sqlcipher() {
    let world = World::current();
    world.put(SQLITE, references(&[&format!("version-{}", sqlcipher(3)), "version-3.1000.0"]));
    if world.run().is_none() {
        return;
    }
    let row = world.row(3, "| SQLite |");
    assert!(
        row.contains("lacks 3.1000.0: read https://www.sqlite.org/cves.html, and wait for SQLCipher |"),
        "{row}"
    );
    assert!(world.row(3, "| SQLCipher |").ends_with("| nothing |"));
    let update = "1000.0.0+sqlcipher-4.1000.0-sqlite-3.1000.0-libtomcrypt-1.18.2";
    world.put_text(
        "index sqlcipher-src",
        &index("sqlcipher-src", &[(&locked("sqlcipher-src"), false), (update, false)]),
    );
    world.put(SQLCIPHER, references(&[&format!("v{}", sqlcipher(1)), "v4.1000.0"]));
    assert_eq!(world.run().unwrap(), "issue edit 3\n");
    for library in ["| SQLite |", "| SQLCipher |"] {
        let row = world.row(3, library);
        assert!(row.contains(&format!("update `sqlcipher-src` to `{update}`: ")), "{row}");
    }
}

#[test]
fn advisories_open_an_issue_and_are_quoted() {
    let world = World::current();
    world.put("deny", json!({ "status": 1, "lines": [advisory(), summary(1)] }));
    let via = json!({ "name": "esbuild", "title": "reads files", "range": "<=99", "severity": "high",
        "url": "https://github.com/advisories/GHSA-67mh-4wv8-2f99" });
    world.put_text(
        AUDITS[0],
        &audit(&json!({
            "esbuild": { "name": "esbuild", "via": [via], "fixAvailable": true },
            "bundler": { "name": "bundler", "via": ["esbuild"], "fixAvailable": true },
        })),
    );
    let Some(log) = world.run() else { return };
    assert_eq!(log, "label create\nissue create\n");
    let link = "[`RUSTSEC-2020-0071`](https://rustsec.org/advisories/RUSTSEC-2020-0071)";
    let title = r"`vulnerability`: `Segfault \| of 'time', @octocat`";
    let remedy = "`Solution: Upgrade to >=0.2.23`";
    assert_eq!(
        world.row(3, "| cargo-deny |"),
        format!("| cargo-deny | `time 0.1.42` | {link} {title} | {remedy} |")
    );
    let link = "[`GHSA-67mh-4wv8-2f99`](https://github.com/advisories/GHSA-67mh-4wv8-2f99)";
    let remedy = "`Run npm audit fix --package-lock-only in bindings/node`";
    let row =
        format!("| npm audit in bindings/node | `esbuild <=99` | {link} `high`: `reads files` | {remedy} |");
    assert_eq!(world.row(3, "| npm audit in"), row);
}

#[test]
fn many_advisories_fit_into_the_issue() {
    let world = World::current();
    let lines = std::iter::repeat_n(advisory(), 3_000).chain([summary(3_000)]);
    world.put("deny", json!({ "status": 1, "lines": lines.collect::<Vec<_>>() }));
    if world.run().is_none() {
        return;
    }
    assert_eq!(world.row(3, "And "), "And 2900 more: see the run's log.");
}

#[test]
fn a_run_on_another_branch_touches_no_issue() {
    let world = World::current();
    world.outdated();
    let Some((results, said)) = world.run_on("fix") else { return };
    assert_eq!(results, ["success", "skipped", "success"], "{said}");
    assert!(!world.path("log").exists());
}

/// Every source that does not answer is named, and no report is written: an open issue stays open.
#[test]
fn a_network_failure_is_a_failed_step_and_not_a_clean_report() {
    let world = World::current();
    world.outdated();
    if world.run().is_none() {
        return;
    }
    fs::remove_file(world.path("log")).unwrap();
    fs::remove_file(world.path(ZSTD)).unwrap();
    fs::remove_file(world.path("index sqlcipher-src")).unwrap();
    let refused = "request to the registry failed, reason: connect ECONNREFUSED";
    world.put(AUDITS[1], json!({ "message": refused, "error": { "summary": "", "detail": "" } }));
    let log = json!({ "level": "ERROR", "message": "failed to fetch advisory database\nCloning into ..." });
    world.put("deny", json!({ "status": 1, "lines": [{ "type": "log", "fields": log }] }));
    let said = world.refuses().unwrap();
    for line in [
        "::error::cargo deny ended with code 1 and did not check everything: failed to fetch advisory database",
        &format!(
            "::error::npm audit in crates/release/lab/consumers ended with code 1 and without a report: {refused}"
        ),
        "::error::gh api --paginate --slurp repos/facebook/zstd/releases?per_page=100 ended with code 1: error connecting",
        "crates.io-index/contents/sq/lc/sqlcipher-src ended with code 1: error connecting",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    // SQLCipher and SQLite both need the crate that has no answer.
    assert_eq!(said.lines().count(), 5, "{said}");
    assert_eq!(world.issue(3)["state"], "open");
}

/// The tests of the scripts have further answers.
#[test]
fn an_answer_that_cannot_be_read_is_a_failed_step() {
    let world = World::current();
    world.put_text(OPENSSL, "<html>busy</html>");
    world.put(ZSTD, json!([{ "message": "rate limit" }]));
    world.put(SQLITE, references(&["vesion-3.45.1"]));
    world.put_text("index sqlcipher-src", "<html>\n");
    world.put_text(AUDITS[0], "<html>");
    world.put("deny", json!({ "status": 1, "lines": ["error: no such command"] }));
    let Some(said) = world.refuses() else { return };
    for message in [
        "releases?per_page=100 did not answer with JSON, but with \"<html>busy</html>",
        "GitHub's answer to repos/facebook/zstd/releases?per_page=100 is not a list of tags",
        "has no release of SQLite",
        "the index of crates.io has a line for sqlcipher-src that cannot be read: <html>",
        "npm audit in bindings/node ended with code 1 and without a report: npm error",
        "cargo deny ended with code 1 and did not check everything: error: no such command",
    ] {
        assert!(said.contains(message), "{message} is not in {said}");
    }
    assert_eq!(said.lines().count(), 6, "{said}");
}

#[test]
fn a_garbled_list_of_issues_changes_nothing() {
    let world = World::current();
    world.outdated();
    for garbage in ["<html>", "[{}]"] {
        world.put_text("garbled", garbage);
        let Some((results, said)) = world.run_on("main") else { return };
        assert_eq!(results, ["success", "failure", "failure"], "{said}");
        assert!(said.contains("::error::gh issue list did not "), "{said}");
        assert!(!world.path("log").exists());
    }
}

/// The functions that parse and render have their own tests.
#[test]
fn the_scripts_pass_their_tests() {
    let tests = root().join(".github/watch/watch.test.mjs");
    let Ok(output) = Command::new("node").arg("--test").arg(tests).env_remove("NODE_TEST_CONTEXT").output()
    else {
        println!("skipped: Node is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}
