//! The machine that the release tools run on: paths, processes, progress, reports, pinned downloads, apt, npm, Python.
//!
//! The crates that build, pack, load and test find programs and files with it, and print through it. It depends
//! on no other crate of the workspace: it knows neither the rows of targets.json, nor what an addon contains, nor who calls it.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_errors_doc,
    reason = "every error of the tools ends in one line for the person who called them"
)]

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
