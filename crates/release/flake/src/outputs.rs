//! Builds the flake's outputs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use machine::process;
use node_targets::Target;
use serde_json::Value;

use crate::nix::Flake;

/// The caveat of every build with the offline nixpkgs.
pub const MUSL_BY_ZIG: &str =
    "zig, not nixpkgs' gcc, compiles the C of the musl addons, so the build with gcc is untested";

/// Returns the targets that Nix builds on this system.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    let system = machine::system();
    node_targets::targets().iter().filter(move |target| target.builds_on(&system))
}

impl Flake<'_> {
    /// Builds a platform's audited addon. Returns its path.
    pub fn build(&self, target: &Target) -> Result<PathBuf> {
        let addon = self.build_output(&target.platform)?.join(target.artifact_file());
        ensure!(addon.is_file(), "nix built {target}, but the output has no {}", addon.display());
        Ok(addon)
    }

    /// Rebuilds a platform's package from its layers. Fails if a byte of the addon or of its debug information differs.
    pub fn build_again(&self, target: &Target) -> Result<()> {
        let package = format!("node-bindings-{target}.layers.package^*");
        let again = self.on_output(&["build", "--rebuild", "--no-link", "--print-build-logs"], &package)?;
        self.workspace.run(&format!("nix build {target} again"), again).map(drop)
    }

    /// Builds the debug information of a platform's addon. Returns the folder.
    pub fn build_debug_information(&self, target: &Target) -> Result<PathBuf> {
        self.build_path(&format!("node-bindings-{target}.debug"))
    }

    /// Builds an output without creating a link to it. Returns the store path.
    pub(crate) fn build_path(&self, attribute: &str) -> Result<PathBuf> {
        let build = self.on_output(&["build", "--no-link", "--print-out-paths"], attribute)?;
        process::capture(build).map(PathBuf::from)
    }

    /// Builds `node-bindings-<name>`, where the name is a platform for its addon, or `js` for the package's JavaScript. Returns
    /// the link `result-<name>`.
    pub fn build_output(&self, name: &str) -> Result<PathBuf> {
        let link = format!("result-{name}");
        let verb = ["build", "--print-build-logs", "--out-link", &link];
        let build = self.on_output(&verb, &format!("node-bindings-{name}"))?;
        self.workspace.run(&format!("nix build {name}"), build)?;
        Ok(self.workspace.root().join(link))
    }

    /// Returns the place where a result was built, in words for a table.
    pub fn origin(&self, result: &Path) -> Result<&'static str> {
        let answer = process::capture(self.program("nix").args(["path-info", "--json"]).arg(result))?;
        let answer: Value = serde_json::from_str(&answer).context("nix path-info printed no JSON")?;
        // Nix up to 2.18 prints a list, and later versions print an object by path.
        let info = answer.get(0).or_else(|| answer.as_object()?.values().next());
        let is_own = info.is_some_and(|info| info["ultimate"] == true);
        Ok(if is_own { "built here" } else { "from a binary cache" })
    }
}
