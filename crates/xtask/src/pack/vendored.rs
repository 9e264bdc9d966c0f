//! The C libraries that the addons hold: which crates bring them, in which versions, under which licences.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, Package};

use super::linked::{Component, Texts};

/// A C library.
struct Library {
    name: &'static str,
    /// The crate that has its source; deny.toml decides on its licence under this name.
    source: &'static str,
    /// The crate that links it; nothing is linked of what only comes along.
    linked_by: Option<&'static str>,
    /// What stands before its version in that of the source's crate, as in `+zstd.1.5.7`.
    label: &'static str,
    /// An SPDX identifier.
    licence: &'static str,
    /// The licence's text in the source's crate.
    text: &'static str,
    /// Vendor and product in the dictionary of the National Vulnerability Database.
    cpe: Option<&'static str>,
}

const LIBRARIES: [Library; 5] = [
    Library {
        name: "OpenSSL",
        source: "openssl-src",
        linked_by: Some("openssl-sys"),
        label: "",
        licence: "Apache-2.0",
        text: "openssl/LICENSE.txt",
        cpe: Some("openssl:openssl"),
    },
    Library {
        name: "SQLCipher",
        source: "sqlcipher-src",
        linked_by: Some("libsqlite3-sys"),
        label: "sqlcipher-",
        licence: "BSD-3-Clause",
        text: "sqlcipher/LICENSE-sqlcipher",
        cpe: Some("zetetic:sqlcipher"),
    },
    Library {
        name: "SQLite",
        source: "sqlcipher-src",
        linked_by: Some("libsqlite3-sys"),
        label: "sqlite-",
        licence: "blessing",
        text: "sqlcipher/sqlite3.h",
        cpe: Some("sqlite:sqlite"),
    },
    // SQLCipher's release brings it; its place is taken by OpenSSL.
    Library {
        name: "libtomcrypt",
        source: "sqlcipher-src",
        linked_by: None,
        label: "libtomcrypt-",
        licence: "WTFPL",
        text: "sqlcipher/LICENSE-libtomcrypt",
        cpe: None,
    },
    Library {
        name: "zstd",
        source: "zstd-sys",
        linked_by: Some("zstd-sys"),
        label: "zstd.",
        licence: "BSD-3-Clause",
        text: "zstd/LICENSE",
        cpe: Some("facebook:zstandard"),
    },
];

/// The C libraries, each with the crate that links it.
pub(super) fn components(metadata: &Metadata) -> Result<Vec<(Option<&'static str>, Component)>> {
    LIBRARIES.iter().map(|library| Ok((library.linked_by, component(metadata, library)?))).collect()
}

fn component(metadata: &Metadata, library: &Library) -> Result<Component> {
    let Library { name, source, label, licence, text, cpe, .. } = library;
    let crate_ = only(metadata, source)?;
    let version = version(crate_.version.build.as_str(), label)
        .with_context(|| format!("{source} {} does not say which {name} it brings", crate_.version))?;
    let path: PathBuf = crate_.manifest_path.with_file_name(text).into();
    Ok(Component {
        name: (*name).to_owned(),
        purl: Some(format!("pkg:generic/{}@{version}", name.to_lowercase())),
        cpe: cpe.map(|product| format!("cpe:2.3:a:{product}:{version}:*:*:*:*:*:*:*")),
        version: Some(version.to_owned()),
        licence: (*licence).to_owned(),
        sha256: None,
        decided: Some((*source).to_owned()),
        // SQLite is in the public domain and has no licence: its sources say so at their beginning.
        texts: if text.ends_with(".h") { Texts::Comment(path) } else { Texts::File(path) },
    })
}

/// The one package of this name.
fn only<'a>(metadata: &'a Metadata, name: &str) -> Result<&'a Package> {
    let mut packages = metadata.packages.iter().filter(|package| package.name.as_str() == name);
    match (packages.next(), packages.next()) {
        (Some(package), None) => Ok(package),
        (None, _) => bail!("Cargo.lock has no {name}, which has the source of a C library"),
        _ => bail!("Cargo.lock has several versions of {name}: which has the C library that is linked?"),
    }
}

/// The version behind a label in a crate's build metadata.
fn version<'a>(build: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = build.split_once(label).filter(|_| !label.is_empty()).unwrap_or(("", build));
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    let version = rest.get(..end)?;
    let starts = version.starts_with(|first: char| first.is_ascii_digit());
    (starts && build.contains(label)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_the_crates_say_they_bring() {
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
