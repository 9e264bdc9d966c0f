//! Finds the artifacts to pack, and refuses any others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use node_targets::Target;
use walkdir::WalkDir;

use super::refusal;
use crate::paths::Workspace;

/// How deep below a folder artifacts may be: CI's downloads have a folder per job, and the JavaScript has sub-folders.
const DEPTH: usize = 3;
/// The declarations that the compiler does not write: a copy of their source, to the byte.
const COPIED: &str = "load/native.d.ts";
/// The remedy for artifacts that are there twice.
const TWICE: &str = "what is there twice: remove all but one, or name fewer folders";
/// The remedy for other files.
const EXTRA: &str = "what is extra: remove it, or name folders that hold artifacts alone";
/// The commands that compile the JavaScript of a checkout.
const COMPILE: &str = "to compile the JavaScript of this checkout: `npm run build:finish` in bindings/node (into \
                       bindings/node/dist), or `nix build .#node-bindings-js` (into result)";

/// The built artifacts.
pub(super) struct Artifacts {
    /// The addons of the wanted targets, in the targets' order.
    pub(super) addons: Vec<Addon>,
    /// The compiled JavaScript and its types, by path below `dist`, such as `load/loader.js`.
    pub(super) javascript: BTreeMap<String, Vec<u8>>,
}

/// An addon's file.
pub(super) struct Addon {
    pub(super) target: &'static Target,
    pub(super) path: PathBuf,
    pub(super) content: Vec<u8>,
}

impl Artifacts {
    /// Reads the artifacts in the folders, which must hold all that are expected, and no other file.
    ///
    /// # Errors
    /// Names every artifact that is missing, empty, there twice, unexpected, or of another checkout.
    pub(super) fn find(
        workspace: &Workspace,
        folders: &[PathBuf],
        targets: &[&'static Target],
    ) -> Result<Self> {
        let sources = workspace.package().join("ts");
        let scripts = compiled(&sources)?;
        let found = list(folders, &scripts)?;
        let mut problems = Problems::default();
        let is_known = |name: &str| {
            scripts.iter().any(|script| script == name)
                || node_targets::targets().iter().any(|target| target.artifact_file() == name)
        };
        for (name, paths) in &found {
            let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            let shown = shown.join(", ");
            if !is_known(name) {
                let extra = "is neither a target's addon nor compiled from bindings/node/ts";
                problems.extra.push(format!("extra: {shown} {extra}"));
            } else if paths.len() > 1 {
                problems.twice.push(format!("twice: {name} is in {shown}"));
            }
        }
        let path = |name: &str| found.get(name).and_then(|paths| paths.first());
        let mut addons = Vec::new();
        for &target in targets {
            let name = target.artifact_file();
            let Some(path) = path(&name) else {
                problems.addons.push((target, format!("missing: {name}, the addon for {target}")));
                continue;
            };
            let content = read(path)?;
            if content.is_empty() {
                problems.addons.push((target, format!("empty: {}", path.display())));
            } else {
                addons.push(Addon { target, path: path.clone(), content });
            }
        }
        let mut javascript = BTreeMap::new();
        for name in scripts {
            let Some(path) = path(&name) else {
                let missing = format!("missing: {name}, which is compiled from bindings/node/ts");
                problems.scripts.push(missing);
                continue;
            };
            let content = read(path)?;
            if content.is_empty() {
                // Even an empty source compiles to some lines.
                problems.scripts.push(format!("empty: {}", path.display()));
            } else if name == COPIED && content != read(&sources.join(COPIED))? {
                let other = "differs from its source, bindings/node/ts/load/native.d.ts";
                let so = "the JavaScript is of another checkout, or damaged";
                problems.scripts.push(format!("other: {} {other}: {so}", path.display()));
            } else {
                javascript.insert(name, content);
            }
        }
        problems.refuse(folders, &addons)?;
        Ok(Self { addons, javascript })
    }

    /// Returns the addon of a wanted target.
    pub(super) fn addon(&self, target: &Target) -> Result<&Addon> {
        let mut addons = self.addons.iter();
        addons.find(|addon| addon.target == target).with_context(|| format!("no addon for {target}"))
    }
}

/// The problems of the artifacts, by remedy.
#[derive(Default)]
struct Problems {
    extra: Vec<String>,
    twice: Vec<String>,
    /// Addons that are missing or empty.
    addons: Vec<(&'static Target, String)>,
    /// JavaScript that is missing, empty or of another checkout.
    scripts: Vec<String>,
}

impl Problems {
    /// Returns one error for all problems, with a line per remedy. `found` are the addons that can be packed.
    fn refuse(self, folders: &[PathBuf], found: &[Addon]) -> Result<()> {
        let mut remedies = Vec::new();
        if !self.twice.is_empty() {
            remedies.push(TWICE.to_owned());
        }
        if !self.extra.is_empty() {
            remedies.push(EXTRA.to_owned());
        }
        if !self.addons.is_empty() {
            let targets: Vec<&Target> = self.addons.iter().map(|(target, _)| *target).collect();
            remedies.push(format!("to build the addons: {}", refusal::dist(&targets)));
            let found: Vec<&str> = found.iter().map(|addon| addon.target.platform.as_str()).collect();
            if !found.is_empty() {
                remedies.push(format!("to pack those that are there: --only {}", found.join(",")));
            }
        }
        if !self.scripts.is_empty() {
            remedies.push(COMPILE.to_owned());
        }
        let addons = self.addons.into_iter().map(|(_, problem)| problem);
        let problems = self.twice.into_iter().chain(self.extra).chain(addons).chain(self.scripts).collect();
        let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let what = format!("the artifacts in {} cannot be packed", shown.join(", "));
        refusal::refuse(problems, &what, &remedies.join("\n"))
    }
}

/// Lists the files below the folders by name. Links are followed, since a Nix result is one.
fn list(folders: &[PathBuf], scripts: &[String]) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in folders {
        if !folder.is_dir() {
            let what = if folder.exists() { "is no folder" } else { "does not exist" };
            bail!("{} {what}: name the folder that has the artifacts", folder.display());
        }
        for entry in WalkDir::new(folder).follow_links(true).max_depth(DEPTH).sort_by_file_name() {
            let entry = entry.with_context(|| format!("{} cannot be read", folder.display()))?;
            if entry.file_type().is_dir() && entry.depth() == DEPTH {
                bail!(
                    "{} is too deep for artifacts: name the folders that hold them",
                    entry.path().display()
                );
            }
            if !entry.file_type().is_dir() {
                found.entry(name(entry.path(), scripts)).or_default().push(entry.path().to_owned());
            }
        }
    }
    Ok(found)
}

/// Returns the longest end of a path that names a script (`load/loader.js`), or else the name of the file.
fn name(path: &Path, scripts: &[String]) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let mut ends = (0..parts.len()).map(|start| parts[start..].join("/"));
    ends.find(|end| scripts.contains(end))
        .unwrap_or_else(|| parts.last().map_or_else(String::new, |name| name.clone().into_owned()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    // Checked before opening: opening a named pipe waits for its other end.
    let metadata = fs::metadata(path).with_context(cannot)?;
    if !metadata.is_file() || metadata.len() > node_audit::MAX_FILE {
        bail!("{} cannot be an artifact: it is not a regular file, or too large", path.display());
    }
    fs::read(path).with_context(cannot)
}

/// Returns the paths of the files that TypeScript compiles from the sources in a folder and its sub-folders.
fn compiled(sources: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in WalkDir::new(sources) {
        let entry = entry.with_context(|| format!("{} cannot be read", sources.display()))?;
        let parts: Vec<_> =
            entry.path().strip_prefix(sources)?.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.join("/");
        if name.ends_with(".d.ts") {
            names.push(name);
        } else if let Some(stem) = name.strip_suffix(".ts") {
            names.extend([format!("{stem}.js"), format!("{stem}.d.ts")]);
        } else if let Some(stem) = name.strip_suffix(".mts") {
            names.extend([format!("{stem}.mjs"), format!("{stem}.d.mts")]);
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("{} has no TypeScript", sources.display());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        /// A workspace with three sources and their JavaScript, and the addons of some platforms.
        fn new(platforms: &[&str]) -> Self {
            let place = Place { folder: tempfile::tempdir().unwrap() };
            for file in ["index.ts", "index.mts", "load/index.ts", "load/native.d.ts"] {
                place.write(&format!("bindings/node/ts/{file}"));
            }
            for file in
                ["index.js", "index.d.ts", "index.mjs", "index.d.mts", "load/index.js", "load/index.d.ts"]
            {
                place.write(&format!("artifacts/js/{file}"));
            }
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

        /// The problems, and behind them what is to be done.
        fn problems(&self, targets: &[&str]) -> Vec<String> {
            let text = self.find(targets).err().map(|error| error.to_string()).unwrap_or_default();
            let folder = format!("{}/", self.folder.path().join("artifacts").display());
            let lines = text.lines().skip(1).map(|line| line.strip_prefix("  - ").unwrap_or(line));
            lines.map(|line| line.replace(&folder, "")).collect()
        }
    }

    #[test]
    fn what_is_there_is_found_in_folders_below_and_known_platforms_that_are_not_asked_for_are_left() {
        let place = Place::new(&["linux-x64-gnu", "linux-x64-musl"]);
        let artifacts = place.find(&["linux-x64-musl"]).unwrap();
        assert_eq!(artifacts.addons.len(), 1);
        assert!(artifacts.addons[0].path.ends_with("linux-x64-musl/bindings_node.linux-x64-musl.node"));
        let names: Vec<&str> = artifacts.javascript.keys().map(String::as_str).collect();
        let expected = [
            "index.d.mts",
            "index.d.ts",
            "index.js",
            "index.mjs",
            "load/index.d.ts",
            "load/index.js",
            "load/native.d.ts",
        ];
        assert_eq!(names, expected);
        assert!(
            artifacts.javascript["load/index.js"].ends_with(b"js/load/index.js"),
            "the wrong index.js was read"
        );
    }

    #[test]
    fn all_that_is_missing_extra_or_there_twice_is_said_at_once() {
        let place = Place::new(&["linux-x64-gnu"]);
        place.write("artifacts/bindings_node.linux-x64-gnu.node");
        place.write("artifacts/bindings_node.linux-x64.node");
        place.write("artifacts/js/index.js.map");
        place.write("artifacts/js/native.d.ts");
        fs::remove_file(place.folder.path().join("artifacts/js/load/index.js")).unwrap();
        assert_eq!(
            place.problems(&["linux-x64-gnu", "darwin-arm64"]),
            [
                "twice: bindings_node.linux-x64-gnu.node is in bindings_node.linux-x64-gnu.node, \
                 linux-x64-gnu/bindings_node.linux-x64-gnu.node",
                "extra: bindings_node.linux-x64.node is neither a target's addon nor compiled from bindings/node/ts",
                "extra: js/index.js.map is neither a target's addon nor compiled from bindings/node/ts",
                "extra: js/native.d.ts is neither a target's addon nor compiled from bindings/node/ts",
                "missing: bindings_node.darwin-arm64.node, the addon for darwin-arm64",
                "missing: load/index.js, which is compiled from bindings/node/ts",
                TWICE,
                EXTRA,
                "to build the addons: cargo xtask dist --target darwin-arm64",
                "to pack those that are there: --only linux-x64-gnu",
                COMPILE,
            ]
        );
    }

    /// `--only PLATFORM` was advised whatever was wrong, and `cargo xtask dist`, which builds this machine's addon only.
    #[test]
    fn only_what_helps_is_advised() {
        let place = Place::new(&["linux-x64-gnu", "darwin-x64"]);
        assert_eq!(
            place.problems(&["linux-x64-gnu", "linux-x64-musl", "darwin-arm64", "darwin-x64"])[2..],
            [
                "to build the addons: cargo xtask dist --target linux-x64-musl --target darwin-arm64",
                "to pack those that are there: --only linux-x64-gnu,darwin-x64",
            ]
        );
        assert_eq!(
            place.problems(&["darwin-arm64"])[1..],
            ["to build the addons: cargo xtask dist --target darwin-arm64"],
            "of those that are asked for, none is there"
        );
        place.write("artifacts/notes.txt");
        let extra = place.problems(&["linux-x64-gnu"]);
        assert_eq!(extra[1..], [EXTRA]);
    }

    /// Empty JavaScript, and declarations of another checkout, were packed without a word.
    #[test]
    fn what_is_empty_or_of_another_checkout_is_named() {
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
                "to pack those that are there: --only linux-x64-gnu",
                COMPILE,
            ]
        );
        place.write_as("artifacts/js/index.js", "'use strict'");
        place.write_as("artifacts/js/load/native.d.ts", "export {}");
        assert_eq!(
            place.problems(&["linux-x64-gnu"]),
            [
                "other: js/load/native.d.ts differs from its source, bindings/node/ts/load/native.d.ts: the JavaScript is \
                 of another checkout, or damaged",
                COMPILE,
            ]
        );
    }

    #[test]
    fn a_folder_that_is_none_is_named() {
        let place = Place::new(&[]);
        for (file, says) in [("no", "does not exist"), ("artifacts/js/index.js", "is no folder")] {
            let folders = [place.folder.path().join(file)];
            let error = Artifacts::find(&Workspace::at(place.folder.path()), &folders, &[])
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
    }
}
