//! C libraries beside the machine's own, each with its dynamic loader, from releases of Debian.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use node_targets::{Cpu, Libc};

use crate::apt::{self, Foreign};
use crate::paths::Workspace;
use crate::process;

/// What Node needs of a system with glibc.
const GLIBC: &[&str] = &["libc6", "libstdc++6", "libgcc-s1"];

/// One C library for one processor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct System {
    /// The processor that it is for.
    pub(crate) cpu: Cpu,
    /// Which C library it is.
    pub(crate) libc: Libc,
    /// Its version, as Node reports it. Node knows none of musl.
    version: Option<&'static str>,
    release: &'static str,
    packages: &'static [&'static str],
}

/// Every one, the oldest of a kind first. Node 20 and later runs from glibc 2.28, but the release that had it is no
/// longer in Debian's archive. bookworm's musl cannot start the musl Nodes: it lacks packed relocations.
pub(crate) const SYSTEMS: [System; 6] = [
    System { cpu: Cpu::X64, libc: Libc::Glibc, version: Some("2.31"), release: "bullseye", packages: GLIBC },
    System { cpu: Cpu::X64, libc: Libc::Glibc, version: Some("2.36"), release: "bookworm", packages: GLIBC },
    System {
        cpu: Cpu::Arm64,
        libc: Libc::Glibc,
        version: Some("2.31"),
        release: "bullseye",
        packages: GLIBC,
    },
    System {
        cpu: Cpu::Arm64,
        libc: Libc::Glibc,
        version: Some("2.36"),
        release: "bookworm",
        packages: GLIBC,
    },
    System { cpu: Cpu::X64, libc: Libc::Musl, version: None, release: "trixie", packages: &["musl"] },
    System { cpu: Cpu::Arm64, libc: Libc::Musl, version: None, release: "trixie", packages: &["musl"] },
];

/// Runs programs for other processors. bookworm's version crashes in libraries that ask the processor for its features.
const EMULATOR: Foreign = Foreign { release: "trixie", architecture: None, packages: &["qemu-user"] };

impl System {
    /// `glibc 2.31`, `musl`
    pub(crate) fn libc_name(&self) -> String {
        match self.version {
            Some(version) => format!("glibc {version}"),
            None => "musl".to_owned(),
        }
    }

    /// Why nothing can be started on it, if so.
    pub(crate) fn missing(&self, workspace: &Workspace) -> Option<String> {
        let remedy = "is not there: cargo xtask setup";
        if !self.loader(workspace).is_file() {
            return Some(format!(
                "{} of Debian {} for {} {remedy}",
                self.libc_name(),
                self.release,
                name(self.cpu)
            ));
        }
        let emulator = self.is_foreign().then(|| self.emulator(workspace))?;
        (!emulator.is_file()).then(|| format!("qemu, which runs {} programs here, {remedy}", name(self.cpu)))
    }

    /// Gets what is missing. Whether something was.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<bool> {
        let mut installed = false;
        if !self.loader(workspace).is_file() {
            let architecture = match self.cpu {
                Cpu::X64 => "amd64",
                Cpu::Arm64 => "arm64",
            };
            let foreign =
                Foreign { release: self.release, architecture: Some(architecture), packages: self.packages };
            unpack_anew(workspace, &foreign, &self.root(workspace))?;
            installed = true;
        }
        if self.is_foreign() && !self.emulator(workspace).is_file() {
            unpack_anew(workspace, &EMULATOR, &emulator_root(workspace))?;
            installed = true;
        }
        match self.missing(workspace) {
            Some(why) => bail!("the packages of Debian {} were unpacked, and still {why}", self.release),
            None => Ok(installed),
        }
    }

    /// A program, started by this system's dynamic loader, with libraries of its own before the system's.
    pub(crate) fn command(
        &self,
        workspace: &Workspace,
        program: &Path,
        libraries: &[PathBuf],
    ) -> Result<Command> {
        let loader = self.loader(workspace);
        let mut command = if self.is_foreign() {
            let mut command = process::command(self.emulator(workspace));
            command.arg(loader);
            command
        } else {
            process::command(loader)
        };
        if self.libc == Libc::Glibc {
            // Else it would find what this machine's own cache lists, which is made for another glibc.
            command.arg("--inhibit-cache");
        }
        let folders = libraries.iter().cloned().chain(self.library_folders(workspace));
        let path = std::env::join_paths(folders).context("a colon in the path of the cache")?;
        command.arg("--library-path").arg(path).arg(program);
        command.env_remove("LD_LIBRARY_PATH").env_remove("LD_PRELOAD");
        Ok(command)
    }

    fn is_foreign(&self) -> bool {
        node_targets::host().is_ok_and(|host| host.cpu != self.cpu)
    }

    fn root(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache().join(format!("debian-{}-{}", self.release, name(self.cpu)))
    }

    fn emulator(&self, workspace: &Workspace) -> PathBuf {
        emulator_root(workspace).join(format!("usr/bin/qemu-{}", self.machine()))
    }

    /// Where the dynamic loader is in Debian's packages.
    fn loader(&self, workspace: &Workspace) -> PathBuf {
        let file = match (self.libc, self.cpu) {
            (Libc::Glibc, Cpu::X64) => "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            (Libc::Glibc, Cpu::Arm64) => "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
            (Libc::Musl, Cpu::X64) => "usr/lib/ld-musl-x86_64.so.1",
            (Libc::Musl, Cpu::Arm64) => "usr/lib/ld-musl-aarch64.so.1",
        };
        self.root(workspace).join(file)
    }

    /// Where its libraries are. musl is its own loader and brings none.
    fn library_folders(&self, workspace: &Workspace) -> Vec<PathBuf> {
        let root = self.root(workspace);
        match self.libc {
            Libc::Glibc => ["lib", "usr/lib"]
                .map(|folder| root.join(folder).join(format!("{}-linux-gnu", self.machine())))
                .to_vec(),
            Libc::Musl => Vec::new(),
        }
    }

    /// The processor, as Linux names it.
    fn machine(&self) -> &'static str {
        match self.cpu {
            Cpu::X64 => "x86_64",
            Cpu::Arm64 => "aarch64",
        }
    }
}

/// A processor, as Node names it.
pub(crate) fn name(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::X64 => "x64",
        Cpu::Arm64 => "arm64",
    }
}

fn emulator_root(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(format!("qemu-{}", EMULATOR.release))
}

fn unpack_anew(workspace: &Workspace, foreign: &Foreign, into: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(into);
    apt::unpack(workspace, foreign, into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_linux_has_a_system() {
        for target in node_targets::targets().iter().filter(|target| target.libc.is_some()) {
            let fits = |system: &&System| system.cpu == target.cpu && Some(system.libc) == target.libc;
            assert!(SYSTEMS.iter().any(|system| fits(&system)), "{target}");
        }
    }

    #[test]
    fn what_is_not_installed_says_so_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for system in &SYSTEMS {
            let why = system.missing(&Workspace::at(folder.path())).unwrap();
            assert!(why.contains(&system.libc_name()) && why.ends_with("cargo xtask setup"), "{why}");
        }
    }
}
