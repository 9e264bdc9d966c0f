//! Verifies the libraries that the -sys crates' build scripts made or found, and installs what they made.
//!
//! Cargo runs this after theirs, and tells it by `DEP_*` where they put things. It cannot set their environment:
//! that is for vendored-toolchain, before cargo runs.

#[path = "build/archive.rs"]
mod archive;
#[path = "build/environment.rs"]
mod environment;
#[path = "build/install.rs"]
mod install;
#[path = "build/libraries.rs"]
mod libraries;
#[path = "toolchain/src/variables.rs"]
#[expect(dead_code, unreachable_pub, reason = "public in vendored-toolchain, which it stands in")]
mod variables;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=toolchain/src/variables.rs");
    if let Err(line) = run() {
        println!("cargo::error={line}");
    }
}

fn run() -> Result<(), String> {
    let target = environment::Target::from_cargo()?;
    let libraries = libraries::Libraries::find(&target)?;
    for archive in libraries.archives() {
        archive::verify(archive, &target)?;
    }
    match environment::from_user("VENDORED_SYS_INSTALL") {
        Some(prefix) => install::install(&libraries, Path::new(&prefix)),
        None => Ok(()),
    }
}
