//! Windows' addon by the GNU ABI, which a Linux machine can build and link: the same Rust and C as the one that is
//! shipped, by another compiler. A check, never an artifact.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use node_targets::Target;
use vendored_toolchain::{archiver_variable, compiler_variable};

use crate::paths::{Workspace, program};

/// Debian's package of the compiler, with the threads that Rust links.
pub(crate) const PACKAGE: &str = "gcc-mingw-w64-x86-64-posix";

const COMPILER: &str = "x86_64-w64-mingw32-gcc";
const ARCHIVER: &str = "x86_64-w64-mingw32-ar";

/// What napi's build script reads for this ABI, and for no other.
pub(crate) const LIBNODE_PATH: &str = "LIBNODE_PATH";

/// A target of Windows as mingw builds it, by a name of its own: that it loads says nothing of the one that is shipped.
pub(crate) fn target(shipped: &Target) -> Target {
    let named = |name: &str| name.replace("-msvc", "-gnu");
    Target { triple: named(&shipped.triple), platform: named(&shipped.platform), ..shipped.clone() }
}

/// Whether a target is built by mingw.
pub(crate) fn builds(target: &Target) -> bool {
    target.triple.ends_with("-pc-windows-gnu")
}

/// The compiler, which is the linker as well: rustc knows it by its name.
pub(crate) fn compiler() -> Result<PathBuf> {
    program(COMPILER).with_context(|| format!("{COMPILER} is not there: cargo xtask setup"))
}

/// The compiler, checked, as variables that cargo is started with.
pub(crate) fn variables(workspace: &Workspace, target: &Target) -> Result<Vec<(OsString, OsString)>> {
    let compiler = compiler()?;
    let scratch = tempfile::tempdir().context("no temporary folder to try the C compiler in")?;
    vendored_toolchain::check(&compiler.to_string_lossy(), &target.triple, scratch.path())?;
    Ok(vec![
        // By their names: OpenSSL writes the compiler's into the library.
        (compiler_variable(&target.triple).into(), COMPILER.into()),
        (archiver_variable(&target.triple).into(), ARCHIVER.into()),
        (LIBNODE_PATH.into(), no_libnode(workspace, target)?.into()),
    ])
}

/// A folder with a Node library that is empty. napi's build script for this ABI wants one, and nothing is linked from
/// it: with `dyn-symbols` each function of Node-API is looked up in the running Node.
fn no_libnode(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let folder = workspace.release_target_dir().join(&target.triple).join("no-libnode");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for name in ["libnode.dll", "libnode.dll.a"] {
        let file = folder.join(name);
        // Written once: a newer file would be a reason to build again.
        if !file.is_file() {
            fs::write(&file, "").with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_differ_from_what_is_shipped() {
        let shipped = Target::by_platform("win32-x64-msvc").unwrap();
        let target = target(shipped);
        assert_eq!(
            (target.triple.as_str(), target.platform.as_str()),
            ("x86_64-pc-windows-gnu", "win32-x64-gnu")
        );
        assert!(builds(&target) && !builds(shipped));
        let (triple, platform) = (shipped.triple.clone(), shipped.platform.clone());
        assert_eq!(Target { triple, platform, ..target }, *shipped);
    }
}
