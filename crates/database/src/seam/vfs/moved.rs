//! The methods of a Strongroom file, whose pages lie behind the header.

use std::ffi::{c_int, c_void};

use vendored_sys::sqlite::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use super::file::{
    DatabaseFile, THROUGH, device_characteristics, file_control, file_size, read_through, truncate, write,
};
use super::layout::Layout;
use super::short_read;

/// The methods of a Strongroom file. Version 2 has no memory mapping, which would show sealed pages to SQLite.
pub(super) static MOVED: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xRead: Some(moved_read),
    xWrite: Some(moved_write),
    xTruncate: Some(moved_truncate),
    xFileSize: Some(moved_file_size),
    xFileControl: Some(moved_file_control),
    xDeviceCharacteristics: Some(moved_device_characteristics),
    xFetch: None,
    xUnfetch: None,
    ..THROUGH
};

/// Returns the layout of a Strongroom file.
///
/// # Safety
///
/// `file` is an open file of the layer.
unsafe fn layout(file: *mut sqlite3_file) -> Layout {
    // SAFETY: the caller upholds the contract. Files with the methods `MOVED` have a layout.
    unsafe { DatabaseFile::layout(file) }.unwrap_or_else(|| Layout::new(0))
}

/// Splits a range at the gap: returns the length before it, and both places in the file.
fn split(layout: Layout, length: c_int, offset: sqlite3_int64) -> Option<[(c_int, sqlite3_int64); 2]> {
    let start = u64::try_from(offset).ok()?;
    let before = match start < layout.bend() {
        true => layout.bend().saturating_sub(start).min(u64::try_from(length).ok()?),
        false => 0,
    };
    let before_int = c_int::try_from(before).ok()?;
    let place = |logical| i64::try_from(layout.place(logical)).ok();
    Some([(before_int, place(start)?), (length - before_int, place(start + before)?)])
}

unsafe extern "C" fn moved_read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and a buffer of `length` bytes.
    short_read::note(unsafe { read_moved(file, buffer, length, offset) }, offset)
}

/// # Safety
///
/// `file` is an open file of the layer, and the buffer has `length` bytes.
unsafe fn read_moved(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and a buffer of `length` bytes.
    unsafe {
        let Some([first, second]) = split(layout(file), length, offset) else {
            return sqlite::SQLITE_IOERR_READ;
        };
        let code = match first.0 {
            0 => sqlite::SQLITE_OK,
            length => read_through(file, buffer, length, first.1),
        };
        if second.0 == 0 {
            return code;
        }
        match read_through(file, buffer.byte_offset(first.0 as isize), second.0, second.1) {
            sqlite::SQLITE_OK => code,
            later => {
                if code == sqlite::SQLITE_OK {
                    later
                } else {
                    code
                }
            }
        }
    }
}

unsafe extern "C" fn moved_write(
    file: *mut sqlite3_file,
    buffer: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and a buffer of `length` bytes.
    unsafe {
        let Some([first, second]) = split(layout(file), length, offset) else {
            return sqlite::SQLITE_IOERR_WRITE;
        };
        let code = match first.0 {
            0 => sqlite::SQLITE_OK,
            length => write(file, buffer, length, first.1),
        };
        if code != sqlite::SQLITE_OK || second.0 == 0 {
            return code;
        }
        write(file, buffer.byte_offset(first.0 as isize), second.0, second.1)
    }
}

unsafe extern "C" fn moved_truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file of the layer.
    unsafe {
        match physical(layout(file), length) {
            Some(length) => truncate(file, length),
            None => sqlite::SQLITE_IOERR_TRUNCATE,
        }
    }
}

fn physical(layout: Layout, length: sqlite3_int64) -> Option<sqlite3_int64> {
    i64::try_from(layout.physical_length(u64::try_from(length).ok()?)).ok()
}

unsafe extern "C" fn moved_file_size(file: *mut sqlite3_file, length: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and a pointer to an integer.
    unsafe {
        let code = file_size(file, length);
        if code == sqlite::SQLITE_OK && DatabaseFile::has_lost_header(file, *length) {
            // Without an error, SQLite would write a new first page, which nobody could open without the header.
            return sqlite::SQLITE_CORRUPT;
        }
        if code == sqlite::SQLITE_OK {
            let logical = layout(file).logical_length((*length).unsigned_abs());
            *length = i64::try_from(logical).unwrap_or(i64::MAX);
        }
        code
    }
}

unsafe extern "C" fn moved_file_control(
    file: *mut sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and for these two operations a pointer to an integer.
    unsafe {
        match operation {
            sqlite::SQLITE_FCNTL_SIZE_HINT => {
                let hint = argument.cast::<sqlite3_int64>();
                let Some(mut length) = physical(layout(file), *hint) else { return sqlite::SQLITE_OK };
                file_control(file, operation, (&raw mut length).cast())
            }
            sqlite::SQLITE_FCNTL_MMAP_SIZE => {
                *argument.cast::<sqlite3_int64>() = 0;
                sqlite::SQLITE_OK
            }
            _ => file_control(file, operation, argument),
        }
    }
}

/// Hides which writes are atomic: a page of 64 KiB is not aligned behind the header.
unsafe extern "C" fn moved_device_characteristics(file: *mut sqlite3_file) -> c_int {
    const ATOMIC: c_int = sqlite::SQLITE_IOCAP_ATOMIC
        | sqlite::SQLITE_IOCAP_ATOMIC512
        | sqlite::SQLITE_IOCAP_ATOMIC1K
        | sqlite::SQLITE_IOCAP_ATOMIC2K
        | sqlite::SQLITE_IOCAP_ATOMIC4K
        | sqlite::SQLITE_IOCAP_ATOMIC8K
        | sqlite::SQLITE_IOCAP_ATOMIC16K
        | sqlite::SQLITE_IOCAP_ATOMIC32K
        | sqlite::SQLITE_IOCAP_ATOMIC64K;
    // SAFETY: SQLite passes an open file of the layer.
    unsafe { device_characteristics(file) & !ATOMIC }
}
