//! Tests `publish.mjs --stage` with a stub of npm and its registry.

use crate::publish::{Release, names};

#[test]
fn platforms_are_staged_first_and_a_second_run_stages_nothing() {
    let Some(release) = Release::new("1.2.3") else { return };
    let said = release.succeeds(&["--stage", "v1.2.3"]);
    let staged = release.logged("stage publish ");
    assert_eq!(staged.len(), names().len());
    assert!(staged[0].starts_with("strongroom-linux-x64-gnu-1.2.3.tgz "), "{staged:?}");
    let last = "strongroom-1.2.3.tgz --provenance --access public --tag latest --json";
    assert_eq!(staged.last().unwrap(), last);
    let id = release.staged()[0]["id"].as_str().unwrap().to_owned();
    let line = format!("@strongroom/linux-x64-gnu@1.2.3: staged with the tag latest; stage id {id}\n");
    assert!(said.contains(&line), "{said}");
    assert!(
        said.contains(&format!(
            "strongroom 1.2.3 is staged: {} packages now, 0 before; 0 are published\n",
            names().len()
        )),
        "{said}"
    );
    let next = format!("publish.mjs {} --approve v1.2.3\n", release.packages().display());
    assert!(said.contains("nothing is public yet: log in (npm login)") && said.ends_with(&next), "{said}");

    let output = release.run(&["--stage", "v1.2.3"]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "npm's error is shown although nothing is wrong"
    );
    let again = String::from_utf8(output.stdout).unwrap();
    assert!(again.contains("strongroom@1.2.3: staged already; --approve compares the content\n"), "{again}");
    assert!(
        again.contains(&format!(
            "strongroom 1.2.3 is staged: 0 packages now, {} before; 0 are published\n",
            names().len()
        )),
        "{again}"
    );
    assert_eq!(release.staged().len(), names().len());
}

/// The workflow's artifact has the name `packages`.
#[test]
fn a_run_on_github_prints_how_to_download_its_packages() {
    let Some(release) = Release::new("1.2.3") else { return };
    let output = release.command(&["--stage", "v1.2.3"]).env("GITHUB_RUN_ID", "42").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let next = "  gh run download 42 --name packages --dir packages\n  \
                node bindings/node/scripts/publish.mjs packages --approve v1.2.3\n";
    assert!(said.ends_with(next), "{said}");
}

#[test]
fn published_packages_are_not_staged() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.has("@strongroom/linux-x64-gnu", "1.2.3", "@strongroom/linux-x64-gnu 1.2.3");
    let said = release.succeeds(&["--stage", "v1.2.3"]);
    assert!(
        said.contains(&format!(
            "strongroom 1.2.3 is staged: {} packages now, 0 before; 1 are published\n",
            names().len() - 1
        )),
        "{said}"
    );
    for name in names() {
        release.has(&name, "1.2.3", &format!("{name} 1.2.3"));
    }
    let said = release.succeeds(&["--stage", "v1.2.3"]);
    assert!(
        said.ends_with(&format!("strongroom 1.2.3 is published: 0 packages now, {} before\n", names().len())),
        "{said}"
    );
}

#[test]
fn an_interrupted_staging_lists_the_rest_and_can_be_resumed() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.set("refuse", "@strongroom/linux-x64-musl");
    let error = release.refuses(&["--stage", "v1.2.3"]);
    assert!(
        error.contains("npm stage publish failed for @strongroom/linux-x64-musl@1.2.3: not today\n"),
        "{error}"
    );
    let left = "Staged 2 packages now, 0 before; still missing: @strongroom/linux-x64-musl@1.2.3, @strongroom/linux-";
    assert!(error.contains(left), "{error}");
    assert!(error.contains("nothing is public yet. Remove the cause, and run this job again"), "{error}");
    release.unset("refuse");
    let said = release.succeeds(&["--stage", "v1.2.3"]);
    assert!(
        said.contains(&format!("is staged: {} packages now, 2 before; 0 are published\n", names().len() - 2)),
        "{said}"
    );
}

#[test]
fn nothing_is_staged_if_the_registry_has_different_content_or_does_not_answer() {
    let Some(release) = Release::new("1.2.3") else { return };
    assert!(release.refuses(&["--stage", "v1.2.4"]).contains("the tag is v1.2.4"));
    release.has("strongroom", "1.2.3", "something else");
    let error = release.refuses(&["--stage", "v1.2.3"]);
    assert!(error.contains("the registry has different content for this version"), "{error}");
    release.set("down", "");
    let error = release.refuses(&["--stage", "v1.2.3"]);
    assert!(
        error.contains("npm view @strongroom/linux-x64-gnu@1.2.3 failed: getaddrinfo ENOTFOUND"),
        "{error}"
    );
    assert_eq!(release.staged(), Vec::<serde_json::Value>::new());
}

/// Node 24.0 comes with npm 11.3, which has no `npm stage`.
#[test]
fn an_old_npm_is_refused() {
    let Some(release) = Release::new("1.2.3") else { return };
    for (version, is_refused) in
        [("11.14.9", true), ("11.15.0-pre.0", true), ("11.15.0", false), ("12.0.0", false)]
    {
        release.set("version", version);
        for mode in ["--stage", "--approve"] {
            let output = release.run(&[mode, "v1.2.3"]);
            let error = String::from_utf8(output.stderr).unwrap();
            let expected =
                format!("npm {version} cannot stage packages; npm 11.15.0 is the first that can\n");
            assert_eq!(error.contains(&expected), is_refused, "{version}: {error}");
            assert_eq!(error.contains("npm install --global npm@^11.15"), is_refused, "{version}: {error}");
        }
    }
}
