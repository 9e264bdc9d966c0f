//! The target table: `targets.json`, parsed and typed.
//!
//! All Rust code that depends on a platform (library names, floors, toolchains) reads this table. The crate knows facts
//! about targets, and runs no tools.

#![forbid(unsafe_code)]

mod names;
mod parse;
mod platform;
mod table;
mod target;

pub use names::{Libc, Os, Toolchain};
pub use node_audit::{Cpu, Version, VersionError};
pub use parse::{TargetsError, parse};
pub use table::{UnknownTarget, host, targets};
pub use target::{MAIN_PACKAGE, Target};
