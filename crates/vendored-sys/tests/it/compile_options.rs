//! Tests that the flags of .cargo/config.toml took effect in the linked SQLite.
#![cfg(feature = "vendored")]

use std::ffi::{CStr, CString};
use std::ptr;

use vendored_sys::sqlite;

/// Returns the first column of a pragma's rows on an empty in-memory database. The database has a key: without a key,
/// SQLCipher's own pragmas return nothing.
pub(crate) fn pragma(name: &str) -> Vec<String> {
    vendored_sys::init().unwrap();
    let sql = CString::new(format!("PRAGMA {name}")).unwrap();
    let (mut database, mut statement, mut rows) = (ptr::null_mut(), ptr::null_mut(), Vec::new());
    // SAFETY: each handle comes from the call before its use, and the text is copied before the next step.
    unsafe {
        assert_eq!(sqlite::sqlite3_open(c":memory:".as_ptr(), &raw mut database), sqlite::SQLITE_OK);
        let key = c"PRAGMA key = 'test'".as_ptr();
        assert_eq!(
            sqlite::sqlite3_exec(database, key, None, ptr::null_mut(), ptr::null_mut()),
            sqlite::SQLITE_OK
        );
        let prepared =
            sqlite::sqlite3_prepare_v2(database, sql.as_ptr(), -1, &raw mut statement, ptr::null_mut());
        assert_eq!(prepared, sqlite::SQLITE_OK, "{name}");
        while sqlite::sqlite3_step(statement) == sqlite::SQLITE_ROW {
            let text = CStr::from_ptr(sqlite::sqlite3_column_text(statement, 0).cast());
            rows.push(text.to_str().unwrap().to_owned());
        }
        sqlite::sqlite3_finalize(statement);
        sqlite::sqlite3_close(database);
    }
    rows
}

/// The words of `LIBSQLITE3_FLAGS`.
fn flags() -> Vec<&'static str> {
    let config = include_str!("../../../../.cargo/config.toml");
    let (_, flags) = config.split_once("\nLIBSQLITE3_FLAGS = \"\"\"").unwrap();
    flags.split("\"\"\"").next().unwrap().split_whitespace().filter(|word| *word != "\\").collect()
}

#[test]
fn every_flag_of_the_configuration_is_in_the_library() {
    let options = pragma("compile_options");
    // SQLite does not list these options with their values; the tests below check their effects.
    let unlisted = ["USE_URI=0", "TRUSTED_SCHEMA=0", "TRACE_SIZE_LIMIT=32"];
    let mut compared = 0;
    for flag in flags() {
        let (set, option) = flag.split_at("-D".len());
        // SQLite does not list SQLCipher's own options.
        let Some(option) = option.trim_end_matches('\\').strip_prefix("SQLITE_") else { continue };
        if unlisted.contains(&option) {
            continue;
        }
        assert_eq!(
            options.iter().any(|listed| listed == option),
            set == "-D",
            "{flag} is not in effect: {options:?}"
        );
        compared += 1;
    }
    assert!(compared >= 9, "the flags were not read: {:?}", flags());
}

#[test]
fn the_options_that_the_design_requires_are_set() {
    let options = pragma("compile_options");
    for option in ["TEMP_STORE=3", "THREADSAFE=2", "HAS_CODEC", "ENABLE_FTS5"] {
        assert!(options.iter().any(|listed| listed == option), "{option} is not in {options:?}");
    }
    assert!(!options.iter().any(|listed| listed.contains("API_ARMOR")), "{options:?}");
}

#[test]
fn a_trace_shows_the_start_of_a_long_value() {
    vendored_sys::init().unwrap();
    let (mut database, mut statement) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: each handle comes from the call before its use, and the text is copied before SQLite frees it.
    let expanded = unsafe {
        assert_eq!(sqlite::sqlite3_open(c":memory:".as_ptr(), &raw mut database), sqlite::SQLITE_OK);
        let sql = c"SELECT ?".as_ptr();
        sqlite::sqlite3_prepare_v2(database, sql, -1, &raw mut statement, ptr::null_mut());
        let value = c"0123456789012345678901234567890123456789".as_ptr();
        sqlite::sqlite3_bind_text(statement, 1, value, -1, sqlite::SQLITE_STATIC());
        let text = sqlite::sqlite3_expanded_sql(statement);
        let expanded = CStr::from_ptr(text).to_str().unwrap().to_owned();
        sqlite::sqlite3_free(text.cast());
        sqlite::sqlite3_finalize(statement);
        sqlite::sqlite3_close(database);
        expanded
    };
    assert_eq!(expanded, "SELECT '01234567890123456789012345678901'/*+8 bytes*/");
}

#[test]
fn a_schema_is_not_trusted() {
    assert_eq!(pragma("trusted_schema"), ["0"]);
}

#[test]
fn a_file_name_is_not_a_uri() {
    vendored_sys::init().unwrap();
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/no-uri");
    std::fs::create_dir_all(folder).unwrap();
    let plain = CString::new(format!("{folder}/file.db?mode=memory")).unwrap();
    let uri = CString::new(format!("file:{folder}/file.db?mode=memory")).unwrap();
    for (name, opens) in [(plain, true), (uri, false)] {
        let mut database = ptr::null_mut();
        // SAFETY: the handle comes from the call before its use, and closing a database that failed to open is allowed.
        let code = unsafe {
            let code = sqlite::sqlite3_open(name.as_ptr(), &raw mut database);
            sqlite::sqlite3_close(database);
            code
        };
        assert_eq!(code == sqlite::SQLITE_OK, opens, "{name:?} answered {code}");
    }
}
