# No tests, JavaScript, README or targets.json, and no file of crates/other.
{
  forCrate = [
    ".cargo/config.toml"
    "addon/Cargo.toml"
    "addon/src/lib.rs"
    "crates/engine/Cargo.toml"
    "crates/engine/build/step.rs"
    "crates/engine/build.rs"
    "crates/engine/leaf/Cargo.toml"
    "crates/engine/leaf/src/lib.rs"
    "crates/engine/src/lib.rs"
    "crates/engine/src/page.rs"
  ];
  depsOnly = [
    ".cargo/config.toml"
    "addon/Cargo.toml"
    "addon/src/lib.rs"
    "crates/engine/Cargo.toml"
    "crates/engine/build.rs"
    "crates/engine/leaf/Cargo.toml"
    "crates/engine/leaf/src/lib.rs"
    "crates/engine/src/lib.rs"
  ];
}
