//! Selects the C toolchain of a target, and checks that it compiles for that target.
//!
//! [`select`] is pure: it decides from a target, an environment and the programs on `PATH`, and names the variables to set
//! before cargo runs. All of them carry the target in their names, because a global `CC` would also reach build scripts,
//! which run on the host. [`check`] asks a compiler which machine it compiles for. The crate knows no C library, and takes a
//! target's facts as arguments.
//!
//! With the feature `vendored`, the crate's build script makes the same check of the compiler for the C. Without the feature
//! it does not, so that tools that only select a toolchain build on a machine without one. The build script usually runs
//! before the first C file is compiled. Cargo starts first what most crates wait for, so with two jobs and a large build
//! OpenSSL may start before it: a program that starts cargo for a target calls [`check`] first.

#![forbid(unsafe_code)]

mod check;
mod choice;
mod machine;
mod programs;
mod select;
mod variables;

pub use check::{CheckError, check};
pub use choice::{Choice, choice};
pub use machine::Machine;
pub use programs::find_program;
pub use select::{Kind, Origin, Request, SelectError, Setting, Tool, Toolchain, select};
pub use variables::{archiver_variable, compiler_variable, linker_variable};
