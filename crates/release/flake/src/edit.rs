//! Edits a copy of the checkout.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cargo_lock::Lockfile;
use machine::{Workspace, process};

/// Copies the tracked files, with their current content, into a new repository.
pub(crate) fn copy_tracked(workspace: &Workspace, copy: &Path) -> Result<()> {
    let tracked = git(workspace.root(), &["ls-files", "-z"])?;
    for name in tracked.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (workspace.root().join(name), copy.join(name));
        // git still lists a deleted file until the deletion is staged.
        if !from.exists() {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {name}"))?;
    }
    // The index is enough: Nix needs no commit, and `restore` takes files from the index.
    git(copy, &["init", "--quiet"])?;
    git(copy, &["add", "--all", "--force"]).map(drop)
}

/// Undoes every edit.
pub(crate) fn restore(copy: &Path) -> Result<()> {
    git(copy, &["checkout", "--quiet", "--", "."]).map(drop)
}

/// Appends a line to a file.
pub(crate) fn append(file: &Path, line: &str) -> Result<()> {
    let appended =
        File::options().append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes()));
    appended.with_context(|| format!("cannot write {}", file.display()))
}

/// Locks the patch release before the locked one. Cargo adds the checksum.
pub(crate) fn lock_previous(copy: &Workspace, package: &str) -> Result<()> {
    let lock = Lockfile::load(copy.root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let locked = lock.packages.iter().find(|locked| locked.name.as_str() == package);
    let locked = locked.with_context(|| format!("Cargo.lock has no {package}: name another crate"))?;
    let version @ cargo_lock::Version { major, minor, patch, .. } = &locked.version;
    let Some(previous) = patch.checked_sub(1) else {
        bail!("{version} is the first {major}.{minor} release of {package}: name another crate");
    };
    let mut update = process::command("cargo");
    let precise = format!("{major}.{minor}.{previous}");
    update.args(["update", "--package", package, "--precise", &precise]).current_dir(copy.root());
    copy.run(&format!("cargo update {package}"), update).map(drop)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    process::capture(process::command("git").args(arguments).current_dir(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_current_tracked_files_and_can_be_restored() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        for name in ["a/b/tracked", "deleted", "untracked"] {
            fs::write(from.join(name), "first").unwrap();
        }
        git(&from, &["init", "--quiet"]).unwrap();
        git(&from, &["add", "a", "deleted"]).unwrap();
        fs::write(from.join("a/b/tracked"), "second").unwrap();
        fs::remove_file(from.join("deleted")).unwrap();

        copy_tracked(&Workspace::at(&from), &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/tracked")).unwrap(), "second");
        assert!(!to.join("deleted").exists() && !to.join("untracked").exists());

        append(&to.join("a/b/tracked"), " third").unwrap();
        restore(&to).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/tracked")).unwrap(), "second");
    }
}
