//! Release addons without Nix: one cargo call for many targets, zig as C compiler, rustc's own lld for macOS, mingw.
//!
//! The crate selects a target's toolchain, calls cargo, and returns the library. The crate also compiles the package's
//! JavaScript. Other crates audit, pack and load.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

mod addon;
mod apple_sdk;
mod cargo;
mod javascript;
mod mingw;
mod product;
mod test_programs;
mod toolchain;
mod type_check;
mod zig;
mod zig_wrappers;

pub use addon::{Built, build, build_one};
pub use javascript::javascript;
pub use mingw::{COMPILER_PACKAGE, mingw_compiler};
pub use product::Product;
pub use test_programs::{TestProgram, test_programs};
pub use zig::Zig;
