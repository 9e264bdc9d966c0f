//! Tests interrupting statements.

use std::sync::mpsc;
use std::thread;

use strongroom_database::{Database, FunctionOptions, Interrupter, OwnedValue, SqlError};

use crate::scratch::{Owned, Scratch, integer, memory, rows, text, value};

/// A query without an end.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Adds the SQL function `interrupt()`, which returns its argument.
fn add_function(database: &Database) -> Interrupter {
    let interrupter = database.interrupter();
    let options = FunctionOptions { arguments: Some(1), ..FunctionOptions::default() };
    let inner = interrupter.clone();
    let function = move |arguments: &strongroom_database::Arguments<'_>| {
        inner.interrupt();
        Ok(OwnedValue::from(arguments.value(0)))
    };
    database.create_function("interrupt", &options, function).unwrap();
    interrupter
}

#[test]
fn another_thread_ends_a_query() {
    let (sender, receiver) = mpsc::channel();
    let query = thread::spawn(move || {
        let database = memory();
        sender.send(database.interrupter()).unwrap();
        let ended = value(&database, ENDLESS, &[]).unwrap_err();
        database.interrupter().clear();
        (ended.code(), ended.to_string(), value(&database, "SELECT 1", &[]).unwrap())
    });
    receiver.recv().unwrap().interrupt();
    assert_eq!(query.join().unwrap(), ("SQLITE_INTERRUPT", "interrupted".to_owned(), Owned::Integer(1)));
}

#[test]
fn every_statement_is_interrupted_until_the_interrupt_is_cleared() {
    let database = memory();
    let interrupter = database.interrupter();
    interrupter.interrupt();
    assert!(interrupter.is_interrupted());
    for _ in 0..2 {
        assert_eq!(database.execute_batch(ENDLESS).unwrap_err().code(), "SQLITE_INTERRUPT");
    }
    interrupter.clear();
    assert!(!interrupter.is_interrupted());
    assert_eq!(integer(&database, "SELECT 2"), 2);
}

#[test]
fn a_connection_has_one_interrupter() {
    let database = memory();
    let (first, second) = (database.interrupter(), database.interrupter());
    first.interrupt();
    assert!(second.is_interrupted());
    let other = memory();
    assert!(!other.interrupter().is_interrupted());
    assert_eq!(integer(&other, "SELECT 3"), 3);
}

/// `sqlite3_interrupt` would also end the statement that is on a row.
#[test]
fn a_statement_that_is_on_a_row_goes_on() {
    let database = memory();
    let interrupter = add_function(&database);
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)").unwrap();
    let mut open = database.prepare("SELECT a FROM t ORDER BY a").unwrap();
    assert!(open.step().unwrap().is_some());
    let ended = value(&database, &format!("SELECT interrupt(0), ({ENDLESS})"), &[]).unwrap_err();
    assert_eq!(ended.code(), "SQLITE_INTERRUPT");
    interrupter.clear();
    let mut rest = Vec::new();
    while let Some(row) = open.step().unwrap() {
        rest.push(Owned::from(row.value(0)));
    }
    assert_eq!(rest, [Owned::Integer(2), Owned::Integer(3)]);
}

/// SQLite also asks its progress handler when a statement has ended. The handler then interrupted a statement whose
/// changes were committed, so that the statement failed and had taken effect all the same.
#[test]
fn a_statement_fails_or_takes_effect() {
    let database = memory();
    let interrupter = add_function(&database);
    database.execute_batch("CREATE TABLE t (a); CREATE TABLE n (i INTEGER PRIMARY KEY)").unwrap();
    let (mut failed, mut ended) = (0, 0);
    // Each number of rows ends the statement at another distance from SQLite's last look.
    for count in 1..=1_000 {
        database.execute_batch(&format!("INSERT INTO n VALUES ({count})")).unwrap();
        let insert = "INSERT INTO t SELECT CASE i WHEN ?1 THEN interrupt(i) ELSE i END FROM n";
        let run = rows(&database, insert, &[Owned::Integer(count)]);
        interrupter.clear();
        let stored = integer(&database, "SELECT count(*) FROM t");
        match run {
            Ok(_) => {
                ended += 1;
                assert_eq!(stored, count);
            }
            Err(error) => {
                failed += 1;
                assert_eq!(error.code(), "SQLITE_INTERRUPT");
                assert_eq!(stored, 0, "the statement of {count} rows failed and took effect");
            }
        }
        database.execute_batch("DELETE FROM t").unwrap();
    }
    assert!(failed > 0 && ended > 0, "{failed} failed, {ended} ended");
}

/// Source: SQLite's documentation of `sqlite3_interrupt`.
#[test]
fn an_interrupted_write_rolls_its_transaction_back_and_an_interrupted_query_does_not() {
    let scratch = Scratch::new();
    let database = scratch.open();
    let interrupter = add_function(&database);
    database.execute_batch("CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    let query = format!("SELECT interrupt(0), ({ENDLESS})");
    assert_eq!(database.execute_batch(&query).unwrap_err().code(), "SQLITE_INTERRUPT");
    interrupter.clear();
    assert!(database.in_transaction());
    let insert = format!("INSERT INTO t {query}").replace("(0),", "(0) +");
    assert_eq!(database.execute_batch(&insert).unwrap_err().code(), "SQLITE_INTERRUPT");
    interrupter.clear();
    assert!(!database.in_transaction());
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 0);
}

#[test]
fn parsing_is_interrupted_too() {
    let database = memory();
    let interrupter = database.interrupter();
    // SQLite looks each time that it makes a name of a column unique.
    let names = format!("SELECT 1 FROM (SELECT {})", vec!["1 AS a"; 1_500].join(", "));
    interrupter.interrupt();
    let parsed = database.prepare(&names).map(drop);
    assert_eq!(parsed.map_err(|error| error.code()), Err("SQLITE_INTERRUPT"));
    interrupter.clear();
    assert!(database.prepare(&names).is_ok());
}

#[test]
fn a_closed_database_ignores_interrupts() {
    let database = memory();
    let before = database.interrupter();
    database.close().unwrap();
    before.interrupt();
    let after = database.interrupter();
    after.interrupt();
    assert_eq!(database.execute_batch("SELECT 1").unwrap_err(), SqlError::Closed);
    assert_eq!(format!("{before:?}"), "Interrupter { interrupted: true, .. }");
}

#[test]
fn a_long_chain_of_rows_is_interrupted_between_its_steps() {
    let database = memory();
    let interrupter = database.interrupter();
    let sql = ENDLESS.replace("count(*)", "'row'");
    let mut statement = database.prepare(&sql).unwrap();
    assert_eq!(statement.step().unwrap().map(|row| Owned::from(row.value(0))), Some(text("row")));
    interrupter.interrupt();
    // Each row takes a few steps of the virtual machine, of which 1,000 lie between two looks.
    let ended = (0..1_000).find_map(|_| statement.step().err());
    assert_eq!(ended.unwrap().code(), "SQLITE_INTERRUPT");
    interrupter.clear();
    assert!(statement.step().unwrap().is_some(), "the statement runs again from its start");
}

/// No statement of the batch takes 1,000 steps.
#[test]
fn an_interrupt_takes_effect_between_two_statements_of_a_batch() {
    let database = memory();
    let interrupter = add_function(&database);
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let batch = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (interrupt(2)); INSERT INTO t VALUES (3)";
    assert_eq!(database.execute_batch(batch).unwrap_err().code(), "SQLITE_INTERRUPT");
    interrupter.clear();
    assert_eq!(integer(&database, "SELECT max(a) FROM t"), 2);
}
