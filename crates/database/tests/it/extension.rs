//! Tests the loading of extensions.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use strongroom_database::{Database, ExtensionError, SqlError};

use crate::scratch::{Scratch, integer, memory, value};

const SUFFIX: &str = if cfg!(target_os = "macos") { "dylib" } else { "so" };

/// Compiles `extension.c`. Without a C compiler, prints why the test is skipped and returns `None`.
fn compiled(scratch: &Scratch, name: &str) -> Option<PathBuf> {
    let library = scratch.folder().join(format!("{name}.{SUFFIX}"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/extension.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    match compiler.status() {
        Ok(status) if status.success() => Some(library),
        other => {
            println!("skipped: cc cannot compile an extension: {other:?}");
            None
        }
    }
}

fn load(database: &Database, path: &str, entry: Option<&str>) -> String {
    let error = database.load_extension(path, entry).unwrap_err();
    assert_eq!(error.code(), "SQLITE_ERROR");
    error.to_string()
}

#[test]
fn an_extension_loads_with_and_without_its_suffix() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "counting") else { return };
    for path in [library.clone(), library.with_extension("")] {
        let database = memory();
        database.load_extension(path.to_str().unwrap(), None).unwrap();
        database.load_extension(path.to_str().unwrap(), Some("sqlite3_extension_init")).unwrap();
        assert_eq!(integer(&database, "SELECT count_arguments(1, 2, 3)"), 3);
        database.close().unwrap();
    }
}

#[test]
fn an_extension_is_not_loaded_into_other_connections() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "counting") else { return };
    let (with, without) = (scratch.open(), scratch.open());
    with.load_extension(library.to_str().unwrap(), None).unwrap();
    assert_eq!(integer(&with, "SELECT count_arguments()"), 0);
    assert!(without.prepare("SELECT count_arguments()").is_err());
}

#[test]
fn sql_never_loads_an_extension() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "counting") else { return };
    let path = library.to_str().unwrap();
    let database = memory();
    let refused = |sql: &str| {
        let error = database.execute_batch(sql).unwrap_err();
        assert_eq!(error.to_string(), "not authorized", "{sql}");
    };
    let in_sql = format!("SELECT load_extension('{path}')");
    refused(&in_sql);
    let mut prepared = database.prepare(&in_sql).unwrap();
    database.load_extension(path, Some("load_in_sql")).unwrap();
    assert_eq!(
        integer(&database, "SELECT count(*) FROM outcome"),
        1,
        "SQL cannot load an extension while another extension loads"
    );
    refused(&in_sql);
    assert!(prepared.step().is_err());
    database
        .execute_batch(
            "CREATE TABLE t (a); CREATE TRIGGER load AFTER INSERT ON t BEGIN SELECT load_extension(NEW.a); END",
        )
        .unwrap();
    assert!(database.execute_batch(&format!("INSERT INTO t VALUES ('{path}')")).is_err());
    assert!(value(&database, "SELECT count_arguments()", &[]).is_err());
}

#[test]
fn the_error_for_a_missing_library_names_both_paths() {
    let scratch = Scratch::new();
    let path = scratch.folder().join("nothing");
    let message = load(&memory(), path.to_str().unwrap(), None);
    assert!(
        message.contains("nothing\"") && message.contains(&format!("nothing.{SUFFIX}\" exists")),
        "{message}"
    );
    let message = load(&memory(), "strongroom-no-such-library", None);
    assert!(message.contains("strongroom-no-such-library"), "{message}");
}

#[test]
fn a_folder_and_a_text_file_are_not_libraries() {
    let scratch = Scratch::new();
    let text = scratch.folder().join("text.so");
    fs::write(&text, "this is a text").unwrap();
    fs::write(scratch.folder().join("empty"), "").unwrap();
    let database = memory();
    assert!(load(&database, scratch.folder().to_str().unwrap(), None).contains("the path is a folder"));
    for name in ["text.so", "empty"] {
        let message = load(&database, scratch.folder().join(name).to_str().unwrap(), None);
        assert!(message.contains("the file is not a library (") && message.contains(name), "{message}");
        assert!(!message.contains("No such file"), "{message}");
    }
}

#[test]
fn the_error_for_a_library_for_another_processor_names_the_processor() {
    let scratch = Scratch::new();
    let library = scratch.folder().join("other.so");
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(64, 0);
    header[16] = 3;
    header[18] = 243;
    fs::write(&library, header).unwrap();
    let message = load(&memory(), library.to_str().unwrap(), None);
    assert!(
        message.contains("the library was built for Linux on riscv64, but this process needs a library for "),
        "{message}"
    );
}

#[test]
fn the_error_names_a_missing_entry_point() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "counting") else { return };
    let path = library.to_str().unwrap();
    let database = memory();
    assert!(load(&database, path, Some("nope")).contains("the library has no function \"nope\""));
    let own = std::env::current_exe().unwrap();
    // A library without an entry point.
    let bare = scratch.folder().join(format!("bare.{SUFFIX}"));
    let source = scratch.folder().join("bare.c");
    fs::write(&source, "int nothing;").unwrap();
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&bare).arg(&source).status().unwrap();
    assert!(made.success());
    let message = load(&database, bare.to_str().unwrap(), None);
    assert!(message.contains("neither the function \"sqlite3_extension_init\" nor"), "{message}");
    let message = load(&database, own.to_str().unwrap(), None);
    assert!(message.contains("cannot load the extension"), "{message}");
}

#[test]
fn the_error_quotes_the_message_of_a_failed_extension() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "counting") else { return };
    let path = library.to_str().unwrap();
    let database = memory();
    assert!(load(&database, path, Some("refuse")).ends_with("the extension reports: not today"));
    assert!(load(&database, path, Some("refuse_silently")).ends_with("an error without a message"));
    assert_eq!(integer(&database, "SELECT 1"), 1);
}

#[test]
fn a_path_with_a_nul_is_not_truncated() {
    let database = memory();
    let message = load(&database, "", None);
    assert!(message.contains("the path is empty"), "{message}");
    for (path, entry) in [("a\0b", None), ("a", Some("b\0c"))] {
        let error = database.load_extension(path, entry).unwrap_err();
        assert!(matches!(error, ExtensionError::Nul { .. }), "{error}");
    }
    let long = format!("./{}", "a".repeat(20_000));
    load(&database, &long, None);
}

#[test]
fn a_closed_database_loads_nothing() {
    let database = memory();
    database.close().unwrap();
    let error = database.load_extension("a", None).unwrap_err();
    assert!(matches!(error, ExtensionError::Sql { source: SqlError::Closed }), "{error}");
}

// A statement that an extension never finalizes keeps SQLite from closing the connection.
#[test]
fn an_unfinalized_statement_of_an_extension_does_not_keep_the_file_open() {
    let scratch = Scratch::new();
    let Some(library) = compiled(&scratch, "leaving") else { return };
    let database = scratch.open();
    database.load_extension(library.to_str().unwrap(), Some("leave_statement")).unwrap();
    database.execute_batch("CREATE TABLE t (a); BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)").unwrap();
    database.close().unwrap();
    let again = scratch.open();
    assert_eq!(integer(&again, "SELECT count(*) FROM sqlite_schema"), 1);
    again.execute_batch("INSERT INTO t VALUES (2)").unwrap();
}
