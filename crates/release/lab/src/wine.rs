//! Wine, which runs Node for Windows on Linux.
//!
//! A load under Wine checks the Windows port, but does not replace a load on Windows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use build::{COMPILER_PACKAGE, Product, mingw_compiler};
use machine::{Workspace, apt, process, program, rust_std};

use crate::folder;

/// Debian's package of Wine for 64-bit programs.
const PACKAGE: &str = "wine64";

/// The path of the program in Debian's package, which is not on `PATH`.
const DEBIAN_PROGRAM: &str = "/usr/lib/wine/wine64";

/// The Windows library from which Rust's standard library gets random numbers. Wine has the library since version 9.
const RANDOM: &str = "drive_c/windows/system32/bcryptprimitives.dll";

/// C source for the only function of the library that Rust calls.
/// <https://learn.microsoft.com/windows/win32/seccng/processprng>
const RANDOM_SOURCE: &str = "\
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return RtlGenRandom(data, (ULONG)size);
}
";

/// The reason to skip what runs under Wine.
pub(crate) const WINE_NOT_INSTALLED: &str = "Wine is not installed or has no prefix: run cargo xtask setup";

/// A Wine for 64-bit programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wine {
    program: PathBuf,
    /// The version, such as `8.0`.
    version: String,
}

/// Installs the missing tools that build and load the mingw proxies: the compiler, Rust's standard library, Wine and its
/// prefix. Returns the names of the installed tools.
pub fn install_windows_tools(workspace: &Workspace) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    missing.extend(mingw_compiler().is_err().then_some(COMPILER_PACKAGE));
    missing.extend(Wine::find()?.is_none().then_some(PACKAGE));
    if !missing.is_empty() {
        apt::install(workspace, &missing)?;
    }
    let mut installed: Vec<String> = missing.into_iter().map(str::to_owned).collect();
    let proxies: Vec<Product> = Product::all().into_iter().filter(Product::is_proxy).collect();
    let triples: Vec<&str> = proxies.iter().map(|proxy| proxy.target().triple.as_str()).collect();
    installed.extend(rust_std::install(workspace, &triples)?);
    let wine = Wine::find()?.with_context(|| {
        format!("cannot find wine64, although {PACKAGE} is installed: add the folder of wine64 to PATH")
    })?;
    if !wine.is_ready(workspace) {
        wine.install(workspace)?;
        installed.push(format!("the prefix of {}", wine.name()));
    }
    Ok(installed)
}

/// Returns the command that runs a Windows program under Wine, with Wine's name, or a message if Wine is missing.
pub fn wine_command(
    workspace: &Workspace,
    program: &Path,
) -> Result<Result<(Command, String), &'static str>> {
    Ok(match Wine::find()?.filter(|wine| wine.is_ready(workspace)) {
        Some(wine) => Ok((wine.command(workspace, program), wine.name())),
        None => Err(WINE_NOT_INSTALLED),
    })
}

impl Wine {
    /// Returns the machine's Wine, if it has one.
    pub(crate) fn find() -> Result<Option<Self>> {
        let debian = || Some(PathBuf::from(DEBIAN_PROGRAM)).filter(|file| file.is_file());
        let Some(program) = program("wine64").or_else(debian).or_else(|| program("wine")) else {
            return Ok(None);
        };
        let mut command = process::command(&program);
        command.arg("--version");
        let answer = process::capture(command)?;
        let version = version(&answer).with_context(|| {
            format!("cannot read a version in `{answer}`, the output of `wine --version`")
        })?;
        Ok(Some(Self { program, version }))
    }

    /// Returns the name with the version, such as `Wine 8.0`.
    pub(crate) fn name(&self) -> String {
        format!("Wine {}", self.version)
    }

    /// Returns whether the prefix is complete.
    pub(crate) fn is_ready(&self, workspace: &Workspace) -> bool {
        self.prefix(workspace).join(RANDOM).is_file()
    }

    /// Creates the prefix. A failure leaves no partial prefix in the cache.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<()> {
        let scratch = workspace.scratch()?;
        let prefix = scratch.path().join("prefix");
        // By default, Wine 8 acts as Windows 7, on which Node 20 and later refuses to start.
        for arguments in [&["wineboot", "--init"][..], &["winecfg", "-v", "win10"]] {
            let mut command = self.in_prefix(&prefix);
            command.args(arguments);
            workspace.run(&format!("wine {}", arguments[0]), command)?;
        }
        // wineserver outlives the programs, and writes the registry to files only when it ends.
        let neighbour = Some(self.program.with_file_name("wineserver")).filter(|file| file.is_file());
        let server = neighbour.or_else(|| program("wineserver")).with_context(|| {
            let wine = self.program.display();
            format!("cannot find wineserver, neither beside {wine} nor on PATH: install Wine again")
        })?;
        let mut wait = process::command(server);
        wait.arg("--wait").env("WINEPREFIX", &prefix);
        workspace.run("wineserver", wait)?;
        if !prefix.join(RANDOM).is_file() {
            let source = scratch.path().join("random.c");
            fs::write(&source, RANDOM_SOURCE)?;
            let mut compile = process::command(mingw_compiler()?);
            compile.args(["-shared", "-O2", "-s", "-o"]).arg(prefix.join(RANDOM));
            compile.arg(source).arg("-ladvapi32");
            workspace.run("compile ProcessPrng", compile)?;
        }
        folder::replace(&prefix, &self.prefix(workspace))
    }

    /// Returns the command that runs a Windows program.
    pub(crate) fn command(&self, workspace: &Workspace, program: &Path) -> Command {
        let mut command = self.in_prefix(&self.prefix(workspace));
        command.arg(program);
        command
    }

    /// Returns the folder with drive C and the registry.
    fn prefix(&self, workspace: &Workspace) -> PathBuf {
        workspace.cache().join(format!("wine-{}", self.version))
    }

    fn in_prefix(&self, prefix: &Path) -> Command {
        let mut command = process::command(&self.program);
        command.env("WINEPREFIX", prefix).env("WINEARCH", "win64");
        // Silences Wine's fixme output, and keeps Wine from opening a display.
        command.env("WINEDEBUG", "-all").env_remove("DISPLAY");
        command
    }
}

/// Parses a version such as `8.0` from `wine-8.0 (Debian 8.0~repack-4)`.
fn version(answer: &str) -> Option<String> {
    let version = answer.trim().strip_prefix("wine-")?.split([' ', '\n']).next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_parsed_from_wines_output() {
        assert_eq!(version("wine-8.0 (Debian 8.0~repack-4)\n").as_deref(), Some("8.0"));
        assert_eq!(version("wine-10.12").as_deref(), Some("10.12"));
        for other in ["", "wine", "wine-", "wine-staging", "/usr/bin/wine-8.0"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn wine_is_ready_once_its_prefix_has_the_random_library() {
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
