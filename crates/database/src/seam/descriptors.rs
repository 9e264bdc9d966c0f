//! Finds out who has a file open.

use std::ffi::{CStr, c_int};

use vendored_sys::sqlite;

use super::Core;

impl Core {
    /// Returns whether the file of the database `schema` has been renamed or removed.
    pub(crate) fn has_moved(&self, schema: &CStr) -> bool {
        let mut moved: c_int = 0;
        let Ok(db) = self.open_db() else { return false };
        // SAFETY: the connection is open, the name ends in NUL, and SQLite writes one int.
        let code = unsafe {
            sqlite::sqlite3_file_control(
                db,
                schema.as_ptr(),
                sqlite::SQLITE_FCNTL_HAS_MOVED,
                (&raw mut moved).cast(),
            )
        };
        code == sqlite::SQLITE_OK && moved != 0
    }
}

/// Returns the descriptors with which this process has a file open, or `None` if the system does not show them.
#[cfg(unix)]
pub(crate) fn descriptors(id: &crate::registry::FileId) -> Option<Vec<c_int>> {
    // Looking up a descriptor opens no file. Closing an additional descriptor would drop the locks of this process.
    let numbers =
        std::fs::read_dir("/dev/fd").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_the_file = |number: &c_int| {
        crate::registry::file_id(format!("/dev/fd/{number}").as_ref()).is_some_and(|found| found == *id)
    };
    Some(numbers.filter(is_the_file).collect())
}

/// Returns whether the file of `descriptor`, a descriptor of this process, is also open elsewhere in the system.
///
/// Linux grants a write lease on a file only if nobody else has the file open. Returns false if the file system has no
/// leases, or refuses every lease.
#[cfg(target_os = "linux")]
pub(crate) fn is_open_elsewhere(descriptor: c_int, folder: &std::path::Path) -> bool {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    if !lease_is_refused(descriptor) {
        return false;
    }
    // Nobody else can open an unnamed file, so its lease shows whether the file system refuses every lease.
    let probe = std::fs::File::options().write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(folder);
    !probe.is_ok_and(|file| lease_is_refused(file.as_raw_fd()))
}

/// The `fcntl` command that sets the signal of a lease. Declared here because libc omits the constant. Source:
/// asm-generic/fcntl.h.
#[cfg(target_os = "linux")]
const F_SETSIG: c_int = 10;

/// Takes and releases a write lease. Returns whether the lease was refused because of another descriptor.
#[cfg(target_os = "linux")]
fn lease_is_refused(descriptor: c_int) -> bool {
    // SAFETY: the calls change nothing but the lease and its signal. The calls fail for a number that is not an open
    // descriptor.
    unsafe {
        // If another process opens the file meanwhile, that process waits and the kernel sends this signal. The default,
        // SIGIO, would end this process; SIGURG is ignored.
        libc::fcntl(descriptor, F_SETSIG, libc::SIGURG);
        if libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_WRLCK) == 0 {
            libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_UNLCK);
            return false;
        }
    }
    std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN)
}

/// Locks a file until this descriptor, which must be open for writing, is closed. Returns false if another descriptor has
/// the lock. The lock does not conflict with SQLite's locks: its byte follows the bytes that SQLite locks.
///
/// The lock belongs to the open file, not to the process: another thread may hold it, and closing another descriptor does
/// not release it. Returns true on a file system without such locks.
#[cfg(target_os = "linux")]
pub(crate) fn lock_beside_sqlite(file: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;
    // SAFETY: every bit pattern is a valid `flock`, and the call reads it. The descriptor stays open.
    let code = unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as _;
        lock.l_whence = libc::SEEK_SET as _;
        lock.l_start = BEHIND_SQLITE;
        lock.l_len = 1;
        libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock)
    };
    let refused = [Some(libc::EAGAIN), Some(libc::EACCES)];
    code == 0 || !refused.contains(&std::io::Error::last_os_error().raw_os_error())
}

/// The first byte after the bytes that SQLite locks: `PENDING_BYTE`, `RESERVED_BYTE` and 510 bytes from `SHARED_FIRST` on.
#[cfg(target_os = "linux")]
const BEHIND_SQLITE: libc::off_t = 0x4000_0000 + 512;
