//! Tests closing, and the handles that outlive it.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use strongroom_database::{Behavior, SqlError, Value};

use crate::scratch::{Scratch, integer, memory, rows};

#[test]
fn after_closing_every_call_fails_safely() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").unwrap();
    let mut idle = database.prepare("SELECT :a FROM t").unwrap();
    let mut running = database.prepare("SELECT a FROM t").unwrap();
    running.step().unwrap();
    database.close().unwrap();
    database.close().unwrap();

    assert!(!database.is_open() && !database.in_transaction() && !database.is_read_only());
    assert_eq!((database.changes(), database.total_changes(), database.last_insert_rowid()), (0, 0, 0));
    assert_eq!(database.prepare("SELECT 1").unwrap_err(), SqlError::Closed);
    assert_eq!(database.execute_batch("SELECT 1").unwrap_err(), SqlError::Closed);
    assert_eq!(database.transaction(Behavior::Deferred).unwrap_err(), SqlError::Closed);
    for statement in [&mut idle, &mut running] {
        assert!(!statement.is_running());
        assert_eq!(statement.step().unwrap_err(), SqlError::Closed);
        assert_eq!(statement.columns().unwrap_err(), SqlError::Closed);
        assert_eq!(statement.column_count(), 0);
        statement.reset();
        statement.clear_bindings();
    }
    assert_eq!(idle.bind(1, Value::Null).unwrap_err(), SqlError::Closed);
    assert_eq!(idle.sql(), "SELECT :a FROM t");
    assert_eq!(idle.parameter_count(), 1);
    assert_eq!(idle.parameter_name(1), None, "the name was not requested before closing");
    drop(database);
    assert_eq!(idle.step().unwrap_err().code(), "STRONGROOM_CLOSED");
}

#[test]
fn a_row_keeps_the_database_open() {
    let database = memory();
    let mut statement = database.prepare("SELECT 'kept'").unwrap();
    let row = statement.step().unwrap().unwrap();
    let value = row.value(0);
    assert_eq!(database.close().unwrap_err(), SqlError::Busy);
    assert_eq!(database.clone().close().unwrap_err().code(), "STRONGROOM_BUSY");
    assert_eq!(value, Value::Text(b"kept"));
    assert_eq!(integer(&database, "SELECT 1"), 1);
    drop(row);
    database.close().unwrap();
}

#[test]
fn a_running_call_keeps_the_database_open() {
    let database = memory();
    let seen = Rc::new(Cell::new(None));
    let (inner, result) = (database.clone(), Rc::clone(&seen));
    database.set_trace(Some(Box::new(move |_| {
        result.set(Some(inner.close().unwrap_err().code()));
        ControlFlow::Continue(())
    })));
    assert_eq!(integer(&database, "SELECT 1"), 1);
    assert_eq!(seen.take(), Some("STRONGROOM_BUSY"));
    database.set_trace(None);
    database.close().unwrap();
}

#[test]
fn an_open_transaction_is_rolled_back() {
    let scratch = Scratch::new();
    let database = scratch.open();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    database.execute_batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
    assert!(database.in_transaction());
    database.close().unwrap();
    assert_eq!(integer(&scratch.open(), "SELECT count(*) FROM t"), 0);
}

#[test]
fn a_transaction_that_outlives_its_database_does_nothing() {
    let database = memory();
    let outer = database.transaction(Behavior::Immediate).unwrap();
    let inner = database.transaction(Behavior::Deferred).unwrap();
    database.close().unwrap();
    inner.rollback().unwrap();
    assert_eq!(outer.commit().unwrap_err(), SqlError::Closed);
}

#[test]
fn closing_leaves_the_statements_of_virtual_tables_to_their_modules() {
    // FTS5 prepares statements on the connection and finalizes them itself.
    let database = memory();
    database
        .execute_batch("CREATE VIRTUAL TABLE f USING fts5 (a); INSERT INTO f VALUES ('some words')")
        .unwrap();
    let mut statement = database.prepare("SELECT a FROM f WHERE f MATCH 'words'").unwrap();
    statement.step().unwrap();
    database.close().unwrap();
    assert_eq!(statement.step().unwrap_err(), SqlError::Closed);
}

#[test]
fn dropping_the_last_handle_or_statement_closes_the_connection() {
    let scratch = Scratch::new();
    let database = scratch.open();
    rows(&database, "PRAGMA journal_mode = wal", &[]).unwrap();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let log = scratch.folder().join("test.db-wal");
    let mut statement = database.prepare("SELECT count(*) FROM t").unwrap();
    drop(database);
    assert!(log.exists());
    assert_eq!(statement.step().unwrap().unwrap().value(0), Value::Integer(0));
    drop(statement);
    assert!(!log.exists(), "the connection is still open");
}
