//! The list of codes.

use strongroom_codec::CodecError;
use strongroom_database::{CODES, OpenError, SqlError};
use strongroom_keys::KeyError;

#[test]
fn it_holds_the_codes_of_all_crates_and_of_sqlite() {
    let own = [OpenError::CODES, SqlError::CODES, KeyError::CODES, CodecError::CODES];
    for code in own.concat() {
        assert!(CODES.contains(&code), "{code}");
    }
    for code in
        ["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_IOERR_SHORT_READ", "SQLITE_PERM", "SQLITE_CANTOPEN_ISDIR"]
    {
        assert!(CODES.contains(&code), "{code}");
    }
}

#[test]
fn every_variants_code_is_in_it() {
    let path = || "a.db".into();
    let text = String::new;
    let open = [
        OpenError::EmptyPath,
        OpenError::NulInPath,
        OpenError::PathEncoding { path: path() },
        OpenError::MissingDirectory { path: path(), directory: path() },
        OpenError::MissingFile { path: path() },
        OpenError::Directory { path: path() },
        OpenError::Permission { path: path(), source: std::io::Error::other("a") },
        OpenError::System { path: path(), code: "SQLITE_CANTOPEN", message: text(), source: None },
        OpenError::WrongKey { path: path() },
        OpenError::NotEncrypted { path: path() },
        OpenError::NotADatabase { path: path(), length: 1 },
        OpenError::Truncated { path: path(), length: 1, expected: 2 },
        OpenError::Damaged { path: path(), message: text() },
        OpenError::Sqlite { path: path(), code: "SQLITE_BUSY", message: text() },
        OpenError::Init { source: vendored_sys::InitError::OpenSsl },
    ];
    let sql = [
        SqlError::Sqlite { code: "SQLITE_ERROR", message: text() },
        SqlError::NotADatabase,
        SqlError::PageAuthentication,
        SqlError::Closed,
        SqlError::Busy,
        SqlError::MultipleStatements,
        SqlError::NoStatement,
        SqlError::NulInSql { offset: 0 },
        SqlError::ParameterIndex { index: 1, count: 0 },
        SqlError::TooBig { length: 1, limit: 0 },
        SqlError::InvalidUtf8 { index: 1 },
        SqlError::Running { index: 1 },
    ];
    for code in open.iter().map(OpenError::code).chain(sql.iter().map(SqlError::code)) {
        assert!(CODES.contains(&code), "{code}");
    }
}
