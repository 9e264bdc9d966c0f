//! Tests aggregates and window functions that the caller implements.

use std::cell::Cell;
use std::rc::Rc;

use strongroom_database::{
    Accumulator, Arguments, CallbackError, CallbackPanic, Database, FunctionOptions, OwnedValue, SqlError,
    Value,
};

use crate::scratch::{Owned, integer, memory, rows, value};

/// Adds numbers. Fails at the number [`FAILS`] and panics at the number [`PANICS`].
struct Sum {
    total: i64,
    /// A reference for each live accumulator.
    _token: Rc<()>,
    asked: Rc<Cell<u32>>,
}

const FAILS: i64 = 13;
const PANICS: i64 = 14;

impl Accumulator for Sum {
    fn step(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        match arguments.value(0) {
            Value::Integer(FAILS) => return Err(CallbackError::new("thirteen")),
            Value::Integer(PANICS) => panic!("fourteen"),
            Value::Integer(number) => self.total += number,
            _ => {}
        }
        Ok(())
    }

    fn inverse(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        if let Value::Integer(number) = arguments.value(0) {
            self.total -= number;
        }
        Ok(())
    }

    fn value(&mut self) -> Result<OwnedValue, CallbackError> {
        self.asked.set(self.asked.get() + 1);
        Ok(OwnedValue::Integer(self.total))
    }
}

/// A database with the aggregates `plain` and `windowed`, and two counters: live accumulators and calls to `value`.
struct Setup {
    database: Database,
    token: Rc<()>,
    asked: Rc<Cell<u32>>,
}

fn setup() -> Setup {
    let setup = Setup { database: memory(), token: Rc::default(), asked: Rc::default() };
    let options = FunctionOptions { arguments: Some(1), ..FunctionOptions::default() };
    let start = || {
        let (token, asked) = (Rc::clone(&setup.token), Rc::clone(&setup.asked));
        move || {
            let sum = Sum { total: 0, _token: Rc::clone(&token), asked: Rc::clone(&asked) };
            Ok(Box::new(sum) as Box<dyn Accumulator>)
        }
    };
    setup.database.create_aggregate("plain", &options, start()).unwrap();
    setup.database.create_window_function("windowed", &options, start()).unwrap();
    setup.database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (4), (8)").unwrap();
    setup
}

impl Setup {
    /// Returns the number of live accumulators. `Setup` and the two aggregates hold one reference each.
    fn alive(&self) -> usize {
        Rc::strong_count(&self.token) - 3
    }
}

#[test]
fn each_group_and_each_window_has_an_accumulator() {
    let setup = setup();
    let database = &setup.database;
    assert_eq!(integer(database, "SELECT plain(a) FROM t"), 15);
    assert_eq!(integer(database, "SELECT plain(a) FROM t WHERE a > 100"), 0);
    let groups = rows(database, "SELECT windowed(a) FROM t GROUP BY a > 2", &[]).unwrap();
    assert_eq!(groups, [[Owned::Integer(3)], [Owned::Integer(12)]]);
    setup.asked.set(0);
    let frame = "OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)";
    let windows = rows(database, &format!("SELECT windowed(a) {frame} FROM t"), &[]).unwrap();
    assert_eq!(windows, [1, 3, 6, 12].map(|sum| [Owned::Integer(sum)]));
    assert_eq!((setup.asked.get(), setup.alive()), (4, 0));
    assert!(rows(database, &format!("SELECT plain(a) {frame} FROM t"), &[]).is_err());
}

#[test]
fn an_error_or_a_panic_ends_the_statement_and_frees_every_group() {
    let setup = setup();
    let database = &setup.database;
    for (number, message) in [(FAILS, "thirteen"), (PANICS, "a callback panicked: fourteen")] {
        database
            .execute_batch(&format!("DELETE FROM t WHERE a > 8; INSERT INTO t VALUES ({number}), (99)"))
            .unwrap();
        for sql in [
            "SELECT plain(a) FROM t",
            "SELECT plain(a), windowed(a) FROM t",
            "SELECT windowed(a) OVER (ORDER BY a) FROM t",
            "SELECT windowed(a) OVER (PARTITION BY a % 2) FROM t",
        ] {
            let error = value(database, &format!("SELECT * FROM ({sql})"), &[])
                .and_then(|_| rows(database, sql, &[]))
                .unwrap_err();
            let SqlError::Callback { source } = &error else { panic!("{sql}: {error:?}") };
            assert_eq!(source.to_string(), message);
            assert_eq!(source.downcast_ref::<CallbackPanic>().is_some(), number == PANICS);
            assert_eq!(setup.alive(), 0);
        }
    }
    assert_eq!(integer(database, "SELECT plain(a) FROM t WHERE a < 9"), 15);
}

#[test]
fn a_group_that_fails_to_start_gets_no_further_calls() {
    let database = memory();
    let started = Rc::new(Cell::new(0));
    let count = Rc::clone(&started);
    let start = move || {
        count.set(count.get() + 1);
        Err(CallbackError::new("not today"))
    };
    database.create_aggregate("never", &FunctionOptions::default(), start).unwrap();
    for sql in ["SELECT never() FROM (VALUES (1), (2))", "SELECT never() WHERE 0"] {
        let error = value(&database, sql, &[]).unwrap_err();
        assert!(matches!(&error, SqlError::Callback { .. }), "{error:?}");
    }
    assert_eq!(started.get(), 2);
}

#[test]
fn closing_frees_the_windows_of_an_unfinished_statement() {
    let setup = setup();
    let mut select = setup.database.prepare("SELECT windowed(a) OVER (ORDER BY a) FROM t").unwrap();
    assert_eq!(select.step().unwrap().unwrap().value(0), Value::Integer(1));
    assert_eq!(setup.alive(), 1);
    setup.database.close().unwrap();
    // Closing also drops both aggregates.
    assert_eq!(Rc::strong_count(&setup.token), 1);
    assert_eq!(select.step().unwrap_err(), SqlError::Closed);
}
