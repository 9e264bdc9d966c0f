//! Where zig, cargo-zigbuild and cargo-deny live in the cache, and how they get there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::paths::{Workspace, program};
use crate::pinned::{PinnedFile, pinned_file};
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
    /// What the cache has of the pinned versions.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let zig = Self::pinned(workspace)?.0;
        Ok((zig.zig().is_file() && zig.cargo_zigbuild().is_file()).then_some(zig))
    }

    /// What the cache has, or else downloads.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        if let Some(zig) = Self::find(workspace)? {
            return Ok(zig);
        }
        let (zig, wheels) = Self::pinned(workspace)?;
        let is_linux_x64 = cfg!(all(target_os = "linux", target_arch = "x86_64"));
        if !is_linux_x64 {
            bail!(
                "the pinned zig runs on x86_64 Linux only: name another C compiler for the target by \
                 CC_<triple> and AR_<triple>"
            );
        }
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
            .with_context(|| format!("{} cannot be written", zig.folder.display()))?;
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

    /// A folder for Apple's libraries as a linker looks for them, beside the compiler.
    pub(crate) fn apple_sdk(&self) -> PathBuf {
        self.folder.join("apple-sdk")
    }

    /// A folder for compiler wrappers, beside the compiler.
    pub(crate) fn wrappers(&self) -> PathBuf {
        self.folder.join("wrappers")
    }

    fn pinned(workspace: &Workspace) -> Result<(Self, [PinnedFile; 2])> {
        let zig = pinned_file(workspace, "ziglang")?;
        let zigbuild = pinned_file(workspace, "cargo-zigbuild")?;
        let folder = workspace.cache().join(format!("zig-{}-zigbuild-{}", zig.version, zigbuild.version));
        Ok((Self { folder, version: zig.version.clone() }, [zig, zigbuild]))
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
