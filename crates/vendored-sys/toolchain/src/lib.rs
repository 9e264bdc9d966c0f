//! Selects the C toolchain of a target, and checks that it makes code for that target.
//!
//! [`select`] is pure: it decides from a target, an environment and the programs that there are, and names the
//! variables to set before cargo runs; they all carry the target in their names, because a global `CC` would
//! also reach the build scripts of another machine. [`check`] asks a compiler what it makes.
//!
//! The crate's build script makes the same check of the compiler that the C will be compiled with; with feature
//! `vendored` only, so that tools that merely select a toolchain build where none is. As a leaf it comes before the
//! first C file where cargo has a job to spare. Cargo serves first what most crates wait for, so with two jobs and a
//! large build OpenSSL's may start before it: who starts cargo for a target calls [`check`] first.

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
