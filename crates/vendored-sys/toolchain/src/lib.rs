//! Selects the C toolchain of a target, and checks that it compiles for that target.
//!
//! [`select`] is pure: it decides from a target, an environment and the programs on `PATH`, and returns the variables to
//! set before cargo runs. All variables carry the target in their names, because a global `CC` would also affect build
//! scripts, which run on the host. [`check`] runs a compiler to find out which machine it compiles for. The crate links no
//! C library, and takes a target's facts as arguments.
//!
//! With the feature `vendored`, the crate's build script also checks the C compiler. Without the feature, tools that only
//! select a toolchain build even on a machine without a C compiler. The build script usually runs before the first C file
//! is compiled. Cargo first starts the jobs that most crates wait for, so with two jobs and a large build, OpenSSL's build
//! may start earlier. A program that starts cargo for a target must therefore call [`check`] first.

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
