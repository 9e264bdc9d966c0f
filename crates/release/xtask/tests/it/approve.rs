//! Tests `publish.mjs --approve` with a stub of npm and its registry.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use serde_json::{Value, json};

use crate::publish::{Release, integrity, names};

const APPROVE: [&str; 2] = ["--approve", "v1.2.3"];

/// Stages release 1.2.3, and clears the log.
fn staged() -> Option<Release> {
    let release = Release::new("1.2.3")?;
    release.succeeds(&["--stage", "v1.2.3"]);
    release.logged("");
    Some(release)
}

/// Expects that nothing is approved, and returns the error.
fn refuses(release: &Release) -> String {
    release.logged("");
    let error = release.refuses(&APPROVE);
    assert!(error.contains("nothing was approved"), "{error}");
    assert_eq!(release.logged("stage approve "), Vec::<String>::new());
    error
}

/// Changes the staged version of a package. Returns its stage id.
fn change(release: &Release, package: &str, change: impl Fn(&mut Value)) -> String {
    let mut items = release.staged();
    let item = items.iter_mut().find(|item| item["packageName"] == package).unwrap();
    change(item);
    let id = item["id"].as_str().unwrap().to_owned();
    release.set("staged", Value::Array(items).to_string());
    id
}

#[test]
fn platforms_are_approved_first_and_a_second_run_approves_nothing() {
    let Some(release) = staged() else { return };
    let ids: Vec<String> =
        release.staged().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    let said = release.succeeds(&APPROVE);
    let log = release.logged("");
    let approved: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("stage approve ")).collect();
    assert_eq!(approved, ids);
    // Before the main package, the run asks the registry again for every platform.
    let platforms: Vec<String> = names()[..names().len() - 1]
        .iter()
        .map(|name| format!("view {name}@1.2.3 dist.integrity --json"))
        .collect();
    assert_eq!(log[log.len() - names().len()..log.len() - 1], platforms);
    assert!(said.contains(&format!("approving strongroom@1.2.3: {}\n", ids.last().unwrap())), "{said}");
    assert!(
        said.ends_with(&format!("strongroom 1.2.3 is published: {} packages now, 0 before\n", names().len())),
        "{said}"
    );
    assert_eq!(release.staged(), Vec::<Value>::new());
    let again = release.succeeds(&APPROVE);
    assert!(
        again
            .ends_with(&format!("strongroom 1.2.3 is published: 0 packages now, {} before\n", names().len())),
        "{again}"
    );
    assert_eq!(release.logged("stage "), Vec::<String>::new());
}

/// npm 12 wraps the results of `npm view --json` and `npm stage publish --json`.
#[test]
fn npm_11_and_12_stage_and_approve_a_release() {
    for version in ["11.15.0", "12.2.2"] {
        let Some(release) = Release::new("1.2.3") else { return };
        release.set("version", version);
        release.tags(&json!({ "latest": "2.0.0" }));
        release.has("@strongroom/linux-x64-gnu", "1.2.3", "@strongroom/linux-x64-gnu 1.2.3");
        let said = release.succeeds(&["--stage", "v1.2.3"]);
        let id = release.staged()[0]["id"].as_str().unwrap().to_owned();
        assert!(
            said.contains("@strongroom/linux-x64-gnu@1.2.3: published already\n"),
            "npm {version}: {said}"
        );
        assert!(said.contains(&format!("with the tag latest-1.x; stage id {id}\n")), "npm {version}: {said}");
        let said = release.succeeds(&APPROVE);
        assert!(
            said.ends_with(&format!("{} packages now, 1 before\n", names().len() - 1)),
            "npm {version}: {said}"
        );
    }
}

#[test]
fn a_half_approved_release_is_resumed() {
    let Some(release) = staged() else { return };
    release.set("refuse", "@strongroom/linux-x64-musl");
    let error = release.refuses(&APPROVE);
    assert!(error.contains("one-time password"), "npm's own output is missing: {error}");
    assert!(
        error.contains("npm stage approve failed for @strongroom/linux-x64-musl@1.2.3; its output is above")
    );
    assert!(
        error.contains(&format!(
            "Approved 2 of {}; still staged: @strongroom/linux-x64-musl@1.2.3, ",
            names().len()
        )),
        "{error}"
    );
    assert!(error.contains("run the command again; it skips packages that are published"), "{error}");
    release.unset("refuse");
    let said = release.succeeds(&APPROVE);
    assert!(said.contains("@strongroom/linux-x64-gnu@1.2.3: published already\n"), "{said}");
    assert!(
        said.ends_with(&format!(
            "strongroom 1.2.3 is published: {} packages now, 2 before\n",
            names().len() - 2
        )),
        "{said}"
    );
}

#[test]
fn different_content_is_refused() {
    let Some(release) = staged() else { return };
    let id = change(&release, "strongroom", |item| item["content"] = "something else".into());
    let error = refuses(&release);
    let found = format!(
        "strongroom@1.2.3 is staged by release-node.yml with different content: npm has {}, and the folder has {}. ",
        integrity("something else"),
        integrity("strongroom 1.2.3"),
    );
    assert!(error.contains(&found), "{error}");
    assert!(error.contains(&format!("run npm stage reject {id}, and the job stage again\n")), "{error}");
}

/// A tag cannot be changed after staging, and `latest` would move back.
#[test]
fn a_tag_that_a_later_release_made_wrong_is_refused() {
    let Some(release) = staged() else { return };
    release.tags(&json!({ "latest": "2.0.0" }));
    let error = refuses(&release);
    let id = release.staged()[0]["id"].as_str().unwrap().to_owned();
    let line = format!(
        "@strongroom/linux-x64-gnu@1.2.3 is staged with the tag latest, but now needs the tag latest-1.x: run npm \
         stage reject {id}, and the job stage again\n"
    );
    assert!(error.contains(&line), "{error}");
}

#[test]
fn a_package_that_is_missing_or_staged_twice_is_refused() {
    let Some(release) = staged() else { return };
    let mut items = release.staged();
    items.retain(|item| item["packageName"] != "@strongroom/darwin-x64");
    let mut second = items[0].clone();
    second["id"] = "00000000-0000-0000-0000-000000000000".into();
    second["content"] = "something else".into();
    items.push(second);
    // Another version of the same package does not matter.
    let mut other = items[1].clone();
    other["version"] = "1.3.0".into();
    items.push(other);
    release.set("staged", Value::Array(items.clone()).to_string());
    let error = refuses(&release);
    assert!(
        error.contains(
            "@strongroom/darwin-x64@1.2.3 is neither published nor staged: run the job stage again"
        )
    );
    let id = items[0]["id"].as_str().unwrap();
    let twice = format!(
        "@strongroom/linux-x64-gnu@1.2.3 is staged 2 times: {id} (by release-node.yml, same content), \
         00000000-0000-0000-0000-000000000000 (by release-node.yml, npm has sha512-"
    );
    assert!(error.contains(&twice) && error.contains("run npm stage reject ID for all but one"), "{error}");
    assert_eq!(error.matches("\n  - ").count(), 2, "{error}");
}

#[test]
fn a_version_that_npm_still_validates_is_refused() {
    let Some(release) = staged() else { return };
    let id = change(&release, "strongroom", |item| item["status"] = "validating".into());
    let line = format!("strongroom@1.2.3 ({id}) is still being validated by npm: wait a few minutes\n");
    let error = refuses(&release);
    assert!(error.contains(&line), "{error}");
}

#[test]
fn different_published_content_a_missing_login_and_a_silent_registry_approve_nothing() {
    let Some(release) = staged() else { return };
    release.set("logged-out", "");
    let error = refuses(&release);
    assert!(error.contains("npm stage list @strongroom/linux-x64-gnu failed: 401 Unauthorized"), "{error}");
    assert!(error.contains("(npm login)"), "{error}");
    release.has("@strongroom/darwin-x64", "1.2.3", "something else");
    let error = release.refuses(&APPROVE);
    assert!(error.contains("nothing was published: the registry has different content"), "{error}");
    release.set("down", "");
    assert!(release.refuses(&APPROVE).contains("ENOTFOUND"));
    assert_eq!(release.logged("stage approve "), Vec::<String>::new());
}

/// An approved version can stay invisible: <https://github.com/npm/cli/issues/9889>. Without its platform's package, an
/// installed `strongroom` does not load.
#[test]
fn the_main_package_waits_until_its_platforms_are_visible() {
    let Some(release) = staged() else { return };
    let wait = "const [, scripts, sealed] = process.argv
const { waitUntilPublished } = await import(`${scripts}/approval.mjs`)
waitUntilPublished(JSON.parse(sealed), { attempts: 2, pause: 0 })";
    let sealed = |names: &[String]| -> String {
        let sealed = names.iter().map(|name| {
            json!({ "id": format!("{name}@1.2.3"), "name": name, "integrity": integrity(&format!("{name} 1.2.3")) })
        });
        Value::Array(sealed.collect()).to_string()
    };
    for name in names().iter().filter(|name| *name != "@strongroom/darwin-x64") {
        release.has(name, "1.2.3", &format!("{name} 1.2.3"));
    }
    let output = release.evaluate(wait, &sealed(&names()));
    let (said, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(said, "waiting until npm shows @strongroom/darwin-x64@1.2.3\n");
    let expected = "strongroom was not approved: npm does not show these approved packages yet: \
                    @strongroom/darwin-x64@1.2.3\n";
    assert!(!output.status.success() && error.contains(expected), "{error}");
    release.has("@strongroom/darwin-x64", "1.2.3", "@strongroom/darwin-x64 1.2.3");
    let output = release.evaluate(wait, &sealed(&names()));
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
