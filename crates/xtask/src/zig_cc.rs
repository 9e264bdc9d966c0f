//! zig as C compiler and linker of one target: small programs that are found by name on `PATH`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::paths::Workspace;
use crate::tools::{Zig, make_executable};

/// One tool of a target: `zig-x86_64-linux-gnu.2.28-cc`.
pub(crate) fn name(zig_target: &str, tool: &str) -> String {
    format!("zig-{zig_target}-{tool}")
}

/// Writes `zig-<target>-cc`, `-c++`, `-ar`, `-ranlib` and `-ld-rust`, and returns a `PATH` that begins with them.
///
/// By name on `PATH` and not by path: OpenSSL writes the name of its compiler into the library.
pub(crate) fn install(workspace: &Workspace, zig: &Zig, zig_target: &str) -> Result<OsString> {
    let folder = zig.wrappers();
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (tool, script) in scripts(workspace, zig, zig_target) {
        let file = folder.join(name(zig_target, tool));
        // Left alone where nothing changed, so that a build under way is not disturbed.
        if fs::read_to_string(&file).is_ok_and(|present| present == script) {
            continue;
        }
        let fresh = folder.join(format!(".{tool}.new"));
        fs::write(&fresh, script).with_context(|| format!("{} cannot be written", fresh.display()))?;
        make_executable(&fresh)?;
        fs::rename(&fresh, &file).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    prepend_to_path(&folder)
}

fn scripts(workspace: &Workspace, zig: &Zig, zig_target: &str) -> [(&'static str, String); 5] {
    let cargo_zigbuild = quoted(&zig.cargo_zigbuild());
    // ZIG_COMMAND and not ZIG_PATH: with the latter each call first asks Python for a zig, and takes any that it has.
    let head = format!(
        "#!/bin/sh\n# Written by cargo xtask.\n\
         export ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}\n\
         export CARGO_ZIGBUILD_ZIG_COMMAND={zig} CARGO_ZIGBUILD_ZIG_VERSION={version}\n\
         # Of use to rustc only: zig has Apple's headers, and would look for frameworks as well.\n\
         unset SDKROOT\n",
        cache = quoted(&workspace.cache().join("zig-cache")),
        zig = quoted(&zig.zig()),
        version = zig.version,
    );
    // No sanitizer of zig's own, whose run time the addon would lack; no debug information of the C.
    let compile = format!("-g0 -fno-sanitize=all -target {zig_target} \"$@\"\n");
    let run = |tool: &str, arguments: &str| format!("{head}exec {cargo_zigbuild} zig {tool} -- {arguments}");
    [
        ("cc", run("cc", &compile)),
        ("c++", run("c++", &compile)),
        ("ar", run("ar", "\"$@\"\n")),
        ("ranlib", run("ranlib", "\"$@\"\n")),
        ("ld-rust", run("cc", &compile)),
    ]
}

fn prepend_to_path(folder: &Path) -> Result<OsString> {
    let present = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&present));
    env::join_paths(folders).with_context(|| format!("{} cannot stand on PATH", folder.display()))
}

/// A path as one word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_path_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
