//! `cargo xtask nix layers`: what an edit rebuilds, shown on a copy of the checkout.
//!
//! A layer is rebuilt if its derivation differs. C is compiled by the C layer alone: the other layers are given a
//! compiler that refuses to compile, so with the C layer's derivation unchanged the number of C compilations is 0.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::nix::{self, Nix};
use crate::paths::Workspace;
use crate::process;
use crate::report::{Report, Tally};

/// A crate that the addon links and that no C comes from.
const UNRELATED: &str = "ctor";
/// A crate that holds C sources.
const VENDORED: &str = "openssl-src";
/// The layers in the order of a build, as the flake names them.
const LAYERS: [&str; 3] = ["c", "deps", "package"];

/// One edit, and the layers that it must rebuild.
struct Edit {
    name: &'static str,
    rebuilds: &'static [&'static str],
    apply: fn(&Workspace, &Path) -> Result<()>,
}

const EDITS: [Edit; 3] = [
    Edit {
        name: "a line in crates/database",
        rebuilds: &["package"],
        apply: |_, copy| append(&copy.join("crates/database/src/lib.rs"), "// another line\n"),
    },
    Edit {
        name: "an unrelated version in Cargo.lock",
        rebuilds: &["deps", "package"],
        apply: |workspace, copy| another_version(workspace, copy, UNRELATED),
    },
    Edit {
        name: "a vendored version in Cargo.lock",
        rebuilds: &LAYERS,
        apply: |workspace, copy| another_version(workspace, copy, VENDORED),
    },
];

/// Derivations by layer.
type Derivations = BTreeMap<String, String>;

/// Makes each edit in a copy and compares; with `build`, builds each as well, after the copy itself.
pub(crate) fn layers(workspace: &Workspace, nix: &Nix, build: bool) -> Result<Report> {
    let folder = tempfile::tempdir().context("no temporary folder for a copy of the checkout")?;
    let copy = folder.path().join("strongroom");
    copy_tracked(workspace, &copy)?;
    let place = Place { workspace, nix, copy: workspace.elsewhere(&copy), build };
    let mut report = Report::default();
    let before = place.derivations()?;
    if build {
        let elapsed = place.build("the checkout as it is")?;
        report.add("the checkout as it is", Tally::passed("the layers that later rows start from"), elapsed);
    }
    for edit in &EDITS {
        let (tally, elapsed) = place.rebuilt_by(edit, &before)?;
        report.add(edit.name, tally, elapsed);
    }
    Ok(report)
}

struct Place<'a> {
    workspace: &'a Workspace,
    nix: &'a Nix,
    copy: Workspace,
    build: bool,
}

impl Place<'_> {
    fn rebuilt_by(&self, edit: &Edit, before: &Derivations) -> Result<(Tally, Duration)> {
        (edit.apply)(self.workspace, self.copy.root())?;
        let after = self.derivations()?;
        let changed = changed(before, &after);
        let elapsed = if self.build { self.build(edit.name)? } else { Duration::ZERO };
        let compilations = match changed.contains(&"c") {
            false => "0 C compilations".to_owned(),
            true if self.build => format!("all C: {} object files", self.c_objects()?),
            true => "all C compiled".to_owned(),
        };
        let how = if self.build { "" } else { " (derivations compared, nothing built)" };
        self.git(&["checkout", "--quiet", "--", "."])?;
        let note = format!("rebuilds {}; {compilations}{how}", changed.join(", "));
        let tally = match changed == edit.rebuilds {
            true => Tally::passed(note),
            false => Tally::failed(format!("{note}; it must rebuild {}", edit.rebuilds.join(", "))),
        };
        Ok((tally, elapsed))
    }

    fn derivations(&self) -> Result<Derivations> {
        let mut eval = self.nix.flake(&self.copy, &["eval", "--json"]);
        eval.arg(format!("{}#node-bindings-fast.layers", nix::flake(&self.copy)?));
        eval.args(["--apply", "builtins.mapAttrs (_: layer: layer.drvPath)"]);
        let json = process::capture(eval)?;
        serde_json::from_str(&json).with_context(|| format!("nix eval printed no derivations: {json}"))
    }

    fn build(&self, name: &str) -> Result<Duration> {
        let started = Instant::now();
        let mut build = self.nix.flake(&self.copy, &["build", "--no-link", "--print-build-logs"]);
        build.arg(format!("{}#node-bindings-fast", nix::flake(&self.copy)?));
        process::run(self.workspace, &format!("nix layers {name}"), build)?;
        Ok(started.elapsed())
    }

    /// Each member of the C layer's archives is what one run of a compiler left.
    fn c_objects(&self) -> Result<usize> {
        let mut build = self.nix.flake(&self.copy, &["build", "--no-link", "--print-out-paths"]);
        build.arg(format!("{}#node-bindings-fast.layers.c", nix::flake(&self.copy)?));
        let libraries = PathBuf::from(process::capture(build)?).join("lib");
        let mut objects = 0;
        for entry in fs::read_dir(&libraries).with_context(|| unreadable(&libraries))? {
            let path = entry.with_context(|| unreadable(&libraries))?.path();
            if path.extension().is_some_and(|extension| extension == "a") {
                let mut list = process::command("ar");
                list.arg("t").arg(&path);
                objects += process::capture(list)?.lines().count();
            }
        }
        Ok(objects)
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        git(self.copy.root(), arguments)
    }
}

/// The layers whose derivation differs, in the order of a build.
fn changed(before: &Derivations, after: &Derivations) -> Vec<&'static str> {
    LAYERS.into_iter().filter(|layer| before.get(*layer) != after.get(*layer)).collect()
}

/// The files that git tracks, as they are now, as a repository of their own.
fn copy_tracked(workspace: &Workspace, copy: &Path) -> Result<()> {
    let mut list = process::command("git");
    list.args(["ls-files", "-z"]).current_dir(workspace.root());
    for name in process::capture(list)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (workspace.root().join(name), copy.join(name));
        // One that was deleted and not yet committed.
        if !from.exists() {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        fs::copy(&from, &to).with_context(|| format!("{name} cannot be copied"))?;
    }
    // Tracked without a commit: Nix asks for no more, and `checkout` takes files from the index.
    git(copy, &["init", "--quiet"])?;
    git(copy, &["add", "--all", "--force"])
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut git = process::command("git");
    git.args(arguments).current_dir(folder);
    process::capture(git).map(|_| ())
}

fn append(file: &Path, line: &str) -> Result<()> {
    let mut text = fs::read_to_string(file).with_context(|| unreadable(file))?;
    text.push_str(line);
    fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

/// Locks the release before the one that is locked, by cargo, which knows its checksum.
fn another_version(workspace: &Workspace, copy: &Path, package: &str) -> Result<()> {
    let file = copy.join("Cargo.lock");
    let text = fs::read_to_string(&file).with_context(|| unreadable(&file))?;
    let lock: toml::Table = text.parse().context("Cargo.lock is no TOML")?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock has no packages")?;
    let of = |name: &str| {
        let field = |package: &toml::Value, field: &str| Some(package.get(field)?.as_str()?.to_owned());
        packages
            .iter()
            .find(|package| field(package, "name").as_deref() == Some(name))
            .and_then(|package| field(package, "version"))
    };
    let version = of(package).with_context(|| format!("Cargo.lock has no {package}: name another here"))?;
    let mut update = process::command("cargo");
    update.args(["update", "--package", package, "--precise", &previous(&version)?]).current_dir(copy);
    process::run(workspace, &format!("cargo update {package}"), update).map(|_| ())
}

/// `300.5.4` of `300.5.5+3.5.5`.
fn previous(version: &str) -> Result<String> {
    let release = version.split('+').next().unwrap_or(version);
    let patch =
        release.rsplit_once('.').and_then(|(series, patch)| Some((series, patch.parse::<u32>().ok()?)));
    match patch {
        Some((series, patch)) if patch > 0 => Ok(format!("{series}.{}", patch - 1)),
        _ => bail!("{version} is the first of its series: name another crate in nix_layers.rs"),
    }
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_before_is_of_the_same_series() {
        assert_eq!(previous("300.5.5+3.5.5").unwrap(), "300.5.4");
        assert_eq!(previous("1.0.13").unwrap(), "1.0.12");
        assert!(previous("2.1.0").unwrap_err().to_string().contains("name another crate"));
    }

    #[test]
    fn a_layer_changed_where_its_derivation_did() {
        let derivations = |c: &str, deps: &str, package: &str| -> Derivations {
            LAYERS.into_iter().map(str::to_owned).zip([c, deps, package].map(str::to_owned)).collect()
        };
        let before = derivations("1", "2", "3");
        assert!(changed(&before, &before).is_empty());
        assert_eq!(changed(&before, &derivations("1", "4", "5")), ["deps", "package"]);
    }

    #[test]
    fn a_copy_holds_what_git_tracks_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        for name in ["a/b/tracked", "deleted", "left-alone"] {
            fs::write(from.join(name), "first").unwrap();
        }
        git(&from, &["init", "--quiet"]).unwrap();
        git(&from, &["add", "a", "deleted"]).unwrap();
        fs::write(from.join("a/b/tracked"), "second").unwrap();
        fs::remove_file(from.join("deleted")).unwrap();

        copy_tracked(&Workspace::at(&from), &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/tracked")).unwrap(), "second");
        assert!(!to.join("deleted").exists() && !to.join("left-alone").exists());

        append(&to.join("a/b/tracked"), " third").unwrap();
        git(&to, &["checkout", "--quiet", "--", "."]).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/tracked")).unwrap(), "second");
    }
}
