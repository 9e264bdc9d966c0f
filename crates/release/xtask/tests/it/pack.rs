//! Tests `cargo xtask pack`, from generated artifacts to tarballs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use machine::Workspace;
use node_audit::{Policy, audit_paths};
use object::elf;
use pack::CARGO_ABOUT;
use serde_json::Value;
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::object_maker::Maker;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const ALL: &str = "linux-x64-gnu,linux-arm64-gnu,linux-x64-musl";

/// A temporary folder for artifacts and packages.
struct Place {
    folder: TempDir,
}

impl Place {
    /// Creates the artifacts of three platforms.
    #[expect(clippy::unwrap_used, reason = "a folder that cannot be written fails the test")]
    fn new() -> Self {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.artifacts()).unwrap();
        let sources = crate::folder().join("../../../bindings/node/ts");
        for entry in WalkDir::new(&sources).into_iter().map(Result::unwrap) {
            let to = place.artifacts().join(entry.path().strip_prefix(&sources).unwrap());
            let name = entry.file_name().to_str().unwrap();
            let (stem, end) = name.split_once('.').unwrap_or((name, ""));
            let compiled: &[&str] = match end {
                "ts" => &["js", "d.ts"],
                "mts" => &["mjs", "d.mts"],
                "" => {
                    fs::create_dir_all(&to).unwrap();
                    continue;
                }
                _ => {
                    fs::copy(entry.path(), &to).unwrap();
                    continue;
                }
            };
            for end in compiled {
                fs::write(to.with_file_name(format!("{stem}.{end}")), name).unwrap();
            }
        }
        place.put("linux-x64-gnu", &addon(VERSION).make());
        place.put("linux-arm64-gnu", &Maker { machine: elf::EM_AARCH64, ..addon(VERSION) }.make());
        place.put("linux-x64-musl", &musl().make());
        place
    }

    fn artifacts(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    #[expect(clippy::unwrap_used, reason = "a folder that cannot be written fails the test")]
    fn put(&self, platform: &str, content: &[u8]) {
        fs::write(self.artifacts().join(format!("bindings_node.{platform}.node")), content).unwrap();
    }

    #[expect(clippy::unwrap_used, reason = "a program that cannot be started fails the test")]
    fn pack(&self, out: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(crate::folder()).stdin(Stdio::null()).env_remove("CARGO_MANIFEST_DIR");
        command.arg("pack").arg(self.artifacts()).arg("--out").arg(self.folder.path().join(out));
        command.args(arguments).output().unwrap()
    }

    /// Packs, expects a failure that leaves no files, and returns the lines starting with `error: `.
    fn refused(&self, out: &str, arguments: &[&str]) -> Vec<String> {
        let before = names(self.folder.path());
        let output = self.pack(out, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(names(self.folder.path()), before, "a failed pack left files behind");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        error.lines().skip_while(|line| !line.starts_with("error: ")).map(str::to_owned).collect()
    }

    #[expect(clippy::unwrap_used, reason = "files that cannot be read fail the test")]
    fn packed(&self, out: &str, arguments: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let output = self.pack(out, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = self.folder.path().join(out);
        names(&folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
    }
}

/// An addon for linux-x64-gnu that passes every rule for shipped addons.
fn addon(version: &str) -> Maker {
    let flags = elf::DF_1_NODELETE.0 | elf::DF_1_NOW.0;
    let data = format!("strongroom-addon-version={version};").into_bytes();
    // Code that is compiled with the C flags of targets.json has these imports.
    let imports = vec!["napi_create_function", "__stack_chk_fail", "__memcpy_chk"];
    Maker { numbers: vec![(elf::DT_FLAGS_1, flags)], imports, data, ..Maker::addon() }
}

fn musl() -> Maker {
    Maker { needed: vec!["libc.so"], versions: vec![], ..addon(VERSION) }
}

#[expect(clippy::unwrap_used, reason = "a folder that cannot be read fails the test")]
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns whether packing would compile cargo-about, which takes minutes and needs a network.
fn lacks_cargo_about() -> bool {
    let workspace = Workspace::find().ok();
    let is_missing = workspace.is_none_or(|workspace| CARGO_ABOUT.find(&workspace).is_none());
    if is_missing {
        println!("skipped: cargo-about is not installed: run cargo xtask setup");
    }
    is_missing
}

#[test]
fn packing_is_reproducible_and_the_manifest_lists_every_file() {
    if lacks_cargo_about() {
        return;
    }
    let place = Place::new();
    let first = place.packed("first", &["--only", ALL, "--bundle"]);
    assert_eq!(first, place.packed("second", &["--bundle", "--only", ALL]));
    let manifest: Value = serde_json::from_slice(&first["manifest.json"]).unwrap();
    let mut entries = ["packages", "documents"].map(|key| manifest[key].as_array().unwrap().clone()).concat();
    entries.push(manifest["bundle"].clone());
    assert_eq!(entries.len() + 1, first.len());
    for entry in &entries {
        assert_eq!(entry["size"], first[entry["file"].as_str().unwrap()].len(), "{entry}");
    }
    let packages: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .filter(|name| name.starts_with('@'))
        .collect();
    let expected = ["@strongroom/linux-x64-gnu", "@strongroom/linux-arm64-gnu", "@strongroom/linux-x64-musl"];
    assert_eq!(packages, expected);
    let tarballs: Vec<PathBuf> = first
        .keys()
        .filter(|name| name.contains("linux-"))
        .map(|name| place.folder.path().join("first").join(name))
        .collect();
    let audit = audit_paths(&tarballs, &Policy::default(), &());
    assert!(audit.failures.is_empty() && !audit.has_errors(), "{:?}", audit.reports());
    assert_eq!((audit.files.len(), tarballs.len()), (3, 3));
}

#[test]
fn one_error_lists_every_bad_artifact() {
    let place = Place::new();
    // CI downloads each job's artifacts into a folder of its own.
    let (job, file) = (place.artifacts().join("built"), "bindings_node.linux-x64-gnu.node");
    fs::create_dir(&job).unwrap();
    fs::remove_file(place.artifacts().join(file)).unwrap();
    fs::write(job.join(file), addon("0.0.9").make()).unwrap();
    place.put("linux-arm64-gnu", &addon(VERSION).make());
    place.put("linux-x64-musl", b"<html>404</html>");
    let lines = place.refused("out", &["--only", ALL]);
    let [first, gnu, arm, musl, remedy] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(first, "error: these artifacts must not be shipped:");
    let path = |name: &str| format!("  - {}: ", place.artifacts().join(name).display());
    let old = path(&format!("built/{file}"));
    assert_eq!(*gnu, format!("{old}its version is 0.0.9, but the release has version {VERSION}"));
    let renamed = path("bindings_node.linux-arm64-gnu.node");
    assert!(
        arm.starts_with(&format!("{renamed}arch: the addon claims linux-arm64-gnu, but is compiled for x64")),
        "{arm}"
    );
    assert!(arm.ends_with("was it renamed?"), "{arm}");
    let page = path("bindings_node.linux-x64-musl.node");
    assert!(musl.starts_with(&format!("{page}is an HTML page, not an addon")), "{musl}");
    assert_eq!(
        remedy,
        "build them again from this checkout: cargo xtask dist --target linux-x64-gnu --target linux-arm64-gnu \
         --target linux-x64-musl"
    );

    // An addon for glibc with the file name of the musl addon.
    place.put("linux-x64-musl", &addon(VERSION).make());
    let lines = place.refused("out", &["--only", "linux-x64-musl"]);
    assert!(
        lines.iter().any(|line| line.contains("linked to glibc") && line.ends_with("was it renamed?")),
        "{lines:?}"
    );
}

#[test]
fn an_incomplete_set_of_artifacts_is_refused_with_remedies() {
    let place = Place::new();
    fs::remove_file(place.artifacts().join("index.js")).unwrap();
    let lines = place.refused("out", &[]);
    let missing: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("  - missing: ")).collect();
    assert_eq!(missing.len(), node_targets::targets().len() - 3 + 1, "{lines:?}");
    let only = format!("to pack only the others: --only {ALL}");
    assert!(lines.contains(&only), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.contains("npm run build:finish")), "{lines:?}");
}

#[test]
fn an_unusable_destination_gives_a_one_line_error() {
    let place = Place::new();
    fs::create_dir(place.folder.path().join("there")).unwrap();
    for (out, says) in [
        ("there", "exists already: remove it, or name another folder with --out"),
        ("artifacts/index.js/out", "does not exist"),
        ("no/out", "does not exist"),
        // The next run would find the tarballs there and report them as extra.
        ("artifacts/out", "where the next pack would find it among the artifacts: name a folder outside"),
    ] {
        let lines = place.refused(out, &["--only", ALL]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(says), "{lines:?}");
    }
}

/// The bill of materials and the licences omitted the unwinder that zig links, since cargo doesn't list the unwinder.
#[test]
fn the_unwinder_is_listed_if_the_addon_contains_it() {
    if lacks_cargo_about() {
        return;
    }
    let place = Place::new();
    let mut with = addon(VERSION);
    with.data.extend(b"libunwind: malformed DW_CFA_register DWARF unwind, reg too big");
    place.put("linux-x64-gnu", &with.make());
    let packed = place.packed("out", &["--only", ALL]);
    for (package, there) in
        [("strongroom-linux-x64-gnu", true), ("strongroom-linux-arm64-gnu", false), ("strongroom", true)]
    {
        let tarball = &packed[&format!("{package}-{VERSION}.tgz")];
        let bom: Value = serde_json::from_str(&file(tarball, "sbom.cdx.json")).unwrap();
        let parts = bom["components"].as_array().unwrap();
        let part = parts.iter().find(|part| part["name"] == "LLVM libunwind");
        assert_eq!(part.is_some(), there, "{package}");
        if let Some(part) = part {
            assert_eq!(part["licenses"][0]["expression"], "Apache-2.0 WITH LLVM-exception");
            assert!(
                part.get("version").is_none(),
                "the addon doesn't contain the unwinder's version: {part}"
            );
            let needs = bom["dependencies"].as_array().unwrap();
            let needed = |entry: &&Value| entry["dependsOn"].as_array().unwrap().contains(&part["bom-ref"]);
            let by: Vec<&Value> = needs.iter().filter(needed).map(|entry| &entry["ref"]).collect();
            assert_eq!(by, [&format!("bindings_node@{VERSION}")]);
        }
        let notices = file(tarball, "THIRD-PARTY-LICENSES.txt");
        for words in ["LLVM libunwind  ", "LLVM Exceptions to the Apache 2.0 License"] {
            assert_eq!(notices.contains(words), there, "{package}: {words}");
        }
        assert!(notices.contains("GPL-3.0-or-later WITH GCC-exception-3.1"), "{package}");
        assert_eq!(bom["compositions"][0]["aggregate"], "unknown");
    }
}

/// Reads a file from a package.
#[expect(clippy::unwrap_used, reason = "a tarball that cannot be read fails the test")]
fn file(tarball: &[u8], name: &str) -> String {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(tarball));
    let mut text = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with(name) {
            entry.read_to_string(&mut text).unwrap();
        }
    }
    text
}

/// `pack` accepted an addon whose section headers were cut off. Only a debugger reads section headers.
#[test]
fn a_truncated_addon_is_refused() {
    let place = Place::new();
    let whole = Maker { sections: vec![(".comment", 40)], ..addon(VERSION) }.make();
    place.put("linux-x64-gnu", &whole[..whole.len() - 1]);
    let lines = place.refused("out", &["--only", "linux-x64-gnu"]);
    let cut = "is cut short: the ELF headers describe ";
    assert!(lines[1].contains(cut) && lines[1].contains(", but the last 1 byte is missing"), "{lines:?}");
    assert_eq!(
        lines[2], "build them again from this checkout: cargo xtask dist --target linux-x64-gnu",
        "{lines:?}"
    );
}
