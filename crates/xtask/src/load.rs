//! `cargo xtask load`: loads addons into real Nodes and uses them there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use node_targets::Target;
use serde::Serialize;

use crate::paths::Workspace;
use crate::process;
use crate::report::{self, Report, Tally};
use crate::runtimes::Runtime;

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
        options.platforms.iter().map(|name| Target::find(name)).collect::<Result<_, _>>()?
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

/// Loads a package in several Nodes, one after another; in which, and which were not there.
pub(crate) fn load_in(
    workspace: &Workspace,
    runtimes: &[Runtime],
    target: &Target,
    package: &Path,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut loaded = Vec::new();
    for runtime in runtimes {
        match runtime.missing(workspace) {
            Some(why) => tally.skipped.push(format!("{target}: {why}")),
            None => {
                smoke(workspace, runtime, target, package)?;
                loaded.push(runtime.name());
                tally.passed += 1;
            }
        }
    }
    if !loaded.is_empty() {
        tally.note = format!("{target} in {}", loaded.join("; "));
    }
    Ok(tally)
}

/// Loads the package in a folder into one Node and uses it.
pub(crate) fn smoke(workspace: &Workspace, runtime: &Runtime, target: &Target, package: &Path) -> Result<()> {
    let mut node = runtime.command(workspace)?;
    node.arg(workspace.package().join("test/smoke.cjs")).arg(package);
    let output = process::run(workspace, &step(target, runtime), node)?;
    let seen = output.lines().last().unwrap_or_default();
    // A Node that found another C library than the one that it was to run on would show nothing.
    let expected = runtime.name();
    ensure!(
        runtime.libc.is_none() || seen == expected,
        "{target} was to load in {expected}, and says `{seen}`"
    );
    Ok(())
}

/// The package in the tree, with the addon that `dist` built.
pub(crate) fn built_package(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let addon = workspace.dist().join(target.artifact_file());
    if !addon.is_file() {
        bail!("{} is not there: cargo xtask dist", workspace.shown(&addon));
    }
    Ok(workspace.package())
}

/// The targets whose addons are in the tree; this machine's where none is.
pub(crate) fn built_targets(workspace: &Workspace) -> Result<Vec<&'static Target>> {
    let is_built = |target: &&Target| workspace.dist().join(target.artifact_file()).is_file();
    let built: Vec<&Target> = node_targets::targets().iter().filter(is_built).collect();
    Ok(if built.is_empty() { vec![node_targets::host()?] } else { built })
}

/// What a package is made of, each from somewhere.
pub(crate) struct Parts<'a> {
    /// The file.
    pub(crate) addon: &'a Path,
    /// The folder with the entry points.
    pub(crate) javascript: &'a Path,
}

/// Lays a package out in a folder, as it would be installed.
pub(crate) fn lay_out(workspace: &Workspace, parts: &Parts<'_>, package: &Path) -> Result<()> {
    let Parts { addon, javascript } = parts;
    let dist = package.join("dist");
    fs::create_dir_all(&dist)?;
    let copy = |from: &Path, to: &Path| {
        let name = from.file_name().with_context(|| format!("{} is no file", from.display()))?;
        fs::copy(from, to.join(name)).with_context(|| format!("{} cannot be copied", from.display()))
    };
    copy(&workspace.package().join("package.json"), package)?;
    copy(addon, &dist)?;
    for entry in
        fs::read_dir(javascript).with_context(|| format!("{} cannot be read", javascript.display()))?
    {
        let path = entry?.path();
        if path.is_file() {
            copy(&path, &dist)?;
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
    let runtimes = match Runtime::of(workspace, target) {
        Ok(runtimes) => runtimes,
        Err(error) if named => return row(Tally::failed(format!("{error:#}"))),
        Err(error) => return row(Tally::skipped(format!("{error:#}"))),
    };
    let package = match built_package(workspace, target) {
        Ok(package) => package,
        Err(error) => return row(Tally::failed(format!("{error:#}"))),
    };
    let load = |runtime: &Runtime| {
        let started = Instant::now();
        let tally = match runtime.missing(workspace) {
            // Asked for by name, it must load: nothing is skipped.
            Some(why) if named => Tally::failed(why),
            Some(why) => Tally::skipped(why),
            None => match smoke(workspace, runtime, target, &package) {
                Ok(()) => Tally::passed(""),
                Err(error) => {
                    eprintln!("error: {error:#}");
                    Tally::failed(process::brief(&error))
                }
            },
        };
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
    fn what_is_not_built_is_one_failed_row() {
        let folder = tempfile::tempdir().unwrap();
        let list = "crates/xtask/runtimes.json";
        fs::create_dir_all(folder.path().join("crates/xtask")).unwrap();
        fs::copy(Workspace::find().unwrap().root().join(list), folder.path().join(list)).unwrap();
        let target = node_targets::host().unwrap();
        let rows = load_target(&Workspace::at(folder.path()), target, false);
        assert_eq!(rows.len(), 1);
        assert!(rows[0].status.ends_with("is not there: cargo xtask dist"), "{}", rows[0].status);
        assert_eq!(rows[0].node, None);
    }
}
