//! The files that the Nix store must have for a build with the offline nixpkgs: files from registries, and the flake's inputs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use machine::pinned::{PinnedFile, hexadecimal, pinned_files};
use machine::process;
use serde_json::Value;

use crate::nix::Flake;

impl Flake<'_> {
    /// Adds a file to the store. Returns whether the file was missing.
    pub fn add(&self, file: &PinnedFile) -> Result<bool> {
        let path = self.fixed_path(&FixedOutput::of_file(file)?)?;
        if self.holds(&path) {
            return Ok(false);
        }
        let downloaded = file.fetch(self.workspace)?;
        let mut add = self.program("nix-store");
        let added = process::capture(add.args(["--add-fixed", "sha256"]).arg(downloaded))?;
        let name = &file.name;
        ensure!(added == path, "the Nix store has {name} at {added}, but the flake expects it at {path}");
        Ok(true)
    }

    /// Returns a message if the store lacks something for the offline nixpkgs. With a binary cache, nothing is missing.
    pub fn missing(&self) -> Result<Option<String>> {
        if !self.uses_offline_nixpkgs() {
            return Ok(None);
        }
        let files = pinned_files(self.workspace)?;
        let files: Vec<_> = files.iter().map(FixedOutput::of_file).collect::<Result<_>>()?;
        if let Some(name) = self.first_missing(&files)? {
            return Ok(Some(format!("{name} is not in the Nix store: run cargo xtask setup")));
        }
        let inputs = inputs(self.workspace.root())?;
        if self.first_missing(&inputs)?.is_none() {
            return Ok(None);
        }
        // An evaluation fetches the missing inputs if the network has them.
        let evaluate = self.on_output(&["eval", "--json", "--apply", "builtins.attrNames"], "packages")?;
        self.workspace.attempt("nix inputs", evaluate)?;
        Ok(self.first_missing(&inputs)?.map(|name| {
            format!(
                "the flake's input {name} is not in the Nix store, and Nix cannot fetch it: connect to the network, and try \
                 again"
            )
        }))
    }

    fn first_missing<'o>(&self, outputs: &'o [FixedOutput]) -> Result<Option<&'o str>> {
        for output in outputs {
            if !self.holds(&self.fixed_path(output)?) {
                return Ok(Some(&output.name));
            }
        }
        Ok(None)
    }

    fn fixed_path(&self, output: &FixedOutput) -> Result<String> {
        let mut path = self.program("nix-store");
        path.arg("--print-fixed-path");
        if output.is_tree {
            path.arg("--recursive");
        }
        // Every tree has the same name in the store.
        let name = if output.is_tree { "source" } else { &output.name };
        process::capture(path.args(["sha256", &output.sha256, name]))
    }

    fn holds(&self, path: &str) -> bool {
        process::capture(self.program("nix-store").args(["--check-validity", path])).is_ok()
    }
}

/// A file that a registry has, or a tree that the flake pins.
struct FixedOutput {
    name: String,
    /// The hash, in hexadecimal digits.
    sha256: String,
    is_tree: bool,
}

impl FixedOutput {
    fn of_file(file: &PinnedFile) -> Result<Self> {
        Ok(Self { name: file.name.clone(), sha256: file.sha256()?, is_tree: false })
    }
}

/// Returns the inputs in flake.lock except nixpkgs, and the input of the offline nixpkgs.
fn inputs(root: &Path) -> Result<Vec<FixedOutput>> {
    let read = |name: &str| -> Result<Value> {
        let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
    };
    let lock = read("flake.lock")?;
    let own = read("nix/offline-nixpkgs/nixpkgs-lib.json")?;
    let nodes = lock["nodes"].as_object().context("flake.lock has no nodes")?;
    let locked = nodes
        .iter()
        .filter(|(name, _)| *name != "nixpkgs")
        .map(|(name, node)| (name.as_str(), &node["locked"]));
    let pins = locked.chain([("nixpkgs.lib", &own)]);
    // The root node of the lock file has no hash.
    let hashed =
        pins.filter_map(|(name, pin)| Some((name.to_owned(), hexadecimal(pin["narHash"].as_str()?))));
    hashed.map(|(name, sha256)| Ok(FixedOutput { name, sha256: sha256?, is_tree: true })).collect()
}

#[cfg(test)]
mod tests {
    use machine::Workspace;

    use super::*;

    #[test]
    fn the_inputs_exclude_nixpkgs_which_the_offline_flake_replaces() {
        let root = Workspace::find().unwrap().root().to_owned();
        let inputs = inputs(&root).unwrap();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["crane", "rust-overlay", "nixpkgs.lib"]);
        assert!(inputs.iter().all(|input| input.is_tree && input.sha256.len() == 64));
    }
}
