//! Builds Windows' addon for the GNU ABI with mingw, which compiles and links on Linux.
//!
//! This addon, the proxy, has the same Rust and C as the shipped addon, but a different compiler builds it. The
//! proxy is a check, never an artifact.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use machine::{Workspace, program};
use node_targets::{Cpu, Target};
use vendored_toolchain::{archiver_variable, compiler_variable};

/// Debian's package of the compiler, with the thread library that Rust links.
pub const COMPILER_PACKAGE: &str = "gcc-mingw-w64-x86-64-posix";

const COMPILER: &str = "x86_64-w64-mingw32-gcc";
const ARCHIVER: &str = "x86_64-w64-mingw32-ar";

/// The variable that napi's build script reads, only for this ABI.
const LIBNODE_PATH: &str = "LIBNODE_PATH";

/// Returns the compiler, which rustc also calls by its name as the linker.
pub fn mingw_compiler() -> Result<PathBuf> {
    program(COMPILER).with_context(|| format!("{COMPILER} is not installed: run cargo xtask setup"))
}

/// Returns the target that mingw compiles for, or `None` if Debian's mingw doesn't compile for the processor. The target
/// has its own name, since a proxy that loads proves nothing about the shipped addon.
pub(crate) fn target(platform: &Target) -> Option<Target> {
    let gnu = |name: &str| name.replace("-msvc", "-gnu");
    (platform.cpu == Cpu::X64).then(|| Target {
        triple: gnu(&platform.triple),
        platform: gnu(&platform.platform),
        ..platform.clone()
    })
}

/// Checks the compiler. Returns the environment variables for cargo.
pub(crate) fn variables(workspace: &Workspace, target: &Target) -> Result<Vec<(OsString, OsString)>> {
    let compiler = mingw_compiler()?;
    let scratch = tempfile::tempdir().context("cannot create a temporary folder to try the C compiler in")?;
    vendored_toolchain::check(&compiler.to_string_lossy(), &target.triple, scratch.path())?;
    Ok(vec![
        // The variables hold names, not paths, since OpenSSL writes its compiler's name into the library.
        (compiler_variable(&target.triple).into(), COMPILER.into()),
        (archiver_variable(&target.triple).into(), ARCHIVER.into()),
        (LIBNODE_PATH.into(), empty_libnode(workspace, target)?.into()),
    ])
}

/// Makes a folder with an empty Node library, which napi's build script for this ABI requires. The linker takes nothing
/// from the library: with `dyn-symbols`, the addon looks up each Node-API function in the running Node.
fn empty_libnode(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let folder = workspace.release_target_dir().join(&target.triple).join("empty-libnode");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in ["libnode.dll", "libnode.dll.a"] {
        let file = folder.join(name);
        // Keeps an existing file, since a rewritten file would make cargo rebuild.
        if !file.is_file() {
            fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_differ_from_the_shipped_target() {
        let platform = Target::by_platform("win32-x64-msvc").unwrap();
        let target = target(platform).unwrap();
        assert_eq!(
            (target.triple.as_str(), target.platform.as_str()),
            ("x86_64-pc-windows-gnu", "win32-x64-gnu")
        );
        let (triple, name) = (platform.triple.clone(), platform.platform.clone());
        assert_eq!(Target { triple, platform: name, ..target }, *platform);
        assert_eq!(super::target(Target::by_platform("win32-arm64-msvc").unwrap()), None);
    }
}
