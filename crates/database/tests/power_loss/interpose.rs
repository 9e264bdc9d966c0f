//! Takes the place of the C library's file functions in this program, and tells the thread's [`Recorder`] of each call.
//!
//! The linker resolves SQLite's and the standard library's calls to these functions, because the functions of a program
//! precede those of a shared library. Each function asks the recorder, makes the system call itself, and reports the result.
//! Syncs of recorded files aren't passed on: [`Disk`](crate::disk::Disk) decides which bytes survive, not the kernel.
//!
//! The functions have the C library's names, so they have no other callers than the C ABI's. `open` and `fcntl` are
//! variadic in C; on x86-64 and AArch64 with Linux, a caller passes such arguments in the same registers as any others.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::path::Path;
use std::ptr;

use libc::{AT_FDCWD, off_t, size_t, ssize_t};

use crate::recorder::{Call, Recorder};

thread_local! {
    static CURRENT: Cell<*const RefCell<Recorder>> = const { Cell::new(ptr::null()) };
}

/// Records the file operations of this thread while `run` runs.
pub(crate) fn recorded<T>(recorder: &RefCell<Recorder>, run: impl FnOnce() -> T) -> T {
    /// Ends the recording, also after a panic.
    struct Recording;
    impl Drop for Recording {
        fn drop(&mut self) {
            CURRENT.set(ptr::null());
        }
    }
    CURRENT.set(recorder);
    let _recording = Recording;
    run()
}

/// Calls `tell` with the thread's recorder. Returns `None` without a recorder, and for calls that the recorder itself makes.
fn with<T>(tell: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
    let current = CURRENT.get();
    // SAFETY: `recorded` borrows the recorder for as long as the pointer is set, and the pointer belongs to the thread.
    let recorder = unsafe { current.as_ref() }?;
    Some(tell(&mut *recorder.try_borrow_mut().ok()?))
}

fn fail(errno: c_int) -> c_int {
    // SAFETY: the C library returns the address of the thread's errno.
    unsafe { *libc::__errno_location() = errno };
    -1
}

fn fail_size(errno: c_int) -> ssize_t {
    fail(errno) as ssize_t
}

/// Makes a system call whose result fits in an int: 0, -1 or a descriptor.
macro_rules! system {
    ($($argument:expr),*) => {
        // SAFETY: the arguments are the caller's, who upholds the contract of the C function of this name.
        unsafe { libc::syscall($($argument),*) as c_int }
    };
}

/// # Safety
///
/// `path` ends in NUL.
unsafe fn path_of<'p>(path: *const c_char) -> &'p Path {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: the caller upholds the contract.
    Path::new(std::ffi::OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

/// Opens a file.
///
/// # Safety
///
/// `path` ends in NUL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: the caller upholds the contract.
    let name = unsafe { path_of(path) };
    if let Some(Some(errno)) = with(|recorder| recorder.fault_of_path(Call::Open, name)) {
        return fail(errno);
    }
    let descriptor = system!(libc::SYS_openat, AT_FDCWD, path, flags | libc::O_LARGEFILE, mode);
    if descriptor >= 0 {
        with(|recorder| recorder.opened(name, flags, descriptor));
    }
    descriptor
}

/// Opens a file.
///
/// # Safety
///
/// `path` ends in NUL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: the caller upholds the contract.
    unsafe { open64(path, flags, mode) }
}

/// Closes a file.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn close(descriptor: c_int) -> c_int {
    with(|recorder| recorder.closed(descriptor));
    system!(libc::SYS_close, descriptor)
}

/// Records a write before it is made. Returns the number of bytes to write, which is smaller on a disk that gets full, or the
/// error.
///
/// # Safety
///
/// `buffer` has `length` bytes.
unsafe fn written(
    descriptor: c_int,
    buffer: *const c_void,
    length: size_t,
    offset: Option<off_t>,
) -> Result<size_t, c_int> {
    let offset = offset.unwrap_or_else(|| {
        // SAFETY: the call only reads the descriptor's position, or fails.
        unsafe { libc::lseek(descriptor, 0, libc::SEEK_CUR) }
    });
    let length = match with(|recorder| {
        recorder.fault(Call::Write, descriptor).map(|errno| (errno, recorder.writes_short()))
    }) {
        Some(Some((libc::ENOSPC, true))) if length > 1 => length / 2,
        Some(Some((errno, _))) => return Err(errno),
        _ => length,
    };
    // SAFETY: the caller upholds the contract.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length) };
    with(|recorder| recorder.wrote(descriptor, offset.unsigned_abs(), bytes));
    Ok(length)
}

/// Writes to a file.
///
/// # Safety
///
/// `buffer` has `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pwrite64(
    descriptor: c_int,
    buffer: *const c_void,
    length: size_t,
    offset: off_t,
) -> ssize_t {
    // SAFETY: the caller upholds the contract.
    let length = match unsafe { written(descriptor, buffer, length, Some(offset)) } {
        Ok(length) => length,
        Err(errno) => return fail_size(errno),
    };
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_pwrite64, descriptor, buffer, length, offset) as ssize_t }
}

/// Writes to a file.
///
/// # Safety
///
/// `buffer` has `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn write(descriptor: c_int, buffer: *const c_void, length: size_t) -> ssize_t {
    // SAFETY: the caller upholds the contract.
    let length = match unsafe { written(descriptor, buffer, length, None) } {
        Ok(length) => length,
        Err(errno) => return fail_size(errno),
    };
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_write, descriptor, buffer, length) as ssize_t }
}

/// Reads from a file.
///
/// # Safety
///
/// `buffer` has room for `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pread64(
    descriptor: c_int,
    buffer: *mut c_void,
    length: size_t,
    offset: off_t,
) -> ssize_t {
    if let Some(Some(errno)) = with(|recorder| recorder.fault(Call::Read, descriptor)) {
        return fail_size(errno);
    }
    // SAFETY: the caller upholds the contract.
    unsafe { libc::syscall(libc::SYS_pread64, descriptor, buffer, length, offset) as ssize_t }
}

/// Sets the length of a file.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ftruncate64(descriptor: c_int, length: off_t) -> c_int {
    if let Some(Some(errno)) = with(|recorder| recorder.fault(Call::Truncate, descriptor)) {
        return fail(errno);
    }
    let code = system!(libc::SYS_ftruncate, descriptor, length);
    if code == 0 {
        with(|recorder| recorder.truncated(descriptor, length.unsigned_abs()));
    }
    code
}

/// Syncs a file or a folder.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fsync(descriptor: c_int) -> c_int {
    match with(|recorder| recorder.sync(descriptor)) {
        Some(Some(Ok(()))) => 0,
        Some(Some(Err(errno))) => fail(errno),
        Some(None) | None => system!(libc::SYS_fsync, descriptor),
    }
}

/// Syncs the content of a file.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fdatasync(descriptor: c_int) -> c_int {
    fsync(descriptor)
}

/// Removes a file.
///
/// # Safety
///
/// `path` ends in NUL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller upholds the contract.
    let name = unsafe { path_of(path) };
    if let Some(Some(errno)) = with(|recorder| recorder.fault_of_path(Call::Delete, name)) {
        return fail(errno);
    }
    let code = system!(libc::SYS_unlinkat, AT_FDCWD, path, 0 as c_long);
    if code == 0 {
        with(|recorder| recorder.removed(name));
    }
    code
}

/// Renames a file.
///
/// # Safety
///
/// Both paths end in NUL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller upholds the contract.
    let (old, new) = unsafe { (path_of(from), path_of(to)) };
    if let Some(Some(errno)) = with(|recorder| recorder.fault_of_path(Call::Rename, old)) {
        return fail(errno);
    }
    let code = system!(libc::SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0 as c_long);
    if code == 0 {
        with(|recorder| recorder.renamed(old, new));
    }
    code
}

/// Gives a file a second name.
///
/// # Safety
///
/// Both paths end in NUL.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn linkat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller upholds the contract.
    let (old, new) = unsafe { (path_of(from), path_of(to)) };
    if let Some(Some(errno)) = with(|recorder| recorder.fault_of_path(Call::Rename, old)) {
        return fail(errno);
    }
    let code = system!(libc::SYS_linkat, from_folder, from, to_folder, to, flags);
    if code == 0 {
        with(|recorder| recorder.linked(old, new));
    }
    code
}

/// Returns the size and the identity of an open file.
///
/// # Safety
///
/// `found` has room for the result.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fstat64(descriptor: c_int, found: *mut libc::stat64) -> c_int {
    if let Some(Some(errno)) = with(|recorder| recorder.fault(Call::Size, descriptor)) {
        return fail(errno);
    }
    // On 64-bit Linux, the kernel's structure is the C library's.
    system!(libc::SYS_fstat, descriptor, found)
}

/// Locks a part of a file, and makes other calls on its descriptor.
///
/// # Safety
///
/// `argument` is what the command expects.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fcntl64(descriptor: c_int, command: c_int, argument: usize) -> c_int {
    if command == libc::F_SETLK
        && let Some(Some(errno)) = with(|recorder| recorder.fault(Call::Lock, descriptor))
    {
        return fail(errno);
    }
    system!(libc::SYS_fcntl, descriptor, command, argument)
}

/// Copies from one file to another inside the kernel, except to recorded files: the caller then reads and writes.
///
/// # Safety
///
/// The offsets are null or point to offsets.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_offset: *mut off_t,
    to: c_int,
    to_offset: *mut off_t,
    length: size_t,
    flags: c_uint,
) -> ssize_t {
    if with(|recorder| recorder.records(to)) == Some(true) {
        return fail_size(libc::EXDEV);
    }
    // SAFETY: the caller upholds the contract.
    unsafe {
        libc::syscall(libc::SYS_copy_file_range, from, from_offset, to, to_offset, length, flags) as ssize_t
    }
}

/// Copies from one file to another inside the kernel, except to recorded files: the caller then reads and writes.
///
/// # Safety
///
/// The offset is null or points to an offset.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sendfile64(
    to: c_int,
    from: c_int,
    offset: *mut off_t,
    length: size_t,
) -> ssize_t {
    if with(|recorder| recorder.records(to)) == Some(true) {
        return fail_size(libc::EINVAL);
    }
    // SAFETY: the caller upholds the contract.
    unsafe { libc::syscall(libc::SYS_sendfile, to, from, offset, length) as ssize_t }
}

/// Returns at once in a recorded workload: after a failed call for a lock, SQLite waits until its timeouts end. It counts
/// the time it has asked for, so the number of its attempts stays the same.
///
/// # Safety
///
/// `duration` points to a duration. `left` is null or has room for one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nanosleep(
    duration: *const libc::timespec,
    left: *mut libc::timespec,
) -> c_int {
    match with(|_| ()) {
        Some(()) => 0,
        None => system!(libc::SYS_nanosleep, duration, left),
    }
}
