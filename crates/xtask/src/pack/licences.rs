//! The texts of the licences of what is linked, which nearly all of them ask to go along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use super::linked::{Component, Linked, Texts};
use super::linker;
use super::refusal::refuse;
use crate::paths::Workspace;
use crate::process;

/// Crates that are published without a text: theirs is made of what their manifests say, and of MIT's terms in this
/// project's own LICENSE.
const WITHOUT_TEXT: [&str; 2] = ["napi", "napi-sys"];
/// How the files are called that hold a licence, before a dot or a hyphen.
const FILES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];
/// Where a Rust toolchain has notices.
const NOTICES: &str = "share/doc/rust";
/// Those of its standard library, there.
const STANDARD_LIBRARY: &str = "COPYRIGHT-library.html";
/// The texts of licences by their SPDX identifiers, there.
const SPDX: &str = "licenses";

/// What is needed for the notices of any package.
pub(super) struct Licences {
    own: String,
    decisions: Decisions,
    standard_library: Vec<u8>,
    /// The folder of the texts by SPDX identifiers.
    spdx: PathBuf,
}

/// What a package says of the software of others in it.
pub(super) struct Notices {
    /// The list, and each text once.
    pub(super) text: String,
    /// Those of Rust's standard library, as its authors publish them.
    pub(super) standard_library: Vec<u8>,
}

impl Licences {
    /// Reads this project's own licence, its decisions on others, and the toolchain's notices.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let read = |path: PathBuf| {
            fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
        };
        let mut rustc = process::command("rustc");
        rustc.current_dir(workspace.root()).args(["--print", "sysroot"]);
        let notices = Path::new(&process::capture(rustc)?).join(NOTICES);
        let library = notices.join(STANDARD_LIBRARY);
        let standard_library = fs::read(&library).with_context(|| {
            format!(
                "the toolchain has no {}: use rustup's, which has the notices of Rust's library",
                library.display()
            )
        })?;
        Ok(Self {
            own: read(workspace.root().join("LICENSE"))?,
            decisions: Decisions::parse(&read(workspace.root().join("deny.toml"))?)?,
            standard_library,
            spdx: notices.join(SPDX),
        })
    }

    /// The notices for what is linked.
    ///
    /// # Errors
    /// All that has no text, or a licence that deny.toml does not allow.
    pub(super) fn of(&self, linked: &Linked) -> Result<Notices> {
        let mut problems = Vec::new();
        let mut list = String::new();
        let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for component in linked.components.values().chain(linked.along.values()) {
            let shown = component.shown();
            if let Err(error) = self.decisions.check(component) {
                problems.push(error.to_string());
            }
            match self.texts(component) {
                Ok(texts) => {
                    for text in texts {
                        users.entry(text).or_default().insert(shown.clone());
                    }
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
            if !matches!(component.texts, Texts::Own) {
                let _ = writeln!(list, "{shown:40} {}", component.licence);
            }
        }
        refuse(
            problems,
            "licences are not in order",
            "deny.toml and crates/xtask/src/pack/licences.rs decide on them",
        )?;
        let mut text = format!(
            "The addon of Strongroom holds software of others. SQLCipher's source comes with libtomcrypt, of which\n\
             nothing is in the addon. What Rust's standard library asks for is in a file of its own.\n\n{}\n\n{list}",
            linker::UNSEEN
        );
        for (licence, users) in users {
            let users: Vec<String> = users.into_iter().collect();
            let _ = write!(text, "\n{}\n{}\n\n{licence}\n", "=".repeat(100), users.join(", "));
        }
        Ok(Notices { text, standard_library: self.standard_library.clone() })
    }

    /// The texts that a component asks for.
    fn texts(&self, component: &Component) -> Result<Vec<String>> {
        let name = &component.name;
        let texts = match &component.texts {
            Texts::Own | Texts::Toolchain => return Ok(Vec::new()),
            Texts::File(path) => vec![text(path)?],
            Texts::Spdx(identifiers) => identifiers
                .iter()
                .map(|identifier| text(&self.spdx.join(format!("{identifier}.txt"))))
                .collect::<Result<_>>()?,
            Texts::Comment(path) => {
                vec![comment(&text(path)?).with_context(|| format!("{}", path.display()))?]
            }
            Texts::Crate { folder, authors } => {
                let files = licence_files(folder)?;
                let known = WITHOUT_TEXT.contains(&name.as_str());
                match (files.is_empty(), known) {
                    (true, true) => vec![self.made(component, authors)?],
                    (true, false) => {
                        bail!("{} has no licence's text in {}", component.shown(), folder.display())
                    }
                    (false, true) => {
                        bail!("{} has a licence's text by now: take it off the list", component.shown())
                    }
                    (false, false) => files.iter().map(|path| text(path)).collect::<Result<_>>()?,
                }
            }
        };
        match texts.iter().find(|text| text.trim().len() < 100) {
            Some(short) => bail!("{} has a licence's text that is none: {short:?}", component.shown()),
            None => Ok(texts),
        }
    }

    /// MIT's text for a crate that has it only by name.
    fn made(&self, component: &Component, authors: &[String]) -> Result<String> {
        let Component { name, licence, .. } = component;
        let terms = self.own.split_once("Permission is hereby granted").filter(|_| licence == "MIT");
        let (_, terms) =
            terms.with_context(|| format!("{name} has no text, and is under {licence}, not MIT"))?;
        let authors = if authors.is_empty() { format!("the authors of {name}") } else { authors.join(", ") };
        Ok(format!(
            "MIT License\n\nCopyright (c) {authors}\n\nPermission is hereby granted{}",
            terms.trim_end()
        ))
    }
}

/// A text file, its lines without blanks at their ends, so that equal texts are equal.
fn text(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim_matches('\n').to_owned())
}

/// The paragraphs of a C file's first comment, up to its first rule of stars.
fn comment(source: &str) -> Result<String> {
    let (comment, _) = source.split_once("*/").context("no comment")?;
    let lines =
        comment.trim_start().trim_start_matches("/*").lines().take_while(|line| !line.ends_with("***"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches("**")).collect();
    Ok(lines.join("\n").trim_matches('\n').to_owned())
}

/// The files beside a crate's manifest that are named as licences are, sorted.
fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let stem = name.split(['.', '-']).next().unwrap_or_default();
        if FILES.contains(&stem) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What deny.toml allows.
struct Decisions {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

impl Decisions {
    fn parse(deny: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Deny {
            licenses: Table,
        }
        #[derive(Deserialize)]
        struct Table {
            allow: Vec<String>,
            exceptions: Vec<Exception>,
        }
        let Deny { licenses: Table { allow, exceptions } } =
            toml::from_str(deny).context("deny.toml has no licenses.allow and licenses.exceptions")?;
        Ok(Self { allow, exceptions })
    }

    /// Whether a component may be shipped under its licence.
    fn check(&self, component: &Component) -> Result<()> {
        let reference = component.shown();
        let expression = Expression::parse_mode(&component.licence, ParseMode::STRICT).map_err(|error| {
            anyhow::anyhow!("{reference}: `{}` is no licence: {}", component.licence, error.reason)
        })?;
        // What the linker brings is no crate, and is there by the licence's exception.
        let Some(decided) = &component.decided else { return Ok(()) };
        let exceptions = self.exceptions.iter().filter(|exception| exception.name == *decided);
        let allowed: Vec<&String> =
            self.allow.iter().chain(exceptions.flat_map(|exception| &exception.allow)).collect();
        if expression.evaluate(|asked| allowed.iter().any(|allowed| **allowed == asked.to_string())) {
            return Ok(());
        }
        bail!("{reference} is under {}, which deny.toml does not allow for {decided}", component.licence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::linked;

    fn component(name: &str, licence: &str, folder: &Path) -> Component {
        Component {
            name: name.to_owned(),
            version: Some("1.0.0".to_owned()),
            licence: licence.to_owned(),
            purl: None,
            cpe: None,
            sha256: None,
            decided: Some(name.to_owned()),
            texts: Texts::Crate { folder: folder.to_owned(), authors: vec!["A. Author".to_owned()] },
        }
    }

    fn licences() -> Licences {
        Licences::read(&Workspace::find().unwrap()).unwrap()
    }

    #[test]
    fn denys_decisions_hold() {
        let deny = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\n\
                    exceptions = [{ crate = \"zstd-sys\", allow = [\"BSD-3-Clause\"] }]";
        let decisions = Decisions::parse(deny).unwrap();
        let check = |name: &str, licence: &str| decisions.check(&component(name, licence, Path::new("")));
        for (name, licence) in [
            ("a", "MIT"),
            ("a", "GPL-2.0-only OR MIT"),
            ("a", "MIT AND Apache-2.0"),
            ("zstd-sys", "BSD-3-Clause AND MIT"),
        ] {
            check(name, licence).unwrap();
        }
        for (name, licence) in
            [("a", "BSD-3-Clause"), ("zstd-sys", "GPL-2.0-only"), ("a", "MIT AND GPL-2.0-only")]
        {
            let error = check(name, licence).unwrap_err().to_string();
            assert!(error.contains("deny.toml does not allow"), "{error}");
        }
        assert!(check("a", "my own").unwrap_err().to_string().contains("is no licence"));
    }

    #[test]
    fn a_crate_without_a_text_is_refused_unless_that_is_known() {
        let (licences, folder) = (licences(), tempfile::tempdir().unwrap());
        let error = licences.texts(&component("new", "MIT", folder.path())).unwrap_err().to_string();
        assert!(error.starts_with("new 1.0.0 has no licence's text in "), "{error}");
        let made = licences.texts(&component("napi", "MIT", folder.path())).unwrap();
        assert!(
            made[0].contains("Copyright (c) A. Author\n\nPermission is hereby granted, free"),
            "{made:?}"
        );
        assert!(licences.texts(&component("napi", "Apache-2.0", folder.path())).is_err());

        fs::write(folder.path().join("LICENSE-MIT"), "no text").unwrap();
        let error = licences.texts(&component("new", "MIT", folder.path())).unwrap_err().to_string();
        assert!(error.ends_with("has a licence's text that is none: \"no text\""), "{error}");
        let error = licences.texts(&component("napi", "MIT", folder.path())).unwrap_err().to_string();
        assert!(error.contains("take it off the list"), "{error}");
    }

    #[test]
    fn everything_that_any_target_links_has_its_text_and_is_allowed() {
        let workspace = Workspace::find().unwrap();
        let (licences, metadata) = (licences(), linked::metadata(&workspace).unwrap());
        for target in node_targets::targets() {
            let linked = Linked::of(&workspace, &metadata, target).unwrap();
            let Notices { text, standard_library } = licences.of(&linked).unwrap();
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
            assert!(!text.contains("strongroom-database"), "this project's own are not others'");
            assert!(String::from_utf8_lossy(&standard_library).contains("Rust Standard Library"));
        }
    }

    #[test]
    fn files_of_licences_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["LICENSE", "license-mit", "COPYING.md", "NOTICE", "licenses.rs", "README.md", "Cargo.toml"]
        {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let names = licence_files(folder.path()).unwrap();
        let names: Vec<&str> = names.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["COPYING.md", "LICENSE", "NOTICE", "license-mit"]);
    }

    #[test]
    fn a_comment_ends_at_its_rule() {
        let source = "/*\n** 2001\n**\n** in place of\n**    a notice\n*******\n** This header\n*/\nint x;";
        assert_eq!(comment(source).unwrap(), " 2001\n\n in place of\n    a notice");
        assert!(comment("int x;").is_err());
    }
}
