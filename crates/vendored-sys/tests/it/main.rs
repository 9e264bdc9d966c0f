//! The crate's integration tests: one binary, a module per topic.
#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

mod archive;
#[expect(unsafe_code, reason = "the tests call C")]
mod compile_options;
#[expect(unsafe_code, reason = "the tests call C")]
mod configuration;
mod versions;

#[path = "../../build/environment.rs"]
#[expect(dead_code, reason = "the file belongs to the build script; the tests use only one of its types")]
mod environment;
#[path = "../../toolchain/src/variables.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the file belongs to vendored-toolchain, where these items are public"
)]
mod variables;
