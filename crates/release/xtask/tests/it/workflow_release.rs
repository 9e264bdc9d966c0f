//! Tests of release-node.yml, the workflows that it calls, and ci.yml: what runs, what stops, and what becomes public.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;

use serde_json::Value;

use crate::workflow_run::{Run, TAG};

/// The version of the tag.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn tagged() -> Option<Run> {
    let run = Run::new("release-node.yml", "push", ("tag", TAG))?;
    run.released_before();
    Some(run)
}

/// Runs every job. Expects that all succeed.
fn succeed(run: &mut Run) {
    let results = run.all().clone();
    assert!(results.values().all(|result| *result == "success"), "{results:?}\n{}", run.said);
}

/// Returns the packages that npm got, staged or published, in this order.
fn sent(run: &Run) -> Vec<String> {
    [run.logged("registry/log", "stage publish "), run.logged("registry/log", "publish ")].concat()
}

/// Runs a tag, and expects that `plan` refuses it before the builds. Returns the error.
fn refused(run: &mut Run) -> String {
    let results = run.all().clone();
    assert_eq!((results["plan"], results["release-node"]), ("failure", "failure"), "{}", run.said);
    assert_eq!(results.values().filter(|result| **result == "skipped").count(), results.len() - 2);
    assert!(
        sent(run).is_empty() && run.said.contains("error: ") && !run.said.contains("    at "),
        "{}",
        run.said
    );
    std::mem::take(&mut run.said)
}

fn release(run: &Run) -> Value {
    serde_json::from_slice(&fs::read(run.file("github/release")).unwrap()).unwrap()
}

fn assets(run: &Run) -> Vec<String> {
    let release = release(run);
    let assets = release["assets"].as_array().unwrap().iter();
    let mut names: Vec<String> = assets.map(|asset| asset["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Returns the platforms that have debug information: Nix builds their addons.
fn debugged() -> impl Iterator<Item = String> {
    let targets = node_targets::targets().iter().filter(|target| target.os != node_targets::Os::Win32);
    targets.map(|target| format!("strongroom-{target}-debug.tar.gz"))
}

#[test]
fn a_tag_stages_every_package_and_drafts_the_release() {
    let Some(mut run) = tagged() else { return };
    succeed(&mut run);
    assert_eq!(sent(&run).len(), node_targets::targets().len() + 1);
    let release = release(&run);
    assert_eq!((&release["isDraft"], &release["prerelease"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(release["title"], format!("strongroom {VERSION}"));
    assert!(!release["notes"].as_str().unwrap().starts_with("##"), "{release}");
    let mut expected: Vec<String> = debugged().collect();
    expected.push(format!("strongroom-{VERSION}.cdx.json"));
    expected.push(format!("strongroom-bundle-{VERSION}.tgz"));
    expected.push("manifest.json".to_owned());
    expected.sort();
    assert_eq!(assets(&run), expected);
    let attested = fs::read_dir(run.file("attested")).unwrap().count();
    assert_eq!(attested, expected.len(), "each file of the release has an attestation");
}

#[test]
fn all_jobs_can_run_again_and_the_draft_gets_new_files() {
    let Some(mut run) = tagged() else { return };
    succeed(&mut run);
    let first = (sent(&run).len(), assets(&run));
    let mut draft = release(&run);
    draft["assets"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({ "name": "from-an-earlier-attempt.tgz" }));
    fs::write(run.file("github/release"), draft.to_string()).unwrap();
    succeed(&mut run);
    assert_eq!(assets(&run), first.1);
    assert_eq!(run.logged("github/log", "release create ").len(), 1);
}

#[test]
fn a_published_release_is_not_changed() {
    let Some(mut run) = tagged() else { return };
    let published = r#"{ "isDraft": false, "assets": [] }"#;
    fs::write(run.file("github/release"), published).unwrap();
    let results = run.all().clone();
    let failed = (results["stage"], results["draft"], results["release-node"]);
    assert_eq!(failed, ("success", "failure", "failure"), "{}", run.said);
    let error = format!(
        "the release {TAG} is published, and its files must not change: https://github.example/release"
    );
    assert!(run.said.contains(&error) && run.said.contains("release a new version"), "{}", run.said);
    assert_eq!(fs::read_to_string(run.file("github/release")).unwrap(), published);
}

#[test]
fn a_release_can_be_published_without_staging() {
    let Some(mut run) = tagged() else { return };
    run.expressions.0.insert("vars.NPM_PUBLISH".to_owned(), "direct".to_owned());
    succeed(&mut run);
    assert_eq!(run.logged("registry/log", "publish ").len(), node_targets::targets().len() + 1);
    assert_eq!(release(&run)["isDraft"], true);
}

#[test]
fn a_pull_request_and_main_run_every_job_that_publishes_nothing() {
    for (event, branch) in [("pull_request", "1/merge"), ("push", "main")] {
        let Some(mut run) = Run::new("release-node.yml", event, ("branch", branch)) else { return };
        let results = run.all().clone();
        let skipped: Vec<&str> = results
            .iter()
            .filter(|(_, result)| **result != "success")
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(skipped, ["draft", "stage"], "{}", run.said);
        assert_eq!((results["draft"], results["stage"]), ("skipped", "skipped"));
        assert!(sent(&run).is_empty() && !run.file("github/release").exists());
        let summary = fs::read_to_string(run.file("summary")).unwrap();
        assert!(summary.starts_with('#'), "{summary}");
    }
}

#[test]
fn a_failed_build_stops_the_release() {
    let Some(mut run) = tagged() else { return };
    run.environment.insert("BROKEN", "linux-arm64-musl".to_owned());
    let results = run.all().clone();
    assert!(run.said.contains("linux-arm64-musl does not build"), "{}", run.said);
    let expected = [("build", "failure"), ("pack", "skipped"), ("stage", "skipped"), ("draft", "skipped")];
    for (job, result) in expected.into_iter().chain([("release-node", "failure")]) {
        assert_eq!(results[job], result, "{job}: {}", run.said);
    }
    assert!(sent(&run).is_empty());
}

#[test]
fn a_rebuilt_macos_addon_with_other_facts_stops_the_release() {
    let Some(mut run) = tagged() else { return };
    run.environment.insert("DIFFERENT", "darwin-x64".to_owned());
    let results = run.all().clone();
    assert!(run.said.contains("the facts of darwin-x64 differ"), "{}", run.said);
    let failed = (results["pack"], results["check"], results["stage"], results["release-node"]);
    assert_eq!(failed, ("success", "failure", "skipped", "failure"), "{}", run.said);
    assert!(sent(&run).is_empty());
}

#[test]
fn a_tag_of_another_version_or_without_a_changelog_is_refused() {
    let Some(mut run) = Run::new("release-node.yml", "push", ("tag", "v99.0.0")) else { return };
    let error = refused(&mut run);
    assert!(
        error.contains(&format!("the tag is v99.0.0, but Cargo.toml has version {VERSION}\n")),
        "{error}"
    );
    assert!(error.contains("delete the tag; set the version in Cargo.toml"), "{error}");
    let Some(mut run) = tagged() else { return };
    run.is_unlisted = true;
    let error = refused(&mut run);
    assert!(
        error.contains(&format!("CHANGELOG.md has no section for {VERSION}; its sections are: ")),
        "{error}"
    );
    assert!(error.contains(&format!("add a section \"## {VERSION} - YYYY-MM-DD\"")), "{error}");
}

#[test]
fn a_tag_outside_main_is_refused() {
    let Some(mut run) = tagged() else { return };
    run.is_unrelated = true;
    let error = refused(&mut run);
    assert!(error.contains(&format!("the tag {TAG} is commit ")), "{error}");
    assert!(
        error.contains(&format!(
            "which main does not contain\ndelete the tag (git push --delete origin {TAG})"
        ))
    );
}

#[test]
fn a_tag_needs_a_passed_run_of_ci() {
    for (ci, error, remedy) in [
        (
            r#"{ "status": "completed", "conclusion": "failure" }"#,
            "ci.yml ended with failure",
            "gh run rerun 5 --failed",
        ),
        (
            r#"{ "status": "completed", "conclusion": "cancelled" }"#,
            "ci.yml ended with cancelled",
            "gh run rerun 5",
        ),
        (
            r#"{ "status": "in_progress", "conclusion": null }"#,
            "ci.yml is in_progress",
            "wait until it has passed",
        ),
        (r#"{ "status": "queued" }"#, "ci.yml is queued", "then run this job again"),
        ("{}", "ci.yml never ran for commit ", "tag a commit of main that has a run"),
    ] {
        let Some(mut run) = tagged() else { return };
        fs::write(run.file("github/ci"), ci).unwrap();
        let said = refused(&mut run);
        assert!(said.contains(error) && said.contains(remedy), "{said}");
    }
    let Some(mut run) = tagged() else { return };
    fs::write(run.file("github/down"), "").unwrap();
    let said = refused(&mut run);
    assert!(said.contains("cannot ask GitHub for the runs of ci.yml: error connecting"), "{said}");
}

#[test]
fn ci_passes_on_a_pull_request() {
    let Some(mut run) = Run::new("ci.yml", "pull_request", ("branch", "1/merge")) else { return };
    succeed(&mut run);
}

#[test]
fn the_preview_has_the_command_and_the_sizes_against_main() {
    let Some(mut run) = Run::new("release-node.yml", "pull_request", ("branch", "1/merge")) else { return };
    let mut preview = |main: Option<&str>| {
        let _ = fs::remove_file(run.file("github/main"));
        if let Some(main) = main {
            fs::write(run.file("github/main"), main).unwrap();
        }
        run.environment.insert("GITHUB_STEP_SUMMARY", run.file("preview").display().to_string());
        let result = run.one("preview");
        assert_eq!(result, "success", "{}", run.said);
        fs::read_to_string(run.file("preview")).unwrap()
    };
    let text = preview(None);
    let command = format!(
        "gh run download 7 --repo owner/strongroom --name packages --dir packages && npm \
         install ./packages/strongroom-{VERSION}.tgz ./packages/strongroom-PLATFORM-{VERSION}.tgz\n"
    );
    assert!(text.contains(&command), "{text}");
    assert!(text.contains("| against main: no successful run of main |"), "{text}");
    assert!(text.contains("| strongroom | 10 | ? |\n"), "{text}");
    // The stub's tarballs contain the package's name.
    let text = preview(Some(r#"{ "packages": [{ "name": "strongroom", "size": 8 }] }"#));
    assert!(text.contains("| against main (run 6, commit 0123456) |"), "{text}");
    assert!(text.contains("| strongroom | 10 | +2 (25.0 %) |\n"), "{text}");
    assert!(text.contains("| @strongroom/linux-x64-gnu | 25 | new |\n"), "{text}");
    let text = preview(Some("damaged"));
    assert!(
        text.contains("| against main: cannot read its sizes (") && text.contains("| 10 | ? |"),
        "{text}"
    );
}
