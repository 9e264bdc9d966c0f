//! Audits of npm tarballs, valid and damaged.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use node_audit::{Audit, Policy, audit_paths};
use tar::EntryType;
use tempfile::TempDir;

use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::{Tarball, gzip, header, record};

const MANIFEST: &str = r#"{"name": "p", "version": "1.0.0"}"#;

/// Audits an archive with this content.
fn audit(content: &[u8]) -> Audit {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, content).unwrap();
    let audit = audit_paths(&[path], &Policy::default(), &());
    // The audit writes nothing beside the archive.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    strip(audit, &folder)
}

/// Makes the file names in reports relative to the folder.
fn strip(mut audit: Audit, folder: &TempDir) -> Audit {
    let start = format!("{}/", folder.path().display());
    for file in &mut audit.files {
        file.report.file = file.report.file.replace(&start, "");
    }
    for package in &mut audit.packages {
        package.report.file = package.report.file.replace(&start, "");
    }
    audit
}

fn names(audit: &Audit) -> Vec<&str> {
    audit.files.iter().map(|file| file.report.file.as_str()).collect()
}

/// Returns the only failure of a refused archive.
fn refused(content: &[u8]) -> String {
    let audit = audit(content);
    assert_eq!((audit.files.len(), audit.failures.len()), (0, 1), "{:?}", audit.failures);
    let failure = audit.failures[0].to_string();
    assert!(failure.contains("p.tgz: "), "{failure}");
    failure
}

fn addon() -> Vec<u8> {
    Maker::addon().make()
}

#[test]
fn addons_are_named_by_archive_and_entry_and_sorted() {
    let path = |name: &str| format!("package/{name}");
    let tarball = || {
        Tarball::package(MANIFEST)
            .entry("package/lib/", EntryType::Directory, b"")
            .file(&path("lib/y.linux-x64-gnu.node"), &addon())
            .file(&path(NAME), &addon())
            .file(&path("libx.so"), &addon())
            .file(&path("x.node.txt"), b"")
    };
    for content in [tarball().gz(), tarball().tar()] {
        let audit = audit(&content);
        assert_eq!(audit.failures.len(), 0, "{:?}", audit.failures);
        assert_eq!(
            names(&audit),
            ["p.tgz:package/addon.linux-x64-gnu.node", "p.tgz:package/lib/y.linux-x64-gnu.node"]
        );
        let file = &audit.files[1];
        assert_eq!(file.addon.package.as_ref().unwrap().title(), "p@1.0.0");
        assert_eq!(file.addon.claim.as_ref().unwrap().to_string(), "linux-x64-gnu");
        assert_eq!(file.addon.facts.len(), 1);
        assert_eq!(audit.packages[0].report.file, "p.tgz:package/package.json");
        assert!(!audit.has_errors());
    }
}

#[test]
fn an_addon_belongs_to_the_nearest_package_json_with_a_name() {
    let tarball = Tarball::package(MANIFEST)
        .file("package/lib/package.json", br#"{"type": "commonjs"}"#)
        .file("package/lib/x.linux-x64-gnu.node", &addon())
        .file("package/node_modules/q/package.json", br#"{"name": "q"}"#)
        .file("package/node_modules/q/x.linux-x64-gnu.node", &addon())
        .file("package/node_modules/r/x.linux-x64-gnu.node", &addon());
    let audit = audit(&tarball.gz());
    let package =
        |file: &node_audit::Audited| file.addon.package.as_ref().and_then(|package| package.name.clone());
    let packages: Vec<_> = audit.files.iter().map(package).collect();
    assert_eq!(packages, [Some("p".to_owned()), Some("q".to_owned()), None]);
}

#[test]
fn several_gzip_members_are_one_archive() {
    let tar = Tarball::package(MANIFEST).file("package/addon.linux-x64-gnu.node", &addon()).tar();
    let (one, other) = tar.split_at(700);
    assert_eq!(audit(&[gzip(one), gzip(other)].concat()).files.len(), 1);
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("package/{}/x.linux-x64-gnu.node", "folder/".repeat(40));
    let expected = format!("p.tgz:{}", long.replace("//", "/"));
    for kind in [EntryType::XHeader, EntryType::GNULongName] {
        let audit = audit(&Tarball::package(MANIFEST).long(&long, kind, &addon()).gz());
        assert_eq!(names(&audit), [expected.as_str()], "{kind:?} {:?}", audit.failures);
    }
}

#[test]
fn paths_that_leave_the_archive_are_refused_by_name() {
    for (path, why) in [
        ("../x.node", "leads out"),
        ("package/../../x.node", "leads out"),
        ("package\\..\\..\\x.node", "leads out"),
        ("/etc/x.node", "absolute"),
        ("\\\\host\\x.node", "absolute"),
        ("C:\\x.node", "absolute"),
        ("c:x.node", "absolute"),
    ] {
        let failure = refused(&Tarball::new().file(path, &addon()).gz());
        assert!(failure.contains(why), "{failure}");
        for kind in [EntryType::XHeader, EntryType::GNULongName] {
            let failure = refused(&Tarball::package(MANIFEST).long(path, kind, &addon()).gz());
            assert!(failure.contains(why), "{kind:?}: {failure}");
        }
    }
}

#[test]
fn a_control_character_in_a_name_is_escaped() {
    let failure = refused(&Tarball::new().file("../\u{1b}[2J.node", &addon()).gz());
    assert!(failure.contains("../\\u{1b}[2J.node"), "{failure}");
}

#[test]
fn a_link_in_place_of_an_addon_is_refused_and_other_links_are_ignored() {
    for kind in [EntryType::Symlink, EntryType::Link] {
        for path in ["package/x.node", "package/package.json"] {
            let failure = refused(&Tarball::new().entry(path, kind, b"").gz());
            assert!(failure.contains(path) && failure.contains("link"), "{failure}");
        }
        let other =
            Tarball::package(MANIFEST).entry("package/link", kind, b"").file("package/x.node", &addon());
        assert_eq!(audit(&other.gz()).failures.len(), 0);
    }
}

#[test]
fn a_repeated_entry_is_refused() {
    let twice = Tarball::new().file("package/x.node", &addon()).file("package/./x.node", b"");
    let failure = refused(&twice.gz());
    assert!(failure.contains("the entry package/x.node twice"), "{failure}");
    let text = Tarball::new().file("package/a", b"").file("package/a", b"").file("package/x.node", &addon());
    assert_eq!(audit(&text.gz()).files.len(), 1);
}

#[test]
fn an_archive_cut_short_is_refused() {
    let whole = Tarball::package(MANIFEST).file("package/x.node", &addon()).gz();
    for length in [3, 20, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        let failure = refused(&whole[..length]);
        assert!(failure.contains("is not a usable npm tarball"), "{failure}");
    }
    let tar = Tarball::new().file("package/x.node", &addon()).tar();
    for length in [700, 1000] {
        refused(&tar[..length]);
    }
}

#[test]
fn no_damaged_byte_causes_a_panic() {
    let whole = Tarball::package(MANIFEST).long("package/x.node", EntryType::XHeader, b"x").tar();
    let mut refused = 0;
    for position in 0..2600 {
        for value in [b'7', 0xff] {
            let mut bad = whole.clone();
            bad[position] = value;
            refused += usize::from(!audit(&bad).failures.is_empty());
        }
    }
    assert!(refused > 0, "no damage was refused");
}

#[test]
fn content_after_the_end_is_refused() {
    let mut gz = Tarball::package(MANIFEST).gz();
    gz.extend(b"garbage");
    refused(&gz);
    let mut tar = Tarball::package(MANIFEST).tar();
    tar.extend([0; 1024]);
    tar.extend(Tarball::new().file("package/x.node", &addon()).tar());
    let failure = refused(&tar);
    assert!(failure.contains("the archive continues after its end"), "{failure}");
}

#[test]
fn a_file_that_is_not_an_archive_is_refused() {
    assert!(refused(b"hello").contains("is neither gzip nor tar"));
    assert!(refused(b"").contains("is empty;"));
    refused(&gzip(b"hello"));
    refused(&gzip(&[b'x'; 2000]));
    let failure = refused(&gzip(b""));
    assert!(failure.contains("no .node file"), "{failure}");
}

#[test]
fn an_archive_without_an_addon_is_refused() {
    let refused = |manifest| refused(&Tarball::package(manifest).file("package/libx.so", &addon()).gz());
    // The advice to build the addon once also concerned packages that never had one, such as @libsql/client.
    let plain = "p.tgz: the package has no native addon, so there is nothing to check; to check the addons of its \
                 dependencies, pass their node_modules";
    for manifest in [
        MANIFEST,
        r#"{"name": "p", "os": ["linux"], "scripts": {"test": "node test.js", "build": "tsc"}, "files": ["dist"]}"#,
        r#"{"name": "p", "dependencies": {"libsql": "^0.5.0", "js-base64": "^3.7.5"}}"#,
    ] {
        assert!(refused(manifest).ends_with(plain), "{manifest}");
    }
    for manifest in [
        r#"{"name": "p", "dependencies": {"node-addon-api": "^8.0.0"}}"#,
        r#"{"name": "p", "scripts": {"build": "node-gyp rebuild"}}"#,
        r#"{"name": "p", "scripts": {"prepublishOnly": "npm run build && node-audit"}}"#,
        r#"{"name": "p", "files": ["prebuilds/**"]}"#,
        r#"{"name": "p", "files": ["*.node"]}"#,
        r#"{"name": "p", "cpu": ["x64"]}"#,
        r#"{"name": "p-linux-x64-gnu"}"#,
        r#"{"name": "p", "napi": {}}"#,
    ] {
        let failure = refused(manifest);
        assert!(failure.contains("p.tgz: contains no .node file; build the addon first"), "{failure}");
    }
}

#[test]
fn a_broken_package_json_is_reported_and_the_addon_is_audited() {
    let audit = audit(&Tarball::package("{").file("package/addon.linux-x64-gnu.node", &addon()).gz());
    assert_eq!((audit.files.len(), audit.failures.len()), (1, 1));
    let failure = audit.failures[0].to_string();
    assert!(failure.contains("p.tgz:package/package.json: is not a valid package.json: "), "{failure}");
}

#[test]
fn a_damaged_addon_is_a_finding_and_the_other_addons_are_audited() {
    let tarball =
        Tarball::package(MANIFEST).file("package/a-x64.node", b"text").file("package/b.node", &addon());
    let audit = audit(&tarball.gz());
    assert_eq!(names(&audit), ["p.tgz:package/a-x64.node", "p.tgz:package/b.node"]);
    assert_eq!(audit.failures.len(), 0);
    let finding = &audit.files[0].report.findings[0];
    assert_eq!((finding.rule, finding.message.as_str()), ("damaged", "the file is text, not an addon"));
    assert_eq!(audit.damaged().count(), 1);
}

/// Returns a small archive that unpacks to many zeros.
fn bomb(start: &[u8], zeros: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(start).unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..zeros >> 20 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn limits_keep_an_archive_from_exhausting_memory() {
    let start = |path, kind, size| header(path, kind, size).as_bytes().to_vec();
    let content = bomb(&start("package/data", EntryType::Regular, 4 << 30), 1100 << 20);
    assert!(refused(&content).contains("unpacks to more than 1024 MiB"), "{}", refused(&content));

    for (path, kind, limit) in [
        ("package/package.json", EntryType::Regular, "package.json is larger than 1024 KiB"),
        ("x", EntryType::GNULongName, "a name or a table of more than 64 KiB"),
        ("x", EntryType::XHeader, "a name or a table of more than 64 KiB"),
    ] {
        let failure = refused(&gzip(&start(path, kind, 100 << 20)));
        assert!(failure.contains(limit), "{failure}");
    }
    let long = format!("package/{}x.node", "folder/".repeat(200));
    let failure = refused(&Tarball::new().long(&long, EntryType::XHeader, b"").gz());
    assert!(failure.contains("longer than 1024 bytes"), "{failure}");

    let mut many = Vec::new();
    for _ in 0..200_001 {
        many.extend(start("a", EntryType::Directory, 0));
    }
    let failure = refused(&gzip(&many));
    assert!(failure.contains("more than 200000 entries"), "{failure}");
}

#[test]
fn an_addon_above_the_size_limit_fails_alone() {
    let size = node_audit::MAX_FILE + 512;
    let mut start = header("package/big.node", EntryType::Regular, size).as_bytes().to_vec();
    let audit = {
        let zeros = bomb(&start, node_audit::MAX_FILE);
        start = vec![0; 512];
        let tail = Tarball::new().file("package/small.node", &addon()).tar();
        audit(&[zeros, gzip(&start), gzip(&tail)].concat())
    };
    assert_eq!(names(&audit), ["p.tgz:package/small.node"]);
    let failure = audit.failures[0].to_string();
    assert!(failure.contains("p.tgz:package/big.node: is larger than 512 MiB"), "{failure}");
}

#[test]
fn a_second_size_and_sparse_files_are_refused() {
    let table = record("size", "1");
    let sizes = Tarball::new().entry("long", EntryType::XHeader, table.as_bytes()).file("package/a", b"four");
    assert!(refused(&sizes.gz()).contains("two sizes"));
    refused(&Tarball::new().entry("package/x.node", EntryType::GNUSparse, b"").gz());
}

#[test]
fn an_archive_is_recognised_by_its_content_and_a_missing_archive_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("download");
    std::fs::write(&path, Tarball::package(MANIFEST).file("package/x.node", &addon()).gz()).unwrap();
    let missing = folder.path().join("missing.tgz");
    let audit = audit_paths(&[path, missing], &Policy::default(), &());
    assert_eq!((audit.files.len(), audit.failures.len()), (1, 1));
    assert!(audit.failures[0].to_string().contains("missing.tgz: cannot be read"));
}

#[test]
fn an_addon_can_be_checked_again_for_another_platform() {
    let musl = "linux-x64-musl".parse().unwrap();
    let audit = audit(&Tarball::package(MANIFEST).file("package/addon.linux-x64-gnu.node", &addon()).gz());
    let report = audit.files[0].held_against(Some(&musl), &Policy::default());
    assert_eq!(report.platform.as_deref(), Some("linux-x64-musl"));
    assert!(report.findings.iter().any(|finding| finding.rule == "arch"), "{:?}", report.findings);
    assert_eq!(audit_paths(&[PathBuf::new()], &Policy::default(), &()).failures.len(), 1);
}

/// An archive of one megabyte can hold a hundred thousand empty addons, each with findings.
#[test]
fn more_addons_than_the_limit_are_refused() {
    let many = (0..=10_000).fold(Tarball::package(MANIFEST), |tarball, number| {
        tarball.file(&format!("package/{number}.node"), b"")
    });
    assert!(refused(&many.gz()).contains("the archive has more than 10000 addons;"));
}
