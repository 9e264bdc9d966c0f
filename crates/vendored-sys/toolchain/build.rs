//! Stops the build before any C is compiled if the C cannot be compiled for the target.

#[path = "src/check.rs"]
#[expect(unreachable_pub, reason = "the library shares the file, where these items are public")]
mod check;
#[path = "src/choice.rs"]
#[expect(unreachable_pub, reason = "the library shares the file, where these items are public")]
mod choice;
#[path = "src/machine.rs"]
#[expect(unreachable_pub, reason = "the library shares the file, where these items are public")]
mod machine;
#[path = "src/programs.rs"]
#[expect(unreachable_pub, reason = "the library shares the file, where these items are public")]
mod programs;
#[path = "src/variables.rs"]
#[expect(dead_code, unreachable_pub, reason = "the library shares the file, where these items are public")]
mod variables;

use std::env;
use std::path::Path;

/// The -sys crates' own switches. If all are set, the -sys crates link existing libraries and compile no C.
const PREFIX_SWITCHES: [&str; 3] =
    ["OPENSSL_NO_VENDOR", "LIBSQLITE3_SYS_USE_PKG_CONFIG", "ZSTD_SYS_USE_PKG_CONFIG"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    if let Err(line) = run() {
        println!("cargo::error={line}");
    }
}

fn run() -> Result<(), String> {
    let (target, host, scratch) = (required("TARGET")?, required("HOST")?, required("OUT_DIR")?);
    let switches = PREFIX_SWITCHES.map(|name| switched_on(name, &target));
    if read("CARGO_FEATURE_VENDORED").is_none() || switches == [true; 3] {
        return Ok(());
    }
    if let Some(choice) = choice::choice(&target, &host, &mut read) {
        check::check(&choice.compiler, &target, Path::new(&scratch)).map_err(|error| match error {
            check::CheckError::UnknownTarget { .. } => error.to_string(),
            error => format!("{error}{}", hint(&choice, &target)),
        })?;
    }
    let [openssl_from_prefix, ..] = switches;
    if openssl_from_prefix { Ok(()) } else { openssl_tools(&target, &host) }
}

/// Returns the origin of the failing compiler, unless the variable in the error message already names it.
fn hint(choice: &choice::Choice, target: &str) -> String {
    match &choice.variable {
        Some(name) if *name == variables::compiler_variable(target) => String::new(),
        Some(name) => format!(" ({name} names this compiler)"),
        None => {
            " (this is the default, because no variable names a compiler; `cargo xtask setup` installs missing tools)"
                .to_owned()
        }
    }
}

/// Checks for the tools that build OpenSSL: perl, and make except for MSVC, which uses nmake.
fn openssl_tools(target: &str, host: &str) -> Result<(), String> {
    let path = read("PATH").unwrap_or_default();
    let suffix = if host.contains("windows") { ".exe" } else { "" };
    let perl = read("OPENSSL_SRC_PERL").or_else(|| read("PERL")).unwrap_or_else(|| "perl".to_owned());
    let make = if target.ends_with("-msvc") { None } else { Some("make".to_owned()) };
    for program in [Some(perl), make].into_iter().flatten() {
        if programs::find_program(&program, &path, suffix).is_none() {
            return Err(format!("cannot compile OpenSSL: `{program}` is not on PATH; install it"));
        }
    }
    Ok(())
}

/// Returns whether a switch is on. openssl-sys also reads its switches prefixed with the target's name.
fn switched_on(name: &str, target: &str) -> bool {
    let of_target = format!("{}_{name}", target.to_uppercase().replace('-', "_"));
    read(&of_target).or_else(|| read(name)).is_some_and(|value| value != "0")
}

fn required(name: &str) -> Result<String, String> {
    read(name).ok_or_else(|| format!("cargo did not set {name}; is this build script run by cargo?"))
}

/// Reads the environment. No other function does, so cargo reruns the build script if a variable read here changes.
///
/// Variables that cargo itself sets are exempt. PATH is exempt too: rustup's proxy prepends itself to PATH in each nested
/// call, which would recompile everything that depends on this crate.
fn read(name: &str) -> Option<String> {
    if !["TARGET", "HOST", "OUT_DIR", "CARGO_FEATURE_VENDORED", "RUSTC_LINKER", "PATH"].contains(&name) {
        println!("cargo::rerun-if-env-changed={name}");
    }
    env::var(name).ok()
}
