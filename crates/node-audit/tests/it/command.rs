//! The command: output and exit status.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::Tarball;

/// Runs the command. Returns the status, standard output and standard error.
pub(crate) fn node_audit(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_node-audit"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Returns a folder with a clean addon, one with an error, one with a warning, and a text.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    write(NAME, &Maker::addon().make());
    write("bad.linux-x64-gnu.node", &Maker { needed: vec!["libssl.so.3"], ..Maker::addon() }.make());
    write("addon.node", &Maker::addon().make());
    write("text.node", b"hello");
    folder
}

#[test]
fn clean_files_say_so() {
    let folder = folder();
    let (status, out, err) = node_audit(&folder, &[NAME]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "addon.linux-x64-gnu.node (linux-x64-gnu): clean\n1 file: 0 errors, 0 warnings, 0 info\n"
    );
    assert_eq!(node_audit(&folder, &["--format", "json", NAME]), (0, "[]\n".to_owned(), String::new()));
}

#[test]
fn an_error_is_status_1_and_a_row_with_message_evidence_and_remedy() {
    let (status, out, _) = node_audit(&folder(), &[NAME, "bad.linux-x64-gnu.node"]);
    assert_eq!(status, 1);
    for part in [
        "bad.linux-x64-gnu.node (linux-x64-gnu)\n",
        "needed",
        "seen: DT_NEEDED libssl.so.3",
        "fix:  link the library statically",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    assert!(out.ends_with("\n2 files: 1 error, 0 warnings, 0 info\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
}

#[test]
fn json_is_an_array_of_findings() {
    let (status, out, _) = node_audit(&folder(), &["bad.linux-x64-gnu.node", "addon.node", "--format=json"]);
    assert_eq!(status, 1);
    let findings: Value = serde_json::from_str(&out).unwrap();
    let keys = ["file", "platform", "rule", "severity", "message", "evidence", "remedy"];
    for finding in findings.as_array().unwrap() {
        let object = finding.as_object().unwrap();
        assert_eq!(object.len(), keys.len());
        assert!(keys.iter().all(|key| object.contains_key(*key)), "{finding}");
    }
    let rows: Vec<Value> = (findings.as_array().unwrap().iter())
        .map(|finding| json!([finding["file"], finding["platform"], finding["rule"], finding["severity"]]))
        .collect();
    assert_eq!(
        rows,
        [
            json!(["bad.linux-x64-gnu.node", "linux-x64-gnu", "needed", "error"]),
            json!(["addon.node", null, "arch", "warning"]),
        ]
    );
}

#[test]
fn a_warning_alone_is_status_0_and_a_platform_overrides_the_name() {
    let folder = folder();
    assert_eq!(node_audit(&folder, &["addon.node"]).0, 0);
    assert_eq!(
        node_audit(&folder, &["addon.node", "--platform", "linux-x64-gnu", "--format=json"]).1,
        "[]\n"
    );
    let (status, out, _) = node_audit(&folder, &[NAME, "--platform", "linux-arm64-gnu"]);
    assert!(
        status == 1 && out.contains("the addon claims linux-arm64-gnu, but is compiled for x64"),
        "{out}"
    );
}

#[test]
fn an_unreadable_file_is_status_2_and_the_others_are_still_shown() {
    let (status, out, err) = node_audit(&folder(), &["missing.node", "bad.linux-x64-gnu.node"]);
    assert_eq!(status, 2);
    assert!(out.contains("libssl.so.3"), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("node-audit: missing.node: cannot be read: "), "{err}");
}

#[test]
fn bad_usage_is_status_2_and_says_what_is_expected() {
    let folder = folder();
    let (status, _, err) = node_audit(&folder, &[]);
    assert!(status == 2 && err.contains("Usage: node-audit"), "{err}");
    let (status, _, err) = node_audit(&folder, &[NAME, "--platform", "beos-x64"]);
    assert!(
        status == 2 && err.contains("`beos-x64` is not a platform: expected os-cpu or os-cpu-libc"),
        "{err}"
    );
    let (status, _, err) = node_audit(&folder, &[NAME, "--format", "xml"]);
    assert!(status == 2 && err.contains("[possible values: table, json, sarif]"), "{err}");
    for (arguments, part) in [
        (&["--explain", "arch", NAME][..], "cannot be used with"),
        (&["--explain", "--facts"], "cannot be used with"),
        (&["--facts", "--summary", NAME], "cannot be used with"),
        (&["--facts", "--policy", "p.toml", NAME], "cannot be used with"),
        (&["--summary", "--platform", "linux-x64-gnu", NAME], "cannot be used with"),
        (&["--facts", "--format", "sarif", NAME], "SARIF contains findings only"),
        (&["--summary", "--format", "sarif", NAME], "SARIF contains findings only"),
        (&["--policy"], "a value is required"),
    ] {
        let (status, out, err) = node_audit(&folder, arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
}

#[test]
fn severities_are_coloured_where_colours_are_seen() {
    let folder = folder();
    let coloured = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_node-audit"))
            .args(arguments)
            .current_dir(folder.path())
            .env("CLICOLOR_FORCE", "1")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (_, plain, _) = node_audit(&folder, &["bad.linux-x64-gnu.node"]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let out = coloured(&["bad.linux-x64-gnu.node"]);
    assert!(
        out.contains("\n \u{1b}[31m\u{1b}[1merror\u{1b}[0m   needed   the addon needs libssl.so.3"),
        "{out}"
    );
    assert_eq!(console::strip_ansi_codes(&out), plain);
    assert!(!coloured(&["bad.linux-x64-gnu.node", "--format=json"]).contains('\u{1b}'));
}

#[test]
fn clean_files_are_counted_if_there_are_many() {
    let folder = folder();
    let mut names = vec!["bad.linux-x64-gnu.node".to_owned(), "addon.node".to_owned()];
    for number in 0..10 {
        names.insert(0, format!("{number}.linux-x64-gnu.node"));
        std::fs::copy(folder.path().join(NAME), folder.path().join(&names[0])).unwrap();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (status, out, _) = node_audit(&folder, &names);
    assert_eq!(status, 1);
    assert!(out.starts_with("bad.linux-x64-gnu.node (linux-x64-gnu)\n"), "errors first: {out}");
    assert!(out.contains("\naddon.node\n"), "{out}");
    assert!(
        out.contains(
            "\n10 files with neither error nor warning (--all lists them)\n12 files: 1 error, 1 warning"
        ),
        "{out}"
    );
    let (_, out, _) = node_audit(&folder, &[&names[..], &["--all"]].concat());
    assert!(out.starts_with("9.linux-x64-gnu.node (linux-x64-gnu): clean\n"), "{out}");
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let folder = folder();
    for (arguments, status) in [(&["--facts", "--format=json"][..], 0), (&["--format=sarif"], 1)] {
        let files: Vec<String> = (0..300).map(|number| format!("{number}.linux-x64-gnu.node")).collect();
        for file in &files {
            // The output must exceed the buffer of a pipe.
            std::fs::copy(folder.path().join("bad.linux-x64-gnu.node"), folder.path().join(file)).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_node-audit"))
            .args(arguments)
            .args(&files)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}

#[test]
fn folders_and_tarballs_are_searched() {
    let folder = folder();
    let sub = |name: &str| folder.path().join(name);
    std::fs::create_dir(sub("clean")).unwrap();
    std::fs::create_dir(sub("empty")).unwrap();
    std::fs::copy(sub(NAME), sub("clean").join(NAME)).unwrap();
    let clean =
        "clean/addon.linux-x64-gnu.node (linux-x64-gnu): clean\n1 file: 0 errors, 0 warnings, 0 info\n";
    assert_eq!(node_audit(&folder, &["clean"]), (0, clean.to_owned(), String::new()));
    let (status, out, err) = node_audit(&folder, &["empty", "--format=json"]);
    assert_eq!(
        (status, out.as_str(), err.as_str()),
        (2, "[]\n", "node-audit: empty: contains no .node file\n")
    );

    let tarball = Tarball::package(r#"{"name": "p", "main": "y.node"}"#).file("package/x.txt", b"");
    std::fs::write(sub("p.tgz"), tarball.gz()).unwrap();
    let (status, out, err) = node_audit(&folder, &["p.tgz"]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.starts_with("p.tgz:package/package.json\n") && out.contains("seen: main: y.node"), "{out}");
}
