//! Tests SQL functions that the caller implements.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::slice;

use strongroom_database::{
    Arguments, CallbackError, CallbackPanic, Database, FunctionOptions, OwnedValue, SqlError, Value,
};

use crate::scratch::{Owned, integer, memory, text, value};

/// An error of the caller, identified by its number.
#[derive(Debug, PartialEq)]
struct Refused(i64);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

fn one() -> FunctionOptions {
    FunctionOptions { arguments: Some(1), ..FunctionOptions::default() }
}

fn echo(arguments: &Arguments<'_>) -> Result<OwnedValue, CallbackError> {
    Ok(arguments.value(0).into())
}

fn caller_error(error: &SqlError) -> &Refused {
    let SqlError::Callback { source } = error else { panic!("{error:?}") };
    source.downcast_ref().unwrap()
}

#[test]
fn every_type_works_as_an_argument_and_as_a_result() {
    let database = memory();
    database.create_function("echo", &one(), echo).unwrap();
    let values = [
        Owned::Null,
        Owned::Integer(i64::MIN),
        Owned::Real(-0.5),
        text(""),
        text("z\u{fc}\0rich"),
        Owned::Blob(vec![]),
        Owned::Blob(vec![0, 255]),
    ];
    for given in values {
        assert_eq!(value(&database, "SELECT echo(?)", slice::from_ref(&given)).unwrap(), given);
    }
    let utf16 = memory();
    utf16
        .execute_batch("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a); INSERT INTO t VALUES ('z\u{fc}rich')")
        .unwrap();
    utf16.create_function("echo", &one(), echo).unwrap();
    assert_eq!(value(&utf16, "SELECT echo(a) FROM t", &[]).unwrap(), text("z\u{fc}rich"));
}

#[test]
fn functions_with_the_same_name_may_differ_in_their_number_of_arguments() {
    let database = memory();
    for count in [0, 2] {
        let options = FunctionOptions { arguments: Some(count), ..FunctionOptions::default() };
        database.create_function("f", &options, move |_| Ok(OwnedValue::Integer(count.into()))).unwrap();
    }
    let any = FunctionOptions::default();
    let count = |arguments: &Arguments<'_>| Ok(OwnedValue::Integer(100 + arguments.len() as i64));
    database.create_function("f", &any, count).unwrap();
    let calls = ["f()", "F(1, 2)", "f(1, 2, 3)", "f(1)"];
    assert_eq!(calls.map(|sql| integer(&database, &format!("SELECT {sql}"))), [0, 2, 103, 101]);
    database.create_function("na\"me; \u{fc}", &one(), echo).unwrap();
    assert_eq!(integer(&database, "SELECT \"na\"\"me; \u{fc}\"(7)"), 7);
}

#[test]
fn an_error_of_a_function_is_returned_unchanged() {
    let database = memory();
    database
        .create_function("refuse", &one(), |arguments| match arguments.value(0) {
            Value::Integer(number) => Err(CallbackError::new(Refused(number))),
            _ => Ok(OwnedValue::Null),
        })
        .unwrap();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    for sql in ["SELECT refuse(3)", "INSERT INTO t VALUES (refuse(3))"] {
        let error = value(&database, sql, &[]).unwrap_err();
        assert_eq!((caller_error(&error), error.code()), (&Refused(3), "SQLITE_ERROR"));
        assert_eq!(*caller_error(&database.execute_batch(sql).unwrap_err()), Refused(3));
    }
    // The next failing statement reports its own error.
    let error = value(&database, "SELECT * FROM missing", &[]).unwrap_err();
    assert!(matches!(&error, SqlError::Sqlite { .. }), "{error:?}");
    assert_eq!(integer(&database, "SELECT 1"), 1);
}

#[test]
fn an_error_message_may_be_empty_or_contain_a_nul() {
    let database = memory();
    for message in ["", "a\0b"] {
        database.create_function("fail", &one(), move |_| Err(CallbackError::new(message))).unwrap();
        let error = value(&database, "SELECT fail(1)", &[]).unwrap_err();
        assert!(matches!(&error, SqlError::Callback { .. }), "{error:?}");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_panic_is_an_error() {
    let database = memory();
    database.create_function("panic", &one(), |_| panic!("the roof is on fire")).unwrap();
    let error = value(&database, "SELECT panic(1)", &[]).unwrap_err();
    let SqlError::Callback { source } = &error else { panic!("{error:?}") };
    assert_eq!(source.downcast_ref::<CallbackPanic>().unwrap().message, "the roof is on fire");
    assert_eq!(integer(&database, "SELECT 1"), 1);
}

#[test]
fn a_function_can_run_statements_and_recurse_but_not_close_its_database() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").unwrap();
    let inner = database.clone();
    database
        .create_function("factorial", &one(), move |arguments| {
            let Value::Integer(number) = arguments.value(0) else { return Ok(OwnedValue::Null) };
            assert_eq!(inner.close().unwrap_err(), SqlError::Busy);
            assert_eq!(inner.create_function("factorial", &one(), echo).unwrap_err(), SqlError::Busy);
            let below = match number {
                0 => return Ok(OwnedValue::Integer(1)),
                number => integer(&inner, &format!("SELECT factorial({})", number - 1)),
            };
            Ok(OwnedValue::Integer(number * below))
        })
        .unwrap();
    assert_eq!(integer(&database, "SELECT factorial(10)"), 3_628_800);
    assert_eq!(integer(&database, "SELECT sum(factorial(a)) FROM t"), 3);
    database.close().unwrap();
    assert_eq!(database.create_function("f", &one(), echo).unwrap_err(), SqlError::Closed);
}

#[test]
fn replacing_a_function_or_closing_its_database_drops_the_function() {
    let (database, token) = (memory(), Rc::new(()));
    let create = |database: &Database| {
        let token = Rc::clone(&token);
        database.create_function("f", &one(), move |_| {
            let _ = &token;
            Ok(OwnedValue::Null)
        })
    };
    create(&database).unwrap();
    create(&database).unwrap();
    assert_eq!(Rc::strong_count(&token), 2);
    let mut select = database.prepare("SELECT f(1) UNION ALL SELECT 2").unwrap();
    select.step().unwrap();
    assert_eq!(create(&database).unwrap_err().code(), "SQLITE_BUSY");
    assert_eq!(Rc::strong_count(&token), 2);
    drop(select);
    let too_long = "f".repeat(256);
    let error = database.create_function(&too_long, &one(), echo).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "SQLITE_MISUSE",
            "the function's name has 256 bytes: use a name of at most 255 bytes, SQLite's limit"
        )
    );
    assert_eq!(database.create_function("a\0b", &one(), echo).unwrap_err(), SqlError::NulInSql { offset: 1 });
    database.close().unwrap();
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn a_panic_in_a_destructor_does_not_reach_sqlite() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let (database, bomb) = (memory(), Bomb);
    database
        .create_function("f", &one(), move |_| {
            let _ = &bomb;
            Ok(OwnedValue::Null)
        })
        .unwrap();
    database.close().unwrap();
}

#[test]
fn the_schema_can_call_a_function_unless_it_is_direct_only() {
    let database = memory();
    let double = |arguments: &Arguments<'_>| match arguments.value(0) {
        Value::Integer(number) => Ok(OwnedValue::Integer(2 * number)),
        _ => Ok(OwnedValue::Null),
    };
    let pure = FunctionOptions { deterministic: true, ..one() };
    database.create_function("double", &pure, double).unwrap();
    database.create_function("direct", &FunctionOptions { direct_only: true, ..pure }, double).unwrap();
    database.create_function("varies", &one(), double).unwrap();
    database
        .execute_batch(
            "CREATE TABLE t (a CHECK (double(a) < 10)); CREATE INDEX i ON t (double(a));
             CREATE TABLE log (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (double(new.a)); END;
             CREATE VIEW v AS SELECT direct(1) AS a; INSERT INTO t VALUES (3)",
        )
        .unwrap();
    assert_eq!(integer(&database, "SELECT a FROM log"), 6);
    assert_eq!(integer(&database, "SELECT a FROM t WHERE double(a) = 6"), 3);
    assert_eq!(
        database.execute_batch("INSERT INTO t VALUES (5)").unwrap_err().code(),
        "SQLITE_CONSTRAINT_CHECK"
    );
    let error = value(&database, "SELECT a FROM v", &[]).unwrap_err();
    assert!(error.to_string().contains("unsafe use of direct"), "{error}");
    assert_eq!(integer(&database, "SELECT direct(1)"), 2);
    let error = database.execute_batch("CREATE INDEX j ON t (varies(a))").unwrap_err();
    assert!(error.to_string().contains("non-deterministic"), "{error}");
}

#[test]
fn earlier_statements_use_the_new_function_after_a_replacement() {
    let database = memory();
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    database
        .create_function("f", &one(), move |_| {
            counted.set(counted.get() + 1);
            Ok(OwnedValue::Integer(1))
        })
        .unwrap();
    let mut select = database.prepare("SELECT f(0)").unwrap();
    assert_eq!(select.step().unwrap().unwrap().value(0), Value::Integer(1));
    select.reset();
    database.create_function("f", &one(), |_| Ok(OwnedValue::Integer(2))).unwrap();
    assert_eq!(select.step().unwrap().unwrap().value(0), Value::Integer(2));
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_result_over_the_limit_is_an_error() {
    let database = memory();
    database.create_function("big", &one(), |_| Ok(OwnedValue::Blob(vec![0; 1_000_000_001]))).unwrap();
    assert_eq!(value(&database, "SELECT length(big(1))", &[]).unwrap_err().code(), "SQLITE_TOOBIG");
}
