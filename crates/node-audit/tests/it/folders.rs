//! Audits of folders and of node_modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use node_audit::{Audit, Policy, Progress, audit, audit_paths};
use tempfile::TempDir;

use crate::macho_maker::MachO;
use crate::object_maker::{Maker, NAME};
use crate::tarball_maker::Tarball;

/// Returns a folder of files with their contents; a file whose name ends in .node gets the content of an addon.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let addon = path.extension().is_some_and(|extension| extension == "node");
        fs::write(&path, if addon { Maker::addon().make() } else { text.as_bytes().to_vec() }).unwrap();
    }
    folder
}

fn look(paths: &[&Path]) -> Audit {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    audit_paths(&paths, &Policy::default(), &())
}

/// Returns each file's path relative to the folder, and its claim.
fn claims(folder: &Path, audit: &Audit) -> Vec<(String, String)> {
    let start = format!("{}/", folder.display());
    let claim =
        |file: &node_audit::Audited| file.addon.claim.as_ref().map_or("-".to_owned(), ToString::to_string);
    audit.files.iter().map(|file| (file.report.file.replace(&start, ""), claim(file))).collect()
}

fn failures(audit: &Audit) -> Vec<String> {
    audit.failures.iter().map(ToString::to_string).collect()
}

/// fsevents has one file for both processors, and its package.json names only macOS.
#[test]
fn an_addon_of_a_package_for_one_system_claims_that_system_and_the_addons_processors() {
    let folder = tempfile::tempdir().unwrap();
    let claim = |manifest: &str, content: &[u8]| {
        fs::write(folder.path().join("package.json"), manifest).unwrap();
        fs::write(folder.path().join("x.node"), content).unwrap();
        claims(folder.path(), &look(&[folder.path()])).remove(0).1
    };
    let macho = MachO::addon().make();
    assert_eq!(claim(r#"{"name": "a", "os": ["darwin"]}"#, &macho), "darwin-arm64");
    assert_eq!(claim(r#"{"name": "a", "os": ["darwin", "linux"]}"#, &macho), "-");
    assert_eq!(claim(r#"{"name": "a", "os": ["win32"]}"#, &macho), "-");
    assert_eq!(claim(r#"{"name": "a"}"#, &macho), "-");
    // node-gyp may have compiled the addon on this machine.
    assert_eq!(claim(r#"{"name": "a", "os": ["linux"]}"#, &Maker::addon().make()), "-");
}

#[test]
fn a_node_modules_with_scopes_and_nested_packages_is_read() {
    let folder = tree(&[
        ("package.json", r#"{"name": "project", "os": ["darwin"], "cpu": ["arm64"]}"#),
        (
            "node_modules/@img/sharp-linux-x64/package.json",
            r#"{"name": "@img/sharp-linux-x64", "libc": "musl"}"#,
        ),
        ("node_modules/@img/sharp-linux-x64/lib/sharp.node", ""),
        ("node_modules/a/package.json", r#"{"name": "a"}"#),
        ("node_modules/a/build/Release/a.node", ""),
        ("node_modules/a/libx.so", "no addon"),
        ("node_modules/a/node_modules/b/package.json", r#"{"name": "b"}"#),
        ("node_modules/a/node_modules/b/prebuilds/linux-x64/node.napi.musl.node", ""),
        ("node_modules/stray/x.node", ""),
    ]);
    let audit = look(&[&folder.path().join("node_modules")]);
    assert_eq!(failures(&audit), [""; 0]);
    let expected = [
        ("node_modules/@img/sharp-linux-x64/lib/sharp.node", "linux-x64-musl"),
        ("node_modules/a/build/Release/a.node", "-"),
        ("node_modules/a/node_modules/b/prebuilds/linux-x64/node.napi.musl.node", "linux-x64-musl"),
        ("node_modules/stray/x.node", "-"),
    ];
    assert_eq!(
        claims(folder.path(), &audit),
        expected.map(|(file, claim)| (file.to_owned(), claim.to_owned()))
    );
    let names: Vec<_> = audit.packages.iter().map(|package| package.manifest.title()).collect();
    assert_eq!(names, ["@img/sharp-linux-x64", "a", "b"]);
    // The project that contains a node_modules is not one of its packages.
    assert_eq!(audit.files[3].addon.package, None);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_targets_in_the_folder_are_audited_once() {
    let folder = tree(&[
        ("node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", r#"{"name": "a"}"#),
        ("node_modules/.pnpm/a@1.0.0/node_modules/a/x.linux-x64-gnu.node", ""),
        ("outside/y.linux-x64-gnu.node", ""),
    ]);
    let modules = folder.path().join("node_modules");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, modules.join(name)).unwrap();
    link(".pnpm/a@1.0.0/node_modules/a", "a");
    link("..", "loop");
    link("a/x.linux-x64-gnu.node", "inside.node");
    let audit = look(&[&modules]);
    let file = "node_modules/.pnpm/a@1.0.0/node_modules/a/x.linux-x64-gnu.node";
    assert_eq!(claims(folder.path(), &audit), [(file.to_owned(), "linux-x64-gnu".to_owned())]);
    assert_eq!(failures(&audit), [""; 0]);

    link("../outside/y.linux-x64-gnu.node", "out.node");
    link("nowhere", "dangling.node");
    let found = failures(&look(&[&modules]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("dangling.node: cannot be read"), "{found:?}");
    assert!(
        found[1].contains("out.node: is a link to ") && found[1].contains("outside/y.linux"),
        "{found:?}"
    );

    // In a workspace, the node_modules of a package contains only links.
    fs::create_dir(folder.path().join("member")).unwrap();
    let member = folder.path().join("member/node_modules");
    fs::create_dir(&member).unwrap();
    std::os::unix::fs::symlink("../../node_modules/.pnpm", member.join("a")).unwrap();
    let found = failures(&look(&[&member]));
    assert!(
        found.len() == 1
            && found[0].contains(
                "contains no .node file; node-audit does not follow the link to a folder outside this folder"
            )
    );

    // node-audit follows a link if the link itself is the given path.
    let given = folder.path().join("given");
    std::os::unix::fs::symlink(&modules, &given).unwrap();
    assert_eq!(look(&[&given]).files.len(), 1);
    assert_eq!(look(&[&modules.join("out.node")]).files.len(), 1);
}

#[cfg(unix)]
#[test]
fn an_unreadable_folder_is_named_and_the_other_folders_are_audited() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = tree(&[("closed/x.node", ""), ("open/y.node", "")]);
    let closed = folder.path().join("closed");
    // Root can read any folder, so if the test runs as root, it runs a copy of the program as another user.
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("node-audit");
    // `cp` makes the copy, because a child of another test could inherit a descriptor of this process that is open for writing,
    // and the system does not run such a file.
    let copied =
        std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_node-audit")).arg(&program).status();
    assert!(copied.unwrap().success());
    for path in [folder.path(), programs.path(), &program] {
        mode(path, 0o755);
    }
    mode(&closed, 0o000);
    let mut command = std::process::Command::new(&program);
    if fs::read_dir(&closed).is_ok() {
        command.uid(65534);
    }
    let output = command.arg(folder.path()).output().unwrap();
    mode(&closed, 0o755);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{out}{err}");
    assert!(out.contains("open/y.node") && err.contains("closed: cannot be read"), "{out}{err}");
}

#[test]
fn a_folder_without_an_addon_and_a_missing_folder_are_errors() {
    let folder = tree(&[
        ("a/package.json", r#"{"name": "a", "scripts": {"postinstall": "node x.js"}}"#),
        ("b/x.so", ""),
    ]);
    for name in ["a", "b"] {
        let found = failures(&look(&[&folder.path().join(name)]));
        assert!(
            found.len() == 1 && found[0].contains(": contains no .node file; build the addon first"),
            "{found:?}"
        );
    }
    let found = failures(&look(&[&folder.path().join("c")]));
    assert!(found.len() == 1 && found[0].contains("c: cannot be read"), "{found:?}");
}

#[test]
fn a_folder_without_a_sign_of_an_addon_has_nothing_to_check() {
    let folder = tree(&[
        ("a/package.json", r#"{"name": "a", "main": "x.js"}"#),
        ("a/node_modules/b/package.json", r#"{"name": "b"}"#),
        ("c/package.json", r#"{"name": "c", "gypfile": false}"#),
        ("c/binding.gyp", "{}"),
    ]);
    for (path, error) in [
        ("a", "a: the package has no native addon, so there is nothing to check"),
        (
            "a/node_modules",
            "node_modules: no package in this folder has a native addon, so there is nothing to check",
        ),
        ("c", "c: contains no .node file; build the addon first"),
    ] {
        let found = failures(&look(&[&folder.path().join(path)]));
        assert!(found.len() == 1 && found[0].contains(error), "{found:?}");
    }
}

#[test]
fn files_are_audited_once_in_the_order_of_the_paths() {
    let folder = tree(&[("b/2.node", ""), ("b/1.node", ""), ("a/3.node", "")]);
    let path = |name: &str| folder.path().join(name);
    let audit = look(&[&path("b"), &path("a/3.node"), &path("a"), &path("b/1.node")]);
    let files: Vec<String> = claims(folder.path(), &audit).into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, ["b/1.node", "b/2.node", "a/3.node"]);
    assert_eq!(failures(&audit), [""; 0]);
}

#[test]
fn a_single_file_is_audited_as_part_of_its_package() {
    let folder = tree(&[
        ("p/package.json", r#"{"name": "p-linux-x64-musl"}"#),
        ("p/lib/package.json", r#"{"type": "module"}"#),
        ("p/lib/x.node", ""),
    ]);
    let file = folder.path().join("p/lib/x.node");
    assert_eq!(audit(&file, &Policy::default()).unwrap().platform.as_deref(), Some("linux-x64-musl"));
    fs::write(folder.path().join("p/lib/package.json"), "{").unwrap();
    let error = audit(&file, &Policy::default()).unwrap_err().to_string();
    assert!(error.contains("package.json: is not a valid package.json"), "{error}");
    let audit = look(&[&file]);
    assert_eq!((audit.files.len(), audit.failures.len()), (1, 1));
}

#[test]
fn progress_is_reported_for_each_addon() {
    #[derive(Default)]
    struct Counter {
        found: AtomicUsize,
        done: AtomicUsize,
    }
    impl Progress for Counter {
        fn found(&self, addons: usize) {
            self.found.fetch_add(addons, Ordering::Relaxed);
        }
        fn done(&self) {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }
    let folder = tree(&[("a.node", ""), ("b/c.node", ""), (NAME, "")]);
    let counter = Counter::default();
    audit_paths(&[folder.path().to_path_buf()], &Policy::default(), &counter);
    assert_eq!((counter.found.into_inner(), counter.done.into_inner()), (3, 3));
}

/// node-audit once kept a copy of the package.json for each addon: 500 addons and a package.json of 1 MB took 3 GB of memory.
#[test]
fn a_package_is_read_once_for_all_its_addons() {
    let folder = tree(&[
        ("package.json", r#"{"name": "a"}"#),
        ("one/x.linux-x64-gnu.node", ""),
        ("one/y.linux-x64-gnu.node", ""),
        ("two/x.linux-x64-gnu.node", ""),
    ]);
    let audit = look(&[folder.path()]);
    let packages: Vec<_> = audit.files.iter().map(|file| file.addon.package.as_ref().unwrap()).collect();
    assert_eq!(packages.len(), 3);
    assert!(packages.iter().all(|package| Arc::ptr_eq(package, packages[0])));
}

#[test]
fn a_broken_package_json_is_reported_once_and_hides_no_addon() {
    let folder = tree(&[
        ("package.json", "{"),
        ("one/x.linux-x64-gnu.node", ""),
        ("one/y.linux-x64-gnu.node", ""),
        ("two/x.linux-x64-gnu.node", ""),
    ]);
    let audit = look(&[folder.path()]);
    let found = failures(&audit);
    assert!(
        found.len() == 1 && found[0].contains("package.json: is not a valid package.json: "),
        "{found:?}"
    );
    assert!(audit.files.len() == 3 && audit.files.iter().all(|file| file.addon.package.is_none()));
}

#[test]
fn folders_beyond_the_limit_are_a_failure() {
    let deep = "a/".repeat(130);
    let folder = tree(&[("x.linux-x64-gnu.node", ""), (&format!("{deep}x.linux-x64-gnu.node"), "")]);
    let audit = look(&[folder.path()]);
    let found = failures(&audit);
    assert!(found.len() == 1 && found[0].contains("nested 128 levels deep"), "{found:?}");
    assert_eq!(claims(folder.path(), &audit).len(), 1);
}

/// node-audit reads large files last, but reports them in their usual place.
#[test]
fn large_files_are_reported_in_the_order_of_their_names() {
    let folder = tree(&[("a.linux-x64-gnu.node", ""), ("c.linux-x64-gnu.node", "")]);
    let mut content = Maker::addon().make();
    content.resize((64 << 20) + 1, 0);
    fs::write(folder.path().join("b.linux-x64-gnu.node"), content).unwrap();
    let sparse = fs::File::create(folder.path().join("d.linux-x64-gnu.node")).unwrap();
    sparse.set_len((512 << 20) + 1).unwrap();
    let audit = look(&[folder.path()]);
    let names = claims(folder.path(), &audit).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["a.linux-x64-gnu.node", "b.linux-x64-gnu.node", "c.linux-x64-gnu.node"]);
    assert!(
        failures(&audit)[0].ends_with(
            "d.linux-x64-gnu.node: is larger than 512 MiB, the largest size that node-audit reads"
        )
    );
}

#[test]
fn a_path_whose_addons_an_earlier_path_covers_is_not_empty() {
    let folder = tree(&[("b/1.node", ""), ("empty/x.js", "")]);
    let archive = folder.path().join("p.tgz");
    fs::write(&archive, Tarball::package("{}").file("package/2.node", &Maker::addon().make()).gz()).unwrap();
    let path = |name: &str| folder.path().join(name);
    let audit = look(&[&path("b/1.node"), &path("b"), &archive, &archive, &path("empty")]);
    assert_eq!(audit.files.len(), 2);
    let found = failures(&audit);
    assert!(found.len() == 1 && found[0].contains("empty: contains no .node file;"), "{found:?}");
}

/// Failures of folders come first, then failures of addons, then empty paths. Failures of each kind are in the order of the
/// paths.
#[test]
fn failures_have_a_stable_order() {
    let files = [
        ("a/package.json", "{"),
        ("a/1.node", ""),
        ("a/2.node", ""),
        ("b/package.json", "{"),
        ("b/x.js", ""),
    ];
    let folder = tree(&files);
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.node"), "text").unwrap();
    let audit =
        look(&[&path("empty.tgz"), &path("a/2.node"), &path("a/1.node"), &path("text.node"), &path("b")]);
    let start = format!("{}/", folder.path().display());
    let expected = [
        "empty.tgz: cannot be read",
        "b/package.json: is not",
        "a/package.json: is not",
        "b: contains no .node file",
    ];
    let found = failures(&audit);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (failure, expected) in found.iter().zip(expected) {
        assert!(failure.replace(&start, "").starts_with(expected), "{found:?}");
    }
    assert_eq!(
        claims(folder.path(), &audit).into_iter().map(|(file, _)| file).collect::<Vec<_>>(),
        ["a/2.node", "a/1.node", "text.node"]
    );
}
