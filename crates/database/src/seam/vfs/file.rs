//! The file of a database: a plain or SQLCipher file, which passes through, or a Strongroom file.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use strongroom_format::{HEADER_LENGTH, Header};
use vendored_sys::sqlite::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods};

use super::layout::Layout;
use super::moved::MOVED;
use super::short_read;
use crate::open::path_of;
use crate::seam::{defaults, interrupt};
use crate::sync_folder::{folder_of, sync_folder};

/// The layer's part of a file. SQLite's own file follows at [`DatabaseFile::SIZE`].
#[repr(C)]
pub(super) struct DatabaseFile {
    file: sqlite3_file,
    /// `None` for a file whose first page is at its start, or that is still empty.
    layout: Cell<Option<Layout>>,
    /// `true` if the file had a header when its pages were moved. A new file that is read-only has none.
    has_header: Cell<bool>,
    /// The path, which SQLite keeps until it has closed the file. Null for a temporary database.
    name: *const c_char,
    /// Whether the connection may create the file.
    creates: bool,
    /// The connection that has opened the file. Null until SQLite tells.
    db: Cell<*mut sqlite::sqlite3>,
}

impl DatabaseFile {
    /// The length of the layer's part in bytes, rounded up so that SQLite's own file is aligned.
    pub(super) const SIZE: c_int = (size_of::<Self>().next_multiple_of(16)) as c_int;

    /// Returns SQLite's own file.
    ///
    /// # Safety
    ///
    /// `file` is a file of the layer.
    pub(super) unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
        // SAFETY: the caller upholds the contract.
        unsafe { file.byte_offset(Self::SIZE as isize) }
    }

    /// Returns the layer's part of a file, or `None` if another VFS has opened the file.
    ///
    /// # Safety
    ///
    /// `file` is an open file, which stays open as long as the result is used.
    pub(super) unsafe fn of<'f>(file: *mut sqlite3_file) -> Option<&'f Self> {
        // SAFETY: the caller upholds the contract. A file with these methods is a `DatabaseFile`.
        unsafe {
            let methods = (*file).pMethods;
            (methods == &raw const THROUGH || methods == &raw const MOVED).then(|| &*file.cast::<Self>())
        }
    }

    /// Completes a file that SQLite's VFS has opened. `header` makes a new file a Strongroom file.
    ///
    /// # Safety
    ///
    /// `file` is memory of the layer, the file below it is open, and `name` is the name that SQLite passed.
    pub(super) unsafe fn begin(
        file: *mut sqlite3_file,
        name: *const c_char,
        creates: bool,
        header: Option<Vec<u8>>,
    ) -> c_int {
        // SAFETY: the caller upholds the contract.
        unsafe {
            file.cast::<Self>().write(Self {
                file: sqlite3_file { pMethods: &raw const THROUGH },
                layout: Cell::new(None),
                has_header: Cell::new(false),
                name,
                creates,
                db: Cell::new(ptr::null_mut()),
            });
            let below = Self::below(file);
            let Some(header) = header else {
                Self::detect(file);
                return sqlite::SQLITE_OK;
            };
            let mut length = 0;
            let code = size(below, &mut length);
            if code != sqlite::SQLITE_OK {
                return code;
            }
            if length != 0 {
                // The caller finds that the file exists, unless it holds a header and no page.
                Self::detect(file);
                let is_moved = (*file.cast::<Self>()).layout.get().is_some();
                return if is_moved { sqlite::SQLITE_CANTOPEN } else { sqlite::SQLITE_OK };
            }
            let code = Self::write_header(file, &header);
            if code == sqlite::SQLITE_OK {
                Self::detect(file);
            }
            code
        }
    }

    /// Reads the start of the file, and moves the pages if the file is a Strongroom file. A damaged header moves nothing;
    /// opening then reports the header.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn detect(file: *mut sqlite3_file) {
        // SAFETY: the caller upholds the contract.
        unsafe {
            let mut magic = [0; 16];
            if Self::read_below(file, &mut magic, 0) != sqlite::SQLITE_OK || !Header::detect(&magic) {
                return;
            }
            let mut bytes = vec![0; HEADER_LENGTH];
            Self::read_below(file, &mut bytes, 0);
            if let Ok(header) = Header::read(&bytes) {
                Self::move_pages(file, header.page_size());
            }
        }
    }

    /// Returns whether the connection may create the file.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn creates(file: *mut sqlite3_file) -> bool {
        // SAFETY: the caller upholds the contract.
        unsafe { (*file.cast::<Self>()).creates }
    }

    /// Returns the layout of a Strongroom file.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn layout(file: *mut sqlite3_file) -> Option<Layout> {
        // SAFETY: the caller upholds the contract.
        unsafe { (*file.cast::<Self>()).layout.get() }
    }

    /// Returns whether the file, of `length` bytes on the disk, has lost its header: something else has cut it off.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn has_lost_header(file: *mut sqlite3_file, length: sqlite3_int64) -> bool {
        // SAFETY: the caller upholds the contract.
        unsafe { (*file.cast::<Self>()).has_header.get() && length < HEADER_LENGTH as sqlite3_int64 }
    }

    /// Moves the pages behind the header.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn move_pages(file: *mut sqlite3_file, page_size: u32) {
        // SAFETY: the caller upholds the contract.
        unsafe {
            let this = &*file.cast::<Self>();
            this.layout.set(Some(Layout::new(page_size)));
            this.has_header
                .set(Self::length_below(file).is_some_and(|length| length >= HEADER_LENGTH as u64));
            (*file).pMethods = &raw const MOVED;
        }
    }

    /// Writes and syncs the header.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn write_header(file: *mut sqlite3_file, header: &[u8]) -> c_int {
        // SAFETY: the caller upholds the contract.
        unsafe {
            match Self::write_below(file, header, 0) {
                sqlite::SQLITE_OK => Self::sync_below(file),
                code => code,
            }
        }
    }

    /// Reads bytes of the file as it lies on the disk. Bytes past the end are zeros, with SQLITE_IOERR_SHORT_READ.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn read_below(
        file: *mut sqlite3_file,
        bytes: &mut [u8],
        offset: sqlite3_int64,
    ) -> c_int {
        // SAFETY: the caller upholds the contract, and the buffer has the given length.
        unsafe {
            let below = Self::below(file);
            let Ok(length) = c_int::try_from(bytes.len()) else { return sqlite::SQLITE_IOERR };
            let read = (*below).pMethods.as_ref().and_then(|methods| methods.xRead);
            read.map_or(sqlite::SQLITE_IOERR, |read| read(below, bytes.as_mut_ptr().cast(), length, offset))
        }
    }

    /// Writes bytes of the file as it lies on the disk.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn write_below(file: *mut sqlite3_file, bytes: &[u8], offset: sqlite3_int64) -> c_int {
        // SAFETY: the caller upholds the contract, and the buffer has the given length.
        unsafe {
            let below = Self::below(file);
            let Ok(length) = c_int::try_from(bytes.len()) else { return sqlite::SQLITE_IOERR };
            let write = (*below).pMethods.as_ref().and_then(|methods| methods.xWrite);
            write.map_or(sqlite::SQLITE_IOERR, |write| write(below, bytes.as_ptr().cast(), length, offset))
        }
    }

    /// Waits until the file's bytes are on the disk.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn sync_below(file: *mut sqlite3_file) -> c_int {
        // SAFETY: the caller upholds the contract.
        unsafe {
            let below = Self::below(file);
            let sync = (*below).pMethods.as_ref().and_then(|methods| methods.xSync);
            sync.map_or(sqlite::SQLITE_IOERR, |sync| sync(below, sqlite::SQLITE_SYNC_FULL))
        }
    }

    /// Returns the length of the file on the disk.
    ///
    /// # Safety
    ///
    /// `file` is an open file of the layer.
    pub(super) unsafe fn length_below(file: *mut sqlite3_file) -> Option<u64> {
        let mut length = 0;
        // SAFETY: the caller upholds the contract.
        let code = unsafe { size(Self::below(file), &mut length) };
        u64::try_from(length).ok().filter(|_| code == sqlite::SQLITE_OK)
    }
}

/// # Safety
///
/// `below` is an open file.
unsafe fn size(below: *mut sqlite3_file, length: &mut sqlite3_int64) -> c_int {
    // SAFETY: the caller upholds the contract, and SQLite writes one integer.
    unsafe {
        let size = (*below).pMethods.as_ref().and_then(|methods| methods.xFileSize);
        size.map_or(sqlite::SQLITE_IOERR, |size| size(below, length))
    }
}

/// Defines a function that passes a call to SQLite's own file.
macro_rules! through {
    ($($name:ident, $method:ident ($($argument:ident: $type:ty),*) -> $result:ty, $otherwise:expr;)*) => {
        $(pub(super) unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> $result {
            // SAFETY: SQLite passes an open file of the layer, and arguments for this method.
            unsafe {
                let below = DatabaseFile::below(file);
                match (*below).pMethods.as_ref().and_then(|methods| methods.$method) {
                    Some(method) => method(below $(, $argument)*),
                    None => $otherwise,
                }
            }
        })*
    };
}

through! {
    close_below, xClose() -> c_int, sqlite::SQLITE_OK;
    read_through, xRead(buffer: *mut c_void, length: c_int, offset: sqlite3_int64) -> c_int, sqlite::SQLITE_IOERR_READ;
    write, xWrite(buffer: *const c_void, length: c_int, offset: sqlite3_int64) -> c_int, sqlite::SQLITE_IOERR_WRITE;
    truncate_below, xTruncate(length: sqlite3_int64) -> c_int, sqlite::SQLITE_IOERR_TRUNCATE;
    sync, xSync(flags: c_int) -> c_int, sqlite::SQLITE_IOERR_FSYNC;
    file_size, xFileSize(length: *mut sqlite3_int64) -> c_int, sqlite::SQLITE_IOERR_FSTAT;
    lock_below, xLock(level: c_int) -> c_int, sqlite::SQLITE_IOERR_LOCK;
    unlock, xUnlock(level: c_int) -> c_int, sqlite::SQLITE_IOERR_UNLOCK;
    check_reserved_lock, xCheckReservedLock(reserved: *mut c_int) -> c_int, sqlite::SQLITE_IOERR_CHECKRESERVEDLOCK;
    file_control_below, xFileControl(operation: c_int, argument: *mut c_void) -> c_int, sqlite::SQLITE_NOTFOUND;
    sector_size, xSectorSize() -> c_int, 0;
    device_characteristics, xDeviceCharacteristics() -> c_int, 0;
    shm_map, xShmMap(page: c_int, size: c_int, extend: c_int, region: *mut *mut c_void) -> c_int, sqlite::SQLITE_IOERR_SHMMAP;
    shm_lock_below, xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int, sqlite::SQLITE_IOERR_SHMLOCK;
    shm_barrier, xShmBarrier() -> (), ();
    shm_unmap, xShmUnmap(delete: c_int) -> c_int, sqlite::SQLITE_OK;
    fetch, xFetch(offset: sqlite3_int64, length: c_int, page: *mut *mut c_void) -> c_int, { *page = ptr::null_mut(); sqlite::SQLITE_OK };
    unfetch, xUnfetch(offset: sqlite3_int64, page: *mut c_void) -> c_int, sqlite::SQLITE_OK;
}

/// Reads a part of a file whose first page is at its start.
unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and a buffer of `length` bytes.
    short_read::note(unsafe { read_through(file, buffer, length, offset) }, offset)
}

/// Takes a lock on the file.
pub(super) unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes an open file of the layer.
    unsafe { after_lock(file, lock_below(file, level)) }
}

/// Takes or releases a lock on the shared memory of the write-ahead log.
pub(super) unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer.
    unsafe { after_lock(file, shm_lock_below(file, offset, count, flags)) }
}

/// # Safety
///
/// `file` is an open file of the layer.
#[inline]
unsafe fn after_lock(file: *mut sqlite3_file, code: c_int) -> c_int {
    if code & 0xff != sqlite::SQLITE_BUSY {
        return code;
    }
    // SAFETY: the caller upholds the contract.
    unsafe { interrupt::lock_is_taken((*file.cast::<DatabaseFile>()).db.get(), code) }
}

/// Notes to which connection the file belongs, and passes the call on.
pub(super) unsafe extern "C" fn file_control(
    file: *mut sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, and for this operation a pointer to its connection.
    unsafe {
        if operation == sqlite::SQLITE_FCNTL_PDB {
            (*file.cast::<DatabaseFile>()).db.set(*argument.cast());
        }
        file_control_below(file, operation, argument)
    }
}

/// Closes a file. A VACUUM INTO that fails ends with its target's file.
unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    defaults::restore();
    // SAFETY: SQLite passes an open file of the layer.
    unsafe { close_below(file) }
}

/// Sets the length of a file on the disk.
///
/// After a transaction that shrinks the database, SQLite deletes the rollback journal and then shortens the file, whose last
/// pages the journal does not hold. With `synchronous = FULL`, SQLite does not sync the folder in between. On a file system
/// that does not keep these two changes in order, a loss of power could bring back the journal, but not the pages: the
/// rollback would then corrupt the database. The layer therefore syncs the folder first.
///
/// # Safety
///
/// `file` is an open file of the layer.
pub(super) unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file of the layer, whose name is null or ends in NUL.
    unsafe {
        let name = (*file.cast::<DatabaseFile>()).name;
        let shrinks = DatabaseFile::length_below(file).is_some_and(|now| length.unsigned_abs() < now);
        if shrinks && !name.is_null() {
            let path = path_of(CStr::from_ptr(name));
            if sync_folder(folder_of(&path)).is_err() {
                return sqlite::SQLITE_IOERR_DIR_FSYNC;
            }
        }
        truncate_below(file, length)
    }
}

/// The methods of a file whose first page is at its start.
pub(super) static THROUGH: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
