//! What an addon is linked of, as cargo resolves it for its target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use node_targets::Target;

use super::{linker, vendored};
use crate::paths::Workspace;
use crate::process;

/// The crate that is the addon.
const ADDON: &str = "bindings_node";
/// What every crate is linked to, and cargo does not name.
pub(super) const STANDARD_LIBRARY: &str = "rust-std";

/// What is linked, by [`Component::reference`], and what needs what.
#[derive(Default)]
pub(super) struct Linked {
    pub(super) components: BTreeMap<String, Component>,
    pub(super) needs: BTreeMap<String, BTreeSet<String>>,
    /// What is not linked, but comes with the source of what is.
    pub(super) along: BTreeMap<String, Component>,
}

/// A crate, a C library, or what the linker brings.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) name: String,
    /// None where nothing says it.
    pub(super) version: Option<String>,
    /// An SPDX expression.
    pub(super) licence: String,
    /// Where it comes from, as a package URL; none for this workspace's own.
    pub(super) purl: Option<String>,
    /// Its name in lists of vulnerabilities.
    pub(super) cpe: Option<String>,
    /// The digest of the crate's file, of Cargo.lock.
    pub(super) sha256: Option<String>,
    /// The crate under whose name deny.toml decides on the licence; none for what is no crate's.
    pub(super) decided: Option<String>,
    pub(super) texts: Texts,
}

/// Where the texts of a licence are.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    /// Of this project: its own LICENSE is in each package.
    Own,
    /// Beside the manifest of a crate.
    Crate { folder: PathBuf, authors: Vec<String> },
    /// In a file.
    File(PathBuf),
    /// In the first comment of a C file.
    Comment(PathBuf),
    /// In the toolchain.
    Toolchain,
    /// The texts of SPDX, by their identifiers: the toolchain has those of what it is made of.
    Spdx(&'static [&'static str]),
}

impl Component {
    /// How it is referred to. A crate and a C library may have the same name, zstd for one.
    pub(super) fn reference(&self) -> String {
        let at = self.version.iter().map(|version| format!("@{version}"));
        self.purl.clone().unwrap_or_else(|| self.name.clone() + &at.collect::<String>())
    }

    /// Name and version, for people.
    pub(super) fn shown(&self) -> String {
        let version = self.version.iter().map(|version| format!(" {version}"));
        self.name.clone() + &version.collect::<String>()
    }
}

/// The packages of Cargo.lock, with their sources at hand.
pub(super) fn metadata(workspace: &Workspace) -> Result<Metadata> {
    let mut metadata = MetadataCommand::new();
    metadata.manifest_path(workspace.root().join("Cargo.toml")).other_options(["--locked".to_owned()]);
    metadata
        .exec()
        .context("cargo metadata; the crates' sources are needed for their licences: `cargo fetch --locked`")
}

/// The version of the release: the workspace's.
pub(super) fn version(metadata: &Metadata) -> Result<String> {
    let addon = metadata.packages.iter().find(|package| package.name.as_str() == ADDON);
    Ok(addon.with_context(|| format!("the workspace has no {ADDON}"))?.version.to_string())
}

impl Linked {
    /// What the addon for a target is linked of.
    pub(super) fn of(workspace: &Workspace, metadata: &Metadata, target: &Target) -> Result<Self> {
        let mut tree = process::command("cargo");
        tree.current_dir(workspace.root()).args([
            "tree",
            "--locked",
            "-p",
            ADDON,
            "--target",
            &target.triple,
        ]);
        // Code of a macro's crate runs in the compiler alone.
        tree.args(["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "{p}"]);
        let tree = process::capture(tree)?;
        let checksums = checksums(workspace)?;
        let mut linked = Self::default();
        for (node, parent) in nodes(&tree)? {
            let mut component = component(metadata, node)?;
            let (name, version) = node;
            component.sha256 = checksums.get(&format!("{name}@{version}")).cloned();
            let reference = component.reference();
            linked.components.insert(reference.clone(), component);
            if let Some(parent) = parent {
                let parent = self::component(metadata, parent)?.reference();
                linked.needs.entry(parent).or_default().insert(reference);
            }
        }
        linked.add_c(metadata)?;
        linked.add_standard_library(workspace)?;
        Ok(linked)
    }

    /// The addon's own crate.
    pub(super) fn root(&self) -> Result<String> {
        let mut references = self.components.values().filter(|component| component.name == ADDON);
        references
            .next()
            .map(Component::reference)
            .context("the addon's own crate is not among what is linked")
    }

    /// Takes in what another target has.
    pub(super) fn add(&mut self, other: &Self) {
        self.components.extend(other.components.clone());
        self.along.extend(other.along.clone());
        for (one, others) in &other.needs {
            self.needs.entry(one.clone()).or_default().extend(others.iter().cloned());
        }
    }

    /// Takes in what the linker has put into the addon.
    pub(super) fn add_linkers(&mut self, addon: &[u8]) -> Result<()> {
        if let Some(component) = linker::libunwind(addon) {
            let reference = component.reference();
            self.needs.entry(self.root()?).or_default().insert(reference.clone());
            self.components.insert(reference, component);
        }
        Ok(())
    }

    fn add_c(&mut self, metadata: &Metadata) -> Result<()> {
        for (linked_by, component) in vendored::components(metadata)? {
            let reference = component.reference();
            let Some(by) = linked_by else {
                self.along.insert(reference, component);
                continue;
            };
            let Some(by) = self.components.values().find(|known| known.name == by).map(Component::reference)
            else {
                bail!("{} is linked by {by}, but the addon does not depend on it", component.name);
            };
            self.needs.entry(by).or_default().insert(reference.clone());
            self.components.insert(reference, component);
        }
        Ok(())
    }

    fn add_standard_library(&mut self, workspace: &Workspace) -> Result<()> {
        let path = workspace.root().join("rust-toolchain.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let table: toml::Table = text.parse().context("rust-toolchain.toml is no TOML")?;
        let version = table.get("toolchain").and_then(|toolchain| toolchain.get("channel"));
        let version =
            version.and_then(toml::Value::as_str).context("rust-toolchain.toml names no channel")?;
        let component = Component {
            name: STANDARD_LIBRARY.to_owned(),
            version: Some(version.to_owned()),
            licence: "MIT OR Apache-2.0".to_owned(),
            purl: Some(format!("pkg:generic/{STANDARD_LIBRARY}@{version}")),
            cpe: None,
            sha256: None,
            decided: Some(STANDARD_LIBRARY.to_owned()),
            texts: Texts::Toolchain,
        };
        let reference = component.reference();
        self.needs.entry(self.root()?).or_default().insert(reference.clone());
        self.components.insert(reference, component);
        Ok(())
    }
}

fn component(metadata: &Metadata, (name, version): Node<'_>) -> Result<Component> {
    let is_meant =
        |package: &&Package| package.name.as_str() == name && package.version.to_string() == version;
    let package = metadata.packages.iter().find(is_meant);
    let package = package.with_context(|| format!("cargo metadata does not know {name} {version}"))?;
    let licence = package.license.clone().with_context(|| format!("{name} {version} names no licence"))?;
    // What a plus sign stands for in a URL is a space.
    let purl = package.source.as_ref().map(|_| format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")));
    let folder = package.manifest_path.parent().context("a manifest without a folder")?;
    let authors = package.authors.clone();
    Ok(Component {
        decided: Some(name.to_owned()),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        // An older way of writing.
        licence: licence.replace('/', " OR "),
        cpe: None,
        sha256: None,
        texts: if purl.is_some() { Texts::Crate { folder: folder.into(), authors } } else { Texts::Own },
        purl,
    })
}

/// A crate's name and version.
type Node<'a> = (&'a str, &'a str);

/// The lines of `cargo tree --prefix depth`, such as `1libc v0.2.191`, each with the one that needs it.
fn nodes(tree: &str) -> Result<Vec<(Node<'_>, Option<Node<'_>>)>> {
    let mut above: Vec<Node<'_>> = Vec::new();
    let mut nodes = Vec::new();
    for line in tree.lines() {
        let unknown = || format!("cargo tree wrote a line that is not understood: {line}");
        let mut words = line.split(' ');
        let first = words.next().with_context(unknown)?;
        let digits = first.find(|letter: char| !letter.is_ascii_digit()).with_context(unknown)?;
        let (depth, name) = first.split_at(digits);
        let depth: usize = depth.parse().with_context(unknown)?;
        let version = words.next().and_then(|word| word.strip_prefix('v')).with_context(unknown)?;
        above.truncate(depth);
        if above.len() != depth {
            bail!(unknown());
        }
        nodes.push(((name, version), above.last().copied()));
        above.push((name, version));
    }
    Ok(nodes)
}

/// The digests of Cargo.lock, by `name@version`.
fn checksums(workspace: &Workspace) -> Result<BTreeMap<String, String>> {
    let path = workspace.root().join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lock: toml::Table = text.parse().context("Cargo.lock is no TOML")?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock has no packages")?;
    let texts = packages.iter().filter_map(|package| {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        Some((format!("{}@{}", text("name")?, text("version")?), text("checksum")?.to_owned()))
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_says_who_needs_whom_and_repeats_nothing() {
        let tree = "0a v1.0.0 (/a)\n1b v2.0.0\n2c v3.0.0+x\n1c v3.0.0+x (*)\n1d v4.0.0";
        let (a, b, c, d) = (("a", "1.0.0"), ("b", "2.0.0"), ("c", "3.0.0+x"), ("d", "4.0.0"));
        let expected = [(a, None), (b, Some(a)), (c, Some(b)), (c, Some(a)), (d, Some(a))];
        assert_eq!(nodes(tree).unwrap(), expected);
        for damaged in ["a v1", "0a", "0a 1.0.0", "2a v1.0.0", ""] {
            assert!(nodes(damaged).is_err() || damaged.is_empty(), "{damaged}");
        }
    }

    #[test]
    fn windows_is_linked_of_more_than_linux_and_all_of_the_c_libraries() {
        let workspace = Workspace::find().unwrap();
        let metadata = metadata(&workspace).unwrap();
        let names = |platform: &str| {
            let linked = Linked::of(&workspace, &metadata, Target::by_platform(platform).unwrap()).unwrap();
            assert!(linked.along.values().any(|component| component.name == "libtomcrypt"));
            linked.components.into_values().map(|component| component.name).collect::<BTreeSet<_>>()
        };
        let (linux, windows) = (names("linux-x64-gnu"), names("win32-x64-msvc"));
        assert!(windows.contains("windows-link") && !linux.contains("windows-link"), "{windows:?}");
        for name in
            ["OpenSSL", "SQLCipher", "SQLite", "zstd", "napi", "strongroom-database", STANDARD_LIBRARY]
        {
            assert!(linux.contains(name) && windows.contains(name), "{name}: {linux:?}");
        }
        // Macros, build scripts and what only xtask needs are not linked.
        for name in ["napi-derive", "cc", "openssl-src", "clap", "libtomcrypt"] {
            assert!(!linux.contains(name), "{name}: {linux:?}");
        }
    }
}
