//! Finds programs on `PATH`, makes files executable, and names this machine's system.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Returns the path of a program, if `PATH` has it.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    which::which(name).ok()
}

/// Makes a file executable for everyone. Does nothing on Windows, which has no such permission.
#[cfg(unix)]
pub fn make_executable(file: &Path) -> Result<()> {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use anyhow::Context as _;

    fs::set_permissions(file, Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", file.display()))
}

/// Makes a file executable for everyone. Does nothing on Windows, which has no such permission.
#[cfg(not(unix))]
pub fn make_executable(_file: &Path) -> Result<()> {
    Ok(())
}

/// Returns Nix's name for this machine's system: `x86_64-linux`, `aarch64-darwin`.
#[must_use]
pub fn system() -> String {
    let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    format!("{}-{os}", env::consts::ARCH)
}
