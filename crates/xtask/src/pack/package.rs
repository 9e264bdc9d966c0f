//! What is in each npm package.

use std::fs;

use anyhow::{Context, Result};
use node_targets::{Libc, Os, Target};

use super::artifacts::Artifacts;
use super::json::{self, Json, Object, object};
use super::licences::Notices;
use crate::paths::Workspace;

/// The package that users install.
pub(super) const MAIN: &str = "strongroom";
/// Where the JavaScript is in it.
const SCRIPTS: &str = "dist";

/// A package, not yet packed.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// The tarball's name: what `npm pack` would call it.
    pub(super) tarball: String,
    /// The platform whose addon it brings, where that is one.
    pub(super) target: Option<&'static Target>,
    /// Whether it is for the registry.
    pub(super) published: bool,
    pub(super) files: Vec<File>,
}

/// A file in a package.
pub(super) struct File {
    /// Relative to the package, with `/`.
    pub(super) path: String,
    pub(super) content: Vec<u8>,
}

impl File {
    fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into() }
    }
}

/// Which package it is.
enum Kind {
    Platform(&'static Target),
    Main,
    Bundle,
}

/// What the packages are made of.
pub(super) struct Contents<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) version: &'a str,
    pub(super) repository: Option<&'a str>,
    pub(super) artifacts: &'a Artifacts,
}

/// The documents of the main package; its README links the other.
const DOCUMENTS: [&str; 2] = ["README.md", "TROUBLESHOOTING.md"];

/// `@strongroom/linux-x64-gnu`
pub(super) fn platform_name(target: &Target) -> String {
    format!("@{MAIN}/{}", target.platform)
}

impl Contents<'_> {
    /// The addon of one platform, which npm installs there alone.
    pub(super) fn platform(
        &self,
        target: &'static Target,
        notices: &Notices,
        sbom: Vec<u8>,
    ) -> Result<Package> {
        let name = platform_name(target);
        let main = self.manifest()?;
        let field = |key: &str| main.get(key).cloned().with_context(|| format!("package.json has no {key}"));
        let (os, cpu, libc) = npm_names(target);
        let mut manifest = object([
            ("name", name.as_str().into()),
            ("version", self.version.into()),
            ("description", format!("The addon of {MAIN} for {}", system(target)).as_str().into()),
            ("license", field("license")?),
            ("main", target.artifact_file().as_str().into()),
            ("os", json::list([os])),
            ("cpu", json::list([cpu])),
        ]);
        manifest.extend(libc.map(|libc| ("libc".to_owned(), json::list([libc]))));
        manifest.insert("engines".to_owned(), field("engines")?);
        // The system's loader opens real files only, and not those in an archive.
        manifest.insert("preferUnplugged".to_owned(), Json::Bool(true));
        // Of a package with a scope, npm assumes the opposite.
        manifest.insert("publishConfig".to_owned(), Json::Object(object([("access", "public".into())])));
        for key in ["author", "bugs", "homepage", "repository"] {
            manifest.extend(main.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        let readme = format!(
            "# {name}\n\nThe addon of `{MAIN}` for {}. Install `{MAIN}`, which brings it.\n",
            system(target)
        );
        let mut files = self.common(notices, sbom)?;
        files.push(File::new("README.md", readme));
        files.push(File::new(target.artifact_file(), self.artifacts.addon(target)?.content.clone()));
        self.finish(manifest, files, Kind::Platform(target))
    }

    /// JavaScript and types, and the platforms' packages by this very version.
    pub(super) fn main(
        &self,
        targets: &[&'static Target],
        notices: &Notices,
        sbom: Vec<u8>,
    ) -> Result<Package> {
        let mut manifest = self.manifest()?;
        let platforms: Object =
            targets.iter().map(|target| (platform_name(target), Json::from(self.version))).collect();
        manifest.insert("optionalDependencies".to_owned(), Json::Object(platforms));
        let files = self.scripts(notices, sbom)?;
        self.finish(manifest, files, Kind::Main)
    }

    /// The main package with the addons in it.
    pub(super) fn bundle(
        &self,
        targets: &[&'static Target],
        notices: &Notices,
        sbom: Vec<u8>,
    ) -> Result<Package> {
        let mut manifest = self.manifest()?;
        // It has the name that programs import, under which the registry has the main package.
        manifest.insert("private".to_owned(), Json::Bool(true));
        let mut files = self.scripts(notices, sbom)?;
        for &target in targets {
            let content = self.artifacts.addon(target)?.content.clone();
            files.push(File::new(format!("{SCRIPTS}/{}", target.artifact_file()), content));
        }
        self.finish(manifest, files, Kind::Bundle)
    }

    /// The package.json of the tree, without what is for its developers alone.
    fn manifest(&self) -> Result<Object> {
        let path = self.workspace.package().join("package.json");
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut manifest: Object = serde_json::from_str(&text)
            .with_context(|| format!("{} is no JSON object of texts and lists", path.display()))?;
        for key in ["scripts", "devDependencies", "private"] {
            manifest.shift_remove(key);
        }
        manifest.insert("version".to_owned(), self.version.into());
        Ok(manifest)
    }

    fn scripts(&self, notices: &Notices, sbom: Vec<u8>) -> Result<Vec<File>> {
        let mut files = self.common(notices, sbom)?;
        for name in DOCUMENTS {
            let path = self.workspace.package().join(name);
            let text = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            files.push(File::new(name, text));
        }
        let scripts = self.artifacts.javascript.iter();
        files.extend(scripts.map(|(name, content)| File::new(format!("{SCRIPTS}/{name}"), content.clone())));
        Ok(files)
    }

    /// What every package has.
    fn common(&self, notices: &Notices, sbom: Vec<u8>) -> Result<Vec<File>> {
        let licence = self.workspace.package().join("LICENSE");
        let licence = fs::read(&licence).with_context(|| format!("{} cannot be read", licence.display()))?;
        Ok(vec![
            File::new("LICENSE", licence),
            File::new("THIRD-PARTY-LICENSES.txt", notices.text.as_str()),
            File::new("THIRD-PARTY-LICENSES-rust.html", notices.standard_library.as_slice()),
            File::new("sbom.cdx.json", sbom),
        ])
    }

    fn finish(&self, mut manifest: Object, mut files: Vec<File>, kind: Kind) -> Result<Package> {
        if let Some(url) = self.repository {
            let repository = object([("type", "git".into()), ("url", url.into())]);
            manifest.insert("repository".to_owned(), Json::Object(repository));
        }
        // What `npm pack` would take of the package once it is unpacked: all of it.
        let mut top: Vec<&str> = files.iter().filter_map(|file| file.path.split('/').next()).collect();
        top.sort_unstable();
        top.dedup();
        manifest.insert("files".to_owned(), json::list(top));
        let name = match manifest.get("name") {
            Some(Json::Text(name)) => name.clone(),
            _ => anyhow::bail!("package.json has no name"),
        };
        files.push(File::new("package.json", json::file(&manifest)?));
        let version = self.version.to_owned();
        let (tarball, target, published) = match kind {
            Kind::Platform(target) => (format!("{MAIN}-{target}-{version}.tgz"), Some(target), true),
            Kind::Main => (format!("{MAIN}-{version}.tgz"), None, true),
            Kind::Bundle => (format!("{MAIN}-bundle-{version}.tgz"), None, false),
        };
        Ok(Package { name, version, tarball, target, published, files })
    }
}

/// os, cpu and libc, as npm compares them.
pub(super) fn npm_names(target: &Target) -> (&'static str, &'static str, Option<&'static str>) {
    let libc = target.libc.map(|libc| match libc {
        Libc::Glibc => "glibc",
        Libc::Musl => "musl",
    });
    (target.os.name(), crate::system::name(target.cpu), libc)
}

/// A platform in words: `Linux on x64 with glibc 2.28 or later`.
fn system(target: &Target) -> String {
    let (_, cpu, libc) = npm_names(target);
    let at_least = |name: &str| match target.floor {
        Some(floor) => format!("{name} {floor} or later"),
        None => name.to_owned(),
    };
    match target.os {
        Os::Linux => format!("Linux on {cpu} with {}", at_least(libc.unwrap_or("its C library"))),
        Os::Darwin => format!("{} on {cpu}", at_least("macOS")),
        Os::Win32 => format!("Windows on {cpu}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::artifacts::Addon;
    use super::*;

    fn packages(targets: &[&'static Target]) -> Vec<Package> {
        let workspace = Workspace::find().unwrap();
        let addon =
            |&target: &&'static Target| Addon { target, path: "addon".into(), content: b"addon".to_vec() };
        let artifacts = Artifacts {
            addons: targets.iter().map(addon).collect(),
            javascript: BTreeMap::from([("index.js".to_owned(), b"js".to_vec())]),
        };
        let notices = Notices { text: "texts".to_owned(), standard_library: b"rust".to_vec() };
        let contents = Contents {
            workspace: &workspace,
            version: "4.5.6",
            repository: Some("https://example.org/strongroom.git"),
            artifacts: &artifacts,
        };
        let mut packages: Vec<Package> = targets
            .iter()
            .map(|target| contents.platform(target, &notices, b"{}".to_vec()).unwrap())
            .collect();
        packages.push(contents.main(targets, &notices, b"{}".to_vec()).unwrap());
        packages.push(contents.bundle(targets, &notices, b"{}".to_vec()).unwrap());
        packages
    }

    fn manifest(package: &Package) -> serde_json::Value {
        let file = package.files.iter().find(|file| file.path == "package.json").unwrap();
        serde_json::from_slice(&file.content).unwrap()
    }

    #[test]
    fn each_platform_is_told_to_npm_and_nothing_runs_at_install() {
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
            assert!(package.files.iter().all(|file| file.path != "binding.gyp"));
            for file in ["LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "sbom.cdx.json"] {
                assert!(
                    package.files.iter().any(|known| known.path == file),
                    "{} lacks {file}",
                    package.name
                );
            }
        }
    }

    #[test]
    fn the_main_package_asks_for_this_version_alone_and_the_bundle_for_nothing() {
        let packages = packages(&[Target::by_platform("linux-x64-musl").unwrap()]);
        let [_, main, bundle] = packages.as_slice() else { panic!("three packages") };
        let asked = serde_json::json!({ "@strongroom/linux-x64-musl": "4.5.6" });
        assert_eq!(manifest(main)["optionalDependencies"], asked);
        assert!(manifest(main)["private"].is_null());
        assert!(manifest(bundle)["optionalDependencies"].is_null());
        assert_eq!(manifest(bundle)["private"], true);
        assert!(bundle.files.iter().any(|file| file.path == "dist/bindings_node.linux-x64-musl.node"));
        assert!(main.files.iter().all(|file| !file.path.ends_with(".node")));
        // Sorted, `default` would come before `types`, and no compiler would find the types.
        let file = main.files.iter().find(|file| file.path == "package.json").unwrap();
        let text = String::from_utf8(file.content.clone()).unwrap();
        assert!(
            text.find("\"types\": \"./dist/index.d.mts\"") < text.find("\"default\": \"./dist/index.mjs\"")
        );
    }
}
