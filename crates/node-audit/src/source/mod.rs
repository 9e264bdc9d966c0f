//! Reads the addons and packages that the given paths lead to, without a verdict.
//!
//! Each path leads to candidates (`explore`): addons on disk with their claims and packages, and archives. Each candidate
//! becomes a job; the jobs run in parallel, and each returns a result (`job`, `tarball`). The results are merged in the
//! order of the paths (`merge`).

mod archive;
mod archive_libraries;
mod archive_packages;
mod candidate;
mod disk_cache;
mod entries;
mod explore;
mod folder;
mod given;
mod input;
mod installed;
mod job;
mod job_result;
mod libraries;
mod linked_by;
mod merge;
mod package;
mod package_api;
mod packed;
mod place;
mod read;
mod shared;
mod tarball;

pub use given::Given;
pub use shared::Progress;

pub(crate) use installed::{InstalledPackage, installed};
pub(crate) use merge::Sources;
pub(crate) use read::{read_file, read_given};
