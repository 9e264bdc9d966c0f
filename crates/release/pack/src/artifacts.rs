//! The artifacts to pack: the addon of each platform and the compiled JavaScript.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use machine::Workspace;
use node_targets::Target;
use walkdir::WalkDir;

use crate::refusal;

/// The maximum depth of artifacts below a folder: CI's downloads have a folder for each job, and the JavaScript has
/// subfolders.
const MAX_DEPTH: usize = 4;
const TWICE: &str = "duplicates: remove all but one, or name fewer folders";
const EXTRA: &str = "other files: remove them, or name folders that hold only artifacts";
const COMPILE: &str = "to compile the JavaScript of this checkout: `npm run build:finish` in bindings/node (into \
                       bindings/node/dist), or `nix build .#node-bindings-js` (into result)";

/// The artifacts of a release.
pub(crate) struct Artifacts {
    /// The addons to pack, in the order of the requested targets.
    pub(crate) addons: Vec<Addon>,
    /// The compiled JavaScript and its declarations, by their paths in `dist`, with `/`.
    pub(crate) javascript: BTreeMap<String, Vec<u8>>,
}

/// An addon, and the file that it was read from.
pub(crate) struct Addon {
    pub(crate) target: &'static Target,
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
}

impl Artifacts {
    /// Reads the artifacts in the folders.
    ///
    /// # Errors
    /// Lists all files that are missing, empty, unreadable, duplicate, unknown, or from another checkout.
    pub(crate) fn find(
        workspace: &Workspace,
        folders: &[PathBuf],
        targets: &[&'static Target],
    ) -> Result<Self> {
        let sources = workspace.package().join("ts");
        let scripts = compiled(&sources)?;
        let addons = node_targets::targets().iter().map(Target::artifact_file);
        let known: BTreeSet<String> = addons.chain(scripts.iter().cloned()).collect();
        let found = Found::below(folders, &known)?;
        let mut problems = Problems::default();
        for (name, paths) in &found.0 {
            let listed = display(paths);
            if !known.contains(name) {
                let extra = "is neither a target's addon nor compiled from bindings/node/ts";
                problems.extra.push(format!("extra: {listed} {extra}"));
            } else if paths.len() > 1 {
                problems.twice.push(format!("duplicate: {name} is in {listed}"));
            }
        }
        let mut addons = Vec::new();
        for &target in targets {
            match found.read(&target.artifact_file(), &format!("the addon for {target}")) {
                Ok((path, content)) => addons.push(Addon { target, path, content }),
                Err(problem) => problems.addons.push((target, format!("{problem:#}"))),
            }
        }
        let mut javascript = BTreeMap::new();
        for name in scripts {
            match found.script(&name, &sources.join(&name)) {
                Ok(content) => {
                    javascript.insert(name, content);
                }
                Err(problem) => problems.scripts.push(format!("{problem:#}")),
            }
        }
        problems.refuse(folders, &addons)?;
        Ok(Self { addons, javascript })
    }

    /// Returns the addon of a target.
    pub(crate) fn addon(&self, target: &Target) -> Result<&Addon> {
        let mut addons = self.addons.iter();
        addons.find(|addon| addon.target == target).with_context(|| format!("no addon for {target}"))
    }
}

/// The problems of a set of artifacts, grouped by remedy.
#[derive(Default)]
struct Problems {
    extra: Vec<String>,
    twice: Vec<String>,
    /// Addons that are missing, empty or unreadable.
    addons: Vec<(&'static Target, String)>,
    /// JavaScript that is missing, empty, unreadable, or from another checkout.
    scripts: Vec<String>,
}

impl Problems {
    /// Fails with all problems and a line for each remedy, if there are any problems. `packable` holds the addons
    /// without a problem.
    fn refuse(self, folders: &[PathBuf], packable: &[Addon]) -> Result<()> {
        let (targets, addons): (Vec<&Target>, Vec<String>) = self.addons.into_iter().unzip();
        let mut build = format!("to build the addons: {}", refusal::dist(&targets));
        if !packable.is_empty() {
            let packable: Vec<&str> = packable.iter().map(|addon| addon.target.platform.as_str()).collect();
            build = format!("{build}\nto pack only the others: --only {}", packable.join(","));
        }
        let kinds = [(self.twice, TWICE), (self.extra, EXTRA), (addons, &build), (self.scripts, COMPILE)];
        let kinds = kinds.into_iter().filter(|(problems, _)| !problems.is_empty());
        let (problems, remedies): (Vec<_>, Vec<_>) = kinds.unzip();
        let what = format!("cannot pack the artifacts in {}", display(folders));
        refusal::refuse(problems.concat(), &what, &remedies.join("\n"))
    }
}

/// The files below the folders, keyed by the longest suffix of each path that is a known artifact, or else by the
/// file's name.
struct Found(BTreeMap<String, Vec<PathBuf>>);

impl Found {
    /// Lists the files. Follows links, since a Nix result is a link.
    fn below(folders: &[PathBuf], known: &BTreeSet<String>) -> Result<Self> {
        let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for folder in folders {
            if !folder.is_dir() {
                let what = if folder.exists() { "is not a folder" } else { "does not exist" };
                bail!("{} {what}: name the folder that has the artifacts", folder.display());
            }
            for entry in WalkDir::new(folder).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name() {
                let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
                let path = entry.path();
                if !entry.file_type().is_dir() {
                    let ends = ends(path.strip_prefix(folder)?);
                    let name = ends.iter().find(|end| known.contains(*end)).or(ends.last());
                    found.entry(name.cloned().unwrap_or_default()).or_default().push(path.to_owned());
                } else if entry.depth() == MAX_DEPTH {
                    bail!("{} is too deep for artifacts: name the folders that have them", path.display());
                }
            }
        }
        Ok(Self(found))
    }

    /// Returns the path and the content of a file.
    fn read(&self, name: &str, what: &str) -> Result<(PathBuf, Vec<u8>)> {
        let path = self.0.get(name).and_then(|paths| paths.first());
        let path = path.with_context(|| format!("missing: {name}, {what}"))?;
        let content = read(path)?;
        // No artifact is empty: TypeScript compiles even an empty source to some text.
        ensure!(!content.is_empty(), "empty: {}", path.display());
        Ok((path.clone(), content))
    }

    /// Returns the content of a script. A script is compiled, or is a copy of a source of the same name.
    fn script(&self, name: &str, source: &Path) -> Result<Vec<u8>> {
        let (path, content) = self.read(name, "which is compiled from bindings/node/ts")?;
        ensure!(
            !source.is_file() || content == read(source)?,
            "other: {} is not a copy of bindings/node/ts/{name}: the JavaScript is from another checkout, or damaged",
            path.display()
        );
        Ok(content)
    }
}

fn display(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns all suffixes of a path, the longest first: `a/b.js`, `b.js`.
fn ends(path: &Path) -> Vec<String> {
    let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
    (0..names.len()).map(|start| names[start..].join("/")).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    // Checks the type before it opens the file, since opening a named pipe blocks until another process opens the
    // other end.
    let metadata = fs::metadata(path).with_context(cannot)?;
    if !metadata.is_file() || metadata.len() > node_audit::MAX_FILE {
        bail!("{} is not a file, or is too large for an artifact", path.display());
    }
    fs::read(path).with_context(cannot)
}

/// Returns the paths in `dist` of the files that TypeScript compiles from a folder of sources, and of the sources'
/// declarations.
fn compiled(sources: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in WalkDir::new(sources) {
        let entry = entry.with_context(|| format!("cannot read {}", sources.display()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let name = ends(entry.path().strip_prefix(sources)?).swap_remove(0);
        if name.ends_with(".d.ts") {
            names.insert(name);
        } else if let Some(stem) = name.strip_suffix(".ts") {
            names.extend([format!("{stem}.js"), format!("{stem}.d.ts")]);
        } else if let Some(stem) = name.strip_suffix(".mts") {
            names.extend([format!("{stem}.mjs"), format!("{stem}.d.mts")]);
        }
    }
    ensure!(!names.is_empty(), "{} has no TypeScript: restore the sources with git", sources.display());
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        /// A workspace with two sources and their JavaScript, and the addons of some platforms below.
        fn new(platforms: &[&str]) -> Self {
            let place = Place { folder: tempfile::tempdir().unwrap() };
            for file in [
                "bindings/node/ts/index.ts",
                "bindings/node/ts/index.mts",
                "bindings/node/ts/load/native.d.ts",
            ] {
                place.write(file);
            }
            for file in ["index.js", "index.d.ts", "index.mjs", "index.d.mts"] {
                place.write(&format!("artifacts/js/{file}"));
            }
            place.write("bindings/node/ts/load/index.ts");
            place.write("artifacts/js/load/index.js");
            place.write("artifacts/js/load/index.d.ts");
            place.copy("bindings/node/ts/load/native.d.ts", "artifacts/js/load/native.d.ts");
            for platform in platforms {
                place.write(&format!("artifacts/{platform}/bindings_node.{platform}.node"));
            }
            place
        }

        fn write(&self, file: &str) {
            self.write_as(file, file);
        }

        fn write_as(&self, file: &str, content: &str) {
            let path = self.folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn copy(&self, from: &str, to: &str) {
            fs::copy(self.folder.path().join(from), self.folder.path().join(to)).unwrap();
        }

        fn find(&self, targets: &[&str]) -> Result<Artifacts> {
            let targets: Vec<_> = targets.iter().map(|name| Target::find(name).unwrap()).collect();
            let folders = [self.folder.path().join("artifacts")];
            Artifacts::find(&Workspace::at(self.folder.path()), &folders, &targets)
        }

        /// Returns the problems, followed by the remedies.
        fn problems(&self, targets: &[&str]) -> Vec<String> {
            let text = self.find(targets).err().map(|error| error.to_string()).unwrap_or_default();
            let folder = format!("{}/", self.folder.path().join("artifacts").display());
            let lines = text.lines().skip(1).map(|line| line.strip_prefix("  - ").unwrap_or(line));
            lines.map(|line| line.replace(&folder, "")).collect()
        }
    }

    #[test]
    fn artifacts_are_found_in_subfolders_and_addons_of_other_platforms_are_ignored() {
        let place = Place::new(&["linux-x64-gnu", "linux-x64-musl"]);
        let artifacts = place.find(&["linux-x64-musl"]).unwrap();
        assert_eq!(artifacts.addons.len(), 1);
        assert!(artifacts.addons[0].path.ends_with("linux-x64-musl/bindings_node.linux-x64-musl.node"));
        let names: Vec<&str> = artifacts.javascript.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "index.d.mts",
                "index.d.ts",
                "index.js",
                "index.mjs",
                "load/index.d.ts",
                "load/index.js",
                "load/native.d.ts"
            ]
        );
    }

    #[test]
    fn every_missing_extra_and_duplicate_file_is_listed() {
        let place = Place::new(&["linux-x64-gnu"]);
        place.write("artifacts/bindings_node.linux-x64-gnu.node");
        place.write("artifacts/bindings_node.linux-x64.node");
        place.write("artifacts/js/index.js.map");
        fs::remove_file(place.folder.path().join("artifacts/js/index.mjs")).unwrap();
        assert_eq!(
            place.problems(&["linux-x64-gnu", "darwin-arm64"]),
            [
                "duplicate: bindings_node.linux-x64-gnu.node is in bindings_node.linux-x64-gnu.node, \
                 linux-x64-gnu/bindings_node.linux-x64-gnu.node",
                "extra: bindings_node.linux-x64.node is neither a target's addon nor compiled from bindings/node/ts",
                "extra: js/index.js.map is neither a target's addon nor compiled from bindings/node/ts",
                "missing: bindings_node.darwin-arm64.node, the addon for darwin-arm64",
                "missing: index.mjs, which is compiled from bindings/node/ts",
                TWICE,
                EXTRA,
                "to build the addons: cargo xtask dist --target darwin-arm64",
                "to pack only the others: --only linux-x64-gnu",
                COMPILE,
            ]
        );
    }

    /// The error always advised `--only PLATFORM`, and `cargo xtask dist`, which builds only this machine's addon.
    #[test]
    fn each_remedy_fits_a_problem() {
        let place = Place::new(&["linux-x64-gnu", "darwin-x64"]);
        assert_eq!(
            place.problems(&["linux-x64-gnu", "linux-x64-musl", "darwin-arm64", "darwin-x64"])[2..],
            [
                "to build the addons: cargo xtask dist --target linux-x64-musl --target darwin-arm64",
                "to pack only the others: --only linux-x64-gnu,darwin-x64",
            ]
        );
        assert_eq!(
            place.problems(&["darwin-arm64"])[1..],
            ["to build the addons: cargo xtask dist --target darwin-arm64"],
            "no wanted addon is there"
        );
        place.write("artifacts/notes.txt");
        let extra = place.problems(&["linux-x64-gnu"]);
        assert_eq!(extra[1..], [EXTRA]);
    }

    /// `pack` accepted empty JavaScript and the declarations of another checkout.
    #[test]
    fn empty_files_and_declarations_of_another_checkout_are_listed() {
        let place = Place::new(&["linux-x64-gnu", "darwin-x64"]);
        for file in ["bindings_node.darwin-x64.node", "index.js", "load/native.d.ts"] {
            let folder = if file.ends_with(".node") { "darwin-x64" } else { "js" };
            place.write_as(&format!("artifacts/{folder}/{file}"), "");
        }
        assert_eq!(
            place.problems(&["linux-x64-gnu", "darwin-x64"]),
            [
                "empty: darwin-x64/bindings_node.darwin-x64.node",
                "empty: js/index.js",
                "empty: js/load/native.d.ts",
                "to build the addons: cargo xtask dist --target darwin-x64",
                "to pack only the others: --only linux-x64-gnu",
                COMPILE,
            ]
        );
        place.write_as("artifacts/js/index.js", "'use strict'");
        place.write_as("artifacts/js/load/native.d.ts", "export {}");
        assert_eq!(
            place.problems(&["linux-x64-gnu"]),
            [
                "other: js/load/native.d.ts is not a copy of bindings/node/ts/load/native.d.ts: the JavaScript is from \
                 another checkout, or damaged",
                COMPILE,
            ]
        );
    }

    #[test]
    fn a_path_that_is_not_a_folder_gives_an_error() {
        let place = Place::new(&[]);
        for (file, says) in [("no", "does not exist"), ("artifacts/js/index.js", "is not a folder")] {
            let folders = [place.folder.path().join(file)];
            let error = Artifacts::find(&Workspace::at(place.folder.path()), &folders, &[])
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
    }
}
