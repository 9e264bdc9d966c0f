//! zig and cargo-zigbuild in the cache.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use machine::pinned::{PinnedFile, pinned_files};
use machine::{Workspace, make_executable, python, system};

/// zig and cargo-zigbuild, unpacked.
#[derive(Debug, Clone)]
pub struct Zig {
    /// The folder with both programs.
    pub(crate) folder: PathBuf,
    /// zig's version. Without the version, cargo-zigbuild would call zig for it every time.
    pub version: String,
}

impl Zig {
    /// Returns the pinned versions if the cache has them.
    pub fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let zig = Self::pinned(workspace)?.map(|(zig, _)| zig);
        Ok(zig.filter(|zig| zig.zig().is_file() && zig.cargo_zigbuild().is_file()))
    }

    /// Returns the pinned versions, and downloads them on first use.
    pub fn install(workspace: &Workspace) -> Result<Self> {
        if let Some(zig) = Self::find(workspace)? {
            return Ok(zig);
        }
        let Some((zig, wheels)) = Self::pinned(workspace)? else {
            bail!(
                "no zig is pinned for {}: set CC_<triple> and AR_<triple> to another C compiler and archiver for the target",
                system()
            );
        };
        let unpacked = workspace.scratch()?;
        for wheel in &wheels {
            python::unzip(workspace, &wheel.fetch(workspace)?, unpacked.path())?;
        }
        let fresh = Self { folder: unpacked.path().to_owned(), ..zig.clone() };
        let [_, zigbuild] = wheels;
        let scripts = format!("cargo_zigbuild-{}.data/scripts", zigbuild.version);
        fs::rename(fresh.folder.join(&scripts), fresh.folder.join("bin")).with_context(|| {
            format!(
                "the wheel of cargo-zigbuild {} has no folder {scripts}: pin another version in \
                 nix/offline-nixpkgs/required-files.json",
                zigbuild.version
            )
        })?;
        // Python's zipfile module drops permissions.
        make_executable(&fresh.zig())?;
        make_executable(&fresh.cargo_zigbuild())?;
        let _ = fs::remove_dir_all(&zig.folder);
        fs::rename(unpacked.path(), &zig.folder)
            .with_context(|| format!("cannot write {}", zig.folder.display()))?;
        Ok(zig)
    }

    /// Returns the path of zig.
    pub(crate) fn zig(&self) -> PathBuf {
        self.folder.join("ziglang/zig")
    }

    /// Returns the path of cargo-zigbuild, which translates gcc's arguments to zig's.
    pub(crate) fn cargo_zigbuild(&self) -> PathBuf {
        self.folder.join("bin/cargo-zigbuild")
    }

    /// Returns the folder for compiler wrappers.
    pub(crate) fn wrappers(&self) -> PathBuf {
        self.folder.join("wrappers")
    }

    /// Returns the pinned versions for this system, if the list has them.
    fn pinned(workspace: &Workspace) -> Result<Option<(Self, [PinnedFile; 2])>> {
        let files = pinned_files(workspace)?;
        let pinned = |package: &str| files.iter().find(|file| file.package == package).cloned();
        Ok(pinned("ziglang").zip(pinned("cargo-zigbuild")).map(|(zig, zigbuild)| {
            let name = format!("zig-{}-zigbuild-{}-{}", zig.version, zigbuild.version, system());
            let folder = workspace.cache().join(name);
            (Self { folder, version: zig.version.clone() }, [zig, zigbuild])
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use node_targets::Toolchain;

    use super::*;

    #[test]
    fn every_system_that_builds_with_zig_has_a_pinned_one() {
        let workspace = Workspace::find().unwrap();
        let list =
            fs::read_to_string(workspace.root().join("nix/offline-nixpkgs/required-files.json")).unwrap();
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let pins = |package: &str, system: &str| {
            let entries = list.as_array().unwrap().iter();
            entries.filter(|entry| entry["package"] == package && entry["system"] == system).count()
        };
        let zig = node_targets::targets().iter().filter(|target| target.toolchain == Toolchain::Zig);
        for system in zig.flat_map(|target| &target.build_hosts).collect::<BTreeSet<_>>() {
            assert_eq!([pins("ziglang", system), pins("cargo-zigbuild", system)], [1, 1], "{system}");
        }
    }
}
