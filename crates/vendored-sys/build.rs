//! Verifies the libraries that the -sys crates' build scripts compiled or found, and installs the compiled ones.
//!
//! Cargo runs this build script after the build scripts of the -sys crates, and passes their output paths in `DEP_*`
//! variables. This build script cannot set their environment; vendored-toolchain selects the variables before cargo
//! runs.

#[path = "build/archive.rs"]
mod archive;
#[path = "build/environment.rs"]
mod environment;
#[path = "build/install.rs"]
mod install;
#[path = "build/libraries.rs"]
mod libraries;
#[path = "toolchain/src/variables.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the file belongs to vendored-toolchain, where these items are public"
)]
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
