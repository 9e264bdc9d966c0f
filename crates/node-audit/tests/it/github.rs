//! `--format github`: workflow commands of GitHub Actions.

use crate::command::{folder, node_audit};
use crate::object_maker::Maker;
use crate::tarball_maker::Tarball;

#[test]
fn an_annotation_has_file_title_and_message_in_one_line() {
    let (status, out, err) =
        node_audit(&folder(), &["--format=github", "addon.node", "./bad.linux-x64-gnu.node"]);
    assert_eq!((status, err.as_str()), (1, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    let start = "::error file=bad.linux-x64-gnu.node,title=node-audit%3A needed::The addon needs libssl.so.3";
    assert!(lines[0].starts_with(start), "errors first: {out}");
    assert!(lines[0].contains(" Seen: DT_NEEDED libssl.so.3. Fix: link "), "{out}");
    assert!(lines[1].starts_with("::warning file=addon.node,title=node-audit%3A arch::Neither "), "{out}");
}

#[test]
fn special_characters_are_escaped() {
    let folder = folder();
    let name = "a,b:c%.linux-x64-gnu.node";
    std::fs::copy(folder.path().join("bad.linux-x64-gnu.node"), folder.path().join(name)).unwrap();
    let out = node_audit(&folder, &["--format=github", name]).1;
    assert!(out.starts_with("::error file=a%2Cb%3Ac%25.linux-x64-gnu.node,title="), "{out}");
    assert!(out.ends_with("%0Aa,b:c%25.linux-x64-gnu.node: a,b:c%25.linux-x64-gnu.node\n"), "{out}");
}

#[test]
fn severities_follow_the_options() {
    let folder = folder();
    let exporting = Maker { exports: vec!["napi_register_module_v1", "helper"], ..Maker::addon() };
    std::fs::write(folder.path().join("info.linux-x64-gnu.node"), exporting.make()).unwrap();
    let run = |arguments: &[&str]| {
        node_audit(
            &folder,
            &[&["--format=github", "info.linux-x64-gnu.node", "addon.node"], arguments].concat(),
        )
        .1
    };
    assert_eq!(run(&[]).lines().count(), 1);
    assert!(run(&["--verbose"]).contains("\n::notice file=info.linux-x64-gnu.node,"));
    assert_eq!(run(&["--quiet"]), "");
}

#[test]
fn a_file_that_cannot_be_read_is_an_annotation() {
    let (status, out, err) = node_audit(&folder(), &["--format=github", "missing.node"]);
    assert_eq!(status, 2);
    assert!(out.starts_with("::error title=node-audit::missing.node: cannot be read: "), "{out}");
    assert!(err.starts_with("node-audit: missing.node: cannot be read: "), "{err}");
}

/// GitHub displays at most ten annotations of each kind per step.
#[test]
fn a_finding_in_several_files_is_one_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let bad = Maker { needed: vec!["libssl.so.3"], ..Maker::addon() }.make();
    let manifest = "{\n  \"name\": \"p\",\n  \"version\": \"1.0.0\",\n  \"main\": \"y.node\"\n}\n";
    std::fs::create_dir(folder.path().join("p")).unwrap();
    let write =
        |name: &str, content: &[u8]| std::fs::write(folder.path().join("p").join(name), content).unwrap();
    write("package.json", manifest.as_bytes());
    write("1.linux-x64-gnu.node", &bad);
    write("2.linux-x64-gnu.node", &bad);
    let out = node_audit(&folder, &["--format=github", "p"]).1;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(
        lines[0].starts_with("::error file=p/package.json,line=4,title=node-audit%3A package::"),
        "{out}"
    );
    assert!(lines[1].starts_with("::error file=p/1.linux-x64-gnu.node,title="), "{out}");
    assert!(lines[1].ends_with("%0Ap@1.0.0: {1, 2}.linux-x64-gnu.node"), "{out}");
    // The annotation for an entry of an archive points to the archive.
    let tarball = Tarball::package(manifest).file("package/1.linux-x64-gnu.node", &bad);
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let out = node_audit(&folder, &["--format=github", "p.tgz"]).1;
    assert!(out.lines().all(|line| line.starts_with("::error file=p.tgz,title=")), "{out}");
    // For a file outside the repository, the annotation has no path, and its text names the file.
    let path = folder.path().join("p.tgz").display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    let out = node_audit(&elsewhere, &["--format=github", &path]).1;
    assert!(out.lines().all(|line| line.starts_with("::error title=")), "{out}");
}
