//! Tests that a platform is one row of `targets.json`: copies what reads the table, adds a ninth row, and sees each copy
//! react. `Cpu` and `Os` of node-targets, the runners of `matrix.jq` and the toolchain are what a new row may also need;
//! each of them names itself in an error.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use node_targets::{Os, Target, parse};
use pack::PlaceholderPackage;
use serde_json::Value;
use tempfile::TempDir;

use crate::checkout::{self, root};

const NINTH: &str = r#"{ "triple": "riscv64gc-unknown-linux-gnu", "platform": "linux-riscv64-gnu", "os": "linux",
  "cpu": "riscv64", "libc": "glibc", "toolchain": "zig", "floor": "2.28", "buildHosts": ["x86_64-linux"] }"#;

/// Returns targets.json with the ninth row.
fn table() -> String {
    let text = fs::read_to_string(root().join("targets.json")).unwrap();
    let (rows, rest) = text.split_once("\n  ],").unwrap();
    format!("{rows},\n{NINTH}\n  ],{rest}")
}

/// Returns the rows of the longer table, as the Rust tools read them.
fn rows() -> Vec<Target> {
    let rows = parse(&table()).unwrap();
    assert_eq!(rows.len(), node_targets::targets().len() + 1);
    rows
}

/// A copy of the files that read the table, with the longer table.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(copy.path().join("targets.json"), table()).unwrap();
        let scripts = copy.path().join("bindings/node/scripts");
        fs::create_dir_all(&scripts).unwrap();
        for entry in fs::read_dir(root().join("bindings/node/scripts")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, scripts.join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs Node in the copy.
    fn node(&self, arguments: &[&str]) -> Output {
        let mut node = Command::new("node");
        node.args(arguments).current_dir(self.path()).env("NODE_DISABLE_COMPILE_CACHE", "1");
        node.stdin(Stdio::null()).output().unwrap()
    }

    /// Returns what a module of the scripts computes.
    fn evaluate(&self, expression: &str) -> String {
        let output = self.node(&["--input-type=module", "--eval", expression]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn jq(table: &Path) -> Option<Output> {
    let mut jq = Command::new("jq");
    jq.args(["--raw-output", "--from-file", ".github/matrix.jq"]).arg(table).current_dir(root());
    let output = jq.output().ok();
    if output.is_none() {
        println!("skipped: jq is not installed; run cargo xtask setup");
    }
    output
}

#[test]
fn the_loader_and_every_script_take_the_row() {
    let copy = Copy::new();
    let source = copy.evaluate(
        "import { platformsSource } from './bindings/node/scripts/platforms.mjs'; console.log(platformsSource())",
    );
    let committed = fs::read_to_string(root().join("bindings/node/ts/load/platforms.ts")).unwrap();
    for line in
        ["name: 'linux-riscv64-gnu',", "cpu: 'riscv64',", "packageName: '@strongroom/linux-riscv64-gnu',"]
    {
        assert!(source.contains(line) && !committed.contains(line), "{line}");
    }
    for required in ["../bindings_node.linux-riscv64-gnu.node", "@strongroom/linux-riscv64-gnu"] {
        assert!(source.contains(&format!("require('{required}')")), "{required}");
    }
    // `npm run build:debug -- --target` lists the platforms that it knows.
    let output = copy.node(&["bindings/node/scripts/build.mjs", "debug", "--target", "amiga"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("riscv64gc-unknown-linux-gnu or linux-riscv64-gnu"), "{error}");
    let output = copy.node(&["bindings/node/scripts/load.mjs", "packages", "linux-riscv64-gnu"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.starts_with("error: linux-riscv64-gnu is for linux riscv64 glibc, and this Node is for "),
        "{error}"
    );
}

/// A release without the ninth package is not complete, and the name has its place in the order.
#[test]
fn the_script_that_publishes_expects_the_package() {
    let copy = Copy::new();
    let packages = copy.path().join("packages");
    crate::publish::seal(&packages, "1.2.3");
    let output = copy.node(&["bindings/node/scripts/publish.mjs", "packages", "--dry-run"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("is not a complete release:\n  - missing: @strongroom/linux-riscv64-gnu\n"),
        "{error}"
    );
    assert_eq!(error.matches("  - ").count(), 1, "only the ninth package is missing: {error}");
}

/// The two functions that name packages, of node-targets and of `scripts/targets.mjs`, give the same names.
#[test]
fn rust_and_the_scripts_give_each_package_the_same_name() {
    let names = Copy::new().evaluate(
        "import { MAIN, packageOf, targets } from './bindings/node/scripts/targets.mjs'; \
         console.log(JSON.stringify([...targets().map(packageOf), MAIN]))",
    );
    let names: Vec<String> = serde_json::from_str(&names).unwrap();
    let mut expected: Vec<String> = rows().iter().map(Target::package_name).collect();
    expected.push(node_targets::MAIN_PACKAGE.to_owned());
    assert_eq!(names, expected);
    assert_eq!(names[names.len() - 2], "@strongroom/linux-riscv64-gnu");
}

#[test]
fn the_tools_that_pack_and_audit_take_the_row() {
    let rows = rows();
    let ninth = rows.last().unwrap();
    let package = PlaceholderPackage::new(ninth, "1.2.3", "a test").unwrap();
    assert_eq!(package.name, "@strongroom/linux-riscv64-gnu");
    assert_eq!(ninth.artifact_file(), "bindings_node.linux-riscv64-gnu.node");
    let policy = pack::policy(ninth);
    assert_eq!(policy.claim.unwrap().to_string(), "linux-riscv64-gnu");
    assert_eq!(policy.floors.glibc, ninth.floor.unwrap());
}

/// The matrix stops and names the missing runner: a runner is the one thing of a row that is not in the table.
#[test]
fn the_matrix_names_the_missing_runner_or_has_the_row() {
    let copy = Copy::new();
    let Some(output) = jq(&copy.path().join("targets.json")) else { return };
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success(),
        "a release without a load of linux-riscv64-gnu would not have been tested"
    );
    assert!(error.contains("linux-riscv64-gnu: no runner is known for linux on riscv64"), "{error}");
    // With a processor that has a runner, the row is in both matrices.
    let known = table().replace("\"riscv64\"", "\"arm64\"");
    fs::write(copy.path().join("targets.json"), known).unwrap();
    let output = jq(&copy.path().join("targets.json")).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for matrix in ["linux=", "load="] {
        let line = text.lines().find_map(|line| line.strip_prefix(matrix)).unwrap();
        let rows: Vec<Value> = serde_json::from_str(line).unwrap();
        assert!(rows.iter().any(|row| row["platform"] == "linux-riscv64-gnu"), "{matrix}{line}");
    }
}

/// The files that list every platform, each with the test that compares the file with the table.
const LISTS: [(&str, &str); 13] = [
    ("targets.json", "the table"),
    ("README.md", "the_readme_lists_every_target"),
    ("bindings/node/README.md", "readme.test.mjs"),
    ("bindings/node/TROUBLESHOOTING.md", "every_list_of_platforms_is_complete"),
    ("bindings/node/ts/load/platforms.ts", "generated.test.mjs"),
    ("deny.toml", "every_list_of_platforms_is_complete"),
    ("crates/vendored-sys/toolchain/tests/it/check.rs", "each_target_accepts_only_its_own_compiler"),
    (
        "crates/vendored-sys/toolchain/tests/it/select.rs",
        "the_check_of_a_compiler_knows_every_target_of_the_table",
    ),
    ("nix/tests/cross-env/expected.nix", "the pure test `cross-env`"),
    ("nix/tests/cross-packages/expected.nix", "the pure test `cross-packages`"),
    ("nix/tests/platform-name/expected.nix", "the pure test `platform-name`"),
    ("nix/tests/toolchain-names/expected.nix", "the pure test `toolchain-names`"),
    ("nix/tests/unknown-target/expected.nix", "the pure test `unknown-target`"),
];

/// Returns the tracked text files, except for lock files and node-audit, which name the platforms of other packages.
fn texts() -> Vec<(String, String)> {
    let other = |name: &str| name.ends_with("package-lock.json") || name.starts_with("crates/node-audit/");
    let names = checkout::files().into_iter().filter(|name| !other(name));
    names.filter_map(|name| fs::read_to_string(root().join(&name)).ok().map(|text| (name, text))).collect()
}

/// A file that lists most platforms is a copy of the table, and the next platform would be missing in it.
#[test]
fn no_other_file_lists_the_platforms() {
    let targets = node_targets::targets();
    let most = targets.len() - 1;
    let count = |text: &str, name: &dyn Fn(&Target) -> &str| {
        targets.iter().filter(|&target| text.contains(name(target))).count()
    };
    let lists = |text: &str| {
        count(text, &|target| &target.platform) >= most || count(text, &|target| &target.triple) >= most
    };
    let files = texts();
    let found: BTreeSet<&str> =
        files.iter().filter(|(_, text)| lists(text)).map(|(name, _)| name.as_str()).collect();
    let allowed: BTreeSet<&str> = LISTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        found, allowed,
        "the files that list the platforms (left) differ from LISTS (right): read targets.json instead of listing"
    );
}

/// The lists that no other test compares with the table.
#[test]
fn every_list_of_platforms_is_complete() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let config: toml::Table = read(".cargo/config.toml").parse().unwrap();
    let triples: Vec<&str> = node_targets::targets().iter().map(|target| target.triple.as_str()).collect();
    let graph: Vec<&str> =
        deny["graph"]["targets"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(graph, triples, "deny.toml (left) must list the triples of targets.json (right)");
    let names: Vec<&str> = node_targets::targets().iter().map(|target| target.platform.as_str()).collect();
    let message = format!("it has addons for {}.\n", names.join(", "));
    assert!(
        read("bindings/node/TROUBLESHOOTING.md").contains(&message),
        "TROUBLESHOOTING.md lacks: {message}"
    );
    // An extension for this machine that does not load would be reported as built for another machine.
    let header = read("crates/database/src/library_header.rs");
    for target in node_targets::targets() {
        let system = match target.os {
            Os::Linux => "Linux",
            Os::Darwin => "macOS",
            Os::Win32 => "Windows",
        };
        let here = format!("    \"{system} on {}\"\n}} else", target.triple.split('-').next().unwrap());
        assert!(header.contains(&here), "library_header.rs, HERE: {target}");
        // A cdylib for musl links libc dynamically. For MSVC, the C runtime is part of the addon.
        let wanted = match target.triple.rsplit('-').next().unwrap() {
            "musl" => Some("target-feature=-crt-static"),
            "msvc" => Some("target-feature=+crt-static"),
            _ => None,
        };
        let flags = config["target"].get(&target.triple).and_then(|section| section["rustflags"].as_array());
        let flags = flags.and_then(|flags| flags.last()).and_then(toml::Value::as_str);
        assert_eq!(flags, wanted, ".cargo/config.toml, {}", target.triple);
    }
}
