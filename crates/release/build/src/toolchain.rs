//! Selects the C toolchain of a target, and passes it to cargo as variables and flags.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use machine::{Workspace, program};
use node_targets::{Os, Target, Toolchain as Listed};
use vendored_toolchain::{
    CheckError, Kind, Origin, Request, Tool, Toolchain, compiler_variable, linker_variable,
};

use crate::apple_sdk::{self, Link};
use crate::mingw;
use crate::product::Product;
use crate::zig::Zig;
use crate::zig_wrappers;

/// The variables and flags with which cargo builds for a target.
pub(crate) struct BuildTools {
    /// Environment variables. A variable is `PATH`, or has the target in its name, or has no effect on other targets.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Flags for rustc.
    pub(crate) rustflags: Vec<String>,
    /// The toolchain in a few words.
    pub(crate) summary: &'static str,
}

impl BuildTools {
    /// Selects the toolchain of a product, installs zig if the product needs it, and checks the compiler.
    pub(crate) fn for_product(workspace: &Workspace, product: &Product) -> Result<Self> {
        let target = product.target();
        if product.is_proxy() {
            let variables = mingw::variables(workspace, target)?;
            return Ok(Self { variables, rustflags: Vec::new(), summary: "mingw" });
        }
        Self::on_host(workspace, target, node_targets::host()?)
    }

    /// Does the work of [`BuildTools::for_product`] for any host, so that tests can imitate a host.
    pub(crate) fn on_host(workspace: &Workspace, target: &Target, host: &Target) -> Result<Self> {
        let environment = |name: &str| env::var(name).ok();
        let named = [compiler_variable(&target.triple), format!("CC_{}", target.triple)];
        let is_named = named.iter().any(|name| env::var_os(name).is_some());
        // Another compiler would tie the addon to this machine's glibc, and the audit would refuse it later.
        let zig = match target.toolchain != Listed::Msvc && !is_named {
            true => Some(Zig::install(workspace)?),
            false => Zig::find(workspace)?,
        };
        let has = |name: &str| match name {
            "zig" | "cargo-zigbuild" => zig.is_some(),
            name => program(name).is_some(),
        };
        let toolchain = select(target, &Machine { host, environment: &environment, has: &has })?;
        let zig = zig.filter(|_| toolchain.origin == Origin::Zig);
        let linker = linker(&toolchain, target).map(|linker| format!("-Clinker={linker}"));
        let mut tools = Self {
            variables: variables(&toolchain, target),
            rustflags: linker.into_iter().collect(),
            summary: summary(&toolchain, target),
        };
        let variable = OsString::from(compiler_variable(&target.triple));
        let compiler = tools.variables.iter().find(|(name, _)| *name == variable);
        let mut compiler = compiler.map(|(_, name)| PathBuf::from(name));
        if let (Some(zig_target), Some(zig)) = (zig_target(&toolchain), &zig) {
            let path = zig_wrappers::install(workspace, zig, zig_target)?;
            tools.variables.push(("PATH".into(), path));
            // The check below needs the path: cargo's PATH has the wrappers, but this process's PATH does not.
            compiler = compiler.map(|name| zig.wrappers().join(name));
            tools.rustflags.extend(target.rust_flags.iter().cloned());
        }
        tools.variables.extend(c_flags(&toolchain, target));
        if target.os == Os::Darwin {
            let link = Link { target, host, zig: zig.as_ref() };
            tools.variables.extend(apple_sdk::variables(workspace, &link)?);
        }
        if let Some(compiler) = compiler {
            check(&compiler.to_string_lossy(), target, zig.as_ref())?;
        }
        Ok(tools)
    }
}

/// Fails if the compiler does not run, or compiles for another machine.
fn check(compiler: &str, target: &Target, zig: Option<&Zig>) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot create a temporary folder to try the C compiler in")?;
    match (vendored_toolchain::check(compiler, &target.triple, scratch.path()), zig) {
        (Err(error @ CheckError::Failed { .. }), Some(zig)) => {
            let folder = zig.folder.display();
            Err(error).with_context(|| {
                format!("the zig in {folder} does not work: remove that folder, and run cargo xtask setup")
            })
        }
        (checked, _) => Ok(checked?),
    }
}

/// Returns the selected settings as variables, with zig's tools as wrappers on `PATH`.
fn variables(toolchain: &Toolchain, target: &Target) -> Vec<(OsString, OsString)> {
    // A rustc flag names the linker instead: see `linker`.
    let linker = linker_variable(&target.triple);
    let settings = toolchain.settings.iter().filter(|setting| setting.variable != linker);
    let mut variables: Vec<(OsString, OsString)> = settings
        .filter_map(|setting| {
            Some(((&setting.variable).into(), program_of(&setting.tool, toolchain, "cc")?.into()))
        })
        .collect();
    if let Some(zig_target) = zig_target(toolchain) {
        let suffix = target.underscored();
        let more = [("CXX", "c++"), ("RANLIB", "ranlib")];
        variables.extend(more.map(|(variable, tool)| {
            (format!("{variable}_{suffix}").into(), zig_wrappers::name(zig_target, tool).into())
        }));
    }
    variables
}

/// Returns the name of a tool's program. For zig's C compiler, the program is the wrapper `zig_cc`.
fn program_of(tool: &Tool, toolchain: &Toolchain, zig_cc: &str) -> Option<String> {
    match tool {
        Tool::Program(program) => Some(program.clone()),
        Tool::ZigCc(zig_target) => Some(zig_wrappers::name(zig_target, zig_cc)),
        Tool::ZigAr => Some(zig_wrappers::name(zig_target(toolchain)?, "ar")),
        // Cargo chooses the program for an unknown variant of this non-exhaustive enum.
        _ => None,
    }
}

/// Returns the flags of targets.json for all C, followed by the flags of the environment. A compiler other than zig
/// needs the oldest macOS as a flag.
fn c_flags(toolchain: &Toolchain, target: &Target) -> Option<(OsString, OsString)> {
    let variable = format!("CFLAGS_{}", target.underscored());
    let mut flags = target.c_flags.clone();
    if let (Os::Darwin, Some(floor)) = (target.os, target.floor)
        && toolchain.origin != Origin::Zig
    {
        flags.push(format!("-mmacosx-version-min={floor}"));
    }
    flags.extend(env::var(&variable));
    (!flags.is_empty()).then(|| (variable.into(), flags.join(" ").into()))
}

/// Returns the linker, for a rustc flag.
///
/// With cargo's variable for the linker, cargo would also link build scripts with this linker if the target is the
/// host's own triple. The variable is part of their fingerprint: each switch between the host and another target would
/// recompile all build scripts and OpenSSL.
fn linker(toolchain: &Toolchain, target: &Target) -> Option<String> {
    program_of(toolchain.tool(&linker_variable(&target.triple))?, toolchain, "link")
}

/// The machine that builds.
struct Machine<'a> {
    host: &'a Target,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// Returns whether the machine has a program.
    has: &'a dyn Fn(&str) -> bool,
}

/// Selects the toolchain with vendored-toolchain, which does not read the target table.
fn select(target: &Target, machine: &Machine<'_>) -> Result<Toolchain> {
    let floor = target.floor.map(|floor| floor.to_string()).unwrap_or_default();
    let kind = match target.toolchain {
        // Outside Nix, a cross gcc for musl is often a wrapper of the machine's own gcc (Debian's musl-tools). A cdylib
        // for musl then lacks that gcc's libgcc_s.
        Listed::Zig | Listed::PkgsCross => Kind::Zig { floor: &floor },
        Listed::Msvc => Kind::Msvc,
    };
    let (triple, host) = (target.triple.as_str(), machine.host.triple.as_str());
    let Machine { environment, has, .. } = *machine;
    Ok(vendored_toolchain::select(&Request { triple, kind, host, environment, program: has })?)
}

/// Returns zig's name for the target if the compiler is zig.
fn zig_target(toolchain: &Toolchain) -> Option<&str> {
    toolchain.settings.iter().find_map(|setting| match &setting.tool {
        Tool::ZigCc(target) => Some(target.as_str()),
        _ => None,
    })
}

/// Returns the C compiler in a few words, and the linker if it is another program.
fn summary(toolchain: &Toolchain, target: &Target) -> &'static str {
    match toolchain.origin {
        Origin::Environment => "set by the environment",
        Origin::Zig if target.os == Os::Darwin => "zig, rust-lld",
        Origin::Zig => "zig",
        Origin::Gcc => "gcc",
        Origin::Native => "cc",
        Origin::Msvc => "MSVC",
        _ => "another",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The programs of each machine, and the toolchain for each target in the table's order.
    #[test]
    fn each_target_gets_its_toolchain_on_each_machine() {
        let gnu = "x86_64-unknown-linux-gnu";
        let mac = "aarch64-apple-darwin";
        let windows = "x86_64-pc-windows-msvc";
        let none = "no C compiler";
        let zig: &[&str] = &["zig", "cargo-zigbuild", "cc"];
        let cross: &[&str] = &[
            "cc",
            "x86_64-linux-gnu-gcc",
            "aarch64-linux-gnu-gcc",
            "x86_64-linux-musl-gcc",
            "aarch64-linux-musl-gcc",
        ];
        let table: [(&str, &[&str], [&str; 8]); 8] = [
            (gnu, zig, ["zig", "zig", "zig", "zig", "zig", "zig", none, none]),
            (gnu, cross, ["gcc", "gcc", "gcc", "gcc", none, none, none, none]),
            (gnu, &["cc"], ["cc", none, none, none, none, none, none, none]),
            (gnu, &[], [none; 8]),
            (mac, zig, ["zig", "zig", "zig", "zig", "zig", "zig", none, none]),
            (mac, &["cc"], [none, none, none, none, "cc", none, none, none]),
            (windows, &[], [none, none, none, none, none, none, "MSVC", "MSVC"]),
            ("aarch64-pc-windows-msvc", &[], [none, none, none, none, none, none, "MSVC", "MSVC"]),
        ];
        for (host, programs, expected) in table {
            let host = Target::by_triple(host).unwrap();
            let program = |name: &str| programs.contains(&name);
            for (target, expected) in node_targets::targets().iter().zip(expected) {
                let found = match select(target, &Machine { host, environment: &|_| None, has: &program }) {
                    Ok(toolchain) => summary(&toolchain, target).to_owned(),
                    Err(error) => error.to_string(),
                };
                assert!(found.starts_with(expected), "{target} on {host} with {programs:?}: {found}");
            }
        }
    }

    #[test]
    fn a_compiler_of_the_environment_wins_for_every_target() {
        let host = Target::by_triple("x86_64-unknown-linux-gnu").unwrap();
        for target in node_targets::targets() {
            let wanted = compiler_variable(&target.triple);
            let environment = |name: &str| (name == wanted).then(|| "my-cc".to_owned());
            let toolchain =
                select(target, &Machine { host, environment: &environment, has: &|_| true }).unwrap();
            assert_eq!(toolchain.origin, Origin::Environment, "{target}");
            assert!(variables(&toolchain, target).contains(&(wanted.into(), "my-cc".into())), "{target}");
        }
    }

    #[test]
    fn zig_tools_have_the_target_and_the_floor_in_their_names() {
        let host = Target::by_triple("x86_64-unknown-linux-gnu").unwrap();
        let toolchain = select(host, &Machine { host, environment: &|_| None, has: &|_| true }).unwrap();
        let variables = variables(&toolchain, host);
        let value =
            |wanted: &str| variables.iter().find(|(name, _)| name == wanted).unwrap().1.to_str().unwrap();
        assert_eq!(value("CC_x86_64_unknown_linux_gnu"), "zig-x86_64-linux-gnu.2.28-cc");
        assert_eq!(value("AR_x86_64_unknown_linux_gnu"), "zig-x86_64-linux-gnu.2.28-ar");
        assert_eq!(value("RANLIB_x86_64_unknown_linux_gnu"), "zig-x86_64-linux-gnu.2.28-ranlib");
        assert_eq!(linker(&toolchain, host).unwrap(), "zig-x86_64-linux-gnu.2.28-link");
        assert!(variables.iter().all(|(name, _)| name != "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"));
        let names = |(name, _): &(OsString, OsString)| name.to_string_lossy().to_lowercase();
        assert!(
            variables.iter().map(names).all(|name| name.contains("x86_64_unknown_linux_gnu")),
            "{variables:?}"
        );
    }

    /// With a linker variable, cargo would also link the build scripts of the host's own triple. macOS targets had such
    /// a variable.
    #[test]
    fn no_target_has_a_linker_variable_and_each_has_its_flags() {
        let workspace = Workspace::find().unwrap();
        if Zig::find(&workspace).unwrap().is_none() {
            println!("skipped: zig is not installed: run cargo xtask setup");
            return;
        }
        let host = node_targets::host().unwrap();
        for target in node_targets::targets().iter().filter(|target| target.toolchain != Listed::Msvc) {
            let tools = BuildTools::on_host(&workspace, target, host).unwrap();
            let value = |wanted: &str| {
                let found = tools.variables.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| value.to_string_lossy().into_owned())
            };
            assert_eq!(value(&linker_variable(&target.triple)), None, "{target}");
            assert!(tools.rustflags[0].starts_with("-Clinker="), "{target}: {:?}", tools.rustflags);
            assert_eq!(tools.rustflags[1..], target.rust_flags, "{target}");
            let flags = value(&format!("CFLAGS_{}", target.underscored())).unwrap();
            assert!(flags.starts_with(&target.c_flags.join(" ")), "{target}: {flags}");
        }
    }
}
