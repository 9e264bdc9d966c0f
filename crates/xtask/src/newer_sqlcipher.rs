//! A `sqlcipher` command that knows format 4, from a newer Debian release, for the tests of the file format.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::apt::{self, Foreign};
use crate::paths::Workspace;
use crate::tools;

/// The command and every library that it needs, the C library included, which is newer than this machine's may be.
const NEWER: Foreign = Foreign {
    release: "trixie",
    architecture: None,
    packages: &[
        "sqlcipher",
        "libsqlcipher1",
        "libc6",
        "libssl3t64",
        "libzstd1",
        "zlib1g",
        "libreadline8t64",
        "libtinfo6",
    ],
};
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const LOADER: &str = "usr/lib64/ld-linux-x86-64.so.2";

/// The command, where `setup` brought it.
pub(crate) fn command(workspace: &Workspace) -> Option<PathBuf> {
    let command = folder(workspace).join("sqlcipher");
    command.is_file().then_some(command)
}

/// Unpacks it, and writes the command that starts it with its own C library.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    let _ = fs::remove_dir_all(&folder);
    apt::unpack(workspace, &NEWER, &folder)?;
    let root = folder.display();
    let script = format!(
        "#!/bin/sh\n# Written by cargo xtask setup.\n\
         exec '{root}/{LOADER}' --library-path '{root}/{LIBRARIES}' '{root}/usr/bin/sqlcipher' \"$@\"\n"
    );
    let command = folder.join("sqlcipher");
    fs::write(&command, script).with_context(|| format!("{} cannot be written", command.display()))?;
    tools::make_executable(&command)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(format!("sqlcipher-{}", NEWER.release))
}
