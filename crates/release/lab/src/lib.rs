//! Tests in real runtimes: Nodes of many systems load addons and packages, and the package managers of users install them.
//!
//! The crate has the pinned Nodes, the C libraries of Debian, Wine, a local registry, and the survey of published packages. The
//! crate loads addons and packages that other crates built, and does not depend on toolchains or on our policy for addons.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

pub mod consumers;
mod debian;
mod exchange;
mod folder;
mod json;
mod load;
mod loadable_package;
pub mod newer_sqlcipher;
mod pinned_node;
mod quickstart;
mod runtime;
mod survey;
pub mod tarball;
mod terminal_capture;
mod wine;

pub use exchange::exchange;
pub use load::{LoadOutcome, LoadResult, load, load_in, load_product, smoke};
pub use loadable_package::{LoadablePackage, Parts, built_products};
pub use quickstart::quickstart;
pub use runtime::{OwnNode, Runtime, count_nodes, install_nodes, newest_node};
pub use survey::{Survey, survey};
pub use terminal_capture::{check_terminal_capture, write_terminal_capture};
pub use wine::{install_windows_tools, wine_command};
