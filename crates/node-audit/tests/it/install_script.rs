//! Scripts that npm runs when it installs a package, and scripts that download the addon.

use node_audit::{Policy, Severity, audit_paths};
use serde_json::Value;

use crate::command::node_audit;
use crate::object_maker::Maker;
use crate::tarball_maker::Tarball;

/// Returns the message about the script of a package with these files and an addon whose name gives no platform.
fn message(script: &str, files: &[(&str, &str)]) -> String {
    let manifest =
        format!(r#"{{"name": "a", "version": "1.0.0", "scripts": {{"postinstall": "{script}"}}}}"#);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, tarball(&manifest, files).gz()).unwrap();
    let audit = audit_paths(&[path], &Policy::default(), &());
    let findings = &audit.packages[0].report.findings;
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning), "{findings:#?}");
    findings[0].message.clone()
}

fn tarball(manifest: &str, files: &[(&str, &str)]) -> Tarball {
    let tarball = Tarball::package(manifest).file("package/dist/index.node", &Maker::addon().make());
    files
        .iter()
        .fold(tarball, |tarball, (name, text)| tarball.file(&format!("package/{name}"), text.as_bytes()))
}

const ELSEWHERE: &str = ", so the file that Node will load is not in this package";

#[test]
fn programs_that_download_are_known() {
    for (script, downloads) in [
        ("prebuild-install || node-gyp rebuild", true),
        ("node-pre-gyp install --fallback-to-build", true),
        ("node ./node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp install", true),
        ("node-gyp-build", false),
        ("cmake-js compile", false),
        ("node-gyp rebuild", false),
        ("curl -fsSL https://example.org/x.node -o x.node", true),
        ("node download-lib.js", true),
        ("node setup.js", false),
    ] {
        assert_eq!(message(script, &[]).ends_with(ELSEWHERE), downloads, "{script}");
    }
}

/// @contentauth/c2pa-node 0.8.0 contains an addon for Linux on x64, and a script replaces that addon with a downloaded file.
#[test]
fn the_file_that_a_script_runs_shows_a_download() {
    let fetching = "const { default: fetch } = await import('node-fetch');\nconst res = await fetch(url);";
    let text = message("node scripts/get.cjs", &[("scripts/get.cjs", fetching)]);
    assert!(text.contains("the script downloads a file (scripts/get.cjs has fetch), so the file"), "{text}");
    for harmless in ["console.log('see https://example.org/')", "git.fetch(origin)", ""] {
        let text = message("node scripts/get.cjs", &[("scripts/get.cjs", harmless)]);
        assert_eq!(text, "npm runs a script when it installs the package");
    }
    // The script does not run other files of the package.
    assert!(!message("node a.js", &[("index.js", fetching), ("a.js", "")]).contains("downloads"));
}

#[test]
fn a_repair_script_of_a_main_package_is_not_a_download() {
    let manifest = r#"{"name": "a", "scripts": {"postinstall": "node get.js"},
        "optionalDependencies": {"a-linux-x64": "1", "a-darwin-x64": "1"}}"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, Tarball::package(manifest).file("package/get.js", b"fetch(url)").gz()).unwrap();
    let audit = audit_paths(&[path], &Policy::default(), &());
    let messages: Vec<&str> =
        audit.packages[0].report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(messages.contains(&"npm runs a script when it installs the package"), "{messages:?}");
}

fn verdicts(tarball: Tarball) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let (status, out, err) = node_audit(&folder, &["--summary", "--format=json", "p.tgz"]);
    assert_eq!(err, "");
    let rows: Value = serde_json::from_str(&out).unwrap();
    let verdicts = rows[0]["verdicts"].as_object().unwrap();
    (status, verdicts.values().map(|verdict| verdict["verdict"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_summary_does_not_say_that_a_downloaded_addon_loads() {
    let manifest = r#"{"name": "a", "version": "1.0.0", "scripts": {"install": "prebuild-install"}}"#;
    let downloads = || vec!["download".to_owned(); 3];
    assert_eq!(verdicts(Tarball::package(manifest)), (0, downloads()));
    assert_eq!(verdicts(tarball(manifest, &[])), (0, downloads()));
    // A loader prefers a prebuilt addon whose name matches the system.
    let named = || {
        Tarball::package(manifest).file("package/prebuilds/linux-x64/a.glibc.node", &Maker::addon().make())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, named().gz()).unwrap();
    let audit = audit_paths(&[path], &Policy::default(), &());
    let message = &audit.packages[0].report.findings[0].message;
    assert!(message.ends_with(", so the file that Node will load may not be in this package"), "{message}");
    let (_, found) = verdicts(named());
    assert_eq!(found.iter().filter(|verdict| *verdict == "loads").count(), 1, "{found:?}");
    assert_eq!(found.iter().filter(|verdict| *verdict == "download").count(), 2, "{found:?}");
}

#[test]
fn the_verdict_says_that_another_addon_is_downloaded() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"{"name": "a", "version": "1.0.0", "scripts": {"install": "prebuild-install"}}"#;
    std::fs::write(folder.path().join("p.tgz"), tarball(manifest, &[]).gz()).unwrap();
    let (_, out, _) = node_audit(&folder, &["p.tgz"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("; npm may download another addon when it installs the package"), "{out}");
    let (_, out, _) = node_audit(&folder, &["--summary", "p.tgz"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("not in this") && !words.contains(" loads "), "{out}");
}

#[test]
fn the_downloaded_addon_of_an_installed_package_gives_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/a");
    std::fs::create_dir_all(package.join("build/Release")).unwrap();
    std::fs::write(
        package.join("package.json"),
        r#"{"name": "a", "version": "1.0.0", "scripts": {"install": "prebuild-install"}}"#,
    )
    .unwrap();
    std::fs::write(package.join("build/Release/a.node"), Maker::addon().make()).unwrap();
    let (_, out, _) = node_audit(&folder, &["--summary", "--format=json", "node_modules"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(rows[0]["verdicts"]["linux-x64-gnu"]["verdict"], "loads");
    let (_, out, _) = node_audit(&folder, &["--format=json", "node_modules"]);
    assert!(out.contains("prebuild-install downloads the addon\""), "{out}");
}
