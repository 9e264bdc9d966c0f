//! The rule `package`: the promises of a package compared with its contents.

use node_audit::{Audit, Finding, Policy, Severity, audit_paths};
use object::elf;

use crate::object_maker::Maker;
use crate::tarball_maker::Tarball;

fn audit(tarball: Tarball) -> Audit {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, tarball.gz()).unwrap();
    audit_paths(&[path], &Policy::default(), &())
}

/// Returns the findings for a package of these files; a file whose name ends in .node gets the content of an addon.
fn findings(manifest: &str, files: &[&str]) -> Vec<Finding> {
    let mut tarball = Tarball::package(manifest);
    for file in files {
        let object = if file.contains("musl") { Maker::musl() } else { Maker::addon() };
        let machine = if file.contains("arm64") { elf::EM_AARCH64 } else { object.machine };
        let content = Maker { machine, ..object }.make();
        tarball = tarball.file(&format!("package/{file}"), &content);
    }
    let audit = audit(tarball);
    assert_eq!(audit.failures.len(), 0, "{manifest}: {:?}", audit.failures);
    audit.packages.into_iter().flat_map(|package| package.report.findings).collect()
}

#[track_caller]
fn only(findings: Vec<Finding>) -> Finding {
    only_of(Severity::Error, findings)
}

#[track_caller]
fn only_of(severity: Severity, findings: Vec<Finding>) -> Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = findings.into_iter().next().unwrap();
    assert_eq!((finding.rule, finding.severity), ("package", severity));
    assert!(finding.file.ends_with("p.tgz:package/package.json"), "{}", finding.file);
    finding
}

#[test]
fn a_kept_promise_has_no_finding() {
    for (manifest, files) in [
        (r#"{"name": "a"}"#, &["x.node"][..]),
        (r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]}"#, &["x.node"]),
        (
            r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"], "main": "./x.node"}"#,
            &["x.node"],
        ),
        (
            r#"{"name": "a", "os": ["linux"], "cpu": ["x64", "arm64"]}"#,
            &["x.linux-x64-gnu.node", "x.linux-arm64-gnu.node"],
        ),
        (
            r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc", "musl"]}"#,
            &["x.linux-x64-gnu.node", "x.linux-x64-musl.node"],
        ),
        // For prebuildify, a name without a tag promises any C library.
        (
            r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc", "musl"]}"#,
            &["prebuilds/linux-x64/node.napi.node"],
        ),
        (
            r#"{"name": "a", "os": ["!win32"], "files": ["x.node", "*.node"]}"#,
            &["x.linux-x64-gnu.node", "x.node"],
        ),
        (
            r#"{"name": "a", "os": ["linux"], "cpu": ["unknown", "x64"], "libc": ["glibc"]}"#,
            &["x.linux-x64-gnu.node"],
        ),
        // npm does not run a test script when it installs a package.
        (r#"{"name": "a", "scripts": {"test": "node-gyp rebuild", "prepare": "x"}}"#, &["x.node"]),
        (r#"{"name": "a", "gypfile": false}"#, &["x.node", "binding.gyp"]),
        (r#"{"name": "a"}"#, &["x.node", "src/binding.gyp"]),
    ] {
        assert_eq!(findings(manifest, files), [], "{manifest}");
    }
}

#[test]
fn a_promised_platform_without_an_addon_is_an_error() {
    let manifest = r#"{"name": "a", "os": ["linux", "darwin"], "cpu": ["x64", "arm64"]}"#;
    let finding = only(findings(manifest, &["x.linux-x64-gnu.node", "x.linux-arm64-gnu.node"]));
    assert_eq!(finding.message, "the package promises platforms for which it has no addon");
    assert_eq!(
        finding.evidence,
        "no addon for darwin-x64, darwin-arm64; package.json has os linux, darwin; cpu x64, arm64"
    );
    let musl = r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc", "musl"]}"#;
    assert!(only(findings(musl, &["x.linux-x64-gnu.node"])).evidence.contains("linux-x64-musl"));
    // For an addon without a claim, the content gives the platform.
    let system = r#"{"name": "a", "os": ["linux", "win32"]}"#;
    assert!(only(findings(system, &["x.node"])).evidence.contains("no addon for win32;"));
}

#[test]
fn an_addon_for_an_excluded_platform_is_an_error() {
    for (manifest, file) in [
        (r#"{"name": "a", "os": ["!linux"]}"#, "x.linux-x64-gnu.node"),
        (r#"{"name": "a", "cpu": ["!x64"]}"#, "x.linux-x64-gnu.node"),
        (r#"{"name": "a", "libc": ["!glibc"]}"#, "x.linux-x64-gnu.node"),
        (r#"{"name": "a", "cpu": ["!x64"]}"#, "x.node"),
    ] {
        let finding = only(findings(manifest, &[file]));
        assert_eq!(finding.message, "the package has addons for platforms on which npm does not install it");
        assert!(finding.evidence.starts_with(&format!("{file} (linux-x64-gnu); ")), "{}", finding.evidence);
    }
    // A package for arm64 has an x64 addon: a platform lacks its addon, and the addon's platform is excluded.
    let swapped = r#"{"name": "a", "os": ["linux"], "cpu": ["arm64"], "libc": ["glibc"]}"#;
    assert_eq!(findings(swapped, &["x.linux-x64-gnu.node"]).len(), 2);
}

#[test]
fn names_that_contradict_each_other_are_an_error() {
    let finding = only(findings(r#"{"name": "@a/b-linux-x64-gnu"}"#, &["x.linux-x64-musl.node"]));
    assert_eq!(finding.message, "the names of x.linux-x64-musl.node claim different platforms");
    assert_eq!(
        finding.evidence,
        "the file's name x.linux-x64-musl.node and the package's name @a/b-linux-x64-gnu"
    );
    // The file's name contradicts package.json.
    let manifest = r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]}"#;
    let found = findings(manifest, &["x.linux-x64-musl.node"]);
    assert!(found.iter().any(|finding| finding.evidence.contains("libc glibc")), "{found:#?}");
}

#[test]
fn a_named_addon_that_is_absent_is_an_error() {
    let main = only(findings(r#"{"name": "a", "main": "./lib/y.node"}"#, &["x.node"]));
    assert!(
        main.message.contains("names ./lib/y.node, which the package does not contain"),
        "{}",
        main.message
    );
    let files = only(findings(r#"{"name": "a", "files": ["y.node", "!z.node"]}"#, &["x.node"]));
    assert_eq!(files.evidence, "files: y.node");
    // The package contains no addon at all.
    only(findings(r#"{"name": "a", "main": "y.node"}"#, &[]));
}

#[test]
fn an_install_script_is_a_warning_that_names_its_program() {
    for (script, program) in [
        ("node-gyp-build", "npm runs node-gyp-build when it installs the package; node-gyp-build compiles"),
        ("prebuild-install || node-gyp rebuild", "npm runs prebuild-install when"),
        ("node-pre-gyp install --fallback-to-build", "npm runs node-pre-gyp when"),
        ("cmake-js compile", "npm runs cmake-js when"),
        ("pkg-prebuilds-verify ./x.js || node-gyp rebuild", "npm runs pkg-prebuilds-verify when"),
        ("node install.js", "npm runs a script when"),
    ] {
        for name in ["preinstall", "install", "postinstall"] {
            let manifest = format!(r#"{{"name": "a", "scripts": {{"{name}": "{script}"}}}}"#);
            let finding = only_of(Severity::Warning, findings(&manifest, &["x.node"]));
            assert!(finding.message.starts_with(program), "{}", finding.message);
            assert_eq!(finding.evidence, format!("scripts.{name}: {script}"));
        }
    }
    let gyp = only_of(Severity::Warning, findings(r#"{"name": "a"}"#, &["x.node", "binding.gyp"]));
    assert!(gyp.message.starts_with("npm runs node-gyp"), "{}", gyp.message);
    let both = findings(r#"{"name": "a", "scripts": {"install": "true"}}"#, &["x.node", "binding.gyp"]);
    assert_eq!(only_of(Severity::Warning, both).evidence, "scripts.install: true");
    // An addon that npm compiles during the installation is not missing.
    let compiled = r#"{"name": "a", "os": ["linux", "darwin"], "main": "y.node", "scripts": {"install": "node-gyp-build"}}"#;
    only_of(Severity::Warning, findings(compiled, &["x.node"]));
    // The package gets its addon only during the installation.
    only_of(
        Severity::Warning,
        findings(r#"{"name": "a", "scripts": {"install": "prebuild-install"}}"#, &["binding.gyp"]),
    );
}

/// The user of a package cannot change its scripts.
#[test]
fn the_remedy_for_an_installed_package_addresses_its_user() {
    let folder = tempfile::tempdir().unwrap();
    let for_user = |place: &str| {
        let package = folder.path().join(place);
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(
            package.join("package.json"),
            r#"{"name": "a", "scripts": {"install": "node-gyp rebuild"}}"#,
        )
        .unwrap();
        std::fs::write(package.join("x.linux-x64-gnu.node"), Maker::addon().make()).unwrap();
        let audit = audit_paths(&[package], &Policy::default(), &());
        let findings = audit.packages.into_iter().flat_map(|package| package.report.findings);
        findings
            .map(|finding| finding.remedy.starts_with("install the package with --ignore-scripts"))
            .collect::<Vec<_>>()
    };
    assert_eq!(for_user("node_modules/a"), [true]);
    assert_eq!(for_user("node_modules/@scope/a"), [true]);
    assert_eq!(for_user("node_modules/.pnpm/a@1.0.0/node_modules/a"), [true]);
    assert_eq!(for_user("packages/a"), [false]);
    assert_eq!(for_user("node_modules/scope/a"), [false]);
}

#[test]
fn a_damaged_addon_is_not_reported_as_missing() {
    let manifest = r#"{"name": "a", "os": ["linux"], "cpu": ["x64"]}"#;
    let audit = audit(Tarball::package(manifest).file("package/x.linux-x64-gnu.node", b"text"));
    assert_eq!((audit.failures.len(), audit.damaged().count()), (0, 1));
    assert_eq!(audit.packages[0].report.findings, []);
}

#[test]
fn a_package_is_checked_only_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("lib")).unwrap();
    std::fs::write(path("package.json"), r#"{"name": "a", "os": ["linux", "darwin"], "main": "lib/y.node"}"#)
        .unwrap();
    std::fs::write(path("lib/x.linux-x64-gnu.node"), Maker::addon().make()).unwrap();
    let packages = |name: &str| audit_paths(&[path(name)], &Policy::default(), &()).packages;
    assert_eq!(packages("").len(), 1);
    assert_eq!(packages("")[0].report.findings.len(), 2);
    assert_eq!(packages("lib").len(), 0);
    assert_eq!(packages("lib/x.linux-x64-gnu.node").len(), 0);
}

/// npm installs @seydx/node-av-linux-arm64 6.1.1 on Alpine, where its addon does not load.
#[test]
fn a_package_for_glibc_without_libc_is_a_warning() {
    let linux = r#"{"name": "a-linux-x64", "os": ["linux"], "cpu": ["x64"]}"#;
    let finding = only_of(Severity::Warning, findings(linux, &["x.node"]));
    assert!(finding.message.starts_with("package.json has no libc"), "{}", finding.message);
    assert_eq!(finding.evidence, "x.node is linked to glibc; package.json has os linux, and no libc");
    for (manifest, files) in [
        (r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]}"#, &["x.node"][..]),
        (r#"{"name": "a", "os": ["linux"], "cpu": ["x64"]}"#, &["x.musl.node"]),
        // With several addons, a loader chooses.
        (linux, &["x.glibc.node", "x.musl.node"]),
        (r#"{"name": "a", "os": ["!win32"]}"#, &["x.node"]),
        (r#"{"name": "a", "cpu": ["x64"]}"#, &["x.node"]),
    ] {
        assert_eq!(findings(manifest, files), [], "{manifest}");
    }
    // npm compiles the addon for the C library of the system.
    let compiled =
        r#"{"name": "a", "os": ["linux"], "cpu": ["x64"], "scripts": {"install": "node-gyp rebuild"}}"#;
    let finding = only_of(Severity::Warning, findings(compiled, &["x.node"]));
    assert!(finding.message.starts_with("npm runs node-gyp"), "{}", finding.message);
}
