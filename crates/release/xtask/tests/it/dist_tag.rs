//! Tests which dist-tag `publish.mjs` gives to a version.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::publish::{Release, names};

/// Calls a function of dist-tag.mjs with each list of arguments. Returns the results.
fn call(function: &str, arguments: &Value) -> Vec<Value> {
    let module = crate::folder().join("../../../bindings/node/scripts/dist-tag.mjs").canonicalize().unwrap();
    let script = "const [, module, name, calls] = process.argv
const functions = await import((await import('node:url')).pathToFileURL(module))
console.log(JSON.stringify(JSON.parse(calls).map((call) => functions[name](...call) ?? null)))";
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", script]).arg(module).arg(function).arg(arguments.to_string());
    let output = node.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_patch_of_an_older_line_gets_the_tag_of_its_line() {
    let cases = [
        ("1.2.3", json!({}), "latest"),
        ("1.2.3", json!({ "latest": "1.2.2" }), "latest"),
        ("1.2.3", json!({ "latest": "1.2.3" }), "latest"),
        ("1.2.3", json!({ "latest": "1.2.3-rc.1" }), "latest"),
        ("0.1.0", json!({ "latest": "0.0.0" }), "latest"),
        ("1.10.0", json!({ "latest": "1.9.0" }), "latest"),
        ("1.2.3", json!({ "latest": "2.0.0" }), "latest-1.x"),
        ("1.2.3", json!({ "latest": "1.3.0", "latest-1.x": "1.2.2" }), "latest-1.x"),
        ("1.2.3", json!({ "latest": "2.0.0", "latest-1.x": "1.9.0" }), "latest-1.2.x"),
        ("0.1.5", json!({ "latest": "0.2.0" }), "latest-0.1.x"),
        ("0.1.5", json!({ "latest": "1.0.0", "latest-0.1.x": "0.1.4" }), "latest-0.1.x"),
        ("2.0.0-rc.1", json!({ "latest": "1.2.3" }), "next"),
        ("1.0.0-rc.1", json!({ "latest": "2.0.0" }), "next"),
    ];
    let arguments = cases.iter().map(|(version, published, _)| json!([version, published])).collect();
    let expected: Vec<Value> = cases.iter().map(|(.., tag)| json!(tag)).collect();
    assert_eq!(call("distTag", &arguments), expected);
    let none = call("distTag", &json!([["0.1.5", { "latest": "0.2.0", "latest-0.1.x": "0.1.6" }]]));
    assert_eq!(none, [Value::Null]);
}

/// The order is from <https://semver.org>, item 11.
#[test]
fn versions_are_compared_by_the_rules_of_semver() {
    let ascending = [
        "0.0.0-stage",
        "0.0.0",
        "0.9.10",
        "1.0.0-0",
        "1.0.0-9",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0-rc-1",
        "1.0.0",
        "1.0.9",
        "1.0.10",
        "1.2.0",
        "1.10.0",
        "2.0.0",
        "10.0.0",
    ];
    let pairs: Vec<(usize, usize)> =
        (0..ascending.len()).flat_map(|a| (0..ascending.len()).map(move |b| (a, b))).collect();
    let arguments = pairs.iter().map(|&(a, b)| json!([ascending[a], ascending[b]])).collect();
    for (result, (a, b)) in call("compareVersions", &arguments).iter().zip(pairs) {
        let order = result.as_f64().unwrap().partial_cmp(&0.0).unwrap();
        assert_eq!(order, a.cmp(&b), "{} and {}", ascending[a], ascending[b]);
    }
    let builds = json!([["1.0.0+1", "1.0.0+2"], ["1.0.0-rc.1+5", "1.0.0-rc.1"]]);
    assert_eq!(call("compareVersions", &builds), [json!(0), json!(0)]);
}

#[test]
fn every_package_gets_the_tag_of_the_main_package() {
    let Some(release) = Release::new("1.2.3") else { return };
    release.tags(&json!({ "latest": "2.0.0", "next": "3.0.0-rc.1" }));
    assert!(release.succeeds(&["--dry-run"]).contains("the tag of 1.2.3: latest-1.x\n"));
    release.succeeds(&["--stage", "v1.2.3"]);
    let staged = release.logged("stage publish ");
    assert_eq!(staged.len(), names().len());
    assert!(staged.iter().all(|line| line.ends_with(" --tag latest-1.x --json")), "{staged:?}");
    release.set("staged", "[]");
    release.succeeds(&["--tag", "v1.2.3"]);
    let published = release.logged("publish ");
    assert!(published.iter().all(|line| line.ends_with(" --tag latest-1.x")), "{published:?}");
    let tags: Value = serde_json::from_slice(&fs::read(release.registry().join("tags")).unwrap()).unwrap();
    assert_eq!(tags["strongroom"], json!({ "latest": "2.0.0", "next": "3.0.0-rc.1", "latest-1.x": "1.2.3" }));
}

#[test]
fn nothing_is_published_if_each_tag_has_a_higher_version() {
    let Some(release) = Release::new("0.1.5") else { return };
    release.tags(&json!({ "latest": "0.2.0", "latest-0.1.x": "0.1.6" }));
    for mode in ["--tag", "--stage"] {
        let error = release.refuses(&[mode, "v0.1.5"]);
        let expected = "nothing was published: each tag that 0.1.5 could get has a higher version: latest is 0.2.0, \
                        latest-0.1.x is 0.1.6\nraise the version";
        assert!(error.contains(expected), "{error}");
    }
    let said = release.succeeds(&["--dry-run"]);
    assert!(said.contains("the tag of 0.1.5: none, because each tag has a higher version\n"), "{said}");
    // A run that has nothing left to publish needs no tag.
    for name in names() {
        release.has(&name, "0.1.5", &format!("{name} 0.1.5"));
    }
    assert!(
        release
            .succeeds(&["--tag", "v0.1.5"])
            .ends_with(&format!("0 packages now, {} before\n", names().len()))
    );
}
