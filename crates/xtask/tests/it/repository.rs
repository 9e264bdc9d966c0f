//! What one file of the repository says about another.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

fn root() -> PathBuf {
    crate::folder().join("../..")
}

/// A file that no `mod` names would never run.
#[test]
fn every_file_of_integration_tests_is_a_module() {
    let crates = root().join("crates");
    let nested = crates.join("vendored-sys/toolchain");
    let folders = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path()).chain([nested]);
    let mut seen = 0;
    for folder in folders.map(|folder| folder.join("tests/it")).filter(|folder| folder.is_dir()) {
        let main = fs::read_to_string(folder.join("main.rs")).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap();
            let listed = main.lines().any(|line| line == format!("mod {module};"));
            assert!(module == "main" || listed, "{} is not listed in main.rs", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} files were seen: are the tests elsewhere now?");
}

#[test]
fn the_readme_shows_the_table_of_targets() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    for target in node_targets::targets() {
        let row = format!("| `{}` | {} |", target.platform, target.triple);
        let Some(row) = rows.iter().find(|line| line.starts_with(&row)) else {
            panic!("README.md has no row that begins {row}");
        };
        if let Some(floor) = &target.floor {
            assert!(row.contains(&format!(" {floor} |")), "{row} does not show the floor {floor}");
        }
    }
}

/// The addon is built with the one, and the JavaScript that refuses an addon of another version has the other.
#[test]
fn the_version_is_the_same_for_cargo_and_for_npm() {
    let version = env!("CARGO_PKG_VERSION");
    let read = |name: &str| -> serde_json::Value {
        let text = fs::read_to_string(root().join("bindings/node").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (package, lock) = (read("package.json"), read("package-lock.json"));
    for found in [&package["version"], &lock["version"], &lock["packages"][""]["version"]] {
        assert_eq!(
            found, version,
            "in bindings/node: npm version {version} --no-git-tag-version --allow-same-version"
        );
    }
}

/// Compiled in, it is the folder of the checkout that was compiled: with a shared target directory, where two checkouts
/// have the same sources, the tests of one would read the other's files.
#[test]
fn no_test_has_the_folder_of_the_checkout_compiled_in() {
    let compiled_in = concat!("env!(\"CARGO_MANIFEST", "_DIR\")");
    let mut seen = 0;
    for folder in ["crates", "bindings/node/src"] {
        for entry in walkdir::WalkDir::new(root().join(folder)).into_iter().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(entry.path()).unwrap();
                assert!(!source.contains(compiled_in), "{}", entry.path().display());
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "only {seen} files were seen: are the sources elsewhere now?");
}

/// The workspace's packages, as their manifests describe them.
#[expect(clippy::unwrap_used, reason = "manifests that cannot be read fail the test")]
fn packages() -> Vec<Package> {
    let mut metadata = MetadataCommand::new();
    metadata.manifest_path(root().join("Cargo.toml")).no_deps();
    metadata.other_options(["--locked".to_owned(), "--offline".to_owned()]).exec().unwrap().packages
}

/// What a package depends on beyond its tests.
fn dependencies(package: &Package) -> impl Iterator<Item = &str> {
    let built =
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    built.map(|dependency| dependency.name.as_str())
}

/// ARCHITECTURE.md draws this; whatever is added here is drawn there.
#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let members: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let drawn: [(&str, &[&str]); 9] = [
        ("vendored-toolchain", &[]),
        ("vendored-sys", &["vendored-toolchain"]),
        ("strongroom-keys", &["vendored-sys"]),
        ("strongroom-codec", &["vendored-sys"]),
        ("strongroom-database", &["strongroom-codec", "strongroom-keys", "vendored-sys"]),
        ("bindings_node", &["strongroom-database", "strongroom-keys"]),
        ("node-audit", &[]),
        ("node-targets", &["node-audit"]),
        ("xtask", &["node-audit", "node-targets", "vendored-toolchain"]),
    ];
    assert_eq!(members, drawn.iter().map(|(name, _)| *name).collect());
    for (name, expected) in drawn {
        let package = packages.iter().find(|package| package.name.as_str() == name).unwrap();
        let own: BTreeSet<&str> = dependencies(package).filter(|name| members.contains(name)).collect();
        assert_eq!(own, expected.iter().copied().collect(), "{name}");
    }
}

#[test]
fn c_comes_in_through_vendored_sys_and_node_through_its_binding() {
    for package in packages() {
        for dependency in dependencies(&package) {
            let brings_c = dependency.ends_with("-sys") || dependency.ends_with("-src");
            let allowed = package.name.as_str() == "vendored-sys" || dependency == "vendored-sys";
            assert!(!brings_c || allowed, "{} names {dependency}", package.name);
            let is_node = dependency.starts_with("napi");
            assert!(
                !is_node || package.name.as_str() == "bindings_node",
                "{} names {dependency}",
                package.name
            );
        }
    }
}

/// A panic must unwind to where the binding makes an error of it: the process is somebody else's.
#[test]
fn no_profile_aborts_on_panic() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let profiles = manifest["profile"].as_table().unwrap();
    assert!(profiles.contains_key("release"));
    for (name, profile) in profiles {
        assert!(profile.get("panic").is_none_or(|panic| panic.as_str() == Some("unwind")), "{name}");
    }
}

#[test]
fn the_crates_that_need_no_unsafe_code_forbid_it() {
    // Those with a seam to C or to Node-API.
    let others = ["vendored-sys", "strongroom-database", "bindings_node"];
    let mut seen = 0;
    for package in packages().iter().filter(|package| !others.contains(&package.name.as_str())) {
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            let source = fs::read_to_string(&target.src_path).unwrap();
            assert!(source.contains("\n#![forbid(unsafe_code)]\n"), "{}", target.src_path);
            seen += 1;
        }
    }
    assert_eq!(seen, 7, "libraries and programs were added or lost");
}
