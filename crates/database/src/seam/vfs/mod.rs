//! A layer over SQLite's operating system interface (VFS) that moves the pages of a Strongroom file behind its header.
//!
//! The layer encrypts nothing: SQLCipher's codec does, above this layer. The checksums of the write-ahead log and of the
//! rollback journal therefore cover sealed pages. Only the files of databases pass through the layer; journals, logs and
//! temporary files go straight to SQLite's own VFS.

mod file;
mod header;
mod header_lock;
mod layout;
#[cfg(test)]
mod lock_bytes;
mod moved;
mod short_read;

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use vendored_sys::sqlite;

pub(crate) use self::header::{Created, FileOnDisk, HeaderChange};
pub(crate) use self::layout::Layout;
pub(super) use self::short_read::is_past_end;

use self::file::DatabaseFile;
use super::{defaults, interrupt, pending};

/// The name of the layer.
pub(super) const NAME: &CStr = c"strongroom";

/// Registers the layer, once per process. Connections use the layer if they name it.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(unix)]
        header_lock::watch();
        // SAFETY: SQLite returns its default VFS or null. The copy, with its own function to open files, is never freed.
        // SQLite's other functions use only fields that are copied.
        unsafe {
            let base = sqlite::sqlite3_vfs_find(ptr::null());
            let Some(own) = base.as_ref() else { return };
            let own = sqlite::sqlite3_vfs {
                szOsFile: DatabaseFile::SIZE + own.szOsFile,
                zName: NAME.as_ptr(),
                pNext: base,
                xOpen: Some(open),
                xSleep: Some(sleep),
                ..*own
            };
            // SQLite replaces `pNext`, where `open` would look for the base.
            BASE.store(base, Relaxed);
            sqlite::sqlite3_vfs_register(Box::leak(Box::new(own)), 0);
        }
    });
}

/// SQLite's default VFS.
static BASE: AtomicPtr<sqlite::sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

unsafe extern "C" fn open(
    _: *mut sqlite::sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = BASE.load(Relaxed);
    // SAFETY: SQLite passes memory of `szOsFile` bytes, which holds the layer's file and the base's file. The base outlives
    // the process's connections.
    unsafe {
        let Some(open) = (*base).xOpen else { return sqlite::SQLITE_CANTOPEN };
        if flags & sqlite::SQLITE_OPEN_MAIN_DB == 0 {
            return open(base, name, file, flags, out_flags);
        }
        let below = DatabaseFile::below(file);
        (*file).pMethods = ptr::null();
        (*below).pMethods = ptr::null();
        let code = open(base, name, below, flags, out_flags);
        if code != sqlite::SQLITE_OK {
            defaults::restore();
            return code;
        }
        let creates = flags & sqlite::SQLITE_OPEN_CREATE != 0;
        let code = DatabaseFile::begin(file, name, creates, pending::take_header());
        if code != sqlite::SQLITE_OK {
            defaults::restore();
            (*file).pMethods = ptr::null();
            if let Some(close) = (*below).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(below);
            }
        }
        code
    }
}

/// Sleeps, or waits for an interrupt if a connection with an interrupter waits for a lock. Returns the time in microseconds.
///
/// SQLite sleeps for up to 100 ms between two attempts to take a lock.
unsafe extern "C" fn sleep(_: *mut sqlite::sqlite3_vfs, microseconds: c_int) -> c_int {
    let pause = Duration::from_micros(u64::try_from(microseconds).unwrap_or(0));
    if interrupt::sleep(pause) {
        return microseconds;
    }
    let base = BASE.load(Relaxed);
    // SAFETY: the base outlives the process's connections.
    unsafe { (*base).xSleep.map_or(0, |sleep| sleep(base, microseconds)) }
}
