//! Which artifacts there are, and which there should be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use node_targets::Target;
use walkdir::WalkDir;

use crate::paths::Workspace;

/// How deep below a folder artifacts may lie: CI's downloads have a folder for each job.
const DEPTH: usize = 3;
/// How many problems of one run are listed.
const SHOWN: usize = 40;

/// What was built.
pub(super) struct Artifacts {
    /// The addons that are wanted, in the order of the targets.
    pub(super) addons: Vec<Addon>,
    /// The compiled JavaScript and its types by file name, sorted.
    pub(super) javascript: BTreeMap<String, Vec<u8>>,
}

/// An addon, as it was found.
pub(super) struct Addon {
    pub(super) target: &'static Target,
    pub(super) path: PathBuf,
    pub(super) content: Vec<u8>,
}

impl Artifacts {
    /// Everything in the folders, which must be what is expected and nothing else.
    ///
    /// # Errors
    /// All that is missing, there twice, or not expected.
    pub(super) fn find(
        workspace: &Workspace,
        folders: &[PathBuf],
        targets: &[&'static Target],
    ) -> Result<Self> {
        let found = list(folders)?;
        let scripts = compiled(&workspace.package().join("ts"))?;
        let mut problems = Vec::new();
        let is_known = |name: &str| {
            scripts.iter().any(|script| script == name)
                || node_targets::targets().iter().any(|target| target.artifact_file() == name)
        };
        for (name, paths) in &found {
            let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            let shown = shown.join(", ");
            if !is_known(name) {
                problems.push(format!(
                    "extra: {shown} is neither a target's addon nor compiled from bindings/node/ts"
                ));
            } else if paths.len() > 1 {
                problems.push(format!("twice: {name} is in {shown}"));
            }
        }
        let path = |name: &str| found.get(name).and_then(|paths| paths.first());
        let mut addons = Vec::new();
        for &target in targets {
            let name = target.artifact_file();
            match path(&name) {
                Some(path) => addons.push(Addon { target, path: path.clone(), content: read(path)? }),
                None => problems.push(format!("missing: {name}, the addon for {target}")),
            }
        }
        let mut javascript = BTreeMap::new();
        for name in scripts {
            match path(&name) {
                Some(path) => drop(javascript.insert(name, read(path)?)),
                None => problems.push(format!("missing: {name}, which is compiled from bindings/node/ts")),
            }
        }
        let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let remedy = "a part of the platforms is packed by naming them: --only PLATFORM";
        refuse(
            problems,
            &format!("the artifacts in {} are not what is to be packed", shown.join(", ")),
            remedy,
        )?;
        Ok(Self { addons, javascript })
    }

    /// The addon of a target that was asked for.
    pub(super) fn addon(&self, target: &Target) -> Result<&Addon> {
        let mut addons = self.addons.iter();
        addons.find(|addon| addon.target == target).with_context(|| format!("no addon for {target}"))
    }
}

/// One error out of all problems, with what to do; none where there is none.
pub(super) fn refuse(problems: Vec<String>, what: &str, remedy: &str) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(SHOWN);
    let mut lines: Vec<String> =
        problems.into_iter().take(SHOWN).map(|problem| format!("  - {problem}")).collect();
    if more > 0 {
        lines.push(format!("  - and {more} more"));
    }
    bail!("{what}:\n{}\n{remedy}", lines.join("\n"))
}

/// The files below the folders by their names, whose links are followed: a Nix result is one.
fn list(folders: &[PathBuf]) -> Result<BTreeMap<String, Vec<PathBuf>>> {
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
                    "{} is deeper than artifacts lie: name the folders that have them",
                    entry.path().display()
                );
            }
            if !entry.file_type().is_dir() {
                let name = entry.file_name().to_string_lossy().into_owned();
                found.entry(name).or_default().push(entry.path().to_owned());
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    // Asked before opening: to open a named pipe waits for its other end.
    let metadata = fs::metadata(path).with_context(cannot)?;
    if !metadata.is_file() || metadata.len() > node_audit::MAX_FILE {
        bail!("{} is no file that an artifact could be", path.display());
    }
    fs::read(path).with_context(cannot)
}

/// The names of what TypeScript makes of the sources in a folder.
fn compiled(sources: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(sources).with_context(|| format!("{} cannot be read", sources.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
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
        /// A workspace with two sources and their JavaScript, and the addons of some platforms below.
        fn new(platforms: &[&str]) -> Self {
            let place = Place { folder: tempfile::tempdir().unwrap() };
            for file in
                ["bindings/node/ts/index.ts", "bindings/node/ts/index.mts", "bindings/node/ts/native.d.ts"]
            {
                place.write(file);
            }
            for file in ["index.js", "index.d.ts", "index.mjs", "index.d.mts", "native.d.ts"] {
                place.write(&format!("artifacts/js/{file}"));
            }
            for platform in platforms {
                place.write(&format!("artifacts/{platform}/bindings_node.{platform}.node"));
            }
            place
        }

        fn write(&self, file: &str) {
            let path = self.folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }

        fn find(&self, targets: &[&str]) -> Result<Artifacts> {
            let targets: Vec<_> = targets.iter().map(|name| Target::find(name).unwrap()).collect();
            let folders = [self.folder.path().join("artifacts")];
            Artifacts::find(&Workspace::at(self.folder.path()), &folders, &targets)
        }

        fn problems(&self, targets: &[&str]) -> Vec<String> {
            let text = self.find(targets).err().map(|error| error.to_string()).unwrap_or_default();
            let folder = format!("{}/", self.folder.path().join("artifacts").display());
            let lines = text.lines().filter_map(|line| line.strip_prefix("  - "));
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
        assert_eq!(names, ["index.d.mts", "index.d.ts", "index.js", "index.mjs", "native.d.ts"]);
    }

    #[test]
    fn all_that_is_missing_extra_or_there_twice_is_said_at_once() {
        let place = Place::new(&["linux-x64-gnu"]);
        place.write("artifacts/bindings_node.linux-x64-gnu.node");
        place.write("artifacts/bindings_node.linux-x64.node");
        place.write("artifacts/js/index.js.map");
        fs::remove_file(place.folder.path().join("artifacts/js/index.mjs")).unwrap();
        assert_eq!(
            place.problems(&["linux-x64-gnu", "darwin-arm64"]),
            [
                "twice: bindings_node.linux-x64-gnu.node is in bindings_node.linux-x64-gnu.node, \
                 linux-x64-gnu/bindings_node.linux-x64-gnu.node",
                "extra: bindings_node.linux-x64.node is neither a target's addon nor compiled from bindings/node/ts",
                "extra: js/index.js.map is neither a target's addon nor compiled from bindings/node/ts",
                "missing: bindings_node.darwin-arm64.node, the addon for darwin-arm64",
                "missing: index.mjs, which is compiled from bindings/node/ts",
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

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let problems = (0..SHOWN + 2).map(|number| number.to_string()).collect();
        let text = refuse(problems, "wrong", "do").unwrap_err().to_string();
        assert!(text.starts_with("wrong:\n  - 0\n") && text.ends_with("\n  - and 2 more\ndo"), "{text}");
    }
}
