# No test, no JavaScript, no README, and nothing of crates/other. The table goes with crates/node-targets, which that
# one depends on.
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
  withTable = true;
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
