//! Wine: what runs Windows' Node on Linux.
//!
//! A check of the port, and no Windows: whatever loads here still has to load there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::mingw;
use crate::paths::{self, Workspace};
use crate::process;

/// Where Debian's package `wine64` puts it, without a name on `PATH`.
const DEBIAN: &str = "/usr/lib/wine/wine64";

/// A library of Windows that Rust's standard library takes random numbers from, and that Wine has since version 9.
const RANDOM: &str = "drive_c/windows/system32/bcryptprimitives.dll";

/// The one function of it that Rust asks for. <https://learn.microsoft.com/windows/win32/seccng/processprng>
const RANDOM_SOURCE: &str = "\
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return RtlGenRandom(data, (ULONG)size);
}
";

/// A Wine for 64-bit programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wine {
    program: PathBuf,
    /// Such as `8.0`.
    version: String,
}

impl Wine {
    /// The machine's own, if it has one.
    pub(crate) fn find() -> Result<Option<Self>> {
        let debian = || Some(PathBuf::from(DEBIAN)).filter(|file| file.is_file());
        let Some(program) = paths::program("wine64").or_else(debian).or_else(|| paths::program("wine"))
        else {
            return Ok(None);
        };
        let mut ask = process::command(&program);
        ask.arg("--version");
        let answer = process::capture(ask)?;
        let version = version(&answer).with_context(|| format!("Wine says of its version: {answer}"))?;
        Ok(Some(Self { program, version }))
    }

    /// `Wine 8.0`
    pub(crate) fn name(&self) -> String {
        format!("Wine {}", self.version)
    }

    /// Whether its Windows is set up.
    pub(crate) fn is_ready(&self, workspace: &Workspace) -> bool {
        self.prefix(workspace).join(RANDOM).is_file()
    }

    /// Sets its Windows up, whole or not at all.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<()> {
        let scratch = workspace.scratch()?;
        let prefix = scratch.path().join("prefix");
        // Node 20 and later refuse to start on the Windows 7 that Wine 8 is at first.
        for arguments in [&["wineboot", "--init"][..], &["winecfg", "-v", "win10"]] {
            let mut command = self.in_prefix(&prefix);
            command.args(arguments);
            process::run(workspace, &format!("wine {}", arguments[0]), command)?;
        }
        // What is set is in the files once the server, which outlives the programs, has ended.
        let mut wait = self.server()?;
        wait.arg("--wait").env("WINEPREFIX", &prefix);
        process::run(workspace, "wineserver", wait)?;
        if !prefix.join(RANDOM).is_file() {
            let source = scratch.path().join("random.c");
            fs::write(&source, RANDOM_SOURCE)?;
            let mut compile = process::command(mingw::compiler()?);
            compile
                .args(["-shared", "-O2", "-s", "-o"])
                .arg(prefix.join(RANDOM))
                .arg(source)
                .arg("-ladvapi32");
            process::run(workspace, "compile ProcessPrng", compile)?;
        }
        let to = self.prefix(workspace);
        let _ = fs::remove_dir_all(&to);
        fs::rename(&prefix, &to).with_context(|| format!("{} cannot be written", to.display()))
    }

    /// Runs a program of Windows.
    pub(crate) fn command(&self, workspace: &Workspace, program: &Path) -> Command {
        let mut command = self.in_prefix(&self.prefix(workspace));
        command.arg(program);
        command
    }

    /// The folder that is its drive C and its registry.
    fn prefix(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache().join(format!("wine-{}", self.version))
    }

    fn in_prefix(&self, prefix: &Path) -> Command {
        let mut command = process::command(&self.program);
        command.env("WINEPREFIX", prefix).env("WINEARCH", "win64");
        // Of what it does not have Wine tells by the page, and it would ask for a display.
        command.env("WINEDEBUG", "-all").env_remove("DISPLAY");
        command
    }

    fn server(&self) -> Result<Command> {
        let beside = self.program.with_file_name("wineserver");
        let program = if beside.is_file() { Some(beside) } else { paths::program("wineserver") };
        let Some(program) = program else {
            bail!("{} has no wineserver beside it, nor is one on PATH", self.program.display());
        };
        Ok(process::command(program))
    }
}

/// `8.0` of `wine-8.0 (Debian 8.0~repack-4)`.
fn version(answer: &str) -> Option<String> {
    let version = answer.trim().strip_prefix("wine-")?.split([' ', '\n']).next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_what_folders_are_named_after() {
        assert_eq!(version("wine-8.0 (Debian 8.0~repack-4)\n").as_deref(), Some("8.0"));
        assert_eq!(version("wine-10.12").as_deref(), Some("10.12"));
        for other in ["", "wine", "wine-", "wine-staging", "/usr/bin/wine-8.0"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_not_set_up_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let wine = Wine { program: "wine64".into(), version: "8.0".to_owned() };
        assert_eq!(wine.name(), "Wine 8.0");
        let workspace = Workspace::at(folder.path());
        assert!(!wine.is_ready(&workspace));
        let library = wine.prefix(&workspace).join(RANDOM);
        fs::create_dir_all(library.parent().unwrap()).unwrap();
        fs::write(library, "").unwrap();
        assert!(wine.is_ready(&workspace));
    }
}
