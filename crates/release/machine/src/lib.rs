//! The machine that the release tools run on: paths, processes, progress, reports, pinned downloads, apt, npm, Python.
//!
//! The crates that build, pack, load and test use this crate to find programs and files, and to print. This crate
//! depends on no other crate of the workspace: it knows nothing of targets.json, the content of an addon, or its
//! callers.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

pub mod apt;
mod cargo_tool;
pub mod npm;
pub mod pinned;
pub mod prerequisites;
pub mod process;
mod program;
mod progress;
pub mod python;
pub mod report;
pub mod rust_std;
mod step;
mod workspace;

pub use cargo_tool::CargoTool;
pub use program::{make_executable, program, system};
pub use progress::Progress;
pub use step::{Finished, StepFailed, one_line, tail};
pub use workspace::Workspace;
