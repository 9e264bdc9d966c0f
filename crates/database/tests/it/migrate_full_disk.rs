//! Tests that a conversion leaves the file unchanged if the disk fills up in any step.

use std::fs;
use std::ops::ControlFlow;

use strongroom_database::{Migration, migrate};

use crate::migrating::{Settings, convert, create_rich, migration, open, version};
use crate::scratch::integer;
use crate::small_disk::SmallDisk;

/// Returns the names of the files on the disk, except the file that fills the disk.
fn names(disk: &SmallDisk) -> Vec<String> {
    let mut names = crate::migrating::files(disk.path("test.db").parent().unwrap());
    names.retain(|name| name != "filler");
    names
}

#[test]
fn a_full_disk_has_its_own_error_and_leaves_the_file_unchanged() {
    for journal in ["delete", "wal"] {
        let Some(disk) = SmallDisk::mount(16 << 20) else { return };
        let (path, four) = (disk.path("test.db"), version(4));
        create_rich(&path, Settings { encoding: "UTF-8", auto_vacuum: 0, journal, page_size: 4096 });
        let before = fs::read(&path).unwrap();
        let length = before.len();
        for free in [0, 4096, 8192, length / 4, length / 2, length - 8192, length - 4096] {
            disk.leave(free);
            let error = convert(&path, None, Some(&four)).unwrap_err();
            disk.free();
            assert_eq!(error.code(), "SQLITE_FULL", "{free} of {length} bytes free: {error}");
            assert_eq!(names(&disk), ["test.db"], "{free} of {length} bytes free");
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        let converted = convert(&path, None, Some(&four)).unwrap();
        assert!(converted.rows > 30);
        assert_eq!(integer(&open(&path, Some(&four)), "SELECT count(*) FROM plain"), 4);
    }
}

/// A hard link takes no space but cannot cross file systems, so the test keeps the original on another file system.
#[test]
fn an_original_that_does_not_fit_at_its_new_place_is_not_converted() {
    let Some(disk) = SmallDisk::mount(1 << 20) else { return };
    let scratch = crate::scratch::Scratch::new();
    let (path, four, keep) = (scratch.path(), version(4), disk.path("old.db"));
    create_rich(&path, Settings { encoding: "UTF-8", auto_vacuum: 0, journal: "wal", page_size: 4096 });
    let before = fs::read(&path).unwrap();
    disk.leave(before.len() / 2);
    let kept = Migration { keep: Some(&keep), ..migration(&path, None, Some(&four)) };
    let error = migrate(&kept, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.code(), "SQLITE_FULL", "{error}");
    assert!(names(&disk).is_empty());
    assert_eq!(crate::migrating::files(&scratch.folder()), ["test.db"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    disk.free();
    migrate(&kept, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(fs::read(&keep).unwrap(), before);
    assert_eq!(integer(&open(&path, Some(&four)), "SELECT count(*) FROM plain"), 4);
}
