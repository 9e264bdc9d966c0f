//! A VFS that tells SQLite that a write may destroy the bytes around it.
//!
//! SQLite's VFS for Unix claims the opposite by default (SQLITE_IOCAP_POWERSAFE_OVERWRITE). Without the claim, SQLite journals
//! and logs whole sectors. Source: "Powersafe Overwrite", <https://www.sqlite.org/psow.html>.

use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use vendored_sys::sqlite::{self, sqlite3_file, sqlite3_vfs};

thread_local! {
    static SAFE_OVERWRITE: Cell<bool> = const { Cell::new(true) };
}

static BASE: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// Sets whether the files that this thread opens have the property. Must precede the process's first database.
pub(crate) fn set_safe_overwrite(safe: bool) {
    static ONCE: Once = Once::new();
    SAFE_OVERWRITE.set(safe);
    ONCE.call_once(|| {
        vendored_sys::init().unwrap();
        // SAFETY: SQLite returns its default VFS. The copy, with its own function to open files, is never freed.
        unsafe {
            assert!(
                sqlite::sqlite3_vfs_find(c"strongroom".as_ptr()).is_null(),
                "a database was opened before"
            );
            let base = sqlite::sqlite3_vfs_find(ptr::null());
            let own = sqlite3_vfs { zName: c"overwrite".as_ptr(), xOpen: Some(open), ..*base };
            BASE.store(base, Relaxed);
            assert_eq!(sqlite::sqlite3_vfs_register(Box::leak(Box::new(own)), 1), sqlite::SQLITE_OK);
        }
    });
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = BASE.load(Relaxed);
    // SAFETY: the arguments are SQLite's, for its own VFS, whose files have the method.
    unsafe {
        let code = (*base).xOpen.unwrap()(base, name, file, flags, out_flags);
        if code == sqlite::SQLITE_OK && !SAFE_OVERWRITE.get() {
            let mut safe: c_int = 0;
            let control = (*(*file).pMethods).xFileControl.unwrap();
            control(file, sqlite::SQLITE_FCNTL_POWERSAFE_OVERWRITE, (&raw mut safe).cast());
        }
        code
    }
}
