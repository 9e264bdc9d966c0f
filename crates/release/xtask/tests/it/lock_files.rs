//! Tests the lock files of npm, and that Dependabot keeps them as they are.

#![expect(clippy::unwrap_used, reason = "a lock file that cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::checkout::{files, root};
use crate::workflow::texts;

/// The option with which npm writes no addresses: docs.npmjs.com/cli/commands/npm-install, or `npm help config`.
const OPTION: &str = "omit-lockfile-registry-resolved=true";

/// The folder of the clients, whose lock files `clients/lock.mjs` writes.
const CLIENTS: &str = "/bindings/node/clients/";

/// Returns the folders of npm's lock files, which begin with `/`.
fn folders() -> BTreeSet<String> {
    let folders: BTreeSet<String> = files()
        .iter()
        .map(|file| file.rsplit_once('/').unwrap_or(("", file)))
        .filter(|(_, name)| ["package-lock.json", "npm-shrinkwrap.json"].contains(name))
        .map(|(folder, _)| format!("/{folder}"))
        .collect();
    assert!(folders.contains("/bindings/node"), "{folders:?}");
    folders
}

fn is_client(folder: &str) -> bool {
    folder.starts_with(CLIENTS)
}

fn read(folder: &str, name: &str) -> Option<String> {
    fs::read_to_string(root().join(folder.trim_start_matches('/')).join(name)).ok()
}

/// Returns each package of a lock file that has an address, or that is not tied to its content by a hash.
fn faults(lock: &Value, is_client: bool) -> Vec<String> {
    let packages = lock["packages"].as_object().unwrap();
    let mut faults = Vec::new();
    for (path, package) in packages.iter().filter(|(path, _)| !path.is_empty()) {
        if let Some(address) = package["resolved"].as_str() {
            faults.push(format!("{path} has the address {address}"));
        }
        // Every build changes the hashes of Strongroom's own packages.
        let name = package["name"].as_str().unwrap_or(path.rsplit("node_modules/").next().unwrap());
        let is_rebuilt = is_client && (name == "strongroom" || name.starts_with("@strongroom/"));
        let hash = package["integrity"].as_str();
        if !is_rebuilt && !hash.is_some_and(|hash| hash.starts_with("sha512-")) {
            faults.push(format!("{path} has the hash {hash:?}"));
        }
    }
    faults
}

#[test]
fn no_lock_file_has_an_address_and_every_package_has_a_hash() {
    for folder in folders() {
        let text = read(&folder, "package-lock.json").unwrap();
        let lock: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(lock["lockfileVersion"], 3, "{folder}");
        let faults = faults(&lock, is_client(&folder));
        assert!(
            faults.is_empty(),
            "{folder}/package-lock.json: {}; put {OPTION} into {folder}/.npmrc, and run npm install \
             --package-lock-only, or clients/lock.mjs for a client",
            faults.join(", ")
        );
    }
}

#[test]
fn an_address_and_a_missing_hash_are_found() {
    let address = "https://registry.example/x/-/x-1.0.0.tgz";
    let lock = serde_json::json!({ "packages": {
        "": {}, "node_modules/x": { "resolved": address }, "node_modules/strongroom": {},
        "node_modules/y/node_modules/@strongroom/z": {},
    } });
    let found = faults(&lock, true);
    assert_eq!(
        found,
        [format!("node_modules/x has the address {address}"), "node_modules/x has the hash None".to_owned()]
    );
    assert_eq!(faults(&lock, false).len(), 4);
}

/// npm reads the `.npmrc` beside package.json. Dependabot reads the same file, or else the next one above.
#[test]
fn dependabot_updates_every_lock_file_that_npm_writes() {
    let text = fs::read_to_string(root().join(".github/dependabot.yml")).unwrap();
    let yaml: Value = serde_saphyr::from_str(&text).unwrap();
    let entries = yaml["updates"].as_array().unwrap();
    let npm = entries.iter().filter(|entry| entry["package-ecosystem"] == "npm");
    let updated: BTreeSet<String> =
        npm.flat_map(|entry| texts(&entry["directories"])).map(ToOwned::to_owned).collect();
    let own: BTreeSet<String> = folders().into_iter().filter(|folder| !is_client(folder)).collect();
    assert_eq!(
        updated, own,
        "the folders in .github/dependabot.yml (left) must be those with a lock file (right)"
    );
    for folder in own {
        let options = read(&folder, ".npmrc").unwrap_or_default();
        assert!(options.lines().any(|line| line == OPTION), "{folder}/.npmrc must contain {OPTION}");
    }
    for entry in entries {
        assert_eq!(entry["schedule"]["interval"], "weekly", "{entry}");
        assert!(
            entry["groups"].is_object(),
            "without groups, Dependabot opens a pull request per package: {entry}"
        );
    }
}
