//! Tests that files of the repository agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use guppy::graph::DependencyDirection;
use guppy::graph::PackageSet;
use guppy::graph::cargo::CargoOptions;
use guppy::graph::feature::StandardFeatures;

use crate::checkout::root;

/// Tests in a file without a `mod` line would never run.
#[test]
fn every_integration_test_file_is_a_module() {
    for package in packages() {
        let folder = package.manifest_path.parent().unwrap().join("tests/it");
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap();
            let main = fs::read_to_string(folder.join("main.rs")).unwrap();
            let listed = main.lines().any(|line| line == format!("mod {module};"));
            assert!(module == "main" || listed, "{} is not listed in main.rs", path.display());
        }
    }
}

#[test]
fn the_readme_lists_every_target() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    for target in node_targets::targets() {
        let row = format!("| `{}` | {} |", target.platform, target.triple);
        let Some(row) = rows.iter().find(|line| line.starts_with(&row)) else {
            panic!("README.md has no row that begins with {row}");
        };
        if let Some(floor) = &target.floor {
            assert!(row.contains(&format!(" {floor} |")), "{row} does not show the floor {floor}");
        }
    }
}

/// The JavaScript refuses an addon of another version. The JavaScript's version comes from npm, the addon's from cargo.
#[test]
fn cargo_and_npm_have_the_same_version() {
    let version = env!("CARGO_PKG_VERSION");
    let read = |name: &str| -> serde_json::Value {
        let text = fs::read_to_string(root().join("bindings/node").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (package, lock) = (read("package.json"), read("package-lock.json"));
    for found in [&package["version"], &lock["version"], &lock["packages"][""]["version"]] {
        assert_eq!(
            found, version,
            "run in bindings/node: npm version {version} --no-git-tag-version --allow-same-version"
        );
    }
}

/// Reads the manifests of the workspace.
#[expect(clippy::unwrap_used, reason = "manifests that cannot be read fail the test")]
fn workspace() -> Metadata {
    let mut metadata = MetadataCommand::new();
    metadata.manifest_path(root().join("Cargo.toml")).no_deps();
    metadata.other_options(["--locked".to_owned(), "--offline".to_owned()]).exec().unwrap()
}

fn packages() -> Vec<Package> {
    workspace().packages
}

/// Returns a package's dependencies, except for those of its tests.
fn dependencies(package: &Package) -> impl Iterator<Item = &str> {
    let built =
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    built.map(|dependency| dependency.name.as_str())
}

/// Returns whether a package is a release tool, which isn't shipped.
#[expect(clippy::unwrap_used, reason = "a package without a folder fails the test")]
fn is_release(package: &Package) -> bool {
    let root = root().canonicalize().unwrap();
    package.manifest_path.canonicalize().unwrap().starts_with(root.join("crates/release"))
}

/// Parses the crate diagram of ARCHITECTURE.md into crate, folder and direct dependencies.
#[expect(clippy::unwrap_used, reason = "a diagram that cannot be read fails the test")]
fn diagram() -> Vec<(String, String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, diagram) = text.split_once("```crates\n").unwrap();
    let (diagram, _) = diagram.split_once("```").unwrap();
    let crates = diagram.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(' ')?;
        let (folder, dependencies) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let dependencies = dependencies.trim().trim_start_matches("->").split(',').map(str::trim);
        let dependencies = dependencies.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Some((name.to_owned(), folder.to_owned(), dependencies))
    });
    crates.collect()
}

#[test]
fn the_crate_diagram_matches_the_manifests() {
    let packages = packages();
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let diagram = diagram();
    assert_eq!(
        members,
        diagram.iter().map(|(name, ..)| name.as_str()).collect(),
        "the crates of Cargo.toml (left) differ from ARCHITECTURE.md's diagram (right): correct the diagram"
    );
    for (name, folder, drawn) in &diagram {
        let package = packages.iter().find(|package| package.name.as_str() == name).unwrap();
        let manifest = root().join(folder).join("Cargo.toml").canonicalize();
        assert!(
            manifest.is_ok_and(|manifest| manifest == package.manifest_path.canonicalize().unwrap()),
            "ARCHITECTURE.md's diagram puts {name} into {folder}, but cargo finds {}",
            package.manifest_path
        );
        let own: BTreeSet<String> =
            dependencies(package).filter(|name| members.contains(name)).map(str::to_owned).collect();
        assert_eq!(
            own, *drawn,
            "the manifest of {name} (left) differs from ARCHITECTURE.md's diagram (right): correct the diagram if \
             the dependency is intended"
        );
    }
}

/// The diagram lists each crate above its dependencies, including those of its tests. No shipped crate depends on a
/// release tool.
#[test]
fn dependencies_point_down() {
    let diagram = diagram();
    let packages = packages();
    let floor = |wanted: &str| diagram.iter().position(|(name, ..)| name == wanted);
    for package in &packages {
        let name = package.name.as_str();
        for dependency in package.dependencies.iter().map(|dependency| dependency.name.as_str()) {
            let Some(other) = packages.iter().find(|other| other.name.as_str() == dependency) else {
                continue;
            };
            assert!(
                is_release(package) || !is_release(other),
                "{name} ships, but depends on {dependency}, a release tool: move the shared code into the product"
            );
            let (own, below) = (floor(name), floor(dependency));
            assert!(
                own.is_some() && below.is_some(),
                "ARCHITECTURE.md's diagram lacks {name} or {dependency}"
            );
            assert!(
                own < below,
                "{name} depends on {dependency}, which ARCHITECTURE.md's diagram lists above it: move the shared code \
                 down"
            );
        }
    }
}

/// A change to a crate that `vendored-sys` reaches rebuilds the C layer. `node-audit` must work for any addon, and
/// `machine` for any tool.
#[test]
fn the_lowest_crates_depend_on_no_other() {
    let packages = packages();
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for (name, allowed) in [
        ("vendored-toolchain", [].as_slice()),
        ("vendored-sys", &["vendored-toolchain"]),
        ("node-audit", &[]),
        ("machine", &[]),
    ] {
        let package = packages.iter().find(|package| package.name.as_str() == name).unwrap();
        for dependency in &package.dependencies {
            let dependency = dependency.name.as_str();
            assert!(
                !members.contains(dependency) || allowed.contains(&dependency),
                "{name} may not depend on {dependency}: ARCHITECTURE.md, \"Invariants\", says why"
            );
        }
    }
}

/// `cargo build` and `cargo test` without arguments build the product.
#[test]
fn the_default_members_are_the_product() {
    let workspace = workspace();
    let default: BTreeSet<&str> =
        workspace.workspace_default_packages().iter().map(|package| package.name.as_str()).collect();
    let product: BTreeSet<&str> = workspace
        .packages
        .iter()
        .filter(|package| !is_release(package))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        default, product,
        "default-members in Cargo.toml (left) must be the crates outside crates/release (right)"
    );
}

/// xtask only parses arguments and prints: its sources are `main.rs` and one file per command.
#[test]
fn xtask_has_one_file_per_command() {
    let help = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next());
    let mut expected: BTreeSet<String> =
        names.filter(|name| *name != "help").map(|name| format!("{name}.rs")).collect();
    expected.insert("main.rs".to_owned());
    let sources = fs::read_dir(crate::folder().join("src")).unwrap();
    let found: BTreeSet<String> =
        sources.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(
        found, expected,
        "xtask/src (left) must hold main.rs and one file per command (right): move other code into a crate below"
    );
}

#[test]
fn only_vendored_sys_links_c_and_only_the_binding_links_node() {
    for package in packages() {
        for dependency in package.dependencies.iter().map(|dependency| dependency.name.as_str()) {
            // windows-sys only declares the system's functions.
            let brings_c =
                (dependency.ends_with("-sys") && dependency != "windows-sys") || dependency.ends_with("-src");
            let allowed = package.name.as_str() == "vendored-sys" || dependency == "vendored-sys";
            assert!(
                !brings_c || allowed,
                "{} depends on {dependency}: only vendored-sys links C; depend on vendored-sys",
                package.name
            );
            let is_node = dependency.starts_with("napi");
            assert!(
                !is_node || package.name.as_str() == "bindings_node",
                "{} depends on {dependency}: only bindings_node may call Node-API",
                package.name
            );
        }
    }
}

/// The crates that contain C, or decide how C is compiled.
const CRATES_OF_C: [&str; 5] = ["libsqlite3-sys", "openssl-src", "openssl-sys", "sqlcipher-src", "zstd-sys"];

/// Returns the [`CRATES_OF_C`] with their versions and features, as cargo unifies them for `packages` and any target.
#[expect(clippy::unwrap_used, reason = "manifests that cannot be read fail the test")]
fn features_of_c<'g>(packages: &PackageSet<'g>) -> BTreeSet<(String, Vec<&'g str>)> {
    let features = packages.to_feature_set(StandardFeatures::Default);
    let built = features.into_cargo_set(&CargoOptions::new()).unwrap();
    let mut found = BTreeSet::new();
    for set in [built.target_features(), built.host_features()] {
        for list in set.packages_with_features(DependencyDirection::Forward) {
            let package = list.package();
            if CRATES_OF_C.contains(&package.name()) {
                let name = format!("{} {}", package.name(), package.version());
                found.insert((name, list.named_features().collect()));
            }
        }
    }
    found
}

/// vendored-sys enables every feature of the C crates that the workspace uses, so that every build compiles the same C.
#[test]
fn vendored_sys_enables_every_c_feature_in_use() {
    let mut metadata = guppy::MetadataCommand::new();
    metadata.manifest_path(root().join("Cargo.toml")).other_options(["--locked", "--offline"]);
    let graph = metadata.build_graph().unwrap();
    let workspace = graph.workspace();
    let of = |name: &str| features_of_c(&workspace.member_by_name(name).unwrap().to_package_set());
    let named = of("vendored-sys");
    assert_eq!(named.len(), CRATES_OF_C.len(), "{named:#?}");
    assert_eq!(
        of("bindings_node"),
        named,
        "the C features of the addon (left) differ from those of vendored-sys (right): enable the same features \
         in vendored-sys"
    );
    let all = features_of_c(&graph.resolve_workspace());
    assert_eq!(
        all, named,
        "the C features of the workspace (left) differ from those of vendored-sys (right): enable the same features \
         in vendored-sys"
    );
}

/// A panic must unwind to the binding, which throws an error: aborting would kill the user's process.
#[test]
fn no_profile_aborts_on_panic() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let profiles = manifest["profile"].as_table().unwrap();
    assert!(profiles.contains_key("release"));
    for (name, profile) in profiles {
        assert!(profile.get("panic").is_none_or(|panic| panic.as_str() == Some("unwind")), "{name}");
    }
}
