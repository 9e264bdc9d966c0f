//! Folders and node_modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use node_audit::{Audit, Policy, Progress, audit, audit_paths};
use tempfile::TempDir;

use crate::macho_maker::MachO;
use crate::object_maker::{Maker, NAME};

/// Files with their contents; those whose name ends in .node are addons.
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

/// The files, from the folder on, and what is claimed of them.
fn claims(folder: &Path, audit: &Audit) -> Vec<(String, String)> {
    let start = format!("{}/", folder.display());
    let claim =
        |file: &node_audit::Audited| file.addon.claim.as_ref().map_or("-".to_owned(), ToString::to_string);
    audit.files.iter().map(|file| (file.report.file.replace(&start, ""), claim(file))).collect()
}

fn failures(audit: &Audit) -> Vec<String> {
    audit.failures.iter().map(ToString::to_string).collect()
}

/// fsevents: one file for both processors, and a package.json that names macOS only.
#[test]
fn a_package_for_one_system_claims_it_for_the_processors_of_its_addon() {
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
    // It may have been compiled on this machine.
    assert_eq!(claim(r#"{"name": "a", "os": ["linux"]}"#, &Maker::addon().make()), "-");
}

#[test]
fn a_node_modules_is_read_with_scopes_nested_packages_and_claims() {
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
    // The project around a node_modules is none of its packages.
    assert_eq!(audit.files[3].addon.package, None);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_but_what_they_lead_to_within_is_seen_once() {
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
    let told = failures(&look(&[&modules]));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("dangling.node: cannot be read"), "{told:?}");
    assert!(told[1].contains("out.node: is a link to ") && told[1].contains("outside/y.linux"), "{told:?}");

    // The node_modules of a package of a workspace has nothing but links.
    fs::create_dir(folder.path().join("member")).unwrap();
    let member = folder.path().join("member/node_modules");
    fs::create_dir(&member).unwrap();
    std::os::unix::fs::symlink("../../node_modules/.pnpm", member.join("a")).unwrap();
    let told = failures(&look(&[&member]));
    assert!(
        told.len() == 1
            && told[0].contains("contains no .node file; links to folders outside are not followed (1)")
    );

    // A link that is itself the path is followed.
    let given = folder.path().join("given");
    std::os::unix::fs::symlink(&modules, &given).unwrap();
    assert_eq!(look(&[&given]).files.len(), 1);
    assert_eq!(look(&[&modules.join("out.node")]).files.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_named_and_the_rest_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = tree(&[("closed/x.node", ""), ("open/y.node", "")]);
    let closed = folder.path().join("closed");
    // Root may read any folder, so that root has somebody else look, with a copy of the program that he can reach.
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("node-audit");
    // By another process: a file that this one had open to write could not be run while another test starts a child.
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
fn a_folder_without_an_addon_is_an_error_and_so_is_one_that_is_not_there() {
    let folder = tree(&[
        ("a/package.json", r#"{"name": "a", "scripts": {"postinstall": "node x.js"}}"#),
        ("b/x.so", ""),
    ]);
    for name in ["a", "b"] {
        let told = failures(&look(&[&folder.path().join(name)]));
        assert!(told.len() == 1 && told[0].ends_with(": contains no .node file"), "{told:?}");
    }
    let told = failures(&look(&[&folder.path().join("c")]));
    assert!(told.len() == 1 && told[0].contains("c: cannot be read"), "{told:?}");
}

#[test]
fn files_are_in_the_order_of_the_paths_and_each_is_looked_at_once() {
    let folder = tree(&[("b/2.node", ""), ("b/1.node", ""), ("a/3.node", "")]);
    let path = |name: &str| folder.path().join(name);
    let audit = look(&[&path("b"), &path("a/3.node"), &path("a"), &path("b/1.node")]);
    let files: Vec<String> = claims(folder.path(), &audit).into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, ["b/1.node", "b/2.node", "a/3.node"]);
    assert_eq!(failures(&audit), [""; 0]);
}

#[test]
fn a_single_file_knows_its_package() {
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
    let told = look(&[&file]);
    assert_eq!((told.files.len(), told.failures.len()), (1, 1));
}

#[test]
fn progress_is_told_of_each_addon() {
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

/// Each addon held a package.json of its own, read again: 500 addons and 1 MB of it took 3 GB.
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
fn a_broken_package_json_is_told_once_and_hides_no_addon() {
    let folder = tree(&[
        ("package.json", "{"),
        ("one/x.linux-x64-gnu.node", ""),
        ("one/y.linux-x64-gnu.node", ""),
        ("two/x.linux-x64-gnu.node", ""),
    ]);
    let audit = look(&[folder.path()]);
    let failures = failures(&audit);
    assert!(
        failures.len() == 1 && failures[0].contains("package.json: is not a valid package.json: "),
        "{failures:?}"
    );
    assert!(audit.files.len() == 3 && audit.files.iter().all(|file| file.addon.package.is_none()));
}

#[test]
fn folders_without_bottom_are_a_failure() {
    let deep = "a/".repeat(130);
    let folder = tree(&[("x.linux-x64-gnu.node", ""), (&format!("{deep}x.linux-x64-gnu.node"), "")]);
    let audit = look(&[folder.path()]);
    let failures = failures(&audit);
    assert!(
        failures.len() == 1 && failures[0].contains("the innermost of 128, and is not searched"),
        "{failures:?}"
    );
    assert_eq!(claims(folder.path(), &audit).len(), 1);
}

/// Those are not read by all threads at once, but have their place among the others.
#[test]
fn large_files_stand_in_the_order_of_their_names() {
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
