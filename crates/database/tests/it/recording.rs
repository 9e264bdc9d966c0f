//! A VFS that records every write of every file that SQLite opens, and every state of the WAL index.
//!
//! The VFS becomes SQLite's default. The engine's own layer lies above it, so the recorded bytes are the bytes that reach
//! the operating system. A process must call [`start`] before it opens its first database.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard};

use vendored_sys::sqlite::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Database,
    Journal,
    Wal,
    Shm,
    SuperJournal,
    /// Any file that SQLite deletes when it closes the file.
    Temporary,
}

/// A write, or a state of a part of the WAL index.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What the VFS has seen.
pub(crate) struct Log {
    pub(crate) writes: Vec<Written>,
    /// The kind and the path of each file that was opened.
    pub(crate) opened: Vec<(Kind, PathBuf)>,
    regions: Vec<Region>,
}

/// A mapped part of a WAL index.
struct Region {
    file: usize,
    path: PathBuf,
    number: u64,
    length: usize,
    address: usize,
    last: Vec<u8>,
}

static LOG: Mutex<Log> = Mutex::new(Log { writes: Vec::new(), opened: Vec::new(), regions: Vec::new() });
static BASE: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// Makes the recording VFS SQLite's default.
pub(crate) fn start() {
    vendored_sys::init().unwrap();
    // SAFETY: SQLite returns its default VFS. The copy, with its own function to open files, is never freed.
    unsafe {
        assert!(sqlite::sqlite3_vfs_find(c"strongroom".as_ptr()).is_null(), "a database was opened before");
        let base = sqlite::sqlite3_vfs_find(ptr::null());
        let own = sqlite3_vfs {
            szOsFile: SIZE + (*base).szOsFile,
            zName: c"recording".as_ptr(),
            xOpen: Some(open),
            ..*base
        };
        BASE.store(base, Relaxed);
        assert_eq!(sqlite::sqlite3_vfs_register(Box::leak(Box::new(own)), 1), sqlite::SQLITE_OK);
    }
}

pub(crate) fn log() -> MutexGuard<'static, Log> {
    LOG.lock().unwrap()
}

impl Log {
    /// Records the parts of the WAL index that have changed since the last call.
    fn observe(&mut self) {
        for region in &mut self.regions {
            // SAFETY: the region is mapped: `unmap` removes it from the list before SQLite unmaps it. The tests that record
            // use one thread, so nothing writes at the same time.
            let now = unsafe { std::slice::from_raw_parts(region.address as *const u8, region.length) };
            if now != region.last {
                region.last = now.to_vec();
                let offset = region.number * region.length as u64;
                let path = region.path.clone();
                self.writes.push(Written { kind: Kind::Shm, path, offset, bytes: now.to_vec() });
            }
        }
    }
}

/// The recorder's part of a file. SQLite's own file follows at [`SIZE`].
#[repr(C)]
struct Recorded {
    file: sqlite3_file,
    kind: Kind,
    path: *const Path,
}

const SIZE: c_int = (size_of::<Recorded>().next_multiple_of(16)) as c_int;

/// # Safety
///
/// `file` is a file of the recorder.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the caller upholds the contract.
    unsafe { file.byte_offset(SIZE as isize) }
}

fn kind_of(flags: c_int) -> Kind {
    const KINDS: [(c_int, Kind); 4] = [
        (sqlite::SQLITE_OPEN_MAIN_DB, Kind::Database),
        (sqlite::SQLITE_OPEN_MAIN_JOURNAL, Kind::Journal),
        (sqlite::SQLITE_OPEN_WAL, Kind::Wal),
        (sqlite::SQLITE_OPEN_SUPER_JOURNAL, Kind::SuperJournal),
    ];
    KINDS.iter().find(|(flag, _)| flags & flag != 0).map_or(Kind::Temporary, |(_, kind)| *kind)
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = BASE.load(Relaxed);
    // SAFETY: SQLite passes memory of `szOsFile` bytes, which holds the recorder's file and the base's file, and a name that
    // is null or ends in NUL.
    unsafe {
        (*file).pMethods = ptr::null();
        let code = (*base).xOpen.unwrap()(base, name, below(file), flags, out_flags);
        if code != sqlite::SQLITE_OK {
            return code;
        }
        let path = match name.is_null() {
            true => PathBuf::from("(temporary)"),
            false => PathBuf::from(CStr::from_ptr(name).to_str().unwrap()),
        };
        log().opened.push((kind_of(flags), path.clone()));
        let path: &'static Path = Box::leak(path.into_boxed_path());
        let methods = sqlite3_file { pMethods: &raw const METHODS };
        file.cast::<Recorded>().write(Recorded { file: methods, kind: kind_of(flags), path });
        code
    }
}

/// Defines a function that passes a call to SQLite's own file.
macro_rules! pass {
    ($($name:ident, $method:ident ($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> $result {
            // SAFETY: SQLite passes an open file of the recorder. The VFS of the operating system has every method.
            unsafe {
                let file = below(file);
                (*(*file).pMethods).$method.unwrap()(file $(, $argument)*)
            }
        })*
    };
}

pass! {
    pass_close, xClose() -> c_int;
    read, xRead(buffer: *mut c_void, length: c_int, offset: sqlite3_int64) -> c_int;
    pass_write, xWrite(buffer: *const c_void, length: c_int, offset: sqlite3_int64) -> c_int;
    truncate, xTruncate(length: sqlite3_int64) -> c_int;
    sync, xSync(flags: c_int) -> c_int;
    file_size, xFileSize(length: *mut sqlite3_int64) -> c_int;
    lock, xLock(level: c_int) -> c_int;
    unlock, xUnlock(level: c_int) -> c_int;
    check_reserved_lock, xCheckReservedLock(reserved: *mut c_int) -> c_int;
    file_control, xFileControl(operation: c_int, argument: *mut c_void) -> c_int;
    sector_size, xSectorSize() -> c_int;
    device_characteristics, xDeviceCharacteristics() -> c_int;
    pass_map, xShmMap(page: c_int, size: c_int, extend: c_int, region: *mut *mut c_void) -> c_int;
    pass_shm_lock, xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    pass_barrier, xShmBarrier() -> ();
    pass_unmap, xShmUnmap(delete: c_int) -> c_int;
}

/// Version 2 has no memory mapping, so every write is a call.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
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
    xShmMap: Some(map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    forget(file);
    // SAFETY: SQLite passes an open file of the recorder.
    unsafe { pass_close(file) }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    buffer: *const c_void,
    length: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of the recorder, and a buffer of `length` bytes.
    unsafe {
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), usize::try_from(length).unwrap());
        let Recorded { kind, path, .. } = &*file.cast::<Recorded>();
        log().writes.push(Written {
            kind: *kind,
            path: (**path).to_owned(),
            offset: offset.unsigned_abs(),
            bytes: bytes.to_vec(),
        });
        pass_write(file, buffer, length, offset)
    }
}

unsafe extern "C" fn map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    region: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes an open file of the recorder, and a pointer to a pointer.
    unsafe {
        let code = pass_map(file, page, size, extend, region);
        let (address, number) = (*region as usize, u64::try_from(page).unwrap());
        let mut log = log();
        let is_known = log.regions.iter().any(|known| known.file == file as usize && known.number == number);
        if code == sqlite::SQLITE_OK && address != 0 && !is_known {
            let mut path = (*(*file.cast::<Recorded>()).path).as_os_str().to_owned();
            path.push("-shm");
            log.regions.push(Region {
                file: file as usize,
                path: path.into(),
                number,
                length: usize::try_from(size).unwrap(),
                address,
                last: Vec::new(),
            });
            log.observe();
        }
        code
    }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    log().observe();
    // SAFETY: SQLite passes an open file of the recorder.
    unsafe { pass_shm_lock(file, offset, count, flags) }
}

unsafe extern "C" fn barrier(file: *mut sqlite3_file) {
    log().observe();
    // SAFETY: SQLite passes an open file of the recorder.
    unsafe { pass_barrier(file) }
}

unsafe extern "C" fn unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    forget(file);
    // SAFETY: SQLite passes an open file of the recorder.
    unsafe { pass_unmap(file, delete) }
}

/// Records the WAL index of a file for the last time.
fn forget(file: *mut sqlite3_file) {
    let mut log = log();
    log.observe();
    log.regions.retain(|region| region.file != file as usize);
}
