//! The command's output and exit status.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::Tarball;

/// Runs the command. Returns the exit status, standard output and standard error.
pub(crate) fn node_audit(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_node-audit"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Returns a folder with a clean addon, an addon with an error, an addon with a warning, and a text file.
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
fn clean_files_print_only_the_verdict_and_the_counts() {
    let folder = folder();
    let (status, out, err) = node_audit(&folder, &[NAME]);
    assert_eq!((status, err.as_str()), (0, ""));
    let verdict = "loads on glibc 2.17 and later, Node 8.6 and later, x64";
    assert_eq!(out, format!("addon.linux-x64-gnu.node: {verdict}\n\n1 file: 0 errors, 0 warnings, 0 info\n"));
    assert_eq!(node_audit(&folder, &["--format", "json", NAME]), (0, "[]\n".to_owned(), String::new()));
}

#[test]
fn an_error_gives_status_1_and_a_row_with_message_evidence_and_remedy() {
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
fn a_warning_alone_gives_status_0_and_a_platform_overrides_the_name() {
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
fn an_unreadable_file_gives_status_2_and_the_other_files_are_still_audited() {
    let (status, out, err) = node_audit(&folder(), &["missing.node", "bad.linux-x64-gnu.node"]);
    assert_eq!(status, 2);
    assert!(out.contains("libssl.so.3"), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("node-audit: missing.node: cannot be read: "), "{err}");
}

#[test]
fn bad_usage_gives_status_2_and_a_list_of_the_expected_values() {
    let folder = folder();
    let (status, _, err) = node_audit(&folder, &[NAME, "--platform", "beos-x64"]);
    assert!(
        status == 2 && err.contains("`beos-x64` is not a platform: expected os-cpu or os-cpu-libc"),
        "{err}"
    );
    let (status, _, err) = node_audit(&folder, &[NAME, "--format", "xml"]);
    assert!(status == 2 && err.contains("[possible values: table, json, sarif, github]"), "{err}");
    for (arguments, part) in [
        (&["--explain", "arch", NAME][..], "cannot be used with"),
        (&["--explain", "--facts"], "cannot be used with"),
        (&["--facts", "--summary", NAME], "cannot be used with"),
        (&["--facts", "--policy", "p.toml", NAME], "cannot be used with"),
        (&["--facts", "--platform", "linux-x64-gnu", NAME], "cannot be used with"),
        (&["--quiet", "--verbose", NAME], "cannot be used with"),
        (&["--summary", "--quiet", NAME], "cannot be used with"),
        (&["-", "-"], "standard input can be read only once"),
        (&["--summary", "--format", "github", NAME], "annotations contain findings only"),
        (&["--facts", "--format", "sarif", NAME], "SARIF and annotations contain findings only"),
        (&["--summary", "--format", "sarif", NAME], "SARIF and annotations contain findings only"),
        (&["--policy"], "a value is required"),
    ] {
        let (status, out, err) = node_audit(&folder, arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
}

#[test]
fn severities_are_coloured_on_a_terminal() {
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

/// The verdict comes first, then every file with an error, however many there are.
#[test]
fn errors_come_before_warnings_after_a_verdict_for_each_file() {
    let folder = folder();
    let mut names = vec!["addon.node".to_owned(), "bad.linux-x64-gnu.node".to_owned()];
    for number in 0..10 {
        names.push(format!("{number}.linux-x64-gnu.node"));
        std::fs::copy(folder.path().join(NAME), folder.path().join(&names[number + 2])).unwrap();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (status, out, _) = node_audit(&folder, &names);
    assert_eq!(status, 1);
    let (verdicts, rest) = out.split_once("\n\n").unwrap();
    let starts: Vec<&str> = verdicts
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| &line[..line.find(':').unwrap()])
        .collect();
    assert_eq!(starts, names);
    assert!(rest.starts_with("bad.linux-x64-gnu.node (linux-x64-gnu)\n"), "errors first: {out}");
    assert!(
        rest.contains("\naddon.node\n") && rest.ends_with("\n12 files: 1 error, 1 warning, 0 info\n"),
        "{out}"
    );
}

#[test]
fn options_list_info_or_only_errors() {
    let folder = folder();
    let exporting = Maker { exports: vec!["napi_register_module_v1", "helper"], ..Maker::addon() };
    std::fs::write(folder.path().join("info.linux-x64-gnu.node"), exporting.make()).unwrap();
    let run = |arguments: &[&str]| node_audit(&folder, &[&["info.linux-x64-gnu.node"], arguments].concat());
    let (_, out, _) = run(&[]);
    assert!(!out.contains(" symbols ") && out.ends_with("1 info (--verbose lists info)\n"), "{out}");
    for option in ["--verbose", "-v", "--all"] {
        let (_, out, _) = run(&[option]);
        assert!(out.contains(" info   symbols ") && out.ends_with(" 1 info\n"), "{option}: {out}");
    }
    assert_eq!(run(&["--quiet"]), (0, String::new(), String::new()));
    let (_, out, _) = run(&["--format=json"]);
    assert!(out.contains("\"info\""), "programs get all severities: {out}");
    assert_eq!(run(&["--format=json", "--quiet"]).1, "[]\n");
    let (status, out, _) = node_audit(&folder, &["-q", "bad.linux-x64-gnu.node", "addon.node"]);
    assert_eq!(status, 1);
    assert!(
        out.starts_with("bad.linux-x64-gnu.node (linux-x64-gnu)\n") && !out.contains("addon.node"),
        "{out}"
    );
    assert!(!out.contains("files:"), "{out}");
}

/// node-audit once printed ten tables for one problem in ten files.
#[test]
fn a_finding_in_several_files_of_a_package_is_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let bad = Maker { needed: vec!["libssl.so.3"], ..Maker::addon() }.make();
    let tarball = Tarball::package(r#"{"name": "p", "version": "1.0.0"}"#)
        .file("package/linux-x64/node-108.node", &bad)
        .file("package/linux-x64/node-115.node", &bad)
        .file("package/linux-x64/fine.node", &Maker::addon().make());
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let (status, out, _) = node_audit(&folder, &["p.tgz"]);
    assert_eq!(status, 1);
    assert_eq!(out.matches("libssl.so.3, which").count(), 1, "{out}");
    assert!(out.contains("\np@1.0.0 (p.tgz:package)\n"), "{out}");
    assert!(out.contains("in:   2 files: linux-x64/node-{108, 115}.node"), "{out}");
    assert!(out.ends_with("\n3 files: 1 error, 0 warnings, 0 info\n"), "{out}");
    let (_, out, _) = node_audit(&folder, &["p.tgz", "--format=json"]);
    let findings: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(findings.as_array().unwrap().len(), 2, "an entry for each file");
}

#[test]
fn no_line_is_wider_than_its_terminal() {
    let (_, out, _) = node_audit(&folder(), &["bad.linux-x64-gnu.node", "addon.node"]);
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let folder = folder();
    for (arguments, status) in [(&["--facts", "--format=json"][..], 0), (&["--format=sarif"], 1)] {
        let files: Vec<String> = (0..300).map(|number| format!("{number}.linux-x64-gnu.node")).collect();
        for file in &files {
            // The output must exceed a pipe's buffer.
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
    let (status, out, err) = node_audit(&folder, &["clean"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("clean/addon.linux-x64-gnu.node: loads on glibc 2.17 and later"), "{out}");
    let (status, out, err) = node_audit(&folder, &["empty", "--format=json"]);
    assert_eq!(
        (status, out.as_str(), err.as_str()),
        (
            2,
            "[]\n",
            "node-audit: empty: contains no .node file; build the addon first, or pass the folder or tarball that contains the addon\n"
        )
    );

    let tarball = Tarball::package(r#"{"name": "p", "main": "y.node"}"#).file("package/x.txt", b"");
    std::fs::write(sub("p.tgz"), tarball.gz()).unwrap();
    let (status, out, err) = node_audit(&folder, &["p.tgz"]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.starts_with("p: contains no addon\n\np (p.tgz:package)\n"), "{out}");
    assert!(out.contains("seen: main: y.node"), "{out}");
}
