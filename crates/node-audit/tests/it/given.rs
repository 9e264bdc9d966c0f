//! Inputs without a path: a tarball from standard input, and the files that npm packs from the current folder.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::node_audit;
use crate::object_maker::Maker;
use crate::tarball_maker::Tarball;

/// Runs the command with a standard input. Returns the exit status, standard output and standard error.
fn with_input(folder: &TempDir, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_node-audit"))
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn bad() -> Vec<u8> {
    Maker { needed: vec!["libssl.so.3"], ..Maker::addon() }.make()
}

#[test]
fn a_dash_reads_a_tarball_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let tarball = || {
        Tarball::package(r#"{"name": "p", "version": "1.0.0"}"#).file("package/x.linux-x64-gnu.node", &bad())
    };
    for content in [tarball().gz(), tarball().tar()] {
        let (status, out, err) = with_input(&folder, &["-", "--format=json"], &content);
        assert_eq!((status, err.as_str()), (1, ""));
        let findings: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(findings[0]["file"], "stdin:package/x.linux-x64-gnu.node");
    }
    let (_, out, _) = with_input(&folder, &["-", "--format=github"], &tarball().gz());
    assert!(out.starts_with("::error title=node-audit%3A needed::"), "no file of the repository: {out}");
    let (_, out, _) = with_input(&folder, &["-", "--format=sarif"], &tarball().gz());
    let log: Value = serde_json::from_str(&out).unwrap();
    let location = &log["runs"][0]["results"][0]["locations"][0];
    assert_eq!(location["logicalLocations"][0]["name"], "package/x.linux-x64-gnu.node");
    assert!(location["physicalLocation"]["artifactLocation"].get("uriBaseId").is_none());
    let (_, out, _) = with_input(&folder, &["-", "--summary", "--format=json"], &tarball().gz());
    assert!(out.contains("\"p@1.0.0\""), "{out}");
}

#[test]
fn standard_input_without_a_tarball_gives_status_2() {
    let folder = tempfile::tempdir().unwrap();
    for (input, part) in [
        (&b""[..], "node-audit: stdin: is not a usable npm tarball: the file is empty"),
        (b"hello", "node-audit: stdin: is not a usable npm tarball: the file is neither gzip nor tar"),
    ] {
        let (status, _, err) = with_input(&folder, &["-"], input);
        assert!(status == 2 && err.starts_with(part), "{err}");
    }
}

#[test]
fn a_folder_without_a_package_json_gives_status_2() {
    let (status, out, err) = node_audit(&tempfile::tempdir().unwrap(), &[]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(
        err.starts_with("node-audit: the current folder has no package.json; pass a .node file"),
        "{err}"
    );
}

#[cfg(unix)]
mod npm {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Runs the command in a folder, with a shell script as npm, or without npm.
    fn with_npm(folder: &TempDir, arguments: &[&str], npm: Option<&str>) -> (i32, String, String) {
        let bin = tempfile::tempdir().unwrap();
        if let Some(script) = npm {
            let path = bin.path().join("npm");
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_node-audit"))
            .args(arguments)
            .current_dir(folder.path())
            .env("PATH", bin.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Returns a package whose addon needs a library in the same folder.
    fn package() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
        fs::create_dir(folder.path().join("lib")).unwrap();
        write(
            "package.json",
            b"{\n  \"name\": \"p\",\n  \"version\": \"1.0.0\",\n  \"main\": \"lib/y.node\"\n}",
        );
        let texts = vec![(object::elf::DT_RUNPATH, "$ORIGIN")];
        let beside = Maker { needed: vec!["libbeside.so"], texts, ..Maker::addon() };
        write("lib/x.linux-x64-gnu.node", &beside.make());
        write("lib/libbeside.so", b"");
        write("lib/y.node", b"");
        write("not-packed.node", b"");
        folder
    }

    fn list(files: &[&str]) -> String {
        let files: Vec<Value> = files.iter().map(|file| serde_json::json!({ "path": file })).collect();
        // The script fails unless node-audit passes exactly these arguments.
        format!(
            "test \"$*\" = 'pack --dry-run --json --ignore-scripts --loglevel=error' || exit 9\necho '{}'",
            serde_json::json!([{ "name": "p", "files": files }])
        )
    }

    #[test]
    fn without_a_path_the_files_that_npm_packs_are_audited() {
        let npm = list(&["package.json", "lib/x.linux-x64-gnu.node", "lib/libbeside.so", "lib/y.node"]);
        let (status, out, err) = with_npm(&package(), &["--format=json"], Some(&npm));
        assert_eq!((status, err.as_str()), (1, ""));
        let findings: Value = serde_json::from_str(&out).unwrap();
        let errors: Vec<&Value> =
            findings.as_array().unwrap().iter().filter(|finding| finding["severity"] == "error").collect();
        assert_eq!(errors.len(), 1, "{out}");
        assert_eq!((&errors[0]["file"], &errors[0]["rule"]), (&"lib/y.node".into(), &"damaged".into()));
        let (_, out, _) = with_npm(&package(), &[], Some(&npm));
        assert!(out.starts_with("p@1.0.0: loads on glibc"), "{out}");
    }

    /// The installed package lacks a library that npm does not pack.
    #[test]
    fn files_that_npm_does_not_pack_are_ignored() {
        let npm = list(&["package.json", "lib/x.linux-x64-gnu.node"]);
        let (status, out, _) = with_npm(&package(), &["--format=json"], Some(&npm));
        let findings: Value = serde_json::from_str(&out).unwrap();
        let rules: Vec<(&str, &str)> = (findings.as_array().unwrap().iter())
            .filter(|finding| finding["severity"] == "error")
            .map(|finding| (finding["rule"].as_str().unwrap(), finding["file"].as_str().unwrap()))
            .collect();
        assert_eq!(rules, [("package", "package.json"), ("needed", "lib/x.linux-x64-gnu.node")]);
        assert_eq!(status, 1);
        let (_, out, _) = with_npm(&package(), &["--format=sarif"], Some(&npm));
        let log: Value = serde_json::from_str(&out).unwrap();
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(
            place["artifactLocation"],
            serde_json::json!({ "uri": "package.json", "uriBaseId": "%SRCROOT%" })
        );
        assert_eq!(place["region"]["startLine"], 4, "the line of main");
    }

    #[test]
    fn a_package_without_an_addon_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for (manifest, error) in [
            (
                r#"{"name": "p", "scripts": {"build": "napi build"}}"#,
                "contains no .node file; build the addon first",
            ),
            (r#"{"name": "p"}"#, "the package has no native addon, so there is nothing to check;"),
        ] {
            fs::write(folder.path().join("package.json"), manifest).unwrap();
            let (status, _, err) = with_npm(&folder, &[], Some(&list(&["package.json"])));
            assert!(status == 2 && err.starts_with(&format!("node-audit: .: {error}")), "{err}");
        }
    }

    #[test]
    fn the_error_without_npm_names_the_remedy() {
        let (status, out, err) = with_npm(&package(), &[], None);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(err.starts_with("node-audit: npm is not on PATH") && err.contains("(node-audit .)"), "{err}");
        let (status, _, err) = with_npm(&package(), &[], Some("echo 'npm error code EJSON' >&2; exit 1"));
        assert_eq!((status, err.as_str()), (2, "node-audit: `npm pack --dry-run` fails: code EJSON\n"));
        let broken = package();
        fs::write(broken.path().join("package.json"), "{").unwrap();
        let (status, _, err) = with_npm(&broken, &[], Some("exit 1"));
        assert!(
            status == 2 && err.starts_with("node-audit: package.json: is not a valid package.json"),
            "{err}"
        );
        let (status, _, err) = with_npm(&package(), &[], Some("echo hello"));
        assert!(status == 2 && err.contains("printed no list of files"), "{err}");
    }
}
