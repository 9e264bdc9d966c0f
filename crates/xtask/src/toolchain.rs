//! The C toolchain of a target, from the target table's words to variables that cargo is started with.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use node_targets::{Os, Target, Toolchain as Listed};
use vendored_toolchain::{
    CheckError, Kind, Origin, Request, Tool, Toolchain, compiler_variable, linker_variable,
};

use crate::apple_sdk::{self, Link};
use crate::mingw;
use crate::paths::{Workspace, program};
use crate::tools::Zig;
use crate::zig_cc;

/// What cargo needs to know to build for a target.
pub(crate) struct BuildTools {
    /// Environment variables. Each has the target in its name, is `PATH`, or changes nothing for other targets.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Flags for rustc.
    pub(crate) rustflags: Vec<String>,
    /// The toolchain in a few words.
    pub(crate) summary: String,
}

impl BuildTools {
    /// Selects the toolchain of a target, installs zig if the target needs it, and checks what the compiler makes.
    pub(crate) fn for_target(workspace: &Workspace, target: &Target) -> Result<Self> {
        Self::on_host(workspace, target, node_targets::host()?)
    }

    /// As [`BuildTools::for_target`], on a host that a test may play.
    pub(crate) fn on_host(workspace: &Workspace, target: &Target, host: &Target) -> Result<Self> {
        if mingw::builds(target) {
            let variables = mingw::variables(workspace, target)?;
            return Ok(Self { variables, rustflags: Vec::new(), summary: "mingw".to_owned() });
        }
        let environment = |name: &str| env::var(name).ok();
        let named = [compiler_variable(&target.triple), format!("CC_{}", target.triple)];
        let is_named = named.iter().any(|name| env::var_os(name).is_some());
        // With another compiler the addon would need this machine's glibc, and the audit would refuse it later.
        let needs_zig = target.toolchain != Listed::Msvc;
        let zig = match needs_zig && !is_named {
            true => Some(Zig::install(workspace)?),
            false => Zig::find(workspace)?,
        };
        let has = |name: &str| match name {
            "zig" | "cargo-zigbuild" => zig.is_some(),
            name => program(name).is_some(),
        };
        let toolchain = select(target, &Machine { host, environment: &environment, has: &has })?;
        let mut tools = Self {
            variables: variables(&toolchain, target),
            rustflags: linker(&toolchain, target)
                .map(|linker| format!("-Clinker={linker}"))
                .into_iter()
                .collect(),
            summary: words(&toolchain).to_owned(),
        };
        let variable = OsString::from(compiler_variable(&target.triple));
        let compiler =
            tools.variables.iter().find(|(name, _)| *name == variable).map(|(_, value)| value.clone());
        let mut compiler = compiler.map(PathBuf::from);
        if let (Some(zig_target), Some(zig)) = (zig_target(&toolchain), &zig) {
            let path = zig_cc::install(workspace, zig, zig_target)?;
            tools.variables.push(("PATH".into(), path));
            // By its path: this process has another PATH than cargo will have.
            compiler = compiler.map(|name| zig.wrappers().join(name));
            tools.rustflags.extend(target.rust_flags.iter().cloned());
            if target.os == Os::Darwin {
                tools.summary = "zig, rust-lld".to_owned();
            }
        }
        tools.variables.extend(c_flags(&toolchain, target));
        if target.os == Os::Darwin {
            let zig = zig.as_ref().filter(|_| toolchain.origin == Origin::Zig);
            tools.variables.extend(apple_sdk::variables(workspace, &Link { target, host, zig })?);
        }
        if let Some(compiler) = compiler {
            let scratch = tempfile::tempdir().context("no temporary folder to try the C compiler in")?;
            let checked =
                vendored_toolchain::check(&compiler.to_string_lossy(), &target.triple, scratch.path());
            match (checked, &zig) {
                (Err(error @ CheckError::Failed { .. }), Some(zig)) if toolchain.origin == Origin::Zig => {
                    let folder = zig.folder().display();
                    let remedy = "remove that folder, and cargo xtask setup";
                    return Err(error)
                        .with_context(|| format!("the zig in {folder} does not work: {remedy}"));
                }
                (checked, _) => checked?,
            }
        }
        Ok(tools)
    }
}

/// The selected settings in cargo's words, zig's tools as wrappers that are found on `PATH`.
fn variables(toolchain: &Toolchain, target: &Target) -> Vec<(OsString, OsString)> {
    let zig_target = zig_target(toolchain).unwrap_or_default();
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    for setting in &toolchain.settings {
        let value = match &setting.tool {
            // A flag of rustc names the linker: see `linker`.
            _ if setting.variable == linker_variable(&target.triple) => continue,
            Tool::Program(program) => program.clone(),
            Tool::ZigCc(name) => zig_cc::name(name, "cc"),
            Tool::ZigAr => zig_cc::name(zig_target, "ar"),
            // The enum may grow: what it then means is left to cargo.
            _ => continue,
        };
        variables.push((setting.variable.as_str().into(), value.into()));
    }
    if toolchain.origin == Origin::Zig {
        let suffix = target.underscored();
        for (variable, tool) in [("CXX", "c++"), ("RANLIB", "ranlib")] {
            variables.push((format!("{variable}_{suffix}").into(), zig_cc::name(zig_target, tool).into()));
        }
    }
    variables
}

/// The flags of targets.json for all C, before those of the environment. A compiler other than zig has to be told the
/// oldest macOS.
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

/// The linker, for a flag of rustc's and not for cargo's variable.
///
/// By that, cargo links the build scripts of the host's own triple as well, and takes it into their fingerprint: between
/// a build for the host and one for another target it would compile all build scripts anew, and with them OpenSSL.
fn linker(toolchain: &Toolchain, target: &Target) -> Option<String> {
    match toolchain.tool(&linker_variable(&target.triple))? {
        Tool::Program(program) => Some(program.clone()),
        Tool::ZigCc(name) => Some(zig_cc::name(name, "link")),
        // The enum may grow: what it then means is left to cargo.
        _ => None,
    }
}

/// The machine that builds.
struct Machine<'a> {
    host: &'a Target,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// Whether it has a program.
    has: &'a dyn Fn(&str) -> bool,
}

/// Asks vendored-toolchain, which knows nothing of the target table.
fn select(target: &Target, machine: &Machine<'_>) -> Result<Toolchain> {
    let floor = target.floor.map(|floor| floor.to_string()).unwrap_or_default();
    let kind = match target.toolchain {
        // Nix has a real cross compiler for musl. Elsewhere one of that name is often a wrapper of the machine's own gcc
        // (Debian's musl-tools), whose libgcc_s a cdylib then lacks.
        Listed::Zig | Listed::Cross => Kind::Zig { floor: &floor },
        Listed::Msvc => Kind::Msvc,
    };
    let (triple, host) = (target.triple.as_str(), machine.host.triple.as_str());
    let Machine { environment, has, .. } = *machine;
    Ok(vendored_toolchain::select(&Request { triple, kind, host, environment, program: has })?)
}

/// zig's name of the target, where its compiler is zig.
fn zig_target(toolchain: &Toolchain) -> Option<&str> {
    toolchain.settings.iter().find_map(|setting| match &setting.tool {
        Tool::ZigCc(target) => Some(target.as_str()),
        _ => None,
    })
}

fn words(toolchain: &Toolchain) -> &'static str {
    match toolchain.origin {
        Origin::Environment => "as the environment names it",
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

    /// What is on the machine, and what then compiles and links each target of the table, in its order.
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
        let table: [(&str, &[&str], [&str; 7]); 7] = [
            (gnu, zig, ["zig", "zig", "zig", "zig", "zig", "zig", none]),
            (gnu, cross, ["gcc", "gcc", "gcc", "gcc", none, none, none]),
            (gnu, &["cc"], ["cc", none, none, none, none, none, none]),
            (gnu, &[], [none; 7]),
            (mac, zig, ["zig", "zig", "zig", "zig", "zig", "zig", none]),
            (mac, &["cc"], [none, none, none, none, "cc", none, none]),
            (windows, &[], [none, none, none, none, none, none, "MSVC"]),
        ];
        for (host, programs, expected) in table {
            let host = Target::by_triple(host).unwrap();
            let program = |name: &str| programs.contains(&name);
            for (target, expected) in node_targets::targets().iter().zip(expected) {
                let found = match select(target, &Machine { host, environment: &|_| None, has: &program }) {
                    Ok(toolchain) => words(&toolchain).to_owned(),
                    Err(error) => error.to_string(),
                };
                assert!(found.starts_with(expected), "{target} on {host} with {programs:?}: {found}");
            }
        }
    }

    #[test]
    fn a_compiler_that_the_environment_names_wins_for_every_target() {
        let host = Target::by_triple("x86_64-unknown-linux-gnu").unwrap();
        for target in node_targets::targets() {
            let wanted = compiler_variable(&target.triple);
            let environment = |name: &str| (name == wanted).then(|| "my-cc".to_owned());
            let toolchain =
                select(target, &Machine { host, environment: &environment, has: &|_| true }).unwrap();
            assert_eq!(words(&toolchain), "as the environment names it", "{target}");
            assert!(variables(&toolchain, target).contains(&(wanted.into(), "my-cc".into())), "{target}");
        }
    }

    #[test]
    fn zig_is_set_by_names_that_carry_the_target_and_the_floor() {
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

    /// A linker variable would also link the build scripts of the host's own triple. macOS' linker was one.
    #[test]
    fn no_target_has_a_linker_variable_and_each_has_its_flags() {
        let workspace = Workspace::find().unwrap();
        if Zig::find(&workspace).unwrap().is_none() {
            println!("skipped: zig is not installed: cargo xtask setup");
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
