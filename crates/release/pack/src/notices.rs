//! Writes the third-party notices of a package: a list of its components, and each licence text once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use machine::{Workspace, process};

use crate::component::{Component, LicenceText};
use crate::licences::{Allowed, text};
use crate::linked::Linked;
use crate::linker;
use crate::refusal::refuse;

/// The folder of notices in a Rust toolchain.
const TOOLCHAIN_NOTICES: &str = "share/doc/rust";
/// The standard library's file in [`TOOLCHAIN_NOTICES`].
const STANDARD_LIBRARY: &str = "COPYRIGHT-library.html";
/// The folder of licence texts, named by SPDX identifier, in [`TOOLCHAIN_NOTICES`].
const SPDX: &str = "licenses";

/// The licence texts of crates and of the standard library, and the folder with the other texts.
pub(crate) struct Notices {
    /// The notices of Rust's standard library, as its authors publish them.
    pub(crate) standard_library: Vec<u8>,
    allowed: Allowed,
    /// The licence texts of crates, keyed by [`Component::title`].
    crates: BTreeMap<String, Vec<String>>,
    /// The toolchain's folder of notices.
    toolchain: PathBuf,
}

impl Notices {
    /// Collects the texts of the crates and of the standard library.
    ///
    /// # Errors
    /// Fails if a crate's text is missing, or deny.toml does not allow a crate's licence.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let deny = workspace.root().join("deny.toml");
        let deny = fs::read_to_string(&deny).with_context(|| format!("cannot read {}", deny.display()))?;
        let allowed = Allowed::parse(&deny)?;
        let mut rustc = process::command("rustc");
        rustc.current_dir(workspace.root()).args(["--print", "sysroot"]);
        let toolchain = Path::new(&process::capture(rustc)?).join(TOOLCHAIN_NOTICES);
        let library = toolchain.join(STANDARD_LIBRARY);
        let standard_library = fs::read(&library).with_context(|| {
            let library = library.display();
            format!("cannot read the notices of Rust's library in {library}: use rustup's toolchain")
        })?;
        Ok(Self { standard_library, crates: allowed.crate_texts(workspace)?, allowed, toolchain })
    }

    /// Returns the notices for the components of a package.
    ///
    /// # Errors
    /// Lists every component whose text is missing, or whose licence deny.toml does not allow.
    pub(crate) fn of(&self, linked: &Linked) -> Result<String> {
        let mut list = String::new();
        let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut problems = Vec::new();
        for component in linked.components.values().chain(linked.source_only.values()) {
            let title = component.title();
            if component.text != LicenceText::Own {
                let _ = writeln!(list, "{title:40} {}", component.licence);
            }
            match self.texts(component) {
                Ok(texts) => {
                    for text in texts {
                        users.entry(text).or_default().insert(title.clone());
                    }
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        let remedy = "allow the licence in deny.toml, or leave the component out";
        refuse(problems, "cannot ship these licences", remedy)?;
        let mut notices = format!(
            "Strongroom's addon contains third-party software. SQLCipher's source includes libtomcrypt; the addon does\n\
             not. The notices of Rust's standard library are in a file of their own.\n\n{}\n\n{list}",
            linker::UNLISTED
        );
        for (licence, users) in users {
            let users = Vec::from_iter(users).join(", ");
            let _ = write!(notices, "\n{}\n{users}\n\n{licence}\n", "=".repeat(100));
        }
        Ok(notices)
    }

    /// Returns the texts that a component's licence requires.
    fn texts(&self, component: &Component) -> Result<Vec<String>> {
        match &component.text {
            LicenceText::Own | LicenceText::Toolchain => Ok(Vec::new()),
            LicenceText::Crate => {
                let texts = self.crates.get(&component.title()).cloned();
                texts.with_context(|| format!("cargo-about lists no licence for {}", component.title()))
            }
            LicenceText::File { path, allowed_for } => {
                self.allowed.check(component, allowed_for)?;
                let text = text(path)?;
                // SQLite is in the public domain and has no licence file; its blessing is the first comment of every
                // source file.
                let is_header = path.extension().is_some_and(|end| end == "h");
                let text = if is_header { first_comment(&text) } else { Ok(text) };
                Ok(vec![text.with_context(|| path.display().to_string())?])
            }
            // deny.toml need not allow these licences: their exception covers a compiler's runtime in the addon.
            LicenceText::Spdx(identifiers) => {
                let file = |identifier| self.toolchain.join(SPDX).join(format!("{identifier}.txt"));
                identifiers.iter().map(|identifier| text(&file(identifier))).collect()
            }
        }
    }
}

/// Returns the first comment of a C file, up to its first line of stars.
fn first_comment(source: &str) -> Result<String> {
    let (comment, _) = source
        .split_once("*/")
        .context("the file has no comment: correct its path in crates/release/pack/src/c_library.rs")?;
    let lines =
        comment.trim_start().trim_start_matches("/*").lines().take_while(|line| !line.ends_with("***"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches("**")).collect();
    Ok(lines.join("\n").trim_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licences::CARGO_ABOUT;
    use crate::linked::Crates;

    #[test]
    fn every_component_of_every_target_has_its_text_and_an_allowed_licence() {
        let workspace = Workspace::find().unwrap();
        if CARGO_ABOUT.find(&workspace).is_none() {
            println!("skipped: cargo-about is not installed: run cargo xtask setup");
            return;
        }
        let crates = Crates::read(&workspace).unwrap();
        let notices = Notices::read(&workspace).unwrap();
        for target in node_targets::targets() {
            let text = notices.of(&crates.linked(target).unwrap()).unwrap();
            for (name, words) in [
                ("SQLCipher 4.", "ZETETIC LLC"),
                ("SQLite 3.", "May you share freely, never taking more than you give."),
                ("OpenSSL 3.", "Apache License\n                           Version 2.0"),
                ("zstd 1.", "Meta Platforms, Inc. and affiliates"),
                ("libtomcrypt 1.", "Tom St Denis"),
                ("napi 3.", "Permission is hereby granted, free of charge"),
            ] {
                assert!(text.contains(name) && text.contains(words), "{target}: {name}\n{text}");
            }
            assert_eq!(text.contains("Microsoft Corporation"), text.contains("windows-link"), "{target}");
            assert!(
                !text.contains("<copyright holders>") && !text.contains("strongroom-database"),
                "{target}"
            );
        }
        assert!(String::from_utf8_lossy(&notices.standard_library).contains("Rust Standard Library"));
    }

    #[test]
    fn every_missing_text_and_every_licence_that_is_not_allowed_is_listed() {
        let component = |name: &str, text| Component {
            name: name.to_owned(),
            version: Some("1.0.0".to_owned()),
            licence: "MIT".to_owned(),
            text,
            ..Component::default()
        };
        let file = LicenceText::File { path: PathBuf::new(), allowed_for: "b-src" };
        let components = [component("a", LicenceText::Crate), component("b", file)];
        let components = components.map(|component| (component.reference(), component)).into();
        let notices = Notices {
            standard_library: Vec::new(),
            allowed: Allowed::parse("licenses = { allow = [], exceptions = [] }").unwrap(),
            crates: BTreeMap::new(),
            toolchain: PathBuf::new(),
        };
        let error = notices.of(&Linked { components, ..Linked::default() }).unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(
            lines[1..3],
            [
                "  - cargo-about lists no licence for a 1.0.0",
                "  - b 1.0.0 is under MIT, which deny.toml does not allow for b-src"
            ]
        );
    }

    #[test]
    fn a_comment_ends_at_its_line_of_stars() {
        let source = "/*\n** 2001\n**\n** in place of\n**    a notice\n*******\n** This header\n*/\nint x;";
        assert_eq!(first_comment(source).unwrap(), " 2001\n\n in place of\n    a notice");
        assert!(first_comment("int x;").is_err());
    }
}
