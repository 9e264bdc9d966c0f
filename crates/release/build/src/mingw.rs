//! mingw: Windows' addon for the GNU ABI, which a Linux machine can compile and link.
//!
//! The proxy has the same Rust and C as the addon that ships, by another compiler. It is a check, never an artifact.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use machine::{Workspace, program};
use node_targets::Target;
use vendored_toolchain::{archiver_variable, compiler_variable};

/// Debian's package of the compiler, with the thread library that Rust links.
pub const COMPILER_PACKAGE: &str = "gcc-mingw-w64-x86-64-posix";

const COMPILER: &str = "x86_64-w64-mingw32-gcc";
const ARCHIVER: &str = "x86_64-w64-mingw32-ar";

/// Only napi's build script for this ABI reads the variable.
const LIBNODE_PATH: &str = "LIBNODE_PATH";

/// Returns the compiler, which is the linker as well: rustc calls it by its name.
pub fn mingw_compiler() -> Result<PathBuf> {
    program(COMPILER).with_context(|| format!("{COMPILER} is not installed: run cargo xtask setup"))
}

/// The target that mingw compiles for, with a name of its own: that the proxy loads says nothing about the shipped addon.
pub(crate) fn target(platform: &Target) -> Target {
    let gnu = |name: &str| name.replace("-msvc", "-gnu");
    Target { triple: gnu(&platform.triple), platform: gnu(&platform.platform), ..platform.clone() }
}

/// Checks the compiler. Returns the variables that cargo is started with.
pub(crate) fn variables(workspace: &Workspace, target: &Target) -> Result<Vec<(OsString, OsString)>> {
    let compiler = mingw_compiler()?;
    let scratch = tempfile::tempdir().context("cannot create a temporary folder to try the C compiler in")?;
    vendored_toolchain::check(&compiler.to_string_lossy(), &target.triple, scratch.path())?;
    Ok(vec![
        // By their names: OpenSSL writes the compiler's into the library.
        (compiler_variable(&target.triple).into(), COMPILER.into()),
        (archiver_variable(&target.triple).into(), ARCHIVER.into()),
        (LIBNODE_PATH.into(), empty_libnode(workspace, target)?.into()),
    ])
}

/// Makes a folder with an empty Node library. napi's build script for this ABI demands one, and the linker takes nothing from
/// it: with `dyn-symbols` the addon looks each function of Node-API up in the running Node.
fn empty_libnode(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let folder = workspace.release_target_dir().join(&target.triple).join("empty-libnode");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in ["libnode.dll", "libnode.dll.a"] {
        let file = folder.join(name);
        // Written once: cargo builds again after a change.
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
        let target = target(platform);
        assert_eq!(
            (target.triple.as_str(), target.platform.as_str()),
            ("x86_64-pc-windows-gnu", "win32-x64-gnu")
        );
        let (triple, name) = (platform.triple.clone(), platform.platform.clone());
        assert_eq!(Target { triple, platform: name, ..target }, *platform);
    }
}
