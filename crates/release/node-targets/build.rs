//! Passes the target triple to the crate, since cargo sets it only for build scripts.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo sets TARGET for every build script, and reruns the script when the target changes.
    match std::env::var("TARGET") {
        Ok(triple) => println!("cargo::rustc-env=NODE_TARGETS_HOST={triple}"),
        Err(error) => {
            println!("cargo::error=cannot read TARGET: {error}; build this crate with cargo, which sets it")
        }
    }
}
