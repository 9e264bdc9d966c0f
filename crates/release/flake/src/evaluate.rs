//! Evaluates the flake's outputs.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::nix::Flake;
use crate::outputs::MUSL_BY_ZIG;

/// The environment variable with the folder of a flake that replaces nixpkgs in an evaluation: nixpkgs itself, or a fork that
/// has its stdenv.
const NIXPKGS: &str = "STRONGROOM_NIXPKGS";

/// The reason to skip the evaluation with nixpkgs.
pub const NO_NIXPKGS: &str = "STRONGROOM_NIXPKGS is not set: set it to the folder of a nixpkgs flake";

/// Returns the folder that `STRONGROOM_NIXPKGS` names, if it is set.
pub fn nixpkgs() -> Result<Option<PathBuf>> {
    let named = env::var_os(NIXPKGS).filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(folder) = named else { return Ok(None) };
    if !folder.join("flake.nix").is_file() {
        let folder = folder.display();
        bail!("{NIXPKGS} names {folder}, which has no flake.nix: name the folder of a flake, or unset it");
    }
    Ok(Some(folder))
}

impl Flake<'_> {
    /// Evaluates every output for every system, with another flake in place of nixpkgs. Returns the number of outputs.
    pub fn evaluate_with(&self, nixpkgs: &Path) -> Result<u32> {
        let mut evaluate = self.program("nix");
        evaluate.args(["flake", "check", "--no-build", "--all-systems", "--no-write-lock-file"]);
        evaluate.args(["--override-input", "nixpkgs"]).arg(format!("path:{}", nixpkgs.display()));
        evaluate.arg(self.url()?);
        let log = self.workspace.run("nix flake check with nixpkgs", evaluate)?;
        let outputs = log.lines().filter(|line| line.starts_with("derivation evaluated to ")).count();
        ensure!(
            outputs > 0,
            "nix flake check evaluated no output with nixpkgs from {}: check that {NIXPKGS} names a nixpkgs flake",
            nixpkgs.display()
        );
        Ok(u32::try_from(outputs)?)
    }

    /// Evaluates every output for every system, and builds this system's checks. Returns a note for a table.
    pub fn check(&self) -> Result<String> {
        let check = |step, options: &[&str]| {
            let mut check = self.command(&["flake", "check"]);
            self.workspace.run(step, check.args(options).arg(self.url()?))
        };
        check("nix flake check of all systems", &["--no-build", "--all-systems"])?;
        check("nix flake check", &["--print-build-logs"])?;
        let note = format!("evaluated for every system; {}'s checks built here", machine::system());
        Ok(match self.uses_offline_nixpkgs() {
            true => format!("{note}, with the offline nixpkgs: {MUSL_BY_ZIG}"),
            false => note,
        })
    }

    /// Evaluates a target's addon for the system that builds its release.
    pub fn evaluate(&self, target: &node_targets::Target) -> Result<()> {
        let (platform, host) = (&target.platform, target.release_host());
        let derivation = format!("packages.{host}.node-bindings-{platform}.drvPath");
        let evaluate = self.on_output(&["eval", "--raw"], &derivation)?;
        self.workspace.run(&format!("nix eval {platform}"), evaluate).map(drop)
    }
}
