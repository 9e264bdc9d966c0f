//! Copies and replaces whole folders.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// Copies every folder, and the files that `is_wanted` accepts. Follows symbolic links, since the result of a Nix build is one.
pub(crate) fn copy(from: &Path, to: &Path, is_wanted: impl Fn(&Path) -> bool) -> Result<()> {
    for entry in WalkDir::new(from).follow_links(true) {
        let entry = entry.with_context(|| format!("cannot read {}", from.display()))?;
        let copy = to.join(entry.path().strip_prefix(from)?);
        let copied = match entry.file_type().is_dir() {
            true => fs::create_dir_all(&copy),
            false if is_wanted(&copy) => fs::copy(entry.path(), &copy).map(drop),
            false => Ok(()),
        };
        copied.with_context(|| format!("cannot copy {} to {}", entry.path().display(), copy.display()))?;
    }
    Ok(())
}

/// Moves a finished folder to `to`, and removes the folder that was there.
pub(crate) fn replace(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(to);
    fs::rename(from, to).with_context(|| format!("cannot write {}", to.display()))
}
