//! The lock of a header, which excludes other changes of the header and nothing else.
//!
//! The lock is on one byte behind SQLite's lock bytes, where no page lies. SQLite's own locks are therefore not involved:
//! other connections read and write pages meanwhile, in every journal mode.

use std::ffi::c_int;
use std::time::{Duration, Instant};

use vendored_sys::sqlite::{self, sqlite3_file};

use self::system::Handle;
use crate::Interrupter;
use crate::page_layout::LOCK_BYTE;

/// The locked byte. SQLite locks 512 bytes from `LOCK_BYTE` on, and [`lock_beside_sqlite`](crate::seam::lock_beside_sqlite)
/// the byte behind them.
const BYTE: u64 = LOCK_BYTE + 513;

/// The pause between two attempts to take the lock.
const ATTEMPT: Duration = Duration::from_millis(1);

/// The lock of a header. Dropping this value releases the lock.
pub(super) struct HeaderLock(Handle);

impl HeaderLock {
    /// Takes the lock of a file, and waits for another holder for at most `timeout`, or until an interrupt.
    ///
    /// # Errors
    ///
    /// SQLITE_BUSY after `timeout`, SQLITE_INTERRUPT, and SQLITE_IOERR_LOCK if the system refuses locks.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer, and stays open for the life of the result.
    pub(super) unsafe fn take(
        file: *mut sqlite3_file,
        timeout: Duration,
        interrupter: Option<&Interrupter>,
    ) -> Result<Self, c_int> {
        // SAFETY: the caller upholds the contract.
        let handle = unsafe { Handle::of(file) }.ok_or(sqlite::SQLITE_IOERR_LOCK)?;
        let begun = Instant::now();
        loop {
            match handle.lock() {
                Some(true) => return Ok(Self(handle)),
                Some(false) if begun.elapsed() < timeout => pause(interrupter, ATTEMPT)?,
                Some(false) => return Err(sqlite::SQLITE_BUSY),
                None => return Err(sqlite::SQLITE_IOERR_LOCK),
            }
        }
    }
}

/// Waits for `length`.
///
/// # Errors
///
/// SQLITE_INTERRUPT at once, if the connection is interrupted.
pub(super) fn pause(interrupter: Option<&Interrupter>, length: Duration) -> Result<(), c_int> {
    match interrupter {
        Some(interrupter) if interrupter.wait(length) => Err(sqlite::SQLITE_INTERRUPT),
        Some(_) => Ok(()),
        None => {
            std::thread::sleep(length);
            Ok(())
        }
    }
}

impl Drop for HeaderLock {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

#[cfg(unix)]
pub(super) use self::system::watch;

#[cfg(unix)]
mod system {
    //! A lock on SQLite's own descriptor. A second descriptor cannot be used: closing it would release the locks of every
    //! connection in this process. Source: "How To Corrupt An SQLite Database File", section 2.2.

    use std::cell::Cell;
    use std::ffi::{c_int, c_short, c_void};
    use std::io;
    use std::mem::transmute;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::{AcqRel, Release};

    use vendored_sys::sqlite::{self, sqlite3_file};

    use super::super::file::DatabaseFile;
    use super::BYTE;

    type Fstat = unsafe extern "C" fn(c_int, *mut c_void) -> c_int;

    /// The system call that [`fstat`] passes its arguments to.
    static FSTAT: OnceLock<Fstat> = OnceLock::new();

    thread_local! {
        /// The descriptor of the last call of [`fstat`] on this thread.
        static LAST: Cell<Option<c_int>> = const { Cell::new(None) };
    }

    /// Makes SQLite's VFS tell which descriptor it uses: SQLite has no function that returns the descriptor of a file, but
    /// permits replacing its system calls.
    pub(in super::super) fn watch() {
        // SAFETY: SQLite returns its VFS or null, and its own system call, whose type is that of fstat(2).
        unsafe {
            let Some(vfs) = sqlite::sqlite3_vfs_find(c"unix".as_ptr()).as_mut() else { return };
            let (Some(get), Some(set)) = (vfs.xGetSystemCall, vfs.xSetSystemCall) else { return };
            let Some(own) = get(vfs, c"fstat".as_ptr()) else { return };
            FSTAT.get_or_init(|| transmute::<unsafe extern "C" fn(), Fstat>(own));
            set(vfs, c"fstat".as_ptr(), Some(transmute::<Fstat, unsafe extern "C" fn()>(fstat)));
        }
    }

    unsafe extern "C" fn fstat(descriptor: c_int, status: *mut c_void) -> c_int {
        LAST.set(Some(descriptor));
        // SAFETY: SQLite passes arguments for fstat(2). `watch` sets the function before it installs this one.
        FSTAT.get().map_or(-1, |own| unsafe { own(descriptor, status) })
    }

    /// A file's descriptor.
    pub(super) struct Handle {
        descriptor: c_int,
        /// `true` if the system has no locks of open files, and the lock belongs to the process.
        of_process: Cell<bool>,
    }

    impl Handle {
        /// # Safety
        ///
        /// `file` is an open file of the layer.
        pub(super) unsafe fn of(file: *mut sqlite3_file) -> Option<Self> {
            LAST.set(None);
            // SAFETY: the caller upholds the contract. SQLite asks the system for the length of the file.
            unsafe { DatabaseFile::length_below(file) }?;
            LAST.take().map(|descriptor| Self { descriptor, of_process: Cell::new(false) })
        }

        /// Takes the lock, or returns false if it is taken, and `None` if the system refuses.
        pub(super) fn lock(&self) -> Option<bool> {
            match self.set(libc::F_OFD_SETLK, libc::F_WRLCK as c_short) {
                Ok(taken) => return Some(taken),
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                Err(_) => return None,
            }
            // An old system without locks of open files: within this process, a flag excludes other threads.
            if IN_PROCESS.swap(true, AcqRel) {
                return Some(false);
            }
            let taken = self.set(libc::F_SETLK, libc::F_WRLCK as c_short).ok();
            match taken {
                Some(true) => self.of_process.set(true),
                _ => IN_PROCESS.store(false, Release),
            }
            taken
        }

        pub(super) fn unlock(&self) {
            if self.of_process.replace(false) {
                let _ = self.set(libc::F_SETLK, libc::F_UNLCK as c_short);
                IN_PROCESS.store(false, Release);
            } else {
                let _ = self.set(libc::F_OFD_SETLK, libc::F_UNLCK as c_short);
            }
        }

        /// Returns whether the system granted the lock, or false if another holder has it.
        fn set(&self, command: c_int, kind: c_short) -> io::Result<bool> {
            // SAFETY: every bit pattern is a valid `flock`, and the call reads it. The descriptor is open.
            let code = unsafe {
                let mut lock: libc::flock = std::mem::zeroed();
                lock.l_type = kind as _;
                lock.l_whence = libc::SEEK_SET as _;
                lock.l_start = BYTE as libc::off_t;
                lock.l_len = 1;
                libc::fcntl(self.descriptor, command, &raw const lock)
            };
            if code == 0 {
                return Ok(true);
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EACCES) => Ok(false),
                _ => Err(error),
            }
        }
    }

    /// `true` while a thread of this process holds a lock that belongs to the process.
    static IN_PROCESS: AtomicBool = AtomicBool::new(false);
}

#[cfg(windows)]
mod system {
    use vendored_sys::sqlite::{self, sqlite3_file};
    use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, GetLastError, HANDLE};
    use windows_sys::Win32::Storage::FileSystem::{
        LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
    };
    use windows_sys::Win32::System::IO::OVERLAPPED;

    use super::super::file::DatabaseFile;
    use super::BYTE;

    /// A file's handle.
    pub(super) struct Handle(HANDLE);

    impl Handle {
        /// # Safety
        ///
        /// `file` is an open file of the layer.
        pub(super) unsafe fn of(file: *mut sqlite3_file) -> Option<Self> {
            let mut handle: HANDLE = std::ptr::null_mut();
            // SAFETY: the caller upholds the contract, and SQLite writes one handle.
            let code = unsafe {
                let below = DatabaseFile::below(file);
                let control = (*below).pMethods.as_ref()?.xFileControl?;
                control(below, sqlite::SQLITE_FCNTL_WIN32_GET_HANDLE, (&raw mut handle).cast())
            };
            (code == sqlite::SQLITE_OK && !handle.is_null()).then_some(Self(handle))
        }

        /// Takes the lock, or returns false if it is taken, and `None` if the system refuses.
        pub(super) fn lock(&self) -> Option<bool> {
            let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
            // SAFETY: the handle is open, and the system reads and writes the local structure during the call.
            unsafe {
                if LockFileEx(self.0, flags, 0, 1, 0, &mut at()) != 0 {
                    return Some(true);
                }
                matches!(GetLastError(), ERROR_LOCK_VIOLATION | ERROR_IO_PENDING).then_some(false)
            }
        }

        pub(super) fn unlock(&self) {
            // SAFETY: as above.
            unsafe { UnlockFileEx(self.0, 0, 1, 0, &mut at()) };
        }
    }

    /// Returns the place of the byte.
    fn at() -> OVERLAPPED {
        let mut place = OVERLAPPED::default();
        place.Anonymous.Anonymous.Offset = BYTE as u32;
        place.Anonymous.Anonymous.OffsetHigh = (BYTE >> 32) as u32;
        place
    }
}
