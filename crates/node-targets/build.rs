//! Hands the triple that cargo builds for to the crate, which has no other way to learn it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo sets TARGET for every build script, and runs the script again for another target.
    match std::env::var("TARGET") {
        Ok(triple) => println!("cargo::rustc-env=NODE_TARGETS_HOST={triple}"),
        Err(error) => println!("cargo::error=TARGET: {error}; cargo sets it: build this crate with cargo"),
    }
}
