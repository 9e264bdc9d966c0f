//! A file system of a few megabytes that a test fills.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A tmpfs of its own, which only the superuser of Linux can mount.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of this many bytes, or prints why the test is skipped.
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

    /// Fills the disk up to this many bytes of free space.
    pub(crate) fn leave(&self, bytes: usize) {
        let filler = self.path("filler");
        fs::write(self.path("reserve"), vec![0; bytes]).unwrap();
        let mut file = File::create(filler).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        fs::remove_file(self.path("reserve")).unwrap();
    }

    /// Removes what fills the disk.
    pub(crate) fn free(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A database that is still open would keep the file system busy; it goes when the process ends.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
