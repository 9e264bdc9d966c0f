//! A `sqlcipher` command that supports format 4, from a newer Debian release, for the tests of the file format.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use machine::apt::Foreign;
use machine::{Workspace, make_executable};

use crate::debian::unpack_again;

/// The packages of the command and all its libraries. The C library is included because it may be newer than the machine's.
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

/// Returns the command if it is installed.
#[must_use]
pub fn command(workspace: &Workspace) -> Option<PathBuf> {
    let command = folder(workspace).join("sqlcipher");
    command.is_file().then_some(command)
}

/// Unpacks the packages, and writes a script that runs the command with its own C library.
pub fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    unpack_again(workspace, &NEWER, &folder)?;
    let root = folder.display();
    let script = format!(
        "#!/bin/sh\n# Written by cargo xtask setup.\n\
         exec '{root}/{LOADER}' --library-path '{root}/{LIBRARIES}' '{root}/usr/bin/sqlcipher' \"$@\"\n"
    );
    let command = folder.join("sqlcipher");
    fs::write(&command, script).with_context(|| format!("cannot write {}", command.display()))?;
    make_executable(&command)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.cache().join(format!("sqlcipher-{}", NEWER.release))
}
