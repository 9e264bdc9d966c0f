//! Loads addons into real Nodes and uses them there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use node_targets::{Libc, Os, Target};

use crate::apt::{self, Foreign};
use crate::paths::{Workspace, program};
use crate::process;
use crate::report::{Report, Tally};

/// A Debian release with an old glibc, and what Node needs of it.
const OLD: Foreign = Foreign { release: "bullseye", packages: &["libc6", "libstdc++6", "libgcc-s1"] };
const OLD_GLIBC: &str = "2.31";

/// One Node in which an addon is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The Node on `PATH`.
    Host,
    /// The same Node under the older glibc that `setup` unpacked.
    OldGlibc,
}

impl Place {
    /// Everything that a platform's addon is loaded in on this machine.
    pub(crate) fn of(target: &Target) -> Result<Vec<Place>> {
        let host = node_targets::host()?;
        if target != host {
            bail!("{target} cannot be loaded on this machine, which is {host}");
        }
        let mut places = vec![Place::Host];
        if target.os == Os::Linux && target.libc == Some(Libc::Glibc) {
            places.push(Place::OldGlibc);
        }
        Ok(places)
    }

    /// The name of its row.
    pub(crate) fn name(&self, target: &Target) -> String {
        match self {
            Place::Host => format!("load {target}"),
            Place::OldGlibc => format!("load {target}, glibc {OLD_GLIBC}"),
        }
    }

    /// Why this place is not there, if so.
    pub(crate) fn missing(&self, workspace: &Workspace) -> Option<String> {
        let absent = matches!(self, Place::OldGlibc) && !has_old_glibc(workspace);
        absent.then(|| format!("glibc {OLD_GLIBC} of Debian {} is not there: cargo xtask setup", OLD.release))
    }

    /// Loads the package in a folder and uses it; what it ran in.
    pub(crate) fn load(&self, workspace: &Workspace, target: &Target, package: &Path) -> Result<String> {
        let mut node = match self {
            Place::Host => process::command("node"),
            Place::OldGlibc => node_under(&old_glibc(workspace))?,
        };
        node.arg(workspace.package().join("test/smoke.cjs")).arg(package);
        if matches!(self, Place::OldGlibc) {
            node.arg(OLD_GLIBC);
        }
        let output = process::run(workspace, &self.name(target), node)?;
        Ok(output.lines().last().unwrap_or("loaded").to_owned())
    }
}

/// `cargo xtask load`: each platform asked for, or the host's.
pub(crate) fn load(workspace: &Workspace, platforms: &[String]) -> Result<Report> {
    let mut report = Report::default();
    let targets = match platforms {
        [] => vec![node_targets::host()?],
        named => named.iter().map(|name| Target::find(name)).collect::<Result<_, _>>()?,
    };
    for target in targets {
        // Asked for by name, it must load: nothing is skipped.
        let places = match Place::of(target) {
            Ok(places) => places,
            Err(error) => {
                report.add(&format!("load {target}"), Tally::failed(error.to_string()), Default::default());
                continue;
            }
        };
        for place in places {
            let started = Instant::now();
            let tally = match place.missing(workspace) {
                Some(why) if platforms.is_empty() => Tally::skipped(why),
                Some(why) => Tally::failed(why),
                None => match built_package(workspace, target)
                    .and_then(|package| place.load(workspace, target, &package))
                {
                    Ok(place) => Tally::passed(place),
                    Err(error) => {
                        eprintln!("error: {error:#}");
                        Tally::failed(process::brief(&error))
                    }
                },
            };
            report.add(&place.name(target), tally, started.elapsed());
        }
    }
    Ok(report)
}

/// The package in the tree, with the addon that `dist` built.
pub(crate) fn built_package(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let addon = workspace.dist().join(target.artifact_file());
    if !addon.is_file() {
        bail!("{} is not there: cargo xtask dist", workspace.shown(&addon));
    }
    Ok(workspace.package())
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

/// Whether `setup` unpacked the older glibc.
pub(crate) fn has_old_glibc(workspace: &Workspace) -> bool {
    libraries(&old_glibc(workspace)).is_some()
}

/// Unpacks the older glibc beside the system's.
pub(crate) fn install_old_glibc(workspace: &Workspace) -> Result<()> {
    let folder = old_glibc(workspace);
    let _ = fs::remove_dir_all(&folder);
    apt::unpack(workspace, &OLD, &folder)
}

fn old_glibc(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(format!("glibc-{}", OLD.release))
}

/// The folder that holds the C library, in a Debian root of this machine's architecture.
fn libraries(root: &Path) -> Option<PathBuf> {
    let folder = root.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
    folder.join("libc.so.6").exists().then_some(folder)
}

/// Node, started by the dynamic loader of another root.
fn node_under(root: &Path) -> Result<Command> {
    let libraries = libraries(root).with_context(|| format!("{} holds no C library", root.display()))?;
    let entries = fs::read_dir(&libraries)?.flatten().map(|entry| entry.path());
    let loader = entries
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux-")));
    let loader = loader.with_context(|| format!("{} holds no dynamic loader", libraries.display()))?;
    let usr = root.join("usr").join(libraries.strip_prefix(root)?);
    let mut command = process::command(loader);
    command.arg("--library-path").arg(std::env::join_paths([libraries, usr])?);
    command.arg(program("node").context("node is not on PATH")?);
    command.env_remove("LD_LIBRARY_PATH");
    Ok(command)
}
