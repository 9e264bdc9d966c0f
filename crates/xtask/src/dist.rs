//! `cargo xtask dist`: the package for this machine, built as a release is, audited, loaded and used.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use node_audit::{Policy, Severity, audit};
use node_targets::Target;

use crate::addon::{self, Addon};
use crate::load;
use crate::npm;
use crate::paths::Workspace;
use crate::prerequisites;
use crate::process;
use crate::report;
use crate::runtimes::Runtime;

/// What one platform's build came to.
pub(crate) struct Built {
    addon: Addon,
    size: u64,
    elapsed: Duration,
    audit: String,
}

/// Everything, and the table of it.
pub(crate) fn dist(workspace: &Workspace) -> Result<()> {
    let target = node_targets::host()?;
    let built = build(workspace, target)?;
    let runtime = Runtime::on_path()?;
    load::smoke(workspace, &runtime, target, &workspace.package())?;
    let quickstart = quickstart(workspace)?;
    let mut table = report::table(["platform", "toolchain", "floor", "size", "time", "audit", "loaded in"]);
    let floor = target.floor.map_or_else(|| "none".to_owned(), |floor| floor.to_string());
    let size = format!("{:.1} MB", megabytes(built.size));
    let time = format!("{:.0} s", built.elapsed.as_secs_f64());
    let toolchain = &built.addon.toolchain;
    table.add_row([&target.platform, toolchain, &floor, &size, &time, &built.audit, &runtime.name()]);
    report::print(&format!("{}\n{table}\n{}\n", quickstart.trim_end(), workspace.shown(&built.addon.path)))
}

/// Builds addon and JavaScript, and audits the addon: what must be there before anything is loaded.
pub(crate) fn build(workspace: &Workspace, target: &Target) -> Result<Built> {
    prerequisites::check()?;
    let started = Instant::now();
    npm::install(workspace)?;
    let addon = addon::build(workspace, target)?;
    npm::script(workspace, "build:finish", &[])?.ok()?;
    let size = fs::metadata(&addon.path).with_context(|| workspace.shown(&addon.path))?.len();
    let audit = audited(workspace, &addon.path, target)?;
    Ok(Built { addon, size, elapsed: started.elapsed(), audit })
}

impl Built {
    /// The build in one line.
    pub(crate) fn summary(&self) -> String {
        format!("{}, {:.1} MB, audit {}", self.addon.toolchain, megabytes(self.size), self.audit)
    }
}

/// Holds the addon against the rules of what is shipped; in words, where none is broken.
pub(crate) fn audited(workspace: &Workspace, addon: &Path, target: &Target) -> Result<String> {
    let report = audit(addon, &Policy::for_target(target))?;
    if report.has_errors() {
        let shown = workspace.shown(addon);
        bail!("{shown} must not be shipped:\n{}", node_audit::table(&[report], 110).trim_end());
    }
    Ok(match report.count(Severity::Warning) {
        0 => "clean".to_owned(),
        1 => "1 warning".to_owned(),
        warnings => format!("{warnings} warnings"),
    })
}

/// The README's example, on this workspace's own metadata: all the crates that it is built of.
pub(crate) fn quickstart(workspace: &Workspace) -> Result<String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace.root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cargo metadata, the quickstart's input")?;
    let folder = tempfile::tempdir().context("no temporary folder for the quickstart")?;
    let input = folder.path().join("metadata.json");
    fs::write(&input, serde_json::to_string(&metadata)?)?;
    let mut node = process::command("node");
    node.arg(workspace.package().join("example/quickstart.mjs")).arg(&input).current_dir(folder.path());
    process::run(workspace, "quickstart", node)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
