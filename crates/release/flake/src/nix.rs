//! Nix on this machine, and the flake of a checkout.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;

use anyhow::{Result, bail};
use machine::{Workspace, process, program};

/// The remedy for a machine without Nix.
pub const REMEDY: &str =
    "no nix on PATH: run the official installer, or name one elsewhere by STRONGROOM_NIX=.../bin/nix";

/// The oldest Nix that crane supports (its CHANGELOG, read 2026-11). 2.26.3 also builds every output.
const MIN_NIX: [u32; 3] = [2, 31, 2];

/// A flake's folder with packages of the machine's own programs, for a machine without a binary cache.
const OFFLINE_NIXPKGS: &str = "nix/offline-nixpkgs";

/// A checkout's flake, and the Nix that builds it.
#[derive(Clone)]
pub struct Flake<'a> {
    pub(crate) workspace: &'a Workspace,
    /// The program nix.
    nix: PathBuf,
    /// The folder of nix.conf, if it is not the usual one.
    configuration: Option<PathBuf>,
    offline_nixpkgs: bool,
}

impl<'a> Flake<'a> {
    /// Finds Nix for a checkout: the one that `STRONGROOM_NIX` names, or the one on `PATH`.
    pub fn find(workspace: &'a Workspace) -> Result<Option<Self>> {
        let named = env::var_os("STRONGROOM_NIX").map(PathBuf::from);
        if let Some(named) = named.as_ref().filter(|named| !named.is_file()) {
            bail!("STRONGROOM_NIX names {}, which is not a file: name the program nix", named.display());
        }
        let own = named.as_ref().and_then(|named| Some(named.ancestors().nth(2)?.join("etc")));
        let is_used =
            |folder: &PathBuf| folder.join("nix.conf").is_file() && env::var_os("NIX_CONF_DIR").is_none();
        let configuration = own.filter(is_used);
        let Some(nix) = named.or_else(|| program("nix")) else { return Ok(None) };
        let mut flake = Self { workspace, nix, configuration, offline_nixpkgs: false };
        static WARNED: Once = Once::new();
        if let Some(warning) = too_old(&process::capture(flake.program("nix").arg("--version"))?) {
            WARNED.call_once(|| eprintln!("warning: {warning}"));
        }
        flake.offline_nixpkgs = match env::var("STRONGROOM_OFFLINE_NIXPKGS").as_deref() {
            Ok("1") => true,
            Ok("0") => false,
            Ok(other) => bail!("STRONGROOM_OFFLINE_NIXPKGS is `{other}`: set it to 1 or 0, or unset it"),
            Err(_) => {
                process::capture(flake.program("nix").args(["config", "show", "substituters"]))?.is_empty()
            }
        };
        Ok(Some(flake))
    }

    /// Whether the offline nixpkgs takes the place of nixpkgs, which would compile for hours without a binary cache. Its files
    /// must be in the store.
    #[must_use]
    pub fn uses_offline_nixpkgs(&self) -> bool {
        self.offline_nixpkgs
    }

    /// Returns one of Nix' programs, which are in one folder.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = process::command(self.nix.with_file_name(name));
        if name == "nix" {
            command.args(["--extra-experimental-features", "nix-command flakes"]);
        }
        if let Some(folder) = &self.configuration {
            command.env("NIX_CONF_DIR", folder);
        }
        command
    }

    /// Returns `nix <verb>`, with the inputs of this flake.
    pub(crate) fn command(&self, verb: &[&str]) -> Command {
        let mut command = self.program("nix");
        command.args(verb).current_dir(self.workspace.root());
        if self.offline_nixpkgs {
            let nixpkgs = self.workspace.root().join(OFFLINE_NIXPKGS);
            command.args(["--no-write-lock-file", "--override-input", "nixpkgs"]);
            command.arg(format!("path:{}", nixpkgs.display()));
            // Its packages are links to the machine's own programs.
            command.args(["--option", "sandbox", "true", "--option", "sandbox-paths"]);
            command.arg("/bin /usr /lib /lib64 /etc/alternatives");
        }
        command
    }

    /// The flake as Nix names it: the files that git tracks, so that target/ and node_modules/ are not copied.
    pub(crate) fn url(&self) -> Result<String> {
        let root = self.workspace.root().display();
        if !self.workspace.root().join(".git").exists() {
            bail!(
                "{root} is not a git checkout, and Nix reads the files that git tracks: clone the repository"
            );
        }
        Ok(format!("git+file://{root}"))
    }

    /// Returns `nix <verb>` for an output of the flake, such as `node-bindings-js`.
    pub(crate) fn on_output(&self, verb: &[&str], attribute: &str) -> Result<Command> {
        let mut command = self.command(verb);
        command.arg(format!("{}#{attribute}", self.url()?));
        Ok(command)
    }
}

/// Returns a warning if Nix is older than crane supports.
fn too_old(answer: &str) -> Option<String> {
    // `nix (Nix) 2.26.3`, `nix (Determinate Nix 3.6.2) 2.29.0`; `pre` and a date are not a part of the version.
    let version = answer.split_whitespace().next_back()?;
    let parts = version.split(['.', '+', '-']);
    let digits = parts.map_while(|part| part.split(|c: char| !c.is_ascii_digit()).next());
    let parts: Vec<u32> = digits.map_while(|digits| digits.parse().ok()).collect();
    (!parts.is_empty() && parts.as_slice() < MIN_NIX.as_slice()).then(|| {
        let oldest = MIN_NIX.map(|part| part.to_string()).join(".");
        format!("nix is {version}, and crane asks for {oldest} or later; update it if an evaluation or a build fails")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nix_older_than_crane_asks_for_is_a_warning() {
        for old in [
            "nix (Nix) 2.26.3",
            "nix (Nix) 2.31",
            "nix (Determinate Nix 3.6.2) 2.29.0",
            "nix (Nix) 2.30pre20250521",
        ] {
            assert!(too_old(old).unwrap().contains("crane asks for 2.31.2"), "{old}");
        }
        for fine in [
            "nix (Nix) 2.31.2",
            "nix (Nix) 2.31.2+1",
            "nix (Lix, like Nix) 3.0.0",
            "nix (Nix) 2.32pre2",
            "",
            "nix",
        ] {
            assert_eq!(too_old(fine), None, "{fine}");
        }
    }
}
