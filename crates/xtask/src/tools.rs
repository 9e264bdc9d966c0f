//! Where zig, cargo-zigbuild and cargo-deny live in the cache, and how they get there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::nix;
use crate::paths::{Workspace, program};
use crate::pinned::{PinnedFile, pinned_files};
use crate::process;
use crate::python;

/// The one pin of cargo-deny: its checks and the format of deny.toml change between versions.
const CARGO_DENY: &str = "0.20.2";

/// zig and cargo-zigbuild, unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Zig {
    folder: PathBuf,
    /// zig's version, which cargo-zigbuild would otherwise ask for at every call.
    pub(crate) version: String,
}

impl Zig {
    /// Returns what the cache has of the pinned versions.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let Some((zig, _)) = Self::pinned(workspace)? else { return Ok(None) };
        Ok((zig.zig().is_file() && zig.cargo_zigbuild().is_file()).then_some(zig))
    }

    /// Returns what the cache has; downloads it on first use.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        if let Some(zig) = Self::find(workspace)? {
            return Ok(zig);
        }
        let Some((zig, wheels)) = Self::pinned(workspace)? else {
            bail!(
                "no zig is pinned for {}: name another C compiler for the target by CC_<triple> and AR_<triple>",
                nix::system()
            );
        };
        let unpacked = workspace.scratch()?;
        for wheel in wheels {
            let file = wheel.fetch(workspace)?;
            python::unzip(workspace, &file, unpacked.path())?;
        }
        let bin = unpacked.path().join("bin");
        fs::create_dir_all(&bin)?;
        let script = find_script(unpacked.path(), "cargo-zigbuild")?;
        fs::rename(script, bin.join("cargo-zigbuild"))?;
        // Zip files hold no permissions that this way of unpacking would keep.
        make_executable(&bin.join("cargo-zigbuild"))?;
        make_executable(&unpacked.path().join("ziglang/zig"))?;
        let _ = fs::remove_dir_all(&zig.folder);
        fs::rename(unpacked.path(), &zig.folder)
            .with_context(|| format!("cannot write {}", zig.folder.display()))?;
        Ok(zig)
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program itself.
    pub(crate) fn zig(&self) -> PathBuf {
        self.folder.join("ziglang/zig")
    }

    /// The program that translates gcc's arguments to zig's.
    pub(crate) fn cargo_zigbuild(&self) -> PathBuf {
        self.folder.join("bin/cargo-zigbuild")
    }

    /// What it brings of macOS' libraries: their names and symbols.
    pub(crate) fn apple_libraries(&self) -> PathBuf {
        self.folder.join("ziglang/lib/libc/darwin")
    }

    /// A folder for compiler wrappers, beside the compiler.
    pub(crate) fn wrappers(&self) -> PathBuf {
        self.folder.join("wrappers")
    }

    /// The pinned versions, if there are any for this system.
    fn pinned(workspace: &Workspace) -> Result<Option<(Self, [PinnedFile; 2])>> {
        let files = pinned_files(workspace)?;
        let pinned = |package: &str| files.iter().find(|file| file.package == package).cloned();
        Ok(pinned("ziglang").zip(pinned("cargo-zigbuild")).map(|(zig, zigbuild)| {
            let name = format!("zig-{}-zigbuild-{}-{}", zig.version, zigbuild.version, nix::system());
            let folder = workspace.cache().join(name);
            (Self { folder, version: zig.version.clone() }, [zig, zigbuild])
        }))
    }
}

/// Where cargo-deny is: in the cache, or else on `PATH`.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Option<PathBuf> {
    let cached = deny_root(workspace).join("bin/cargo-deny");
    if cached.is_file() { Some(cached) } else { program("cargo-deny") }
}

/// Compiles cargo-deny into the cache, which takes minutes.
pub(crate) fn install_cargo_deny(workspace: &Workspace) -> Result<()> {
    let mut install = process::command("cargo");
    install.args(["install", "--locked", "--version", CARGO_DENY, "--root"]).arg(deny_root(workspace));
    // Its own target directory, even where CARGO_TARGET_DIR is shared: nothing there is of use to anyone else.
    install.arg("cargo-deny").env_remove("CARGO_TARGET_DIR").current_dir(workspace.root());
    process::run(workspace, "install cargo-deny", install).map(drop)
}

fn deny_root(workspace: &Workspace) -> PathBuf {
    workspace.cache().join("cargo")
}

/// A wheel's program: in `<package>-<version>.data/scripts`.
fn find_script(unpacked: &Path, name: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(unpacked)? {
        let script = entry?.path().join("scripts").join(name);
        if script.is_file() {
            return Ok(script);
        }
    }
    bail!("the wheel of {name} has no program of that name")
}

/// Makes a file a program.
pub(crate) fn make_executable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("{} cannot be made executable", file.display()))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
