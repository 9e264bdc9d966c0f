//! A part of an addon: a crate, a C library, or code that the linker adds.

use std::path::PathBuf;

/// A part of an addon, with its licence and its identifiers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// The version; `None` if the addon does not contain it.
    pub(crate) version: Option<String>,
    /// An SPDX expression.
    pub(crate) licence: String,
    /// The package URL; `None` for this workspace's crates.
    pub(crate) purl: Option<String>,
    /// The name in vulnerability databases.
    pub(crate) cpe: Option<String>,
    /// The SHA-256 of the crate's file, from Cargo.lock.
    pub(crate) sha256: Option<String>,
    pub(crate) text: LicenceText,
}

/// The source of a component's licence text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum LicenceText {
    /// This project's LICENSE, which each package contains.
    #[default]
    Own,
    /// The crate's files, which cargo-about collects.
    Crate,
    /// A file of a C library: its licence, or a header whose first comment has the text. deny.toml allows the licence
    /// for the crate that contains the library.
    File { path: PathBuf, allowed_for: &'static str },
    /// The toolchain's notices, which each package contains.
    Toolchain,
    /// The toolchain's texts of these SPDX identifiers.
    Spdx(&'static [&'static str]),
}

impl Component {
    /// Returns the component's identifier in bills of materials. A crate and a C library may share a name, such as
    /// zstd.
    pub(crate) fn reference(&self) -> String {
        self.purl.clone().unwrap_or_else(|| self.with_version('@'))
    }

    /// Returns the name and the version for people.
    pub(crate) fn title(&self) -> String {
        self.with_version(' ')
    }

    fn with_version(&self, separator: char) -> String {
        match &self.version {
            Some(version) => format!("{}{separator}{version}", self.name),
            None => self.name.clone(),
        }
    }
}
