//! `cargo xtask dist`: packages built as a release is, audited, loaded and used.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use node_audit::{Severity, audit};
use node_targets::{Os, Target};

use crate::addon::{self, Addon};
use crate::load::{self, Outcome, Package};
use crate::npm;
use crate::pack;
use crate::paths::Workspace;
use crate::prerequisites;
use crate::process;
use crate::report::{self, Tally};
use crate::runtimes::Runtime;
use crate::rust_std;
use crate::windows;

/// Which platforms are built.
#[derive(Args)]
pub(crate) struct Options {
    /// Builds every platform; win32-x64-msvc is built on Windows, and type-checked elsewhere
    #[arg(long, conflicts_with = "target")]
    all: bool,
    /// Builds this platform, by its name or its Rust triple; may be repeated
    #[arg(long, value_name = "PLATFORM")]
    target: Vec<String>,
}

/// What is to be done for a platform.
enum Plan {
    /// To build this: the target itself, or what stands in for it here.
    Build(&'static Target),
    /// Windows' Rust was type-checked, in this time, and nothing can be built, for this reason.
    Checked(Duration, String),
    /// It failed already.
    Failed(anyhow::Error),
}

/// One platform in the table.
struct Row {
    target: &'static Target,
    /// What compiled it, its size, how long that took, and what the audit says.
    cells: [String; 4],
    /// In which Nodes it was loaded, and why not in others.
    loaded: Vec<String>,
    /// Whether the addon is in `bindings/node/dist`.
    shipped: bool,
    failed: bool,
}

/// Each platform asked for, and the table of them. Whether nothing failed.
pub(crate) fn dist(workspace: &Workspace, options: &Options) -> Result<bool> {
    let host = node_targets::host()?;
    let targets = chosen(options, host)?;
    prerequisites::check()?;
    rust_std::install(workspace, &targets)?;
    javascript(workspace)?;
    let rows = rows(workspace, &targets);
    let mut text = String::new();
    let mut succeeded = !rows.iter().any(|row| row.failed);
    if rows.iter().any(|row| row.target == host && !row.failed) {
        match quickstart(workspace) {
            Ok(output) => text = format!("{}\n", output.trim_end()),
            Err(error) => {
                eprintln!("error: {error:#}");
                succeeded = false;
            }
        }
    }
    report::print(&format!("{text}{}", shown(workspace, &rows)))?;
    Ok(succeeded)
}

/// Builds addon and JavaScript, and audits the addon: what must be there before anything is loaded. In one line.
pub(crate) fn build(workspace: &Workspace, target: &Target) -> Result<String> {
    prerequisites::check()?;
    javascript(workspace)?;
    let addon = addon::build_one(workspace, target)?;
    let audit = gate(workspace, target, &addon)?;
    Ok(format!("{}, {}, audit {audit}", addon.toolchain, megabytes(size(workspace, &addon)?)))
}

/// What can be seen here of Windows' addon: its Rust, and the same sources built by mingw, audited, and loaded under Wine.
pub(crate) fn try_windows(workspace: &Workspace, target: &'static Target) -> Result<Tally> {
    let (stand_in, addon) = match plan(workspace, target) {
        Plan::Build(stand_in) => (stand_in, addon::build_one(workspace, stand_in)?),
        Plan::Checked(_, why) => return Ok(Tally { skipped: vec![why], ..Tally::passed("type-checked") }),
        Plan::Failed(error) => return Err(error),
    };
    let audit = gate(workspace, target, &addon)?;
    let mut tally =
        Tally { passed: 2, ..Tally::passed(format!("type-checked; {}, audit {audit}", addon.toolchain)) };
    let runtimes = Runtime::of(workspace, stand_in)?;
    tally.merge(load::load_in(workspace, &runtimes, &Package::built(workspace, stand_in)?));
    Ok(tally)
}

/// Holds the addon against the rules of what is shipped; in words, where none is broken.
pub(crate) fn audited(workspace: &Workspace, addon: &Path, target: &Target) -> Result<String> {
    let report = audit(addon, &pack::policy(target))?;
    if report.has_errors() {
        let findings = node_audit::table(&[report], 110).trim_end().to_owned();
        bail!(NotToBeShipped { addon: workspace.shown(addon), findings });
    }
    Ok(match report.count(Severity::Warning) {
        0 => "clean".to_owned(),
        1 => "1 warning".to_owned(),
        warnings => format!("{warnings} warnings"),
    })
}

/// An addon that breaks a rule of what is shipped.
#[derive(Debug, thiserror::Error)]
#[error("{addon} must not be shipped:\n{findings}")]
struct NotToBeShipped {
    addon: String,
    findings: String,
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

/// The targets that the command line names, each once, in its order.
fn chosen(options: &Options, host: &'static Target) -> Result<Vec<&'static Target>> {
    if options.all {
        return Ok(node_targets::targets().iter().collect());
    }
    let mut targets: Vec<&Target> = Vec::new();
    for name in &options.target {
        let target = Target::find(name)?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() {
        targets.push(host);
    }
    Ok(targets)
}

fn javascript(workspace: &Workspace) -> Result<()> {
    let dist = workspace.dist();
    // What the compilers would say of it comes after minutes, and is long.
    fs::create_dir_all(&dist).and_then(|()| tempfile::tempfile_in(&dist)).with_context(|| {
        format!(
            "{} cannot be written: make it writable, or remove what is in its place",
            workspace.shown(&dist)
        )
    })?;
    npm::install(workspace)?;
    npm::script(workspace, "build:finish", &[])?.ok()?;
    Ok(())
}

/// Builds all platforms, then audits and loads one after another. What fails is said at once, and stands in the table:
/// the next one is still of use.
fn rows(workspace: &Workspace, targets: &[&'static Target]) -> Vec<Row> {
    let plans: Vec<Plan> = targets.iter().map(|target| plan(workspace, target)).collect();
    let wanted = plans.iter().filter_map(|plan| match plan {
        Plan::Build(target) => Some(*target),
        _ => None,
    });
    let mut built = addon::build(workspace, &wanted.collect::<Vec<_>>()).into_iter();
    let row = |(&target, plan): (&&'static Target, &Plan)| match plan {
        Plan::Build(_) => match built.next() {
            Some(Ok(addon)) => built_row(workspace, target, &addon),
            Some(Err(error)) => failed_row(target, &error),
            None => failed_row(target, &anyhow::anyhow!("it was not built")),
        },
        Plan::Checked(elapsed, why) => {
            let cells = ["type-checked only".to_owned(), none(), seconds(*elapsed), none()];
            Row { target, cells, loaded: vec![format!("skipped: {why}")], shipped: false, failed: false }
        }
        Plan::Failed(error) => failed_row(target, error),
    };
    targets.iter().zip(&plans).map(row).collect()
}

/// MSVC's linker and libraries are on Windows only: elsewhere the Rust is type-checked, and mingw builds in its place.
fn plan(workspace: &Workspace, target: &'static Target) -> Plan {
    let Some(stand_in) = windows::stand_in(target) else { return Plan::Build(target) };
    let started = Instant::now();
    let checked = windows::check(workspace, target).and_then(|()| windows::missing(workspace, stand_in));
    match checked {
        Ok(None) => Plan::Build(stand_in),
        Ok(Some(why)) => Plan::Checked(started.elapsed(), why),
        Err(error) => Plan::Failed(error),
    }
}

fn size(workspace: &Workspace, addon: &Addon) -> Result<u64> {
    Ok(fs::metadata(&addon.library).with_context(|| workspace.shown(&addon.library))?.len())
}

/// Puts an addon that passes the audit where it is loaded and packed from, and one that stands in for another where it
/// is loaded only; in the audit's words.
fn gate(workspace: &Workspace, target: &Target, addon: &Addon) -> Result<String> {
    if windows::stand_in(target).is_some() {
        return windows::keep(workspace, target, addon, |kept| audited(workspace, kept, target));
    }
    let audit = audited(workspace, &addon.library, target)?;
    addon::install(addon, target, &workspace.dist())?;
    Ok(audit)
}

/// Audits and loads what was built.
fn built_row(workspace: &Workspace, target: &'static Target, addon: &Addon) -> Row {
    let size = match size(workspace, addon) {
        Ok(size) => size,
        Err(error) => return failed_row(target, &error),
    };
    let time = addon.elapsed.map_or_else(|| "as it was".to_owned(), seconds);
    let cells = |audit: &str| [addon.toolchain.clone(), megabytes(size), time.clone(), audit.to_owned()];
    match gate(workspace, target, addon) {
        Ok(audit) => {
            let stand_in = windows::stand_in(target);
            let (mut loaded, failed) = load(workspace, stand_in.unwrap_or(target));
            if let Some(stand_in) = stand_in {
                loaded.push(format!("as {stand_in}: what ships is built on Windows"));
            }
            Row { target, cells: cells(&audit), loaded, shipped: stand_in.is_none(), failed }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            let audit = if error.is::<NotToBeShipped>() { "FAILED".to_owned() } else { none() };
            let loaded = vec![format!("not loaded: {}", process::brief(&error).trim_end_matches(':'))];
            Row { target, cells: cells(&audit), loaded, shipped: false, failed: true }
        }
    }
}

/// Loads what was built in each Node for it that there is, and says whether one failed.
fn load(workspace: &Workspace, target: &Target) -> (Vec<String>, bool) {
    let found = Runtime::of(workspace, target)
        .and_then(|runtimes| Ok((runtimes, Package::built(workspace, target)?)));
    let (runtimes, package) = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("error: {error:#}");
            return (vec![format!("FAILED: {}", process::brief(&error))], true);
        }
    };
    if runtimes.is_empty() {
        return (Runtime::none(target).map(|why| format!("skipped: {why}")).into_iter().collect(), false);
    }
    let outcomes = load::each(workspace, &runtimes, &package);
    let failed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_)));
    let loaded = runtimes.iter().zip(outcomes).map(|(runtime, outcome)| match outcome {
        Outcome::Loaded => runtime.name(),
        Outcome::Skipped(why) => format!("skipped: {why}"),
        Outcome::Failed(why) => format!("FAILED in {}: {why}", runtime.name()),
    });
    (loaded.collect(), failed)
}

fn failed_row(target: &'static Target, error: &anyhow::Error) -> Row {
    eprintln!("error: {target}: {error:#}");
    let loaded = vec![format!("FAILED: {}", process::brief(error))];
    Row { target, cells: [none(), none(), none(), none()], loaded, shipped: false, failed: true }
}

/// The table, and what was written.
fn shown(workspace: &Workspace, rows: &[Row]) -> String {
    let mut table = report::table(["platform", "toolchain", "floor", "size", "time", "audit", "loaded in"]);
    let mut files = String::new();
    for Row { target, cells, loaded, shipped, .. } in rows {
        let [toolchain, size, time, audit] = cells;
        table.add_row([&target.platform, toolchain, &floor(target), size, time, audit, &loaded.join("\n")]);
        if *shipped {
            files += &format!("{}\n", workspace.shown(&workspace.dist().join(target.artifact_file())));
        }
    }
    format!("{table}\n{files}")
}

fn floor(target: &Target) -> String {
    let system = match target.os {
        Os::Linux => "glibc",
        Os::Darwin => "macOS",
        Os::Win32 => "Windows",
    };
    target.floor.map_or_else(none, |floor| format!("{system} {floor}"))
}

fn none() -> String {
    "-".to_owned()
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.0} s", elapsed.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(targets: &[&str]) -> Result<Vec<&'static str>> {
        let options = Options { all: false, target: targets.iter().map(|&name| name.to_owned()).collect() };
        let targets = chosen(&options, Target::by_platform("linux-x64-gnu").unwrap())?;
        Ok(targets.into_iter().map(|target| target.platform.as_str()).collect())
    }

    #[test]
    fn platforms_are_named_by_either_name_and_built_once() {
        let both = ["linux-arm64-musl", "aarch64-apple-darwin", "aarch64-unknown-linux-musl"];
        assert_eq!(named(&both).unwrap(), ["linux-arm64-musl", "darwin-arm64"]);
        assert_eq!(named(&[]).unwrap(), ["linux-x64-gnu"]);
        let error = named(&["linux-x64"]).unwrap_err().to_string();
        assert!(error.starts_with("unknown target `linux-x64`; known targets: linux-x64-gnu ("), "{error}");
        let all = Options { all: true, target: Vec::new() };
        let all = chosen(&all, node_targets::host().unwrap()).unwrap();
        assert_eq!(all.len(), node_targets::targets().len());
    }

    #[test]
    fn the_table_has_a_row_for_each_platform_and_the_files_that_were_built() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let built = Row {
            target: Target::by_platform("darwin-x64").unwrap(),
            cells: ["zig", "6.1 MB", "70 s", "clean"].map(str::to_owned),
            loaded: vec!["skipped: no Mac".to_owned()],
            shipped: true,
            failed: false,
        };
        let broken = failed_row(Target::by_platform("linux-x64-musl").unwrap(), &anyhow::anyhow!("no zig"));
        assert!(broken.failed);
        let text = shown(&workspace, &[built, broken]);
        let row = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(row("darwin-x64 ").contains("macOS 10.15") && row("darwin-x64 ").contains("skipped: no Mac"));
        assert!(row("linux-x64-musl ").contains("FAILED: no zig"), "{text}");
        assert!(text.ends_with("\nbindings/node/dist/bindings_node.darwin-x64.node\n"), "{text}");
    }
}
