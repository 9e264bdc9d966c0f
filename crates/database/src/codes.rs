//! The codes of all errors.

use std::ffi::c_int;

use strongroom_codec::CodecError;
use strongroom_keys::KeyError;
use vendored_sys::sqlite;

use crate::{OpenError, SqlError};

/// Every code that an error of the engine, of a key or of the codec can have, SQLite's own names first.
///
/// The binding generates its type of `code` from this list.
pub const CODES: &[&str] = &join::<{ length(LISTS) }>(LISTS);

const LISTS: &[&[&str]] = &[SQLITE, OpenError::CODES, SqlError::CODES, KeyError::CODES, CodecError::CODES];

/// The name of one of SQLite's result codes, extended ones included.
///
/// A code that a newer SQLite may add has the name of its primary code.
pub(crate) fn name(code: c_int) -> &'static str {
    for candidate in [code, code & 0xff] {
        if let Some(position) = NUMBERS.iter().position(|number| *number == candidate) {
            return SQLITE[position];
        }
    }
    "SQLITE_ERROR"
}

macro_rules! result_codes {
    ($($name:ident),+ $(,)?) => {
        const SQLITE: &[&str] = &[$(stringify!($name)),+];
        const NUMBERS: &[c_int] = &[$(sqlite::$name),+];
    };
}

// Source: sqlite3.h, "Result Codes" and "Extended Result Codes", without those that are no errors.
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

const fn length(lists: &[&[&str]]) -> usize {
    let mut sum = 0;
    let mut list = 0;
    while list < lists.len() {
        sum += lists[list].len();
        list += 1;
    }
    sum
}

const fn join<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut filled = 0;
    let mut list = 0;
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].len() {
            all[filled] = lists[list][index];
            filled += 1;
            index += 1;
        }
        list += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let mut codes = CODES.to_vec();
        codes.sort_unstable();
        // KeyError and OpenError both have STRONGROOM_INIT
        codes.dedup();
        assert!(codes.iter().all(|code| code.starts_with("SQLITE_") || code.starts_with("STRONGROOM_")));
        assert_eq!(codes.len(), CODES.len());
    }

    #[test]
    fn a_result_code_has_its_extended_name() {
        assert_eq!(name(sqlite::SQLITE_CONSTRAINT_UNIQUE), "SQLITE_CONSTRAINT_UNIQUE");
        assert_eq!(name(sqlite::SQLITE_IOERR_SHORT_READ), "SQLITE_IOERR_SHORT_READ");
        assert_eq!(name(sqlite::SQLITE_BUSY), "SQLITE_BUSY");
        assert_eq!(name(sqlite::SQLITE_BUSY | (200 << 8)), "SQLITE_BUSY");
        assert_eq!(name(0x7f), "SQLITE_ERROR");
    }
}
