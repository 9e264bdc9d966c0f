//! Lists the components that an addon is linked from, as cargo resolves them for a target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use cargo_lock::Lockfile;
use guppy::MetadataCommand;
use guppy::graph::cargo::CargoOptions;
use guppy::graph::feature::StandardFeatures;
use guppy::graph::{PackageGraph, PackageMetadata};
use guppy::platform::{Platform, PlatformSpec, TargetFeatures};
use machine::Workspace;
use node_targets::Target;

use crate::c_library::LIBRARIES;
use crate::component::{Component, LicenceText};
use crate::linker;

/// The addon's crate.
const ADDON: &str = "bindings_node";
/// Rust's standard library, which cargo does not list.
const STANDARD_LIBRARY: &str = "rust-std";

/// The crates of Cargo.lock.
pub(crate) struct Crates {
    graph: PackageGraph,
    lock: Lockfile,
    /// The toolchain's version.
    rust: String,
}

/// The components of an addon, keyed by [`Component::reference`], and their dependencies.
#[derive(Default)]
pub(crate) struct Linked {
    /// The reference of the addon's crate.
    pub(crate) root: String,
    pub(crate) components: BTreeMap<String, Component>,
    pub(crate) dependencies: BTreeMap<String, BTreeSet<String>>,
    /// Components that are not linked, but whose source comes with a linked component.
    pub(crate) source_only: BTreeMap<String, Component>,
}

impl Crates {
    /// Reads Cargo.lock and the manifests of its crates.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let root = workspace.root();
        let graph = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options(["--locked"])
            .build_graph()
            .context("cannot read the crates' manifests and licences: run `cargo fetch --locked`")?;
        let lock = Lockfile::load(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
        Ok(Self { graph, lock, rust: toolchain_version(workspace)? })
    }

    /// Returns the release's version, which is the workspace's.
    pub(crate) fn version(&self) -> Result<String> {
        Ok(self.addon()?.version().to_string())
    }

    /// Returns the components that the addon for a target is linked from.
    pub(crate) fn linked(&self, target: &Target) -> Result<Linked> {
        let platform = Platform::new(target.triple.clone(), TargetFeatures::Unknown).with_context(|| {
            format!("the crate guppy does not know the target {}: update guppy", target.triple)
        })?;
        let mut options = CargoOptions::new();
        options.set_target_platform(PlatformSpec::platforms([platform]));
        let addon = self.addon()?;
        let features = addon.to_package_set().to_feature_set(StandardFeatures::Default);
        let mut linked = Linked::new(self.component(&addon)?);
        // Proc macros and their dependencies are host crates, which run in the compiler.
        for link in features.into_cargo_set(&options)?.target_links() {
            linked.depend(self.component(&link.from())?.reference(), self.component(&link.to())?);
        }
        linked.add_c(&self.graph)?;
        linked.depend(linked.root.clone(), standard_library(&self.rust));
        Ok(linked)
    }

    fn addon(&self) -> Result<PackageMetadata<'_>> {
        Ok(self.graph.workspace().member_by_name(ADDON)?)
    }

    fn component(&self, package: &PackageMetadata<'_>) -> Result<Component> {
        let (name, version) = (package.name(), package.version().to_string());
        let licence = package.license().with_context(|| {
            format!(
                "{name} {version} has no licence in its Cargo.toml: replace the crate, or ask its authors to add one"
            )
        })?;
        let is_own = package.in_workspace();
        let mut locked = self.lock.packages.iter();
        let locked = locked.find(|it| it.name.as_str() == name && it.version == *package.version());
        Ok(Component {
            name: name.to_owned(),
            // In a URL, a plus sign means a space.
            purl: (!is_own).then(|| format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))),
            version: Some(version),
            // Older manifests separate alternatives with a slash.
            licence: licence.replace('/', " OR "),
            sha256: locked.and_then(|locked| Some(locked.checksum.as_ref()?.to_string())),
            text: if is_own { LicenceText::Own } else { LicenceText::Crate },
            ..Component::default()
        })
    }
}

impl Linked {
    /// Returns an addon with its own crate as the only component.
    fn new(addon: Component) -> Self {
        let root = addon.reference();
        Self { components: BTreeMap::from([(root.clone(), addon)]), root, ..Self::default() }
    }

    /// Adds the components of another target's addon.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.root.clone_from(&other.root);
        self.components.extend(other.components.clone());
        self.source_only.extend(other.source_only.clone());
        for (dependent, dependencies) in &other.dependencies {
            self.dependencies.entry(dependent.clone()).or_default().extend(dependencies.iter().cloned());
        }
    }

    /// Adds the components that the linker added to a built addon.
    pub(crate) fn add_linkers(&mut self, addon: &[u8]) {
        if let Some(component) = linker::libunwind(addon) {
            self.depend(self.root.clone(), component);
        }
    }

    fn add_c(&mut self, graph: &PackageGraph) -> Result<()> {
        for library in LIBRARIES {
            let component = library.component(graph)?;
            let Some(name) = library.linked_by else {
                self.source_only.insert(component.reference(), component);
                continue;
            };
            let dependent = self.components.values().find(|dependent| dependent.name == name);
            let dependent = dependent.with_context(|| {
                format!(
                    "{name} links {}, but the addon does not depend on {name}: correct the list in \
                     crates/release/pack/src/c_library.rs",
                    component.name
                )
            })?;
            self.depend(dependent.reference(), component);
        }
        Ok(())
    }

    /// Adds a component on which another depends.
    fn depend(&mut self, dependent: String, component: Component) {
        let reference = component.reference();
        self.dependencies.entry(dependent).or_default().insert(reference.clone());
        self.components.insert(reference, component);
    }
}

fn standard_library(version: &str) -> Component {
    Component {
        name: STANDARD_LIBRARY.to_owned(),
        version: Some(version.to_owned()),
        licence: "MIT OR Apache-2.0".to_owned(),
        purl: Some(format!("pkg:generic/{STANDARD_LIBRARY}@{version}")),
        text: LicenceText::Toolchain,
        ..Component::default()
    }
}

fn toolchain_version(workspace: &Workspace) -> Result<String> {
    let path = workspace.root().join("rust-toolchain.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table = text.parse().context("rust-toolchain.toml is not TOML")?;
    let channel = table.get("toolchain").and_then(|toolchain| toolchain.get("channel")?.as_str());
    Ok(channel.context("rust-toolchain.toml has no channel: pin a version of Rust there")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_links_more_crates_than_linux_and_both_link_every_c_library() {
        let crates = Crates::read(&Workspace::find().unwrap()).unwrap();
        let names = |platform: &str| {
            let linked = crates.linked(Target::by_platform(platform).unwrap()).unwrap();
            assert!(linked.source_only.values().any(|component| component.name == "libtomcrypt"));
            linked.components.into_values().map(|component| component.name).collect::<BTreeSet<_>>()
        };
        let (linux, windows) = (names("linux-x64-gnu"), names("win32-x64-msvc"));
        assert!(windows.contains("windows-link") && !linux.contains("windows-link"), "{windows:?}");
        for name in
            ["OpenSSL", "SQLCipher", "SQLite", "zstd", "napi", "strongroom-database", STANDARD_LIBRARY]
        {
            assert!(linux.contains(name) && windows.contains(name), "{name}: {linux:?}");
        }
        // Macros, build scripts and the crates of the tools are not linked.
        for name in ["napi-derive", "cc", "openssl-src", "clap", "libtomcrypt"] {
            assert!(!linux.contains(name), "{name}: {linux:?}");
        }
    }

    /// libloading depends on cfg-if only on Unix. Windows' bill of materials listed that dependency, because another
    /// crate links cfg-if on Windows.
    #[test]
    fn a_dependency_on_another_system_is_not_listed() {
        let crates = Crates::read(&Workspace::find().unwrap()).unwrap();
        let linked = crates.linked(Target::by_platform("win32-x64-msvc").unwrap()).unwrap();
        let reference = |name: &str| {
            linked.components.values().find(|component| component.name == name).unwrap().reference()
        };
        let dependencies = &linked.dependencies[&reference("libloading")];
        assert_eq!(*dependencies, BTreeSet::from([reference("windows-link")]));
        assert!(linked.components.contains_key(&reference("cfg-if")));
    }

    #[test]
    fn each_component_is_reached_from_the_addon_and_a_crate_has_its_checksum() {
        let crates = Crates::read(&Workspace::find().unwrap()).unwrap();
        let linked = crates.linked(Target::by_platform("linux-x64-musl").unwrap()).unwrap();
        let mut reached = BTreeSet::new();
        let mut next = vec![linked.root.clone()];
        while let Some(reference) = next.pop() {
            if reached.insert(reference.clone()) {
                next.extend(linked.dependencies.get(&reference).into_iter().flatten().cloned());
            }
        }
        assert_eq!(reached, linked.components.keys().cloned().collect());
        let checksum = |name: &str| {
            let component = linked.components.values().find(|component| component.name == name).unwrap();
            component.sha256.as_ref().map(String::len)
        };
        assert_eq!((checksum("napi"), checksum("strongroom-keys")), (Some(64), None));
    }
}
