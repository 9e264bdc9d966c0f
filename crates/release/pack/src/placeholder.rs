//! Placeholders for platforms' packages, which tests put into a registry.

use anyhow::Result;
use node_targets::Target;
use serde_json::json;

use crate::archive;
use crate::output::integrity;
use crate::package::{json_file, object, platform_fields};

/// A package with the name and the platform fields of a real package. The placeholder throws when it is loaded.
#[derive(Debug)]
pub struct PlaceholderPackage {
    /// The name, such as `@strongroom/linux-x64-musl`.
    pub name: String,
    /// The tarball.
    pub content: Vec<u8>,
    /// The tarball's digest in the format of registries.
    pub integrity: String,
}

impl PlaceholderPackage {
    /// Packs a placeholder. The message contains `text`, so a different text changes the content.
    pub fn new(target: &Target, version: &str, text: &str) -> Result<Self> {
        let name = target.package_name();
        let mut manifest =
            object([("name", json!(name)), ("version", json!(version)), ("main", json!("index.js"))]);
        manifest.extend(platform_fields(target));
        let script = format!("throw new Error('{name} is a placeholder: {text}')\n");
        let files = [("package.json", json_file(&manifest)?), ("index.js", script.into_bytes())];
        let content = archive::tarball(&files.map(|(path, content)| (path.to_owned(), content)).into())?;
        Ok(Self { name, integrity: integrity(&content), content })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_placeholder_has_the_real_packages_fields_and_throws() {
        let target = Target::by_platform("linux-arm64-musl").unwrap();
        let package = PlaceholderPackage::new(target, "1.2.3", "not built").unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(package.content.as_slice()));
        let mut files = archive.entries().unwrap().map(|entry| {
            let mut text = String::new();
            entry.unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let script = files.next().unwrap();
        assert_eq!(script, "throw new Error('@strongroom/linux-arm64-musl is a placeholder: not built')\n");
        let manifest: serde_json::Value = serde_json::from_str(&files.next().unwrap()).unwrap();
        let expected = serde_json::json!({
            "name": "@strongroom/linux-arm64-musl", "version": "1.2.3", "main": "index.js", "os": ["linux"],
            "cpu": ["arm64"], "libc": ["musl"], "preferUnplugged": true,
        });
        assert_eq!(manifest, expected);
        let other = PlaceholderPackage::new(target, "1.2.3", "another").unwrap();
        assert_ne!(other.integrity, package.integrity);
    }
}
