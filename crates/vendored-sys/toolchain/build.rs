//! Stops the build, before any C is compiled, when the C cannot be compiled for the target.

#[path = "src/check.rs"]
#[expect(unreachable_pub, reason = "public in the library, which shares the file")]
mod check;
#[path = "src/choice.rs"]
#[expect(unreachable_pub, reason = "public in the library, which shares the file")]
mod choice;
#[path = "src/machine.rs"]
#[expect(unreachable_pub, reason = "public in the library, which shares the file")]
mod machine;
#[path = "src/programs.rs"]
#[expect(unreachable_pub, reason = "public in the library, which shares the file")]
mod programs;
#[path = "src/variables.rs"]
#[expect(dead_code, unreachable_pub, reason = "public in the library, which shares the file")]
mod variables;

use std::env;
use std::path::Path;

/// The -sys crates' own switches: with all of them set they take libraries from a prefix and compile no C.
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

/// Where the compiler at fault comes from, when it is not the variable that the error names.
fn hint(choice: &choice::Choice, target: &str) -> String {
    match &choice.variable {
        Some(name) if *name == variables::compiler_variable(target) => String::new(),
        Some(name) => format!(" ({name} names this one)"),
        None => {
            " (no variable names one, and this is the default; `cargo xtask setup` installs what is missing)"
                .to_owned()
        }
    }
}

/// OpenSSL is configured by perl and, but for MSVC's nmake, built by make.
fn openssl_tools(target: &str, host: &str) -> Result<(), String> {
    let path = read("PATH").unwrap_or_default();
    let suffix = if host.contains("windows") { ".exe" } else { "" };
    let perl = read("OPENSSL_SRC_PERL").or_else(|| read("PERL")).unwrap_or_else(|| "perl".to_owned());
    let make = if target.ends_with("-msvc") { None } else { Some("make".to_owned()) };
    for program in [Some(perl), make].into_iter().flatten() {
        if programs::find_program(&program, &path, suffix).is_none() {
            return Err(format!(
                "OpenSSL is compiled from source and needs `{program}`, which is not on PATH; install it"
            ));
        }
    }
    Ok(())
}

/// openssl-sys reads its switches with the target's name in front as well.
fn switched_on(name: &str, target: &str) -> bool {
    let of_target = format!("{}_{name}", target.to_uppercase().replace('-', "_"));
    read(&of_target).or_else(|| read(name)).is_some_and(|value| value != "0")
}

fn required(name: &str) -> Result<String, String> {
    read(name).ok_or_else(|| format!("cargo did not set {name}; is this build script run by cargo?"))
}

/// The one place that reads the environment, so that each variable read makes cargo run this again when it changes.
///
/// Not for what cargo itself sets. Nor for PATH: rustup's proxy puts itself in front of it in each nested call, and
/// all that depends on this crate would be compiled again.
fn read(name: &str) -> Option<String> {
    if !["TARGET", "HOST", "OUT_DIR", "CARGO_FEATURE_VENDORED", "RUSTC_LINKER", "PATH"].contains(&name) {
        println!("cargo::rerun-if-env-changed={name}");
    }
    env::var(name).ok()
}
