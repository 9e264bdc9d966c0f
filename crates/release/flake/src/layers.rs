//! Checks which layers an edit rebuilds, in a copy of the checkout.
//!
//! Nix rebuilds a layer if the derivation differs. Only the C layer compiles C, because the other layers get a compiler that
//! refuses to compile. If the C layer's derivation is unchanged, Nix compiles no C.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use machine::report::{Report, Tally};
use machine::{Workspace, process};

use crate::edit;
use crate::nix::Flake;

/// A crate without C sources that the addon links.
const RUST_CRATE: &str = "ctor";
/// A crate with C sources.
const C_CRATE: &str = "openssl-src";
/// The flake's names of the layers, in build order.
const LAYERS: [&str; 3] = ["c", "deps", "package"];

/// An edit, and the layers that it must rebuild.
struct Edit {
    name: &'static str,
    rebuilds: &'static [&'static str],
    apply: fn(&Workspace) -> Result<()>,
}

const EDITS: [Edit; 3] = [
    Edit {
        name: "a line in crates/database",
        rebuilds: &["package"],
        apply: |copy| edit::append(&copy.root().join("crates/database/src/lib.rs"), "// another line\n"),
    },
    Edit {
        name: "an unrelated version in Cargo.lock",
        rebuilds: &["deps", "package"],
        apply: |copy| edit::lock_previous(copy, RUST_CRATE),
    },
    Edit {
        name: "a vendored version in Cargo.lock",
        rebuilds: &LAYERS,
        apply: |copy| edit::lock_previous(copy, C_CRATE),
    },
];

/// The derivation of each layer.
type Derivations = BTreeMap<String, String>;

/// Makes each edit in a copy, and compares the derivations. With `build`, also builds the copy before the edits and after each
/// edit. Returns a row for each edit with the layers that it rebuilds, the time of the build, and a failure if these are not
/// the expected layers. Without `build`, the time is zero.
pub fn layers(flake: &Flake<'_>, build: bool) -> Result<Report> {
    let folder =
        tempfile::tempdir().context("cannot create a temporary folder for a copy of the checkout")?;
    let root = folder.path().join("strongroom");
    edit::copy_tracked(flake.workspace, &root)?;
    let copy = flake.workspace.at_other_root(&root);
    let mut flake = flake.clone();
    flake.workspace = &copy;
    let experiment = Experiment { flake, build };
    let mut report = Report::default();
    let before = experiment.derivations()?;
    if build {
        let name = "the checkout as it is";
        let elapsed = experiment.build(name)?;
        report.add(name, Tally::passed("the layers before any edit"), elapsed);
    }
    for edit in &EDITS {
        let (tally, elapsed) = experiment.rebuilt_by(edit, &before)?;
        report.add(edit.name, tally, elapsed);
    }
    Ok(report)
}

/// A copy of the checkout for the edits.
struct Experiment<'a> {
    flake: Flake<'a>,
    build: bool,
}

impl Experiment<'_> {
    fn rebuilt_by(&self, edit: &Edit, before: &Derivations) -> Result<(Tally, Duration)> {
        let copy = self.flake.workspace;
        (edit.apply)(copy)?;
        let changed = changed(before, &self.derivations()?);
        let elapsed = if self.build { self.build(edit.name)? } else { Duration::ZERO };
        let compilations = match changed.contains(&"c") {
            false => "0 C compilations".to_owned(),
            true if self.build => format!("all C: {} object files", self.c_objects()?),
            true => "all C compiled".to_owned(),
        };
        let how = if self.build { "" } else { " (derivations compared, nothing built)" };
        edit::restore(copy.root())?;
        let note = format!("rebuilds {}; {compilations}{how}", changed.join(", "));
        let tally = match changed == edit.rebuilds {
            true => Tally::passed(note),
            false => Tally::failed(format!("{note}; the edit must rebuild {}", edit.rebuilds.join(", "))),
        };
        Ok((tally, elapsed))
    }

    fn derivations(&self) -> Result<Derivations> {
        let verb = ["eval", "--json", "--apply", "builtins.mapAttrs (_: layer: layer.drvPath)"];
        let json = process::capture(self.flake.on_output(&verb, "node-bindings-fast.layers")?)?;
        serde_json::from_str(&json).with_context(|| format!("nix eval printed no derivations: {json}"))
    }

    fn build(&self, name: &str) -> Result<Duration> {
        let started = Instant::now();
        let verb = ["build", "--no-link", "--print-build-logs"];
        let build = self.flake.on_output(&verb, "node-bindings-fast")?;
        self.flake.workspace.run(&format!("nix layers {name}"), build)?;
        Ok(started.elapsed())
    }

    /// Counts the members of the C layer's archives. Each member is the output of one compiler run.
    fn c_objects(&self) -> Result<usize> {
        let libraries = self.flake.build_path("node-bindings-fast.layers.c")?.join("lib");
        let cannot_read = || format!("cannot read {}", libraries.display());
        let mut objects = 0;
        for entry in fs::read_dir(&libraries).with_context(cannot_read)? {
            let path = entry.with_context(cannot_read)?.path();
            if path.extension().is_some_and(|extension| extension == "a") {
                objects += process::capture(process::command("ar").arg("t").arg(path))?.lines().count();
            }
        }
        Ok(objects)
    }
}

/// Returns the layers whose derivations differ, in build order.
fn changed(before: &Derivations, after: &Derivations) -> Vec<&'static str> {
    LAYERS.into_iter().filter(|layer| before.get(*layer) != after.get(*layer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_changes_with_its_derivation() {
        let derivations = |c: &str, deps: &str, package: &str| -> Derivations {
            LAYERS.into_iter().map(str::to_owned).zip([c, deps, package].map(str::to_owned)).collect()
        };
        let before = derivations("1", "2", "3");
        assert!(changed(&before, &before).is_empty());
        assert_eq!(changed(&before, &derivations("1", "4", "5")), ["deps", "package"]);
    }
}
