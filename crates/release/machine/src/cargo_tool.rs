//! Programs that `cargo install` compiles into the cache.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::program::program;
use crate::workspace::Workspace;

/// A program from crates.io, pinned to one version.
#[derive(Debug, Clone, Copy)]
pub struct CargoTool {
    /// The name of the crate and of its program, such as `cargo-deny`.
    pub name: &'static str,
    /// The pinned version: output formats and configuration change between versions.
    pub version: &'static str,
    /// Further options for `cargo install`, such as features.
    pub options: &'static [&'static str],
}

impl CargoTool {
    /// Returns the program in the cache, or else the one on `PATH`.
    #[must_use]
    pub fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        let cached = self.root(workspace).join("bin").join(self.name);
        if cached.is_file() { Some(cached) } else { program(self.name) }
    }

    /// Compiles the program into the cache if it is missing, which takes minutes. Returns whether the program was
    /// missing.
    pub fn install(&self, workspace: &Workspace) -> Result<bool> {
        if self.find(workspace).is_some() {
            return Ok(false);
        }
        let Self { name, version, options } = *self;
        let mut install = process::command("cargo");
        install.args(["install", name, "--locked", "--version", version]).args(options);
        // Without CARGO_TARGET_DIR, cargo compiles in a temporary directory, which it removes. No other build could
        // reuse the files.
        install.arg("--root").arg(self.root(workspace)).env_remove("CARGO_TARGET_DIR");
        // The tools run for seconds, but their own profiles take minutes to optimise them.
        install.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), ("CARGO_PROFILE_RELEASE_LTO", "off")]);
        install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        install.current_dir(workspace.root());
        workspace.run(&format!("install {name}"), install)?;
        Ok(true)
    }

    /// Returns the program, after compiling it if it is missing.
    pub fn require(&self, workspace: &Workspace) -> Result<PathBuf> {
        self.install(workspace)?;
        self.find(workspace).with_context(|| {
            format!(
                "`cargo install {}` left no program in the cache: remove {}, and run the command again",
                self.name,
                self.root(workspace).display()
            )
        })
    }

    fn root(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache().join(format!("{}-{}", self.name, self.version))
    }
}
