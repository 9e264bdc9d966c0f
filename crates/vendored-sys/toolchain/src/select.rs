//! Selects the C toolchain of a target.

use std::{error, fmt};

use crate::variables::{archiver_variable, compiler_variable, linker_variable};

/// The inputs of [`select`].
pub struct Request<'a> {
    /// The Rust triple to build for.
    pub triple: &'a str,
    /// The toolchain of the triple in the target table.
    pub kind: Kind<'a>,
    /// The Rust triple of the build machine.
    pub host: &'a str,
    /// Reads an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Returns whether a program is installed. `zig` means a zig that cargo-zigbuild can run.
    pub program: &'a dyn Fn(&str) -> bool,
}

/// The toolchain of a target in the target table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// zig as the compiler, and as the linker except for macOS.
    Zig {
        /// The oldest glibc or macOS to build for, such as `2.28` or `11.0`; empty for musl.
        floor: &'a str,
    },
    /// Microsoft's compiler.
    Msvc,
}

/// Selects the toolchain of a target.
///
/// A compiler that the environment names takes precedence. Next come zig, a cross gcc (which ignores the floor) and, if the
/// target is the host, the host's own compiler. For Windows, the toolchain is MSVC, which runs only on Windows.
///
/// # Errors
///
/// [`SelectError`] if no toolchain is found, if the environment names a program that isn't installed, or if it names a
/// compiler with arguments but no linker.
pub fn select(request: &Request<'_>) -> Result<Toolchain, SelectError> {
    match explicit(request)? {
        Some(toolchain) => Ok(toolchain),
        None => from_table(request).map(|mut toolchain| {
            // An archiver or linker in the environment takes precedence even if the environment names no compiler.
            for setting in explicit_others(request) {
                toolchain.settings.retain(|other| other.variable != setting.variable);
                toolchain.settings.push(setting);
            }
            toolchain
        }),
    }
}

/// A target's toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The origin of the toolchain.
    pub origin: Origin,
    /// The variables to set before cargo runs. Each variable has the target in its name.
    pub settings: Vec<Setting>,
}

impl Toolchain {
    /// Returns the tool to which a variable is set.
    pub fn tool(&self, variable: &str) -> Option<&Tool> {
        self.settings.iter().find(|setting| setting.variable == variable).map(|setting| &setting.tool)
    }
}

/// The origin of a toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The environment names the compiler.
    Environment,
    /// zig.
    Zig,
    /// A gcc for the target.
    Gcc,
    /// The build machine's own compiler, for its own triple.
    Native,
    /// MSVC, which cargo and the `cc` crate find without settings.
    Msvc,
}

/// An environment variable and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name of the variable.
    pub variable: String,
    /// The value of the variable.
    pub tool: Tool,
}

/// A tool of a toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// A program, or a program with its arguments.
    Program(String),
    /// `zig cc` for a target in zig's notation. The caller writes a wrapper script for this command.
    ZigCc(String),
    /// `zig ar`. The caller writes a wrapper script for this command.
    ZigAr,
}

/// An error of [`select`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// No compiler for the target was found.
    NotFound {
        /// The target.
        triple: String,
        /// The missing programs, as the object of "found": "neither zig nor …".
        wanted: String,
        /// The alternative to setting the variable: an imperative clause.
        remedy: &'static str,
    },
    /// The environment names a program that isn't installed.
    Missing {
        /// The variable that names the program.
        variable: String,
        /// The program.
        program: String,
    },
    /// The environment names a compiler with arguments, which cannot be the linker, but no linker.
    LinkerNeeded {
        /// The variable that names the compiler.
        variable: String,
        /// The compiler with its arguments.
        compiler: String,
        /// The variable to set to a linker.
        linker: String,
    },
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { triple, wanted, remedy } => {
                let variable = compiler_variable(triple);
                write!(
                    f,
                    "no C compiler for {triple}: found {wanted}; {remedy}, or set {variable} to a C compiler"
                )
            }
            Self::Missing { variable, program } => {
                write!(
                    f,
                    "{variable} names `{program}`, which is not installed; correct the variable, or unset it"
                )
            }
            Self::LinkerNeeded { variable, compiler, linker } => write!(
                f,
                "{variable} names `{compiler}`, which cannot be the linker: cargo cannot pass arguments to a linker; \
                 also set {linker} to a program"
            ),
        }
    }
}

impl error::Error for SelectError {}

/// Returns the toolchain whose compiler the environment names, or `None`.
fn explicit(request: &Request<'_>) -> Result<Option<Toolchain>, SelectError> {
    let triple = request.triple;
    let names = [format!("CC_{triple}"), compiler_variable(triple)];
    let named = names.into_iter().find_map(|name| value(request, &name).map(|compiler| (name, compiler)));
    let Some((variable, compiler)) = named else {
        return Ok(None);
    };
    let program = compiler.split_whitespace().next().unwrap_or(&compiler);
    if !(request.program)(program) && !(request.program)(&compiler) {
        return Err(SelectError::Missing { variable, program: compiler });
    }
    let mut settings =
        vec![Setting { variable: compiler_variable(triple), tool: Tool::Program(compiler.clone()) }];
    settings.extend(explicit_others(request));
    let linker = linker_variable(triple);
    // Cargo's default linker links only for the build machine. Cargo finds MSVC's linker itself.
    let linker_missing = triple != request.host && request.kind != Kind::Msvc;
    if linker_missing && !settings.iter().any(|setting| setting.variable == linker) {
        if !(request.program)(&compiler) {
            return Err(SelectError::LinkerNeeded { variable, compiler, linker });
        }
        settings.push(Setting { variable: linker, tool: Tool::Program(compiler) });
    }
    Ok(Some(Toolchain { origin: Origin::Environment, settings }))
}

/// Returns the settings for the archiver and the linker that the environment names.
fn explicit_others(request: &Request<'_>) -> Vec<Setting> {
    let triple = request.triple;
    let archiver =
        value(request, &format!("AR_{triple}")).or_else(|| value(request, &archiver_variable(triple)));
    let linker = value(request, &linker_variable(triple));
    let setting = |variable, tool: Option<String>| Some(Setting { variable, tool: Tool::Program(tool?) });
    [setting(archiver_variable(triple), archiver), setting(linker_variable(triple), linker)]
        .into_iter()
        .flatten()
        .collect()
}

fn from_table(request: &Request<'_>) -> Result<Toolchain, SelectError> {
    let (found, wanted, remedy) = match request.kind {
        Kind::Zig { floor } => (
            zig(request, floor).or_else(|| gcc(request)).or_else(|| native(request)),
            format!("neither zig nor {}", gcc_names(request.triple)[0]),
            "run `cargo xtask setup`",
        ),
        Kind::Msvc => {
            let here = request.host.contains("windows");
            let msvc = here.then(|| Toolchain { origin: Origin::Msvc, settings: Vec::new() });
            (msvc, "no MSVC, which runs on Windows only".to_owned(), "build on Windows")
        }
    };
    found.ok_or_else(|| SelectError::NotFound { triple: request.triple.to_owned(), wanted, remedy })
}

fn zig(request: &Request<'_>, floor: &str) -> Option<Toolchain> {
    if !(request.program)("zig") || !(request.program)("cargo-zigbuild") {
        return None;
    }
    let (arch, system) = request.triple.split_once('-')?;
    let target = match system {
        "unknown-linux-gnu" if floor.is_empty() => format!("{arch}-linux-gnu"),
        "unknown-linux-gnu" => format!("{arch}-linux-gnu.{floor}"),
        "unknown-linux-musl" => format!("{arch}-linux-musl"),
        "apple-darwin" => format!("{arch}-macos.{floor}-none"),
        _ => return None,
    };
    // zig's own linker exports every symbol of a Mach-O library; rustc's lld does not.
    let linker = match system {
        "apple-darwin" => Tool::Program("rust-lld".to_owned()),
        _ => Tool::ZigCc(target.clone()),
    };
    Some(toolchain(request, Origin::Zig, [Some(Tool::ZigCc(target)), Some(Tool::ZigAr), Some(linker)]))
}

fn gcc(request: &Request<'_>) -> Option<Toolchain> {
    let gcc = gcc_names(request.triple).into_iter().find(|name| (request.program)(name))?;
    let ar = Some(format!("{}ar", gcc.trim_end_matches("gcc"))).filter(|name| (request.program)(name));
    let linker = Tool::Program(gcc.clone());
    Some(toolchain(request, Origin::Gcc, [Some(Tool::Program(gcc)), ar.map(Tool::Program), Some(linker)]))
}

fn native(request: &Request<'_>) -> Option<Toolchain> {
    let here = request.triple == request.host && (request.program)("cc");
    here.then(|| toolchain(request, Origin::Native, [Some(Tool::Program("cc".to_owned())), None, None]))
}

/// Builds a toolchain from a compiler, an archiver and a linker. Cargo and the `cc` crate choose the tools that are
/// `None`.
fn toolchain(request: &Request<'_>, origin: Origin, tools: [Option<Tool>; 3]) -> Toolchain {
    let names = [compiler_variable, archiver_variable, linker_variable].map(|name| name(request.triple));
    let settings = names.into_iter().zip(tools);
    let settings = settings.filter_map(|(variable, tool)| Some(Setting { variable, tool: tool? })).collect();
    Toolchain { origin, settings }
}

/// Returns the names of a cross gcc: Debian's and musl.cc's, then nixpkgs'.
fn gcc_names(triple: &str) -> [String; 2] {
    let (arch, system) = triple.split_once('-').unwrap_or((triple, ""));
    let short = system.trim_start_matches("unknown-");
    [format!("{arch}-{short}-gcc"), format!("{triple}-gcc")]
}

/// Returns the value of a variable, or `None` if the variable is unset or blank.
fn value(request: &Request<'_>, name: &str) -> Option<String> {
    (request.environment)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
