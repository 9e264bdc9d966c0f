//! Tests that keys do not appear in traces, in errors, or in a statement's SQL.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::process::Command;
use std::rc::Rc;
use std::{env, fs};

use strongroom_database::{Database, Location, OpenOptions};

use crate::scratch::{Owned, Scratch, integer, memory, rows, text};

fn traced(database: &Database) -> Rc<RefCell<Vec<String>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&seen);
    database.set_trace(Some(Box::new(move |sql| {
        sink.borrow_mut().push(sql.to_owned());
        ControlFlow::Continue(())
    })));
    seen
}

#[test]
fn a_trace_shows_each_run_of_a_statement_once_with_its_values() {
    let database = memory();
    let seen = traced(&database);
    database.execute_batch("CREATE TABLE t (a, b); -- comment\n DELETE FROM t").unwrap();
    rows(&database, "INSERT INTO t VALUES (?, :b), (3, x'00')", &[Owned::Integer(1), text("it's")]).unwrap();
    rows(&database, "SELECT a FROM t", &[]).unwrap();
    database.set_trace(None);
    integer(&database, "SELECT 1");
    let seen = seen.take();
    assert_eq!(seen[0], "CREATE TABLE t (a, b);");
    assert!(seen[1].ends_with("DELETE FROM t"), "{seen:?}");
    assert_eq!(seen[2], "INSERT INTO t VALUES (1, 'it''s'), (3, x'00')");
    assert_eq!(seen[3..], ["SELECT a FROM t"]);
}

#[test]
fn a_trace_may_run_statements_and_replace_itself() {
    let database = memory();
    let inner = database.clone();
    database.set_trace(Some(Box::new(move |_| {
        assert_eq!(integer(&inner, "SELECT 2"), 2);
        inner.set_trace(None);
        ControlFlow::Continue(())
    })));
    assert_eq!(integer(&database, "SELECT 1"), 1);
    let seen = traced(&database);
    assert_eq!(integer(&database, "SELECT 3"), 3);
    assert_eq!(seen.take(), ["SELECT 3"]);
}

#[test]
fn a_trace_shows_no_key() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    let seen = traced(&database);
    database.execute_batch("PRAGMA key = 's3cr3t'; CREATE TABLE t (a)").unwrap();
    let other = scratch.folder().join("other.db");
    let attach = "ATTACH ? AS other KEY ?";
    rows(&database, attach, &[text(other.to_str().unwrap()), text("s3cr3t")]).unwrap();
    rows(&database, "SELECT sqlcipher_export('other')", &[]).unwrap();
    let seen = seen.take();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen.iter().all(|sql| !sql.contains("s3cr3t")), "{seen:?}");
    assert_eq!(seen[0], "PRAGMA key = '<redacted>'");
    assert!(seen[2].contains("other.db"), "{seen:?}");
    assert!(!fs::read(other).unwrap().is_empty());
}

#[test]
fn an_error_shows_no_key() {
    let database = memory();
    for sql in [
        "PRAGMA key = 'it's s3cr3t'",
        "PRAGMA key = s3cr3t s3cr3t",
        "PRAGMA key = 's3cr3t",
        "PRAGMA key = \"s3cr3t",
        "PRAGMA key(s3cr3t, s3cr3t)",
        "PRAGMA rekey = #s3cr3t",
        "ATTACH 'a' AS b KEY 's3cr3t' s3cr3t",
        "ATTACH 'a' AS b KEY 's3cr3t",
        "ATTACH 'a' AS b KEY x's3cr3t'",
        "SELECT sqlcipher_export('s3cr3t', s3cr3t)",
        "SELECT nonsense FROM s3cr3t; PRAGMA key = 's3cr3t'",
    ] {
        let errors = [database.prepare(sql).unwrap_err(), database.execute_batch(sql).unwrap_err()];
        for error in errors {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cr3t"), "{sql} fails with {shown}");
            assert_eq!(error.code(), "SQLITE_ERROR", "{sql}");
        }
    }
}

#[test]
fn a_statement_shows_no_key() {
    let statement = memory().prepare("PRAGMA key = 's3cr3t'").unwrap();
    assert!(!format!("{statement:?} {}", statement.sql()).contains("s3cr3t"));
}

/// Marks the child process, whose output the test reads.
const CHILD: &str = "STRONGROOM_TEST_CIPHER_LOG";

#[test]
fn sqlcipher_logs_nothing() {
    if env::var_os(CHILD).is_some() {
        let scratch = Scratch::new();
        scratch.open().execute_batch("CREATE TABLE t (a)").unwrap();
        let wrong = strongroom_keys::Key::raw(&[1; 32]).unwrap();
        let error = Database::open(Location::File(&scratch.path()), &wrong, &OpenOptions::default());
        return assert_eq!(error.unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "redaction::sqlcipher_logs_nothing", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hmac"));
}

/// The message reported a syntax error, although the statement is valid.
#[test]
fn a_key_that_sqlcipher_refuses_is_not_called_a_syntax_error() {
    let (plain, keyed) = (Scratch::new().open_plain(), memory());
    for database in [&plain, &keyed] {
        let sql = "PRAGMA key = ''";
        for error in [database.prepare(sql).unwrap_err(), database.execute_batch(sql).unwrap_err()] {
            assert_eq!(error.to_string(), "SQLCipher refused the key: the key is empty");
        }
    }
}

#[test]
fn a_trace_runs_before_its_statement_and_can_stop_the_statement() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    database.set_trace(Some(Box::new(|sql| match sql.contains("stop") {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })));
    let insert = "INSERT INTO t VALUES (1) -- stop";
    for error in [database.execute_batch(insert).unwrap_err(), rows(&database, insert, &[]).unwrap_err()] {
        assert_eq!(error, strongroom_database::SqlError::TraceStopped);
    }
    database.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    assert_eq!(integer(&database, "SELECT sum(a) FROM t"), 2);
}
