//! SQLite's result codes by name.

use std::ffi::c_int;
use std::io::{self, ErrorKind};

use vendored_sys::sqlite;

/// Returns the name of a primary or extended result code of SQLite.
///
/// For a code that the list lacks, such as one of a newer SQLite, returns the name of its primary code.
pub(crate) fn name(code: c_int) -> &'static str {
    for candidate in [code, code & 0xff] {
        if let Some(position) = NUMBERS.iter().position(|number| *number == candidate) {
            return RESULT_CODES[position];
        }
    }
    "SQLITE_ERROR"
}

/// Returns SQLite's name for an error of the operating system.
pub(crate) fn of_system(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied => "SQLITE_PERM",
        ErrorKind::ReadOnlyFilesystem => "SQLITE_READONLY",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "SQLITE_FULL",
        // `InvalidFilename` is the kind of ENAMETOOLONG.
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => "SQLITE_CANTOPEN",
        _ => "SQLITE_IOERR",
    }
}

macro_rules! result_codes {
    ($($name:ident),+ $(,)?) => {
        /// The names of SQLite's result codes.
        pub(crate) const RESULT_CODES: &[&str] = &[$(stringify!($name)),+];
        const NUMBERS: &[c_int] = &[$(sqlite::$name),+];
    };
}

// Source: sqlite3.h, "Result Codes" and "Extended Result Codes", without the success codes.
result_codes! {
    SQLITE_ERROR, SQLITE_INTERNAL, SQLITE_PERM, SQLITE_ABORT, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM,
    SQLITE_READONLY, SQLITE_INTERRUPT, SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTFOUND, SQLITE_FULL,
    SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_EMPTY, SQLITE_SCHEMA, SQLITE_TOOBIG, SQLITE_CONSTRAINT,
    SQLITE_MISMATCH, SQLITE_MISUSE, SQLITE_NOLFS, SQLITE_AUTH, SQLITE_FORMAT, SQLITE_RANGE, SQLITE_NOTADB,
    SQLITE_ERROR_MISSING_COLLSEQ, SQLITE_ERROR_RETRY, SQLITE_ERROR_SNAPSHOT, SQLITE_ERROR_RESERVESIZE,
    SQLITE_ERROR_KEY, SQLITE_ERROR_UNABLE, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_WRITE,
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_FSTAT,
    SQLITE_IOERR_UNLOCK, SQLITE_IOERR_RDLOCK, SQLITE_IOERR_DELETE, SQLITE_IOERR_BLOCKED,
    SQLITE_IOERR_NOMEM, SQLITE_IOERR_ACCESS, SQLITE_IOERR_CHECKRESERVEDLOCK, SQLITE_IOERR_LOCK,
    SQLITE_IOERR_CLOSE, SQLITE_IOERR_DIR_CLOSE, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE,
    SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SEEK, SQLITE_IOERR_DELETE_NOENT,
    SQLITE_IOERR_MMAP, SQLITE_IOERR_GETTEMPPATH, SQLITE_IOERR_CONVPATH, SQLITE_IOERR_VNODE,
    SQLITE_IOERR_AUTH, SQLITE_IOERR_BEGIN_ATOMIC, SQLITE_IOERR_COMMIT_ATOMIC, SQLITE_IOERR_ROLLBACK_ATOMIC,
    SQLITE_IOERR_DATA, SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_IN_PAGE, SQLITE_IOERR_BADKEY,
    SQLITE_IOERR_CODEC, SQLITE_LOCKED_SHAREDCACHE, SQLITE_LOCKED_VTAB, SQLITE_BUSY_RECOVERY,
    SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_TIMEOUT, SQLITE_CANTOPEN_NOTEMPDIR, SQLITE_CANTOPEN_ISDIR,
    SQLITE_CANTOPEN_FULLPATH, SQLITE_CANTOPEN_CONVPATH, SQLITE_CANTOPEN_DIRTYWAL, SQLITE_CANTOPEN_SYMLINK,
    SQLITE_CORRUPT_VTAB, SQLITE_CORRUPT_SEQUENCE, SQLITE_CORRUPT_INDEX, SQLITE_READONLY_RECOVERY,
    SQLITE_READONLY_CANTLOCK, SQLITE_READONLY_ROLLBACK, SQLITE_READONLY_DBMOVED, SQLITE_READONLY_CANTINIT,
    SQLITE_READONLY_DIRECTORY, SQLITE_ABORT_ROLLBACK, SQLITE_CONSTRAINT_CHECK,
    SQLITE_CONSTRAINT_COMMITHOOK, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_FUNCTION,
    SQLITE_CONSTRAINT_NOTNULL, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_TRIGGER,
    SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_VTAB, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_PINNED,
    SQLITE_CONSTRAINT_DATATYPE, SQLITE_AUTH_USER,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_system_error_maps_to_the_code_of_sqlite() {
        for (number, code) in [
            (libc::ENOENT, "SQLITE_CANTOPEN"),
            (libc::ENOTDIR, "SQLITE_CANTOPEN"),
            (libc::ENAMETOOLONG, "SQLITE_CANTOPEN"),
            (libc::EROFS, "SQLITE_READONLY"),
            (libc::EACCES, "SQLITE_PERM"),
            (libc::EPERM, "SQLITE_PERM"),
            (libc::ENOSPC, "SQLITE_FULL"),
            (libc::EDQUOT, "SQLITE_FULL"),
            (libc::EIO, "SQLITE_IOERR"),
        ] {
            assert_eq!(of_system(&io::Error::from_raw_os_error(number)), code, "{number}");
        }
    }

    #[test]
    fn an_extended_result_code_has_its_own_name() {
        assert_eq!(name(sqlite::SQLITE_CONSTRAINT_UNIQUE), "SQLITE_CONSTRAINT_UNIQUE");
        assert_eq!(name(sqlite::SQLITE_IOERR_SHORT_READ), "SQLITE_IOERR_SHORT_READ");
        assert_eq!(name(sqlite::SQLITE_BUSY), "SQLITE_BUSY");
        assert_eq!(name(sqlite::SQLITE_BUSY | (200 << 8)), "SQLITE_BUSY");
        assert_eq!(name(0x7f), "SQLITE_ERROR");
    }
}
