//! Nodes that load addons: the Node on `PATH`, and pinned Nodes for each system, processor and C library.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use machine::{Workspace, prerequisites, process};
use node_targets::{Libc, Os, Target};

use crate::debian::{DebianSystem, SYSTEMS};
use crate::pinned_node::PinnedNode;
use crate::wine::{WINE_NOT_INSTALLED, Wine};

/// The reason to skip every pinned Node if none is installed. A report needs only one row with this reason.
pub(crate) const NODES_NOT_INSTALLED: &str = "the test Nodes are not installed: run cargo xtask setup";

/// JavaScript that returns the version of glibc. The report excludes the network, because resolving host names takes time.
const GLIBC_VERSION: &str =
    "process.report.excludeNetwork = true; process.report.getReport().header.glibcVersionRuntime";

/// A Node on a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Node's version.
    pub(crate) node: String,
    /// `glibc 2.31` or `musl`, on Linux only.
    pub(crate) libc: Option<String>,
    /// `None` for the Node on `PATH`, which runs on the machine's own system.
    pinned: Option<Pinned>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pinned {
    node: PinnedNode,
    system: System,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum System {
    Debian(&'static DebianSystem),
    /// `None` if the machine has no Wine.
    Wine(Option<Wine>),
}

impl Runtime {
    /// Returns every Node that can load a target's addon on this machine. The list is empty if this machine cannot run the
    /// target.
    pub fn of(workspace: &Workspace, target: &Target) -> Result<Vec<Self>> {
        let is_host = target == node_targets::host()?;
        let mut runtimes = if is_host { vec![Self::on_path()?] } else { Vec::new() };
        runtimes.extend(Self::pinned(workspace, target)?);
        Ok(runtimes)
    }

    /// Returns the Node on `PATH`.
    pub fn on_path() -> Result<Self> {
        let node = prerequisites::node_version()?;
        let libc = match node_targets::host()?.libc {
            Some(Libc::Glibc) => {
                let mut node = process::command("node");
                node.args(["-p", GLIBC_VERSION]);
                Some(format!("glibc {}", process::capture(node)?))
            }
            Some(Libc::Musl) => Some("musl".to_owned()),
            None => None,
        };
        Ok(Self { node, libc, pinned: None })
    }

    /// Returns the pinned Nodes for a target, even if they are not installed. The list is empty on a host other than Linux.
    ///
    /// Each Node runs on the oldest C library of its kind, and the newest Node also on the newer libraries. Nodes for Windows
    /// run under Wine, which runs only programs for the machine's own processor.
    pub(crate) fn pinned(workspace: &Workspace, target: &Target) -> Result<Vec<Self>> {
        if !cfg!(target_os = "linux") {
            return Ok(Vec::new());
        }
        let mut nodes = PinnedNode::all(workspace)?;
        nodes.retain(|node| node.fits(target));
        let systems: Vec<System> = match target.os {
            Os::Linux => SYSTEMS.iter().filter(|system| system.fits(target)).map(System::Debian).collect(),
            Os::Win32 if target.cpu == node_targets::host()?.cpu => vec![System::Wine(Wine::find()?)],
            _ => Vec::new(),
        };
        let newest = nodes.len().saturating_sub(1);
        let runtimes = systems.iter().enumerate().flat_map(|(index, system)| {
            let nodes = if index == 0 { &nodes[..] } else { &nodes[newest..] };
            nodes.iter().map(|node| Self {
                node: node.version().to_owned(),
                libc: match system {
                    System::Debian(system) => Some(system.name.to_owned()),
                    System::Wine(_) => None,
                },
                pinned: Some(Pinned { node: node.clone(), system: system.clone() }),
            })
        });
        Ok(runtimes.collect())
    }

    /// Returns the reason to print if [`Runtime::of`] returns no Node for a target.
    pub fn unavailable(target: &Target) -> Result<String> {
        Ok(format!("{target} cannot be loaded on this machine, which is {}", node_targets::host()?))
    }

    /// Returns the name of the Node and its system, such as `Node 22.23.3, glibc 2.31` or `Node 22.23.3, Wine 8.0`.
    #[must_use]
    pub fn name(&self) -> String {
        let system = match &self.pinned {
            Some(Pinned { system: System::Wine(Some(wine)), .. }) => format!(", {}", wine.name()),
            Some(Pinned { system: System::Wine(None), .. }) => ", Wine".to_owned(),
            _ => self.libc.as_ref().map(|libc| format!(", {libc}")).unwrap_or_default(),
        };
        format!("Node {}{system}", self.node)
    }

    /// Returns whether this is the Node on `PATH`.
    #[must_use]
    pub fn is_on_path(&self) -> bool {
        self.pinned.is_none()
    }

    /// Returns a message if the machine lacks something that this Node needs.
    pub(crate) fn missing(&self, workspace: &Workspace) -> Option<String> {
        let Pinned { node, system } = self.pinned.as_ref()?;
        if !node.is_installed(workspace) {
            return Some(format!("{} is not installed: run cargo xtask setup", node.name()));
        }
        match system {
            System::Debian(system) => system.missing(workspace),
            System::Wine(Some(wine)) if wine.is_ready(workspace) => None,
            System::Wine(_) => Some(WINE_NOT_INSTALLED.to_owned()),
        }
    }

    /// Returns, for each Node, a message if the machine lacks something that the Node needs. If no pinned Node is installed,
    /// every pinned Node gets [`NODES_NOT_INSTALLED`].
    pub(crate) fn missing_each(workspace: &Workspace, runtimes: &[Self]) -> Vec<Option<String>> {
        let mut pinned = runtimes.iter().filter_map(|runtime| runtime.pinned.as_ref());
        let none_is_installed = pinned.all(|pinned| !pinned.node.is_installed(workspace));
        let missing = |runtime: &Self| match runtime.pinned {
            Some(_) if none_is_installed => Some(NODES_NOT_INSTALLED.to_owned()),
            _ => runtime.missing(workspace),
        };
        runtimes.iter().map(missing).collect()
    }

    /// Returns an error if a pinned Node cannot even print its version.
    pub(crate) fn damage(&self, workspace: &Workspace) -> Option<anyhow::Error> {
        let folder = self.pinned.as_ref()?.node.folder(workspace);
        let mut command = self.command(workspace).ok()?;
        command.arg("--version");
        let error = process::capture(command).err()?;
        let folder = folder.display();
        Some(error.context(format!(
            "the Node in {folder} is damaged: remove the folder, and run cargo xtask setup"
        )))
    }

    /// Returns the command that runs this Node.
    pub(crate) fn command(&self, workspace: &Workspace) -> Result<Command> {
        let Some(Pinned { node, system }) = &self.pinned else { return Ok(process::command("node")) };
        let program = node.program(workspace);
        match system {
            System::Debian(system) => system.command(workspace, &program, node.libraries(workspace)),
            System::Wine(Some(wine)) => Ok(wine.command(workspace, &program)),
            System::Wine(None) => bail!("Wine is not installed: run cargo xtask setup"),
        }
    }
}

/// A pinned Node for the machine's own system.
#[derive(Debug)]
pub struct OwnNode {
    /// Node's version.
    pub version: String,
    /// The path of Node's program.
    pub program: PathBuf,
}

/// Returns the newest pinned Node for this machine, or the reason if it is missing.
pub fn newest_node(workspace: &Workspace, host: &Target) -> Result<Result<OwnNode, &'static str>> {
    let mut nodes = PinnedNode::all(workspace)?;
    nodes.retain(|node| node.fits(host));
    Ok(match nodes.last() {
        None => Err("the pinned Nodes run only on Linux"),
        Some(node) if !node.is_installed(workspace) => Err(NODES_NOT_INSTALLED),
        Some(node) => Ok(OwnNode { version: node.version().to_owned(), program: node.program(workspace) }),
    })
}

/// Installs every missing pinned Node and C library. Returns the names of the installed Nodes and libraries.
pub fn install_nodes(workspace: &Workspace) -> Result<Vec<String>> {
    let mut installed = Vec::new();
    for system in &SYSTEMS {
        if system.install(workspace)? {
            installed.push(format!("{} for {}", system.name, system.cpu().name()));
        }
    }
    for node in PinnedNode::all(workspace)? {
        if !node.is_installed(workspace) {
            node.install(workspace)?;
            installed.push(node.name());
        }
    }
    Ok(installed)
}

/// Returns the number of pinned Nodes.
pub fn count_nodes(workspace: &Workspace) -> Result<usize> {
    Ok(PinnedNode::all(workspace)?.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::pinned_node::LIST;

    fn target(platform: &str) -> &'static Target {
        Target::by_platform(platform).unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn each_linux_platform_has_several_nodes_and_each_major_version_is_pinned() {
        let workspace = Workspace::find().unwrap();
        let mut versions = Vec::new();
        for target in node_targets::targets().iter().filter(|target| target.libc.is_some()) {
            let runtimes = Runtime::pinned(&workspace, target).unwrap();
            assert!(runtimes.len() >= 2, "{target}");
            versions.extend(runtimes.into_iter().map(|runtime| runtime.node));
        }
        for major in ["20.", "22.", "24."] {
            assert!(versions.iter().any(|version| version.starts_with(major)), "no Node {major}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_newest_node_also_runs_on_the_newer_c_library() {
        let workspace = Workspace::find().unwrap();
        let runtimes = Runtime::pinned(&workspace, target("linux-x64-gnu")).unwrap();
        let (newer, oldest): (Vec<_>, Vec<_>) =
            runtimes.iter().partition(|runtime| runtime.libc.as_deref() == Some("glibc 2.36"));
        assert!(oldest.iter().all(|runtime| runtime.libc.as_deref() == Some("glibc 2.31")));
        let [newer] = newer.as_slice() else { panic!("{newer:?}") };
        assert_eq!(newer.node, oldest.last().unwrap().node);
        assert!(newer.node.starts_with("24."));
    }

    #[test]
    fn a_platform_that_this_machine_cannot_run_has_no_node() {
        let foreign = if cfg!(target_os = "macos") { "win32-x64-msvc" } else { "darwin-arm64" };
        let workspace = Workspace::find().unwrap();
        assert_eq!(Runtime::of(&workspace, target(foreign)).unwrap(), []);
        let why = Runtime::unavailable(target(foreign)).unwrap();
        assert!(why.starts_with(&format!("{foreign} cannot be loaded on this machine")), "{why}");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn nodes_for_windows_run_under_wine_and_name_missing_parts() {
        let workspace = Workspace::find().unwrap();
        let runtimes = Runtime::of(&workspace, target("win32-x64-msvc")).unwrap();
        assert!(!runtimes.is_empty());
        let folder = tempfile::tempdir().unwrap();
        for runtime in &runtimes {
            assert!(runtime.name().contains(", Wine"), "{}", runtime.name());
            let why = runtime.missing(&Workspace::at(folder.path())).unwrap();
            let node = &runtime.node;
            assert_eq!(
                why,
                format!("Node {node} for x64 and Windows is not installed: run cargo xtask setup")
            );
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn without_a_cache_every_pinned_node_is_missing() {
        let workspace = Workspace::find().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let fresh = Workspace::at(folder.path());
        let mut runtimes = Runtime::pinned(&workspace, target("linux-x64-musl")).unwrap();
        runtimes.push(Runtime::on_path().unwrap());
        let mut missing = Runtime::missing_each(&fresh, &runtimes);
        missing.dedup();
        assert_eq!(missing, [Some(NODES_NOT_INSTALLED.to_owned()), None]);
        assert_eq!(Runtime::missing_each(&fresh, &[Runtime::on_path().unwrap()]), [None]);
        let program = runtimes[0].pinned.as_ref().unwrap().node.program(&fresh);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(program, "").unwrap();
        let missing = Runtime::missing_each(&fresh, &runtimes);
        assert_ne!(missing[1].as_deref(), Some(NODES_NOT_INSTALLED));
        assert_eq!(missing[1], runtimes[1].missing(&fresh));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_broken_list_of_nodes_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(LIST);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        fs::write(list, "[{]").unwrap();
        let workspace = Workspace::at(folder.path());
        let error = Runtime::of(&workspace, target("linux-x64-musl")).unwrap_err().to_string();
        assert_eq!(error, format!("{LIST} is not a list of Nodes"));
    }
}
