//! The checkout of a job: links to a copy of this checkout, which a run makes once.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
#[cfg(windows)]
use std::os::windows::fs::symlink_file as symlink;
use std::path::Path;

use crate::checkout::{files, root};

/// The folders of a checkout in which steps run, write new files, or find the root from a script's path. The other folders
/// of a checkout are links.
const OWN_FOLDERS: [&str; 10] = [
    "",
    ".github",
    ".github/watch",
    "bindings",
    "bindings/node",
    "bindings/node/scripts",
    "crates",
    "crates/release",
    "crates/release/lab",
    "crates/release/lab/consumers",
];

/// Links a copy of this checkout. A copy for each job would take minutes.
pub(crate) fn link_checkout(copied: &Path, workspace: &Path) {
    let own = OWN_FOLDERS.map(|folder| copied.join(folder));
    for folder in OWN_FOLDERS {
        fs::create_dir_all(workspace.join(folder)).unwrap();
        for entry in fs::read_dir(copied.join(folder)).unwrap().map(Result::unwrap) {
            let to = workspace.join(folder).join(entry.file_name());
            if entry.path().is_file() {
                fs::hard_link(entry.path(), to).unwrap();
            } else if !own.contains(&entry.path()) {
                symlink(entry.path(), to).unwrap();
            }
        }
    }
}

/// Copies this checkout's tracked files, and its untracked files that git doesn't ignore, with uncommitted changes.
pub(crate) fn copy_checkout(workspace: &Path) {
    for file in files() {
        let to = workspace.join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(file), to).unwrap();
    }
}
