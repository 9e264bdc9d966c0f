//! The option `--format sarif`: output in the shape that the standard requires.

use std::collections::BTreeSet;

use node_audit::RULES;
use serde_json::{Value, json};

use crate::command::{folder, node_audit};
use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::Tarball;

const BAD: &str = "bad.linux-x64-gnu.node";

fn log(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_clean_run_lists_rules_and_no_results() {
    let (status, out, err) = node_audit(&folder(), &["--format", "sarif", NAME]);
    assert_eq!((status, err.as_str()), (0, ""));
    let log = log(&out);
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = &log["runs"][0];
    assert_eq!(run["results"], json!([]));
    assert_eq!(
        run["invocations"],
        json!([{ "executionSuccessful": true, "toolExecutionNotifications": [] }])
    );
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "node-audit");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    for (rule, known) in rules.iter().zip(RULES) {
        assert_eq!(rule["id"], known.id);
        for key in ["shortDescription", "fullDescription", "help"] {
            let text = rule[key]["text"].as_str().unwrap();
            assert!(text.ends_with('.'), "{key}: {text}");
        }
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning", "note"].contains(&level), "{level}");
    }
}

#[test]
fn a_result_names_its_rule_file_and_remedy() {
    let (status, out, _) = node_audit(&folder(), &["--format=sarif", BAD, "addon.node"]);
    assert_eq!(status, 1);
    let results = log(&out)["runs"][0]["results"].clone();
    let rows: Vec<Value> = (results.as_array().unwrap().iter())
        .map(|result| {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(result["ruleId"], RULES[index].id);
            let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            json!([result["ruleId"], result["level"], location["uri"]])
        })
        .collect();
    assert_eq!(rows, [json!(["needed", "error", BAD]), json!(["arch", "warning", "addon.node"])]);
    let needed = &results[0];
    assert_eq!(needed["properties"]["platform"], "linux-x64-gnu");
    assert_eq!(needed["properties"]["evidence"], "DT_NEEDED libssl.so.3");
    let text = needed["message"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("The addon needs libssl.so.3") && text.contains("Seen: DT_NEEDED libssl.so.3."),
        "{text}"
    );
    assert!(results[1]["properties"].get("platform").is_none(), "an unknown platform is omitted, not null");
}

#[test]
fn fingerprints_are_unique_within_a_run_and_stable_across_runs() {
    let folder = folder();
    let twice = Maker { needed: vec!["libssl.so.3", "libssl.so.3", "libz.so.1"], ..Maker::addon() };
    std::fs::write(folder.path().join(BAD), twice.make()).unwrap();
    let prints = |arguments: &[&str]| {
        let out = node_audit(&folder, arguments).1;
        let results = log(&out)["runs"][0]["results"].clone();
        let prints = results.as_array().unwrap().iter().map(|result| {
            let prints = result["partialFingerprints"].as_object().unwrap();
            assert_eq!(prints.len(), 1);
            prints["nodeAudit/v2"].as_str().unwrap().to_owned()
        });
        prints.collect::<Vec<_>>()
    };
    let first = prints(&["--format=sarif", BAD]);
    assert_eq!(first.len(), 3);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3, "{first:?}");
    assert_eq!(prints(&["--format=sarif", NAME, BAD]), first, "other files change nothing");
}

#[test]
fn a_file_that_cannot_be_read_is_a_notification() {
    let (status, out, err) = node_audit(&folder(), &["--format=sarif", "missing.node", BAD]);
    assert_eq!(status, 2);
    assert!(err.starts_with("node-audit: missing.node: "), "{err}");
    let run = log(&out)["runs"][0].clone();
    assert_eq!(run["results"].as_array().unwrap().len(), 1);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!(notifications[0]["level"], "error");
    let text = notifications[0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("missing.node: cannot be read: "), "{text}");
}

#[test]
fn a_name_is_percent_encoded() {
    let folder = folder();
    let name = "a b#1.linux-x64-gnu.node";
    std::fs::copy(folder.path().join(BAD), folder.path().join(name)).unwrap();
    let out = node_audit(&folder, &["--format=sarif", name]).1;
    let result = log(&out)["runs"][0]["results"][0].clone();
    let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], "a%20b%231.linux-x64-gnu.node");
}

#[test]
fn an_entry_of_an_archive_has_a_relative_uri() {
    let folder = folder();
    let bad = std::fs::read(folder.path().join(BAD)).unwrap();
    let tarball =
        Tarball::package(r#"{"name": "a", "version": "1.0.0"}"#).file(&format!("package/{BAD}"), &bad);
    std::fs::write(folder.path().join("a.tgz"), tarball.gz()).unwrap();
    let out = node_audit(&folder, &["--format=sarif", "./a.tgz"]).1;
    let results = log(&out)["runs"][0]["results"].clone();
    let needed = results.as_array().unwrap().iter().find(|result| result["ruleId"] == "needed").unwrap();
    let location = &needed["locations"][0];
    let place = json!({ "uri": "a.tgz", "uriBaseId": "%SRCROOT%" });
    assert_eq!(location["physicalLocation"]["artifactLocation"], place);
    let entry =
        json!([{ "name": format!("package/{BAD}"), "fullyQualifiedName": format!("./a.tgz:package/{BAD}") }]);
    assert_eq!(location["logicalLocations"], entry);
}

/// A code host resolves paths from the root of the repository, even if node-audit runs in a subfolder.
#[test]
fn paths_start_at_the_root_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("packages/p")).unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join("packages/p").join(name), content).unwrap();
    };
    write("package.json", b"{\n  \"name\": \"p\",\n  \"os\": [\"darwin\"]\n}\n");
    write(BAD, &Maker { needed: vec!["libssl.so.3"], ..Maker::addon() }.make());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_node-audit"))
        .args(["--format=sarif", "."])
        .current_dir(folder.path().join("packages/p"))
        .output()
        .unwrap();
    let log = log(&String::from_utf8(output.stdout).unwrap());
    let base = &log["runs"][0]["originalUriBaseIds"]["%SRCROOT%"];
    assert!(base.get("uri").is_none() && base["description"]["text"].is_string(), "{base}");
    let places: Vec<Value> = (log["runs"][0]["results"].as_array().unwrap().iter())
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
            json!([result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"]])
        })
        .collect();
    assert!(places.contains(&json!(["package", "packages/p/package.json", 3])), "{places:?}");
    assert!(places.contains(&json!(["needed", format!("packages/p/{BAD}"), 1])), "{places:?}");
    // A file outside the repository has an absolute URI.
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join(BAD);
    std::fs::copy(folder.path().join("packages/p").join(BAD), &path).unwrap();
    let out = node_audit(&folder, &["--format=sarif", path.to_str().unwrap()]).1;
    let result: Value = serde_json::from_str::<Value>(&out).unwrap()["runs"][0]["results"][0].clone();
    let artifact = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert!(artifact["uri"].as_str().unwrap().starts_with("file:///"), "{artifact}");
    assert!(artifact.get("uriBaseId").is_none());
}
