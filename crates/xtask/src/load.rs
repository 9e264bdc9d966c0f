//! `cargo xtask load`: loads addons into real Nodes and uses them there.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use node_targets::Target;
use serde::Serialize;
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::paths::Workspace;
use crate::process::{self, StepFailed};
use crate::report::{self, Report, Tally};
use crate::runtimes::Runtime;
use crate::windows;

/// Which platforms are loaded, and how it is told.
#[derive(Args)]
pub(crate) struct Options {
    /// Platforms, such as linux-arm64-musl, which then must load; where none is named, all that are built
    platforms: Vec<String>,
    /// A table, or an array of {platform, node, libc, status}
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// One addon in one Node.
#[derive(Debug, Serialize)]
struct Row {
    platform: String,
    /// Node's version; `null` where there is no Node to load it in.
    node: Option<String>,
    /// `glibc 2.31`, `musl`; `null` where the system is no Linux.
    libc: Option<String>,
    /// `loaded`, `failed: <why>`, `skipped: <why>`.
    status: String,
    #[serde(skip)]
    tally: Tally,
    #[serde(skip)]
    elapsed: Duration,
}

/// Each platform asked for, or each that is built. Whether nothing failed.
pub(crate) fn load(workspace: &Workspace, options: &Options) -> Result<bool> {
    let named = !options.platforms.is_empty();
    let targets = if named {
        options.platforms.iter().map(|name| find(name)).collect::<Result<_, _>>()?
    } else {
        built_targets(workspace)?
    };
    let rows: Vec<Row> =
        targets.into_iter().flat_map(|target| load_target(workspace, target, named)).collect();
    let mut report = Report::default();
    for row in &rows {
        report.add(&row.name(), row.tally.clone(), row.elapsed);
    }
    report::print(&match options.format {
        Format::Table => report.to_string(),
        Format::Json => serde_json::to_string_pretty(&rows)? + "\n",
    })?;
    Ok(report.is_success())
}

/// What came of loading an addon into one Node.
#[derive(Debug)]
pub(crate) enum Outcome {
    Loaded,
    /// The Node is not there.
    Skipped(String),
    /// Said on standard error by then; here in one line.
    Failed(String),
}

/// Loads a package into several Nodes, one after another: one that fails does not stop the next.
pub(crate) fn each(workspace: &Workspace, runtimes: &[Runtime], package: &Package<'_>) -> Vec<Outcome> {
    let load = |runtime: &Runtime| match runtime.missing(workspace) {
        Some(why) => Outcome::Skipped(why),
        None => match smoke(workspace, runtime, package) {
            Ok(()) => Outcome::Loaded,
            Err(error) => {
                let error = runtime.damage(workspace).unwrap_or(error);
                eprintln!("error: {error:#}");
                // The loader tells every place that it tried, and what to do: all of it belongs to the row.
                let told = error.downcast_ref::<StepFailed>().map(StepFailed::told);
                Outcome::Failed(told.unwrap_or_else(|| process::brief(&error)))
            }
        },
    };
    runtimes.iter().map(load).collect()
}

/// Loads a package into several Nodes; in which, and which were not there.
pub(crate) fn load_in(workspace: &Workspace, runtimes: &[Runtime], package: &Package<'_>) -> Tally {
    let target = package.target;
    let mut tally = Tally::default();
    let mut loaded = Vec::new();
    let mut failed = Vec::new();
    for (runtime, outcome) in runtimes.iter().zip(each(workspace, runtimes, package)) {
        match outcome {
            Outcome::Loaded => loaded.push(runtime.name()),
            Outcome::Skipped(why) => tally.skipped.push(format!("{target}: {why}")),
            Outcome::Failed(why) => failed.push(format!("{target} FAILED in {}: {why}", runtime.name())),
        }
    }
    tally.passed = report::count(&loaded);
    tally.failed = report::count(&failed);
    if !loaded.is_empty() {
        failed.insert(0, format!("{target} in {}", loaded.join("; ")));
    }
    tally.note = failed.join("; ");
    tally
}

/// Loads a package into one Node and uses it.
pub(crate) fn smoke(workspace: &Workspace, runtime: &Runtime, package: &Package<'_>) -> Result<()> {
    let target = package.target;
    let mut node = runtime.command(workspace)?;
    node.arg(workspace.package().join("test/smoke.cjs")).arg(&package.folder);
    let output = process::run(workspace, &step(target, runtime), node)?;
    let seen = output.lines().last().unwrap_or_default().trim_end();
    // A Node that found another C library than the one that it was to run on would show nothing.
    let system = runtime.libc.as_deref().unwrap_or(target.os.name());
    let expected = format!("Node {}, {system}", runtime.node);
    ensure!(seen == expected, "{target} was to load in {expected}, and says `{seen}`");
    Ok(())
}

/// A package that can be loaded.
pub(crate) struct Package<'a> {
    target: &'a Target,
    folder: PathBuf,
    /// Of one that was laid out; removed with it.
    _scratch: Option<TempDir>,
}

impl<'a> Package<'a> {
    /// The one in the tree, with the addon that `dist` put there; of what stands in for another, one with that.
    pub(crate) fn built(workspace: &Workspace, target: &'a Target) -> Result<Self> {
        let shipped = windows::shipped(target);
        let (addon, named) = (addon_of(workspace, target), shipped.unwrap_or(target));
        let shown = workspace.shown(&addon);
        if !addon.is_file() {
            match windows::stand_in(target) {
                Some(stand_in) => {
                    bail!("{shown} is not there: it is built on Windows; {stand_in} stands in for it here")
                }
                None => bail!("{shown} is not there: cargo xtask dist --target {named}"),
            }
        }
        is_whole(&addon).with_context(|| {
            format!("{shown} is no whole addon: build it again, by cargo xtask dist --target {named}")
        })?;
        if shipped.is_some() {
            return Self::laid_out(
                workspace,
                target,
                &Parts { addon: &addon, javascript: &workspace.dist() },
            );
        }
        Ok(Self { target, folder: workspace.package(), _scratch: None })
    }

    /// One that is laid out in a temporary folder, as it would be installed.
    pub(crate) fn laid_out(workspace: &Workspace, target: &'a Target, parts: &Parts<'_>) -> Result<Self> {
        let scratch = tempfile::tempdir().context("no temporary folder for a package")?;
        lay_out(workspace, parts, scratch.path())?;
        Ok(Self { target, folder: scratch.path().to_owned(), _scratch: Some(scratch) })
    }
}

/// Where `dist` leaves the addon of a target, or of what stands in for one.
fn addon_of(workspace: &Workspace, target: &Target) -> PathBuf {
    match windows::shipped(target) {
        Some(shipped) => windows::kept(workspace, shipped),
        None => workspace.dist().join(target.artifact_file()),
    }
}

/// A target, or what stands in for one, by its name.
fn find(name: &str) -> Result<&'static Target> {
    let stand_in = windows::stand_ins().find(|target| target.platform == name);
    Ok(match stand_in {
        Some(target) => target,
        None => Target::find(name)?,
    })
}

/// The targets whose addons are there, and what stands in for others; this machine's where none is.
pub(crate) fn built_targets(workspace: &Workspace) -> Result<Vec<&'static Target>> {
    let all = node_targets::targets().iter().chain(windows::stand_ins());
    let built: Vec<&Target> = all.filter(|target| addon_of(workspace, target).is_file()).collect();
    Ok(if built.is_empty() { vec![node_targets::host()?] } else { built })
}

/// Whether the tables of an addon lie within it. Mapped beyond its end, one that was cut short takes Node with it before
/// anyone can say why.
fn is_whole(addon: &Path) -> Result<()> {
    let content = fs::read(addon).with_context(|| format!("{} cannot be read", addon.display()))?;
    Ok(node_audit::read_facts(addon, &content).map(drop)?)
}

/// What a package is made of, each from somewhere.
pub(crate) struct Parts<'a> {
    /// The file.
    pub(crate) addon: &'a Path,
    /// The folder with the entry points.
    pub(crate) javascript: &'a Path,
}

/// Lays a package out in a folder, as it would be installed.
fn lay_out(workspace: &Workspace, parts: &Parts<'_>, package: &Path) -> Result<()> {
    let Parts { addon, javascript } = parts;
    let dist = package.join("dist");
    fs::create_dir_all(&dist)?;
    let copy = |from: &Path, to: &Path| {
        let name = from.file_name().with_context(|| format!("{} is no file", from.display()))?;
        fs::copy(from, to.join(name)).with_context(|| format!("{} cannot be copied", from.display()))
    };
    copy(&workspace.package().join("package.json"), package)?;
    copy(addon, &dist)?;
    for entry in WalkDir::new(javascript).follow_links(true) {
        let entry = entry.with_context(|| format!("{} cannot be read", javascript.display()))?;
        let to = dist.join(entry.path().strip_prefix(javascript)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to)?;
        } else if to.extension().is_none_or(|extension| extension != "node") {
            fs::copy(entry.path(), &to).with_context(|| format!("cannot copy to {}", to.display()))?;
        }
    }
    Ok(())
}

impl Row {
    fn new(target: &Target, runtime: Option<&Runtime>, tally: Tally, started: Instant) -> Self {
        let status = match (tally.passed, tally.skipped.first()) {
            (0, Some(why)) => format!("skipped: {why}"),
            (0, None) => format!("failed: {}", tally.note),
            _ => "loaded".to_owned(),
        };
        Self {
            platform: target.platform.clone(),
            node: runtime.map(|runtime| runtime.node.clone()),
            libc: runtime.and_then(|runtime| runtime.libc.clone()),
            status,
            tally,
            elapsed: started.elapsed(),
        }
    }

    fn name(&self) -> String {
        let Self { platform, node, libc, .. } = self;
        let words = [
            Some(format!("load {platform}")),
            node.as_ref().map(|node| format!("Node {node}")),
            libc.clone(),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A row for each Node of a platform, or the one that says why there is none.
fn load_target(workspace: &Workspace, target: &Target, named: bool) -> Vec<Row> {
    let started = Instant::now();
    let row = |tally| vec![Row::new(target, None, tally, started)];
    let found = Runtime::of(workspace, target).and_then(|runtimes| match runtimes.as_slice() {
        [] => Ok(Err(Runtime::none(target)?)),
        _ => Ok(Ok((runtimes, Package::built(workspace, target)?))),
    });
    let (runtimes, package) = match found {
        Ok(Ok(found)) => found,
        Ok(Err(none)) if !named => return row(Tally::skipped(none)),
        Ok(Err(none)) => return row(Tally::failed(none)),
        Err(error) => return row(Tally::failed(format!("{error:#}"))),
    };
    let load = |runtime: &Runtime| {
        let started = Instant::now();
        let outcomes = each(workspace, slice::from_ref(runtime), &package);
        let tally = outcomes.into_iter().next().map_or_else(Tally::default, |outcome| match outcome {
            Outcome::Loaded => Tally::passed(""),
            // Asked for by name, it must load: nothing is skipped.
            Outcome::Skipped(why) if named => Tally::failed(why),
            Outcome::Skipped(why) => Tally::skipped(why),
            Outcome::Failed(why) => Tally::failed(why),
        });
        Row::new(target, Some(runtime), tally, started)
    };
    runtimes.iter().map(load).collect()
}

fn step(target: &Target, runtime: &Runtime) -> String {
    format!("load {target}, {}", runtime.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_flat_object_with_its_status_in_words() {
        let workspace = Workspace::find().unwrap();
        let target = Target::by_platform("linux-arm64-musl").unwrap();
        let runtimes = Runtime::pinned(&workspace, target.cpu, target.libc.unwrap()).unwrap();
        let tallies = [Tally::passed(""), Tally::failed("no such symbol"), Tally::skipped("no Node")];
        let statuses = ["loaded", "failed: no such symbol", "skipped: no Node"];
        for (tally, status) in tallies.into_iter().zip(statuses) {
            let row = Row::new(target, Some(&runtimes[0]), tally, Instant::now());
            let json = serde_json::to_value(&row).unwrap();
            let expected = serde_json::json!({
                "platform": "linux-arm64-musl", "node": runtimes[0].node, "libc": "musl", "status": status,
            });
            assert_eq!(json, expected);
            assert_eq!(row.name(), format!("load linux-arm64-musl, Node {}, musl", runtimes[0].node));
        }
    }

    #[test]
    fn an_addon_that_was_cut_short_is_named_before_a_node_dies_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        fs::create_dir_all(workspace.dist()).unwrap();
        for content in [b"".as_slice(), b"\x7fELF\x02\x01\x01", b"a text that is none"] {
            fs::write(workspace.dist().join(target.artifact_file()), content).unwrap();
            let text = format!("{:#}", Package::built(&workspace, target).err().unwrap());
            let start = format!(
                "bindings/node/dist/{} is no whole addon: build it again, by cargo xtask dist --target {target}: ",
                target.artifact_file()
            );
            assert!(text.starts_with(&start), "{text}");
        }
    }

    #[test]
    #[cfg(not(windows))]
    fn what_stands_in_for_windows_addon_has_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let (shipped, stand_in) = (find("win32-x64-msvc").unwrap(), find("win32-x64-gnu").unwrap());
        let why = |target| Package::built(&workspace, target).err().unwrap().to_string();
        assert!(
            why(shipped).ends_with("it is built on Windows; win32-x64-gnu stands in for it here"),
            "{}",
            why(shipped)
        );
        assert!(why(stand_in).ends_with("cargo xtask dist --target win32-x64-msvc"), "{}", why(stand_in));
        let kept = windows::kept(&workspace, shipped);
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(kept, "").unwrap();
        assert_eq!(built_targets(&workspace).unwrap(), [stand_in]);
    }

    #[test]
    fn what_is_not_built_is_one_failed_row() {
        let folder = tempfile::tempdir().unwrap();
        let list = "crates/xtask/runtimes.json";
        fs::create_dir_all(folder.path().join("crates/xtask")).unwrap();
        fs::copy(Workspace::find().unwrap().root().join(list), folder.path().join(list)).unwrap();
        let target = node_targets::host().unwrap();
        let rows = load_target(&Workspace::at(folder.path()), target, false);
        assert_eq!(rows.len(), 1);
        let remedy = format!("is not there: cargo xtask dist --target {target}");
        assert!(rows[0].status.ends_with(&remedy), "{}", rows[0].status);
        assert_eq!(rows[0].node, None);
    }
}
