//! The C libraries in an addon, with their crates, versions and licences.

use anyhow::{Context, Result, bail};
use guppy::graph::{PackageGraph, PackageMetadata};

use crate::component::{Component, LicenceText};

/// A C library.
pub(crate) struct CLibrary {
    name: &'static str,
    /// The crate that contains the source. deny.toml allows the licence for this crate.
    source: &'static str,
    /// The crate that links the library; `None` if the source is included but not linked.
    pub(crate) linked_by: Option<&'static str>,
    /// The text before the library's version in the version of its crate, as in `+zstd.1.5.7`.
    label: &'static str,
    /// An SPDX identifier.
    licence: &'static str,
    /// The path of the licence's text in the crate.
    text: &'static str,
    /// The vendor and the product in the National Vulnerability Database.
    cpe: Option<&'static str>,
}

/// The C libraries whose source the addon's crates contain.
pub(crate) const LIBRARIES: [CLibrary; 5] = [
    CLibrary {
        name: "OpenSSL",
        source: "openssl-src",
        linked_by: Some("openssl-sys"),
        label: "",
        licence: "Apache-2.0",
        text: "openssl/LICENSE.txt",
        cpe: Some("openssl:openssl"),
    },
    CLibrary {
        name: "SQLCipher",
        source: "sqlcipher-src",
        linked_by: Some("libsqlite3-sys"),
        label: "sqlcipher-",
        licence: "BSD-3-Clause",
        text: "sqlcipher/LICENSE-sqlcipher",
        cpe: Some("zetetic:sqlcipher"),
    },
    CLibrary {
        name: "SQLite",
        source: "sqlcipher-src",
        linked_by: Some("libsqlite3-sys"),
        label: "sqlite-",
        licence: "blessing",
        text: "sqlcipher/sqlite3.h",
        cpe: Some("sqlite:sqlite"),
    },
    // SQLCipher's release contains libtomcrypt; the addon uses OpenSSL instead.
    CLibrary {
        name: "libtomcrypt",
        source: "sqlcipher-src",
        linked_by: None,
        label: "libtomcrypt-",
        licence: "WTFPL",
        text: "sqlcipher/LICENSE-libtomcrypt",
        cpe: None,
    },
    CLibrary {
        name: "zstd",
        source: "zstd-sys",
        linked_by: Some("zstd-sys"),
        label: "zstd.",
        licence: "BSD-3-Clause",
        text: "zstd/LICENSE",
        cpe: Some("facebook:zstandard"),
    },
];

impl CLibrary {
    /// Returns the library, in the version that Cargo.lock pins.
    pub(crate) fn component(&self, graph: &PackageGraph) -> Result<Component> {
        let Self { name, source, label, licence, text, cpe, .. } = *self;
        let package = only(graph, source)?;
        let version = version(package.version().build.as_str(), label).with_context(|| {
            format!(
                "the version of {source}, {}, does not contain the version of {name}: correct the label in \
                 crates/release/pack/src/c_library.rs",
                package.version()
            )
        })?;
        let path = package.manifest_path().with_file_name(text).into();
        Ok(Component {
            name: name.to_owned(),
            purl: Some(format!("pkg:generic/{}@{version}", name.to_lowercase())),
            cpe: cpe.map(|product| format!("cpe:2.3:a:{product}:{version}:*:*:*:*:*:*:*")),
            version: Some(version.to_owned()),
            licence: licence.to_owned(),
            text: LicenceText::File { path, allowed_for: source },
            ..Component::default()
        })
    }
}

/// Returns the only package with a name.
fn only<'a>(graph: &'a PackageGraph, name: &str) -> Result<PackageMetadata<'a>> {
    let mut packages = graph.packages().filter(|package| package.name() == name);
    match (packages.next(), packages.next()) {
        (Some(package), None) => Ok(package),
        (None, _) => bail!(
            "Cargo.lock has no {name}, the crate with the source of a C library: correct the list in \
             crates/release/pack/src/c_library.rs"
        ),
        _ => bail!(
            "Cargo.lock has several versions of {name}, so the version of its C library is ambiguous: update the crates \
             that depend on {name} until one version remains"
        ),
    }
}

/// Returns the version after a label in a crate's build metadata.
fn version<'a>(build: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = build.split_once(label)?;
    let version = rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_crates_build_metadata() {
        let build = "sqlcipher-4.20.0-sqlite-3.54.1-libtomcrypt-1.18.2";
        assert_eq!(version(build, "sqlcipher-"), Some("4.20.0"));
        assert_eq!(version(build, "sqlite-"), Some("3.54.1"));
        assert_eq!(version(build, "libtomcrypt-"), Some("1.18.2"));
        assert_eq!(version("zstd.1.5.7", "zstd."), Some("1.5.7"));
        assert_eq!(version("3.5.5", ""), Some("3.5.5"));
        for (build, label) in [("", ""), ("3.5.5", "zstd."), ("zstd.", "zstd."), ("x3.5", "")] {
            assert_eq!(version(build, label), None, "{build} {label}");
        }
    }
}
