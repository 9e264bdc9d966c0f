//! Finds Nix on this machine, and runs it on the flake of a checkout.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;

use anyhow::{Result, bail};
use machine::{Workspace, process, program};

/// The remedy for a machine without Nix.
pub const REMEDY: &str =
    "no nix on PATH: run the official installer, or set STRONGROOM_NIX to the path of the program nix";

/// The oldest Nix that crane supports, according to crane's CHANGELOG (read 2026-11). Nix 2.26.3 also builds every output.
const MIN_NIX: [u32; 3] = [2, 31, 2];

/// The folder of a flake that replaces nixpkgs on a machine without a binary cache. The flake's packages are the machine's own
/// programs.
const OFFLINE_NIXPKGS: &str = "nix/offline-nixpkgs";

/// The flake of a checkout, and the Nix that builds it.
#[derive(Clone)]
pub struct Flake<'a> {
    pub(crate) workspace: &'a Workspace,
    /// The path of the program nix.
    nix: PathBuf,
    /// The folder with nix.conf, if it is not the default folder.
    configuration: Option<PathBuf>,
    offline_nixpkgs: bool,
}

impl<'a> Flake<'a> {
    /// Finds Nix for a checkout: the program that `STRONGROOM_NIX` names, or nix on `PATH`.
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

    /// Returns whether the offline nixpkgs replaces nixpkgs, which would compile for hours without a binary cache. The store
    /// must then have the files of the offline nixpkgs.
    #[must_use]
    pub fn uses_offline_nixpkgs(&self) -> bool {
        self.offline_nixpkgs
    }

    /// Returns the command for one of Nix's programs, which are all in one folder.
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

    /// Returns the command `nix <verb>`, with the inputs of this flake.
    pub(crate) fn command(&self, verb: &[&str]) -> Command {
        let mut command = self.program("nix");
        command.args(verb).current_dir(self.workspace.root());
        if self.offline_nixpkgs {
            let nixpkgs = self.workspace.root().join(OFFLINE_NIXPKGS);
            command.args(["--no-write-lock-file", "--override-input", "nixpkgs"]);
            command.arg(format!("path:{}", nixpkgs.display()));
            // The packages of the offline nixpkgs are links to the machine's own programs.
            command.args(["--option", "sandbox", "true", "--option", "sandbox-paths"]);
            command.arg("/bin /usr /lib /lib64 /etc/alternatives");
        }
        command
    }

    /// Returns the flake's URL, by which Nix reads only the files that git tracks, and does not copy target/ and node_modules/.
    pub(crate) fn url(&self) -> Result<String> {
        let root = self.workspace.root().display();
        if !self.workspace.root().join(".git").exists() {
            bail!(
                "{root} is not a git checkout, but Nix reads only files that git tracks: clone the repository"
            );
        }
        Ok(format!("git+file://{root}"))
    }

    /// Returns the command `nix <verb>` for an output of the flake, such as `node-bindings-js`.
    pub(crate) fn on_output(&self, verb: &[&str], attribute: &str) -> Result<Command> {
        let mut command = self.command(verb);
        command.arg(format!("{}#{attribute}", self.url()?));
        Ok(command)
    }
}

/// Returns a warning if Nix is older than crane supports.
fn too_old(answer: &str) -> Option<String> {
    // `nix --version` prints `nix (Nix) 2.26.3` or `nix (Determinate Nix 3.6.2) 2.29.0`. A suffix of `pre` and a date is
    // ignored.
    let version = answer.split_whitespace().next_back()?;
    let parts = version.split(['.', '+', '-']);
    let digits = parts.map_while(|part| part.split(|c: char| !c.is_ascii_digit()).next());
    let parts: Vec<u32> = digits.map_while(|digits| digits.parse().ok()).collect();
    (!parts.is_empty() && parts.as_slice() < MIN_NIX.as_slice()).then(|| {
        let oldest = MIN_NIX.map(|part| part.to_string()).join(".");
        format!("nix is {version}, but crane requires {oldest} or later: update nix if an evaluation or a build fails")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outdated_nix_causes_a_warning() {
        for old in [
            "nix (Nix) 2.26.3",
            "nix (Nix) 2.31",
            "nix (Determinate Nix 3.6.2) 2.29.0",
            "nix (Nix) 2.30pre20250521",
        ] {
            assert!(too_old(old).unwrap().contains("crane requires 2.31.2"), "{old}");
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
