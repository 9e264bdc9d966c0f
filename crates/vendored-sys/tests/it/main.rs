//! The crate's integration tests: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod archive;
#[expect(unsafe_code, reason = "the tests call C")]
mod compile_options;
#[expect(unsafe_code, reason = "the tests call C")]
mod configuration;
mod versions;

#[path = "../../build/environment.rs"]
#[expect(dead_code, reason = "the build script's, of which a test makes one type")]
mod environment;
#[path = "../../toolchain/src/variables.rs"]
#[expect(dead_code, unreachable_pub, reason = "public in vendored-toolchain, which it stands in")]
mod variables;
