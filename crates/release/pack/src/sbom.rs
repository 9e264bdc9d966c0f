//! Writes bills of materials: CycloneDX 1.6 as JSON, <https://cyclonedx.org/docs/1.6/json/>.
//!
//! A bill has no serial number and no time, so that the same input makes the same bytes.

use anyhow::Result;
use node_targets::{MAIN_PACKAGE, Target};
use serde_json::{Value, json};

use crate::component::Component;
use crate::linked::Linked;
use crate::package::{json_file, object};

/// Returns the bill of a platform's package.
pub(crate) fn of_platform(target: &Target, version: &str, linked: &Linked) -> Result<Vec<u8>> {
    let package = npm(&target.package_name(), version);
    let dependencies = vec![dependency(&package.reference(), [&linked.root])];
    document(&package, &[], dependencies, linked)
}

/// Returns the bill of a release: the main package, the platforms' packages, and the components of their addons.
pub(crate) fn of_release(targets: &[&Target], version: &str, linked: &Linked) -> Result<Vec<u8>> {
    let main = npm(MAIN_PACKAGE, version);
    let platforms: Vec<Component> =
        targets.iter().map(|target| npm(&target.package_name(), version)).collect();
    let references: Vec<String> = platforms.iter().map(Component::reference).collect();
    let mut dependencies = vec![dependency(&main.reference(), &references)];
    dependencies.extend(references.iter().map(|platform| dependency(platform, [&linked.root])));
    document(&main, &platforms, dependencies, linked)
}

fn document(
    root: &Component,
    packages: &[Component],
    mut dependencies: Vec<Value>,
    linked: &Linked,
) -> Result<Vec<u8>> {
    let components: Vec<Value> = packages.iter().chain(linked.components.values()).map(part).collect();
    dependencies.extend(
        linked
            .components
            .keys()
            .map(|reference| dependency(reference, linked.dependencies.get(reference).into_iter().flatten())),
    );
    Ok(json_file(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": part(root) },
        "components": components,
        "dependencies": dependencies,
        // The list is incomplete, since a linker also adds code that cannot be recognised: see `linker::UNLISTED`.
        "compositions": [{ "aggregate": "unknown", "dependencies": [linked.root] }],
    }))?)
}

/// Returns one of this project's npm packages.
fn npm(name: &str, version: &str) -> Component {
    Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        licence: "MIT".to_owned(),
        // A package URL escapes the `@` of a scope.
        purl: Some(format!("pkg:npm/{}@{version}", name.replace('@', "%40"))),
        ..Component::default()
    }
}

fn part(component: &Component) -> Value {
    let hash = |content| json!([{ "alg": "SHA-256", "content": content }]);
    Value::Object(object([
        ("type", json!("library")),
        ("bom-ref", json!(component.reference())),
        ("name", json!(component.name)),
        ("version", json!(component.version)),
        ("hashes", component.sha256.as_ref().map(hash).into()),
        ("licenses", json!([{ "expression": component.licence }])),
        ("cpe", json!(component.cpe)),
        ("purl", json!(component.purl)),
    ]))
}

fn dependency<'a>(reference: &str, depends_on: impl IntoIterator<Item = &'a String>) -> Value {
    json!({ "ref": reference, "dependsOn": Vec::from_iter(depends_on) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use machine::Workspace;

    use super::*;
    use crate::linked::Crates;

    #[test]
    fn every_component_is_listed_once_and_reached_from_the_package() {
        let workspace = Workspace::find().unwrap();
        let target = Target::by_platform("linux-arm64-musl").unwrap();
        let linked = Crates::read(&workspace).unwrap().linked(target).unwrap();
        for bytes in [of_platform(target, "0.1.0", &linked), of_release(&[target], "0.1.0", &linked)] {
            let bom: Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
            let root = bom["metadata"]["component"]["bom-ref"].as_str().unwrap();
            let parts = bom["components"].as_array().unwrap();
            let names: Vec<&str> = parts.iter().map(|part| part["bom-ref"].as_str().unwrap()).collect();
            let all: BTreeSet<&str> = names.iter().copied().chain([root]).collect();
            assert_eq!(all.len(), names.len() + 1);
            let mut reached = BTreeSet::new();
            let mut next = vec![root];
            while let Some(name) = next.pop() {
                if reached.insert(name) {
                    let entries = bom["dependencies"].as_array().unwrap();
                    let entry = entries.iter().find(|entry| entry["ref"] == name).unwrap();
                    next.extend(
                        entry["dependsOn"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()),
                    );
                }
            }
            assert_eq!(reached, all);
            let openssl = parts.iter().find(|part| part["name"] == "OpenSSL").unwrap();
            let version = openssl["version"].as_str().unwrap();
            assert!(version.starts_with("3.5."), "{version}");
            assert_eq!(openssl["cpe"], format!("cpe:2.3:a:openssl:openssl:{version}:*:*:*:*:*:*:*"));
            assert_eq!(openssl["licenses"][0]["expression"], "Apache-2.0");
            let zstd = parts.iter().find(|part| part["name"] == "zstd-sys").unwrap();
            assert!(zstd["purl"].as_str().unwrap().contains("%2Bzstd."), "{zstd}");
            assert_eq!(zstd["hashes"][0]["content"].as_str().map(str::len), Some(64));
        }
    }
}
