//! Finds the compiler that the -sys crates' build scripts will use, by the rules of the crate cc.

use crate::programs::find_program;
use crate::variables::compiler_variable;

/// A C compiler, and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// A program, or a program and its arguments.
    pub compiler: String,
    /// The variable that names the compiler, or `None` for the default.
    pub variable: Option<String>,
}

/// Returns the compiler that cc would run for `target` on `host`, or `None` if MSVC's own set-up decides.
///
/// `env` reads the environment.
pub fn choice(target: &str, host: &str, env: &mut dyn FnMut(&str) -> Option<String>) -> Option<Choice> {
    let native = target == host;
    let names = [
        format!("CC_{target}"),
        compiler_variable(target),
        if native { "HOST_CC" } else { "TARGET_CC" }.to_owned(),
        "CC".to_owned(),
    ];
    for name in names {
        if let Some(compiler) = env(&name) {
            return Some(Choice { compiler: compiler.trim().to_owned(), variable: Some(name) });
        }
    }
    if target.ends_with("-msvc") && host.contains("windows") {
        return None;
    }
    let compiler = if native { "cc".to_owned() } else { cross_default(target, env) };
    Some(Choice { compiler, variable: None })
}

/// Returns the default name of a cross compiler. Without a usual name, returns `cc`, which then fails its check.
fn cross_default(target: &str, env: &mut dyn FnMut(&str) -> Option<String>) -> String {
    if let Some(prefix) = env("CROSS_COMPILE") {
        return format!("{}-gcc", prefix.trim_end_matches('-'));
    }
    if let Some(linker) = env("RUSTC_LINKER").filter(|linker| linker.ends_with("-gcc")) {
        return linker;
    }
    match target {
        "x86_64-unknown-linux-gnu" => "x86_64-linux-gnu-gcc",
        "aarch64-unknown-linux-gnu" => "aarch64-linux-gnu-gcc",
        "x86_64-unknown-linux-musl" => {
            let path = env("PATH").unwrap_or_default();
            match find_program("x86_64-linux-musl-gcc", &path, "") {
                None if find_program("musl-gcc", &path, "").is_some() => "musl-gcc",
                _ => "x86_64-linux-musl-gcc",
            }
        }
        "aarch64-unknown-linux-musl" => "aarch64-linux-musl-gcc",
        "x86_64-pc-windows-gnu" => "x86_64-w64-mingw32-gcc",
        target if target.ends_with("-msvc") => "cl.exe",
        _ => "cc",
    }
    .to_owned()
}
