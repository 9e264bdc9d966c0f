//! Makes the files of each npm package.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use machine::Workspace;
use node_targets::{Libc, MAIN_PACKAGE as MAIN, Os, Target};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::artifacts::Artifacts;

/// The folder of the JavaScript in that package.
const SCRIPTS: &str = "dist";
/// The documents of the main package. README.md links to TROUBLESHOOTING.md.
const DOCUMENTS: [&str; 2] = ["README.md", "TROUBLESHOOTING.md"];

/// An npm package before it is packed.
pub(crate) struct NpmPackage {
    pub(crate) name: String,
    /// The tarball's name, as `npm pack` would choose it.
    pub(crate) tarball: String,
    /// The addon's platform; `None` if this isn't a platform package.
    pub(crate) target: Option<&'static Target>,
    /// `true` if the package is published to the registry.
    pub(crate) published: bool,
    pub(crate) files: Files,
}

/// The contents of a package's files, keyed by their paths in the package, with `/`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Returns the content of a JSON file, formatted as npm formats package.json.
pub(crate) fn json_file(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Returns a JSON object of the fields that are not null, in their order.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The inputs of all packages.
pub(crate) struct Contents<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) version: &'a str,
    pub(crate) repository: Option<&'a str>,
    pub(crate) artifacts: &'a Artifacts,
    /// The notices of Rust's standard library.
    pub(crate) standard_library: &'a [u8],
}

/// The documents about a package's components.
pub(crate) struct Documents {
    /// The third-party notices.
    pub(crate) notices: String,
    /// The bill of materials.
    pub(crate) sbom: Vec<u8>,
}

/// Returns the fields by which npm selects and installs a platform's package.
pub(crate) fn platform_fields(target: &Target) -> Map<String, Value> {
    object([
        ("os", json!([target.os.name()])),
        ("cpu", json!([target.cpu.name()])),
        ("libc", libc_name(target).map(|libc| json!([libc])).into()),
        // The system's loader cannot open an addon in yarn's zip archives.
        ("preferUnplugged", json!(true)),
    ])
}

impl Contents<'_> {
    /// Returns the package of a platform, which contains the platform's addon.
    pub(crate) fn platform(&self, target: &'static Target, documents: &Documents) -> Result<NpmPackage> {
        let (name, addon) = (target.package_name(), target.artifact_file());
        let main = self.manifest()?;
        let field = |key: &str| {
            main.get(key).cloned().with_context(|| format!("bindings/node/package.json has no {key}: add it"))
        };
        let mut manifest = object([
            ("name", json!(name)),
            ("version", json!(self.version)),
            ("description", json!(format!("The addon of {MAIN} for {}", system(target)))),
            ("license", field("license")?),
            ("main", json!(addon)),
            ("engines", field("engines")?),
            // npm publishes a scoped package privately by default.
            ("publishConfig", json!({ "access": "public" })),
        ]);
        manifest.extend(platform_fields(target));
        let shared = ["author", "bugs", "homepage", "repository"];
        manifest.extend(main.into_iter().filter(|(key, _)| shared.contains(&key.as_str())));
        let readme = format!(
            "# {name}\n\nThe addon of `{MAIN}` for {}. Install `{MAIN}`, which depends on this package.\n",
            system(target)
        );
        let mut files = self.common(documents)?;
        files.insert("README.md".to_owned(), readme.into_bytes());
        files.insert(addon, self.artifacts.addon(target)?.content.clone());
        let package = self.finish(manifest, files, &format!("-{target}"))?;
        Ok(NpmPackage { target: Some(target), ..package })
    }

    /// Returns the main package: JavaScript and types. The package depends on the packages of `targets`, in the same
    /// version.
    pub(crate) fn main(&self, targets: &[&'static Target], documents: &Documents) -> Result<NpmPackage> {
        let mut manifest = self.manifest()?;
        let platforms: Map<String, Value> =
            targets.iter().map(|target| (target.package_name(), json!(self.version))).collect();
        manifest.insert("optionalDependencies".to_owned(), Value::Object(platforms));
        self.finish(manifest, self.scripts(documents)?, "")
    }

    /// Returns the main package with the addons inside.
    pub(crate) fn bundle(&self, targets: &[&'static Target], documents: &Documents) -> Result<NpmPackage> {
        let mut manifest = self.manifest()?;
        // Prevents publication: the registry has the main package under the same name.
        manifest.insert("private".to_owned(), json!(true));
        let mut files = self.scripts(documents)?;
        for target in targets {
            let content = self.artifacts.addon(target)?.content.clone();
            files.insert(format!("{SCRIPTS}/{}", target.artifact_file()), content);
        }
        Ok(NpmPackage { published: false, ..self.finish(manifest, files, "-bundle")? })
    }

    /// Reads a file of the checkout's package.
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.workspace.package().join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Reads the checkout's package.json without the fields for developers.
    fn manifest(&self) -> Result<Map<String, Value>> {
        let mut manifest: Map<String, Value> = serde_json::from_slice(&self.read("package.json")?)
            .context("bindings/node/package.json is not a JSON object")?;
        for key in ["scripts", "devDependencies", "private"] {
            manifest.shift_remove(key);
        }
        manifest.insert("version".to_owned(), json!(self.version));
        Ok(manifest)
    }

    fn scripts(&self, documents: &Documents) -> Result<Files> {
        let mut files = self.common(documents)?;
        for name in DOCUMENTS {
            files.insert(name.to_owned(), self.read(name)?);
        }
        let scripts = self.artifacts.javascript.iter();
        files.extend(scripts.map(|(name, content)| (format!("{SCRIPTS}/{name}"), content.clone())));
        Ok(files)
    }

    /// Returns the files that every package contains.
    fn common(&self, documents: &Documents) -> Result<Files> {
        let files = [
            ("LICENSE", self.read("LICENSE")?),
            ("THIRD-PARTY-LICENSES.txt", documents.notices.clone().into_bytes()),
            ("THIRD-PARTY-LICENSES-rust.html", self.standard_library.to_vec()),
            ("sbom.cdx.json", documents.sbom.clone()),
        ];
        Ok(files.map(|(path, content)| (path.to_owned(), content)).into())
    }

    /// Returns a package to publish. `label` is the part of the tarball's name before the version.
    fn finish(&self, mut manifest: Map<String, Value>, mut files: Files, label: &str) -> Result<NpmPackage> {
        if let Some(url) = self.repository {
            manifest.insert("repository".to_owned(), json!({ "type": "git", "url": url }));
        }
        // With this list, `npm pack` in the unpacked package packs every file again.
        let top: BTreeSet<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
        manifest.insert("files".to_owned(), json!(top));
        let name = manifest
            .get("name")
            .and_then(Value::as_str)
            .context("bindings/node/package.json has no name: add it")?
            .to_owned();
        files.insert("package.json".to_owned(), json_file(&manifest)?);
        let tarball = format!("{MAIN}{label}-{}.tgz", self.version);
        Ok(NpmPackage { name, tarball, target: None, published: true, files })
    }
}

/// Returns the C library's name in npm's `libc` field.
fn libc_name(target: &Target) -> Option<&'static str> {
    target.libc.map(|libc| match libc {
        Libc::Glibc => "glibc",
        Libc::Musl => "musl",
    })
}

/// Returns a platform in words: `Linux on x64 with glibc 2.28 or later`.
fn system(target: &Target) -> String {
    let cpu = target.cpu.name();
    let at_least = |name: &str| match target.floor {
        Some(floor) => format!("{name} {floor} or later"),
        None => name.to_owned(),
    };
    match target.os {
        Os::Linux => {
            format!("Linux on {cpu} with {}", at_least(libc_name(target).unwrap_or("its C library")))
        }
        Os::Darwin => format!("{} on {cpu}", at_least("macOS")),
        Os::Win32 => format!("Windows on {cpu}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::Addon;

    fn packages(targets: &[&'static Target]) -> Vec<NpmPackage> {
        let workspace = Workspace::find().unwrap();
        let addon =
            |&target: &&'static Target| Addon { target, path: "addon".into(), content: b"addon".to_vec() };
        let artifacts = Artifacts {
            addons: targets.iter().map(addon).collect(),
            javascript: BTreeMap::from([("index.js".to_owned(), b"js".to_vec())]),
        };
        let documents = Documents { notices: "texts".to_owned(), sbom: b"{}".to_vec() };
        let contents = Contents {
            workspace: &workspace,
            version: "4.5.6",
            repository: Some("https://example.org/strongroom.git"),
            artifacts: &artifacts,
            standard_library: b"rust",
        };
        let mut packages: Vec<NpmPackage> =
            targets.iter().map(|target| contents.platform(target, &documents).unwrap()).collect();
        packages.push(contents.main(targets, &documents).unwrap());
        packages.push(contents.bundle(targets, &documents).unwrap());
        packages
    }

    fn manifest(package: &NpmPackage) -> Value {
        serde_json::from_slice(&package.files["package.json"]).unwrap()
    }

    #[test]
    fn npm_knows_each_platform_and_runs_nothing_at_install() {
        let targets: Vec<_> = node_targets::targets().iter().collect();
        let packages = packages(&targets);
        for (package, target) in packages.iter().zip(&targets) {
            let manifest = manifest(package);
            assert_eq!(manifest["name"], format!("@strongroom/{target}"));
            assert_eq!(package.tarball, format!("strongroom-{target}-4.5.6.tgz"));
            assert_eq!(manifest["main"], format!("bindings_node.{target}.node"));
            assert_eq!(manifest["engines"]["node"], ">=20");
            assert_eq!(manifest["repository"]["url"], "https://example.org/strongroom.git");
            let claims = ["os", "cpu", "libc"].map(|key| manifest[key][0].as_str());
            let named: Vec<&str> = claims.into_iter().flatten().collect();
            let platform = target.platform.replace("-gnu", "-glibc").replace("-msvc", "");
            assert_eq!(named.join("-"), platform);
        }
        for package in &packages {
            let manifest = manifest(package);
            assert_eq!(manifest["version"], "4.5.6");
            assert!(manifest["scripts"].is_null() && manifest["devDependencies"].is_null(), "{manifest}");
            assert!(!package.files.contains_key("binding.gyp"));
            for file in ["LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "sbom.cdx.json"] {
                assert!(package.files.contains_key(file), "{} lacks {file}", package.name);
            }
        }
    }

    #[test]
    fn the_main_package_depends_on_its_own_version_and_the_bundle_on_nothing() {
        let packages = packages(&[Target::by_platform("linux-x64-musl").unwrap()]);
        let [_, main, bundle] = packages.as_slice() else { panic!("three packages") };
        let expected = json!({ "@strongroom/linux-x64-musl": "4.5.6" });
        assert_eq!(manifest(main)["optionalDependencies"], expected);
        assert!(manifest(main)["private"].is_null());
        assert!(manifest(bundle)["optionalDependencies"].is_null());
        assert_eq!(manifest(bundle)["private"], true);
        assert!(bundle.files.contains_key("dist/bindings_node.linux-x64-musl.node"));
        assert!(main.files.keys().all(|path| !path.ends_with(".node")));
        // In sorted order, `default` would come before `types`, and no compiler would find the types.
        let text = String::from_utf8(main.files["package.json"].clone()).unwrap();
        assert!(
            text.find("\"types\": \"./dist/index.d.mts\"") < text.find("\"default\": \"./dist/index.mjs\"")
        );
    }
}
