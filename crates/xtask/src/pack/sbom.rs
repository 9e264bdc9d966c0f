//! Bills of materials: CycloneDX 1.6, as JSON.
//!
//! Without a serial number and a time, which would differ each time.

use anyhow::Result;
use node_targets::Target;
use serde::Serialize;

use super::json;
use super::linked::{Component, Linked};
use super::package;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Part>,
    dependencies: Vec<Dependency>,
    compositions: [Composition; 1],
}

#[derive(Serialize)]
struct Metadata {
    component: Part,
}

#[derive(Serialize)]
struct Part {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    licenses: [Licence; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Licence {
    expression: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

/// How much of what something needs is listed.
#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    /// Whose needs are meant.
    dependencies: [String; 1],
}

/// What is in the package for a platform.
pub(super) fn of_platform(target: &Target, version: &str, linked: &Linked) -> Result<Vec<u8>> {
    let package = npm(&package::platform_name(target), version);
    let needs = vec![Dependency { reference: package.reference.clone(), depends_on: vec![linked.root()?] }];
    document(package, Vec::new(), needs, linked)
}

/// What is in the packages of a release: the main one, which needs the platforms', and what those are linked of.
pub(super) fn of_release(targets: &[&Target], version: &str, linked: &Linked) -> Result<Vec<u8>> {
    let main = npm(package::MAIN, version);
    let platforms: Vec<Part> =
        targets.iter().map(|target| npm(&package::platform_name(target), version)).collect();
    let references = platforms.iter().map(|part| part.reference.clone()).collect();
    let mut needs = vec![Dependency { reference: main.reference.clone(), depends_on: references }];
    let root = linked.root()?;
    let on_root =
        |part: &Part| Dependency { reference: part.reference.clone(), depends_on: vec![root.clone()] };
    needs.extend(platforms.iter().map(on_root));
    document(main, platforms, needs, linked)
}

fn document(root: Part, packages: Vec<Part>, mut needs: Vec<Dependency>, linked: &Linked) -> Result<Vec<u8>> {
    let components = packages.into_iter().chain(linked.components.values().map(part)).collect();
    needs.extend(linked.components.keys().map(|reference| {
        let depends_on = linked.needs.get(reference).into_iter().flatten().cloned().collect();
        Dependency { reference: reference.clone(), depends_on }
    }));
    let metadata = Metadata { component: root };
    // A linker adds more than leaves a mark; see [`super::linker::UNSEEN`].
    let compositions = [Composition { aggregate: "unknown", dependencies: [linked.root()?] }];
    let bom = Bom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata,
        components,
        dependencies: needs,
        compositions,
    };
    Ok(json::file(&bom)?)
}

/// One of this project's npm packages.
fn npm(name: &str, version: &str) -> Part {
    // A scope's sign is escaped in a package URL.
    let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
    Part {
        kind: "library",
        reference: purl.clone(),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        hashes: Vec::new(),
        licenses: [Licence { expression: "MIT".to_owned() }],
        cpe: None,
        purl: Some(purl),
    }
}

fn part(component: &Component) -> Part {
    let hash = |content: &String| Hash { alg: "SHA-256", content: content.clone() };
    Part {
        kind: "library",
        reference: component.reference(),
        name: component.name.clone(),
        version: component.version.clone(),
        hashes: component.sha256.iter().map(hash).collect(),
        licenses: [Licence { expression: component.licence.clone() }],
        cpe: component.cpe.clone(),
        purl: component.purl.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::pack::linked;
    use crate::paths::Workspace;

    #[test]
    fn every_part_is_named_once_and_is_reached_from_the_package() {
        let workspace = Workspace::find().unwrap();
        let metadata = linked::metadata(&workspace).unwrap();
        let target = Target::by_platform("linux-arm64-musl").unwrap();
        let linked = Linked::of(&workspace, &metadata, target).unwrap();
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
