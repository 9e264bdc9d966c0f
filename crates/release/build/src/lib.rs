//! Release addons without Nix: one cargo call for many targets, zig as C compiler, rustc's own lld for macOS, mingw.
//!
//! The crate selects a target's toolchain, calls cargo, and returns the library. It also compiles the
//! package's JavaScript. It knows neither our policy for addons nor how packages are made: other crates audit, pack and load.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_errors_doc,
    reason = "every error of the tools ends in one line for the person who called them"
)]

mod addon;
mod apple_sdk;
mod cargo;
mod javascript;
mod mingw;
mod product;
mod toolchain;
mod type_check;
mod zig;
mod zig_wrappers;

pub use addon::{Built, build, build_one};
pub use javascript::javascript;
pub use mingw::{COMPILER_PACKAGE, mingw_compiler};
pub use product::Product;
pub use zig::Zig;
