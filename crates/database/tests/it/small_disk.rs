//! A small file system that a test can fill.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A separate tmpfs, which only root on Linux can mount.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of the given size, or prints why the test is skipped.
    pub(crate) fn mount(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        println!("skipped: this user cannot mount a tmpfs");
        None
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Fills the disk except for the given number of bytes.
    pub(crate) fn leave(&self, bytes: usize) {
        let filler = self.path("filler");
        fs::write(self.path("reserve"), vec![0; bytes]).unwrap();
        let mut file = File::create(filler).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        fs::remove_file(self.path("reserve")).unwrap();
    }

    /// Removes the file that fills the disk.
    pub(crate) fn free(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // An open database keeps the file system busy. A lazy unmount removes the file system when the process ends.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
