//! What stands in a test's registry for a platform that is not built here.

use anyhow::Result;
use node_targets::Target;

use super::archive;
use super::json::{self, Json, object};
use super::output::integrity;
use super::package::{File, npm_names, platform_name};

/// A package that says which platform it is for, as the real one does, and throws where it is loaded.
pub(crate) struct StandIn {
    /// `@strongroom/linux-x64-musl`
    pub(crate) name: String,
    /// The tarball.
    pub(crate) content: Vec<u8>,
    /// The tarball's digest, as a registry has it.
    pub(crate) integrity: String,
}

impl StandIn {
    /// Packs it. Another text is another content.
    pub(crate) fn new(target: &Target, version: &str, text: &str) -> Result<Self> {
        let name = platform_name(target);
        let (os, cpu, libc) = npm_names(target);
        let mut manifest = object([
            ("name", name.as_str().into()),
            ("version", version.into()),
            ("main", "index.js".into()),
            ("os", json::list([os])),
            ("cpu", json::list([cpu])),
        ]);
        manifest.extend(libc.map(|libc| ("libc".to_owned(), json::list([libc]))));
        manifest.insert("preferUnplugged".to_owned(), Json::Bool(true));
        let script = format!("throw new Error('{name} is a stand-in: {text}')\n");
        let files = [
            File { path: "package.json".to_owned(), content: json::file(&manifest)? },
            File { path: "index.js".to_owned(), content: script.into_bytes() },
        ];
        let content = archive::tarball(&files)?;
        Ok(Self { name, integrity: integrity(&content), content })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn it_says_of_itself_what_the_real_package_says_and_never_loads() {
        let target = Target::by_platform("linux-arm64-musl").unwrap();
        let package = StandIn::new(target, "1.2.3", "not built").unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(package.content.as_slice()));
        let mut files = archive.entries().unwrap().map(|entry| {
            let mut text = String::new();
            entry.unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let script = files.next().unwrap();
        assert_eq!(script, "throw new Error('@strongroom/linux-arm64-musl is a stand-in: not built')\n");
        let manifest: serde_json::Value = serde_json::from_str(&files.next().unwrap()).unwrap();
        let expected = serde_json::json!({
            "name": "@strongroom/linux-arm64-musl", "version": "1.2.3", "main": "index.js", "os": ["linux"],
            "cpu": ["arm64"], "libc": ["musl"], "preferUnplugged": true,
        });
        assert_eq!(manifest, expected);
        let other = StandIn::new(target, "1.2.3", "another").unwrap();
        assert_ne!(other.integrity, package.integrity);
    }
}
