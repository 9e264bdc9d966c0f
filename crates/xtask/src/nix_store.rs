//! What the stand-in for nixpkgs needs of the Nix store before a build: files of registries, and the flake's inputs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::nix::{self, Nix};
use crate::paths::Workspace;
use crate::pinned::{PinnedFile, hexadecimal, pinned_files};
use crate::process;

/// Puts a file into the store, where it is not there yet. Whether it had to.
pub(crate) fn add(workspace: &Workspace, nix: &Nix, file: &PinnedFile) -> Result<bool> {
    let path = fixed_path(nix, &[&file.sha256()?, &file.name])?;
    if holds(nix, &path) {
        return Ok(false);
    }
    let downloaded = file.fetch(workspace)?;
    let mut add = nix.command("nix-store");
    add.args(["--add-fixed", "sha256"]).arg(downloaded);
    let added = process::capture(add)?;
    if added != path {
        bail!("{} went to {added} in the Nix store, and the flake expects it at {path}", file.name);
    }
    Ok(true)
}

/// Why the flake cannot be built with the stand-in on this machine, if so. With a binary cache nothing is missing.
pub(crate) fn missing(workspace: &Workspace, nix: &Nix) -> Result<Option<String>> {
    if !nix.uses_stand_in() {
        return Ok(None);
    }
    for file in pinned_files(workspace)? {
        if !holds(nix, &fixed_path(nix, &[&file.sha256()?, &file.name])?) {
            return Ok(Some(format!("{} is not in the Nix store: cargo xtask setup", file.name)));
        }
    }
    let absent = |inputs: &[Input]| -> Result<Option<String>> {
        for input in inputs {
            if !holds(nix, &fixed_path(nix, &["--recursive", &hexadecimal(&input.hash)?, "source"])?) {
                return Ok(Some(input.name.clone()));
            }
        }
        Ok(None)
    };
    let inputs = inputs(workspace.root())?;
    if absent(&inputs)?.is_none() {
        return Ok(None);
    }
    // Evaluating fetches them, where the network has them.
    let mut evaluate = nix.flake(workspace, &["eval", "--json", "--apply", "builtins.attrNames"]);
    evaluate.arg(format!("{}#packages", nix::flake(workspace)?));
    process::attempt(workspace, "nix inputs", evaluate)?;
    Ok(absent(&inputs)?
        .map(|name| format!("the flake's input {name} is not in the Nix store, and cannot be fetched")))
}

/// A tree that the flake pins.
struct Input {
    name: String,
    hash: String,
}

/// Those of flake.lock, and the stand-in's own.
fn inputs(root: &Path) -> Result<Vec<Input>> {
    let read = |name: &str| -> Result<Value> {
        let text = fs::read_to_string(root.join(name)).with_context(|| format!("{name} cannot be read"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))
    };
    let input = |name: &str, pin: &Value| -> Option<Input> {
        Some(Input { name: name.to_owned(), hash: pin.get("narHash")?.as_str()?.to_owned() })
    };
    let lock = read("flake.lock")?;
    let nodes = lock["nodes"].as_object().context("flake.lock has no nodes")?;
    let locked = nodes
        .iter()
        // The stand-in takes its place.
        .filter(|(name, _)| *name != "nixpkgs")
        .filter_map(|(name, node)| input(name, node.get("locked")?));
    let own = input("nixpkgs.lib", &read("nix/host-nixpkgs/nixpkgs-lib.json")?);
    Ok(locked.chain(own).collect())
}

/// The path of a file or tree with a hash that is known beforehand.
fn fixed_path(nix: &Nix, arguments: &[&str]) -> Result<String> {
    let (flags, rest) = arguments.split_at(usize::from(arguments[0].starts_with("--")));
    let mut path = nix.command("nix-store");
    path.arg("--print-fixed-path").args(flags).arg("sha256").args(rest);
    process::capture(path)
}

fn holds(nix: &Nix, path: &str) -> bool {
    let mut check = nix.command("nix-store");
    check.args(["--check-validity", path]);
    process::capture(check).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_those_that_the_stand_in_does_not_replace() {
        let root = Workspace::find().unwrap().root().to_owned();
        let inputs = inputs(&root).unwrap();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["crane", "rust-overlay", "nixpkgs.lib"]);
        assert!(inputs.iter().all(|input| hexadecimal(&input.hash).unwrap().len() == 64));
    }
}
