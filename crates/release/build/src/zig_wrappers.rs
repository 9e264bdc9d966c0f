//! Writes wrappers, small programs on `PATH` that call zig as the C compiler and linker of one target.
//!
//! Nix's wrappers use the same functions, from `nix/lib/zig.sh`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use machine::{Workspace, make_executable};

use crate::zig::Zig;

/// The shell functions of these wrappers and of Nix's.
const FUNCTIONS: &str = "nix/lib/zig.sh";

/// Each tool, and the function that it calls.
const TOOLS: [(&str, &str); 5] = [
    ("cc", "compile cc"),
    ("c++", "compile c++"),
    ("ar", "tool ar"),
    ("ranlib", "tool ranlib"),
    ("link", "compile cc"),
];

/// Returns the name of a target's tool: `zig-x86_64-linux-gnu.2.28-cc`.
pub(crate) fn name(zig_target: &str, tool: &str) -> String {
    format!("zig-{zig_target}-{tool}")
}

/// Writes `zig-<target>-cc`, `-c++`, `-ar`, `-ranlib` and `-link`, and returns a `PATH` that begins with their folder.
///
/// Cargo calls the wrappers by name, not by path, since OpenSSL writes its compiler's name into the library.
pub(crate) fn install(workspace: &Workspace, zig: &Zig, zig_target: &str) -> Result<OsString> {
    let folder = zig.wrappers();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let functions = functions(workspace, zig, zig_target)?;
    for (tool, call) in TOOLS {
        let script = format!("{functions}{call} \"$@\"\n");
        let file = folder.join(name(zig_target, tool));
        // Keeps an unchanged wrapper, so that a running build is not disturbed.
        if fs::read_to_string(&file).is_ok_and(|present| present == script) {
            continue;
        }
        let fresh = folder.join(format!(".{tool}.new"));
        fs::write(&fresh, script).with_context(|| format!("cannot write {}", fresh.display()))?;
        make_executable(&fresh)?;
        fs::rename(&fresh, &file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    prepend_to_path(&folder)
}

/// Returns the part that all wrappers of a target share.
fn functions(workspace: &Workspace, zig: &Zig, zig_target: &str) -> Result<String> {
    let functions = fs::read_to_string(workspace.root().join(FUNCTIONS));
    let functions = functions.with_context(|| format!("cannot read {FUNCTIONS}"))?;
    Ok(format!(
        "#!/bin/sh\n# Written by cargo xtask.\n\
         export ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}\n\
         zig={zig} zig_version={version} cargo_zigbuild={cargo_zigbuild} zig_target={zig_target}\n{functions}",
        cache = quoted(&workspace.cache().join("zig-cache")),
        zig = quoted(&zig.zig()),
        version = zig.version,
        cargo_zigbuild = quoted(&zig.cargo_zigbuild()),
    ))
}

fn prepend_to_path(folder: &Path) -> Result<OsString> {
    let present = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&present));
    env::join_paths(folders).with_context(|| format!("cannot add {} to PATH", folder.display()))
}

/// Quotes a path as one word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use machine::process;

    use super::*;

    #[test]
    fn a_quoted_path_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    /// The crate cc passes the SDK and the oldest macOS of the environment, and both would change zig's output.
    #[test]
    #[cfg(unix)]
    fn a_compiler_gets_the_target_and_the_arguments_but_no_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let echo = folder.path().join("cargo-zigbuild");
        fs::write(&echo, "#!/bin/sh\necho \"$@\" \"sdk=$SDKROOT floor=$MACOSX_DEPLOYMENT_TARGET command=$CARGO_ZIGBUILD_ZIG_COMMAND path=$CARGO_ZIGBUILD_ZIG_PATH\"\n")
            .unwrap();
        make_executable(&echo).unwrap();
        let root = Workspace::find().unwrap().root().to_owned();
        let functions = fs::read_to_string(root.join(FUNCTIONS)).unwrap();
        let script = format!(
            "zig=/zig zig_version=1 cargo_zigbuild={} zig_target=t\n{functions}compile cc \"$@\"\n",
            quoted(&echo)
        );
        let mut shell = process::command("sh");
        shell.args([
            "-c",
            &script,
            "sh",
            "1.c",
            "-isysroot",
            "/sdk",
            "-mmacosx-version-min=14.0",
            "a b",
            "-c",
        ]);
        shell.env("SDKROOT", "/sdk").env("MACOSX_DEPLOYMENT_TARGET", "14.0");
        assert_eq!(
            process::capture(shell).unwrap(),
            "zig cc -- -g0 -fno-sanitize=all -target t 1.c a b -c sdk= floor= command=/zig path=/zig"
        );
    }
}
