//! C libraries other than the machine's own, each with its dynamic loader, from packages of several Debian releases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use machine::apt::{self, Foreign};
use machine::{Workspace, process};
use node_targets::{Cpu, Libc, Target};

/// A processor's names, and the paths of the dynamic loaders in Debian's packages.
#[derive(Debug, PartialEq, Eq)]
struct Machine {
    cpu: Cpu,
    debian: &'static str,
    linux: &'static str,
    glibc_loader: &'static str,
    musl_loader: &'static str,
}

const X64: Machine = Machine {
    cpu: Cpu::X64,
    debian: "amd64",
    linux: "x86_64",
    glibc_loader: "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    musl_loader: "usr/lib/ld-musl-x86_64.so.1",
};

const ARM64: Machine = Machine {
    cpu: Cpu::Arm64,
    debian: "arm64",
    linux: "aarch64",
    glibc_loader: "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
    musl_loader: "usr/lib/ld-musl-aarch64.so.1",
};

/// A C library for one processor, from a Debian release.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DebianSystem {
    machine: Machine,
    pub(crate) libc: Libc,
    /// The C library as Node reports it: `glibc 2.31` or `musl`.
    pub(crate) name: &'static str,
    release: &'static str,
}

/// Every system. For each processor and kind of C library, the oldest version comes first.
///
/// Node 20 and later runs on glibc 2.28, but Debian's archive no longer has the release with that version. bookworm's musl
/// cannot start the musl Nodes, because it does not support packed relocations.
pub(crate) const SYSTEMS: [DebianSystem; 6] = [
    DebianSystem { machine: X64, libc: Libc::Glibc, name: "glibc 2.31", release: "bullseye" },
    DebianSystem { machine: X64, libc: Libc::Glibc, name: "glibc 2.36", release: "bookworm" },
    DebianSystem { machine: ARM64, libc: Libc::Glibc, name: "glibc 2.31", release: "bullseye" },
    DebianSystem { machine: ARM64, libc: Libc::Glibc, name: "glibc 2.36", release: "bookworm" },
    DebianSystem { machine: X64, libc: Libc::Musl, name: "musl", release: "trixie" },
    DebianSystem { machine: ARM64, libc: Libc::Musl, name: "musl", release: "trixie" },
];

/// The emulator for other processors. bookworm's version crashes in libraries that query the processor's features.
const EMULATOR: Foreign = Foreign { release: "trixie", architecture: None, packages: &["qemu-user"] };

impl DebianSystem {
    /// Returns whether this system can load the addons of a target.
    pub(crate) fn fits(&self, target: &Target) -> bool {
        (self.machine.cpu, Some(self.libc)) == (target.cpu, target.libc)
    }

    /// Returns the processor.
    pub(crate) fn cpu(&self) -> Cpu {
        self.machine.cpu
    }

    /// Returns a message if the machine lacks something that programs on this system need.
    pub(crate) fn missing(&self, workspace: &Workspace) -> Option<String> {
        self.lacking(workspace).map(|lacking| format!("{lacking} is not installed: run cargo xtask setup"))
    }

    /// Returns the C library or the emulator that the machine lacks, in words.
    fn lacking(&self, workspace: &Workspace) -> Option<String> {
        let cpu = self.cpu().name();
        if !self.loader(workspace).is_file() {
            Some(format!("{} of Debian {} for {cpu}", self.name, self.release))
        } else if self.lacks_emulator(workspace) {
            Some(format!("qemu, which runs {cpu} programs on this machine,"))
        } else {
            None
        }
    }

    /// Installs the missing packages. Returns whether any were missing.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<bool> {
        if self.missing(workspace).is_none() {
            return Ok(false);
        }
        if !self.loader(workspace).is_file() {
            let packages: &[&str] = match self.libc {
                Libc::Glibc => &["libc6", "libstdc++6", "libgcc-s1"],
                Libc::Musl => &["musl"],
            };
            let foreign =
                Foreign { release: self.release, architecture: Some(self.machine.debian), packages };
            unpack_again(workspace, &foreign, &self.root(workspace))?;
        }
        if self.lacks_emulator(workspace) {
            unpack_again(workspace, &EMULATOR, &emulator_root(workspace))?;
        }
        match self.lacking(workspace) {
            Some(lacking) => bail!(
                "apt unpacked Debian's packages, but {lacking} is still missing: compare the paths in \
                 crates/release/lab/src/debian.rs with the files of the packages"
            ),
            None => Ok(true),
        }
    }

    /// Returns the command that runs a program with this system's dynamic loader, which searches `libraries` before the
    /// system's libraries.
    pub(crate) fn command(
        &self,
        workspace: &Workspace,
        program: &Path,
        libraries: PathBuf,
    ) -> Result<Command> {
        let (emulator, loader) = (self.emulator(workspace), self.loader(workspace));
        let mut command = process::command(emulator.as_ref().unwrap_or(&loader));
        if emulator.is_some() {
            command.arg(loader);
        }
        if self.libc == Libc::Glibc {
            // /etc/ld.so.cache lists libraries for the machine's own glibc.
            command.arg("--inhibit-cache");
        }
        // For musl, both folders are missing, since the loader is the C library itself.
        let folders = ["lib", "usr/lib"].map(|folder| {
            self.root(workspace).join(folder).join(format!("{}-linux-gnu", self.machine.linux))
        });
        let path = std::env::join_paths([libraries].iter().chain(&folders)).with_context(|| {
            let cache = workspace.cache().display();
            format!("cannot search {cache} for libraries: set STRONGROOM_CACHE to a path without a colon")
        })?;
        command.arg("--library-path").arg(path).arg(program);
        command.env_remove("LD_LIBRARY_PATH").env_remove("LD_PRELOAD");
        Ok(command)
    }

    fn root(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache().join(format!("debian-{}-{}", self.release, self.cpu().name()))
    }

    /// Returns the path of the emulator if the machine has another processor.
    fn emulator(&self, workspace: &Workspace) -> Option<PathBuf> {
        let is_foreign = node_targets::host().is_ok_and(|host| host.cpu != self.cpu());
        let program = format!("usr/bin/qemu-{}", self.machine.linux);
        is_foreign.then(|| emulator_root(workspace).join(program))
    }

    fn lacks_emulator(&self, workspace: &Workspace) -> bool {
        self.emulator(workspace).is_some_and(|emulator| !emulator.is_file())
    }

    /// Returns the path of the dynamic loader, as in Debian's packages.
    fn loader(&self, workspace: &Workspace) -> PathBuf {
        let file = match self.libc {
            Libc::Glibc => self.machine.glibc_loader,
            Libc::Musl => self.machine.musl_loader,
        };
        self.root(workspace).join(file)
    }
}

/// Unpacks packages of another release into a folder. Removes the folder first, since it may be incomplete.
pub(crate) fn unpack_again(workspace: &Workspace, foreign: &Foreign, folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    apt::unpack(workspace, foreign, folder)
}

fn emulator_root(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(format!("qemu-{}", EMULATOR.release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_linux_target_has_a_system() {
        for target in node_targets::targets().iter().filter(|target| target.libc.is_some()) {
            assert!(SYSTEMS.iter().any(|system| system.fits(target)), "{target}");
        }
    }

    #[test]
    fn the_message_about_a_missing_system_names_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for system in &SYSTEMS {
            let why = system.missing(&Workspace::at(folder.path())).unwrap();
            assert!(why.contains(system.name) && why.ends_with("cargo xtask setup"), "{why}");
        }
    }
}
