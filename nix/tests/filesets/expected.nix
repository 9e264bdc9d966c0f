# No test, no JavaScript, no README, no targets.json, and nothing of crates/other.
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
