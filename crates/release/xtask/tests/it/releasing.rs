//! Runs the commands of RELEASING.md for new packages, with a stub of npm and its registry.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::checkout::root;
use crate::publish::{Release, names, path_with};

/// Returns the block of shell in RELEASING.md that contains a text.
fn block(text: &str) -> String {
    let document = fs::read_to_string(root().join("RELEASING.md")).unwrap();
    let blocks = document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut found: Vec<&str> = blocks.filter(|block| block.contains(text)).collect();
    assert_eq!(found.len(), 1, "RELEASING.md must have one block with {text}");
    found.remove(0).to_owned()
}

/// Runs a block in the checkout's root, with temporary files in `scratch`, and `sleep` in the log of npm's stub.
fn run(release: &Release, block: &str, scratch: &Path) {
    let script = format!("sleep() {{ echo \"sleep $*\" >> \"$REGISTRY/log\"; }}\n{block}");
    let mut bash = Command::new("bash");
    bash.args(["-u", "-c", &script]).current_dir(root()).stdin(Stdio::null());
    bash.env("PATH", path_with(&crate::folder().join("tests/programs")));
    bash.env("REGISTRY", release.registry()).env("TMPDIR", scratch);
    let output = bash.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
}

#[test]
fn the_loop_configures_the_trusted_publisher_of_every_package() {
    let Some(release) = Release::new("1.2.3") else { return };
    run(&release, &block("npm trust github"), release.registry().as_path());
    let log = release.logged("");
    let expected: Vec<String> = names()
        .iter()
        .flat_map(|name| {
            let options =
                "--repo OWNER/strongroom --file release-node.yml --env npm --allow-stage-publish --yes";
            [format!("trust github {name} {options}"), "sleep 2".to_owned()]
        })
        .collect();
    assert_eq!(log, expected);
}

/// The workflow's file and environment are those that npm trusts.
#[test]
fn the_trusted_publisher_is_the_job_that_stages() {
    let trusted = block("npm trust github");
    let workflow = crate::workflow::Workflow::named("release-node.yml");
    assert!(trusted.contains("--file release-node.yml "));
    let stages = |job: &&Value| {
        let mut scripts =
            job["steps"].as_array().into_iter().flatten().filter_map(|step| step["run"].as_str());
        scripts.any(|script| script.contains("publish.mjs packages --stage "))
    };
    let job = workflow.jobs().values().find(stages).unwrap();
    let name = job["environment"].as_str().unwrap();
    assert!(trusted.contains(&format!("--env {name} ")), "{name}");
}

#[test]
fn the_placeholders_of_new_packages_are_published_once() {
    let Some(release) = Release::new("1.2.3") else { return };
    let new = ["@strongroom/darwin-arm64", "strongroom"];
    for name in new {
        fs::remove_file(release.entry(name, "0.0.1")).unwrap();
    }
    let scratch = tempfile::tempdir().unwrap();
    run(&release, &block("--placeholders"), scratch.path());
    let folder = fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path().join("placeholders");
    let published = release.logged("publish ");
    assert_eq!(published, ["strongroom --access public", "strongroom-darwin-arm64 --access public"]);
    for name in new {
        let place = folder.join(name.trim_start_matches('@').replace('/', "-"));
        let files =
            fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = files.collect();
        files.sort();
        assert_eq!(files, ["README.md", "package.json"]);
        let manifest: Value = serde_json::from_slice(&fs::read(place.join("package.json")).unwrap()).unwrap();
        let text = "A placeholder without code. The first release of strongroom replaces it.";
        let expected = json!({ "name": name, "version": "0.0.0", "description": text, "license": "MIT" });
        assert_eq!(manifest, expected);
        assert!(fs::read_to_string(place.join("README.md")).unwrap().contains(text));
    }
    // Version 0.0.0 makes a package known.
    assert!(!release.succeeds(&["--dry-run"]).contains("new package"));
    let output = release.placeholders(&folder);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("placeholders exists: pass a folder that does not exist"), "{error}");
    fs::remove_dir_all(&folder).unwrap();
    let output = release.placeholders(&folder);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "the registry has every package: no placeholder is needed\n");
    assert!(!folder.exists());
}
