//! Tests virtual tables that the caller implements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::slice;

use strongroom_database::{
    CallbackError, CallbackPanic, Database, MAX_TABLE_PARAMETERS, Module, ModuleKind, OwnedValue, Rows,
    SqlError, TableDefinition, TableRequest, Value, VirtualTable,
};

use crate::scratch::{Owned, Scratch, integer, memory, rows, text, value};

/// Counts from the parameter `start` without end. Fails at 13 and panics at 14.
struct Numbers {
    definition: Definition,
    requests: Rc<RefCell<Vec<TableRequest>>>,
    alive: Rc<Cell<usize>>,
}

#[derive(Clone)]
struct Definition {
    columns: Vec<String>,
    parameters: Vec<String>,
    direct_only: bool,
}

struct Table(Rc<Cell<usize>>);

struct Scan {
    next: i64,
    alive: Rc<Cell<usize>>,
}

impl Numbers {
    fn new() -> Self {
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let definition = Definition {
            columns: strings(&["number", "double \"it\""]),
            parameters: strings(&["start", "unused"]),
            direct_only: false,
        };
        Self { definition, requests: Rc::default(), alive: Rc::default() }
    }
}

impl Module for Numbers {
    fn connect(&self, request: &TableRequest) -> Result<TableDefinition, CallbackError> {
        if request.arguments.iter().any(|argument| argument == "fail") {
            return Err(CallbackError::new("refused"));
        }
        self.requests.borrow_mut().push(request.clone());
        let Definition { columns, parameters, direct_only } = self.definition.clone();
        Ok(TableDefinition {
            columns,
            parameters,
            direct_only,
            table: Box::new(Table(Rc::clone(&self.alive))),
        })
    }
}

impl VirtualTable for Table {
    fn rows(&self, parameters: &[Option<Value<'_>>]) -> Result<Box<dyn Rows>, CallbackError> {
        let start = match parameters.first() {
            Some(Some(Value::Integer(start))) => *start,
            Some(None) | None => 0,
            Some(Some(_)) => return Err(CallbackError::new("the start must be an integer")),
        };
        self.0.set(self.0.get() + 1);
        Ok(Box::new(Scan { next: start, alive: Rc::clone(&self.0) }))
    }
}

impl Rows for Scan {
    fn next(&mut self) -> Result<bool, CallbackError> {
        self.next += 1;
        match self.next - 1 {
            13 => Err(CallbackError::new("thirteen")),
            14 => panic!("fourteen"),
            number => Ok(number < 20),
        }
    }

    fn column(&self, column: usize) -> Result<OwnedValue, CallbackError> {
        match (column, self.next - 1) {
            (_, 10) => Err(CallbackError::new("ten")),
            (0, number) => Ok(OwnedValue::Integer(number)),
            (_, number) => Ok(OwnedValue::Text(format!("{}", 2 * number))),
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

fn setup() -> (Database, Rc<Cell<usize>>) {
    let (database, numbers) = (memory(), Numbers::new());
    let alive = Rc::clone(&numbers.alive);
    database.create_module("numbers", ModuleKind::Eponymous, numbers).unwrap();
    (database, alive)
}

fn integers(database: &Database, sql: &str) -> Vec<i64> {
    let first = |row: Vec<Owned>| match row.into_iter().next() {
        Some(Owned::Integer(number)) => number,
        other => panic!("{other:?}"),
    };
    rows(database, sql, &[]).unwrap().into_iter().map(first).collect()
}

#[test]
fn a_table_has_rows_parameters_and_rowids() {
    let (database, alive) = setup();
    assert_eq!(integers(&database, "SELECT number FROM numbers LIMIT 3"), [0, 1, 2]);
    assert_eq!(integers(&database, "SELECT number FROM numbers(15)"), [15, 16, 17, 18, 19]);
    assert_eq!(integers(&database, "SELECT rowid FROM numbers WHERE start = 18"), [1, 2]);
    assert_eq!(integers(&database, "SELECT start FROM numbers(18)"), [18, 18]);
    assert!(integers(&database, "SELECT number FROM numbers(NULL)").is_empty());
    let sql = "SELECT \"double \"\"it\"\"\", unused FROM numbers(19)";
    assert_eq!(rows(&database, sql, &[]).unwrap(), [[text("38"), Owned::Null]]);
    let sql = "SELECT a.number * 100 + b.number FROM numbers(18) AS a, numbers(a.number) AS b";
    assert_eq!(integers(&database, sql), [1818, 1819, 1919]);
    assert_eq!(alive.get(), 0);
    let error = database.execute_batch("SELECT number FROM numbers WHERE start > 1").unwrap_err();
    assert!(error.to_string().contains("\"start\" can only be constrained"), "{error}");
    assert_eq!(database.execute_batch("DELETE FROM numbers").unwrap_err().code(), "SQLITE_ERROR");
    assert_eq!(
        database.execute_batch("CREATE VIRTUAL TABLE t USING numbers").unwrap_err().code(),
        "SQLITE_ERROR"
    );
}

#[test]
fn an_error_of_a_table_is_returned_unchanged_and_ends_the_rows() {
    let (database, alive) = setup();
    for (sql, message) in [
        ("SELECT number FROM numbers('x')", "the start must be an integer"),
        ("SELECT number FROM numbers(13)", "thirteen"),
        ("SELECT number FROM numbers(12)", "thirteen"),
        ("SELECT number FROM numbers(10)", "ten"),
        ("SELECT number FROM numbers(14)", "a callback panicked: fourteen"),
    ] {
        let error = rows(&database, sql, &[]).unwrap_err();
        let SqlError::Callback { source } = &error else { panic!("{sql}: {error:?}") };
        assert_eq!((source.to_string().as_str(), error.code()), (message, "SQLITE_ERROR"));
        assert_eq!(source.downcast_ref::<CallbackPanic>().is_some(), message.contains("panicked"));
        assert_eq!(alive.get(), 0, "{sql}");
    }
    assert_eq!(integer(&database, "SELECT count(*) FROM numbers(15)"), 5);
}

#[test]
fn ending_a_statement_drops_its_rows() {
    let (database, alive) = setup();
    let mut select = database.prepare("SELECT number FROM numbers").unwrap();
    select.step().unwrap();
    assert_eq!(alive.get(), 1);
    select.reset();
    assert_eq!(alive.get(), 0);
    select.step().unwrap();
    drop(select);
    assert_eq!(alive.get(), 0);
    let mut select = database.prepare("SELECT number FROM numbers").unwrap();
    select.step().unwrap();
    database.close().unwrap();
    assert_eq!(alive.get(), 0);
    assert_eq!(select.step().unwrap_err(), SqlError::Closed);
}

#[test]
fn a_module_serves_the_tables_that_a_file_declares() {
    let scratch = Scratch::new();
    let requests = || {
        let numbers = Numbers::new();
        let requests = Rc::clone(&numbers.requests);
        let database = scratch.open();
        database.create_module("numbers", ModuleKind::Created, numbers).unwrap();
        (database, requests)
    };
    let (database, first) = requests();
    assert!(database.execute_batch("SELECT * FROM numbers").is_err());
    database.execute_batch("CREATE VIRTUAL TABLE \"my table\" USING numbers(a b, 'c')").unwrap();
    let error = database.execute_batch("CREATE VIRTUAL TABLE t USING numbers(fail)").unwrap_err();
    assert!(matches!(&error, SqlError::Callback { source } if source.to_string() == "refused"), "{error:?}");
    let expected = TableRequest {
        module: "numbers".to_owned(),
        database: "main".to_owned(),
        table: "my table".to_owned(),
        arguments: vec!["a b".to_owned(), "'c'".to_owned()],
    };
    assert_eq!(first.borrow().as_slice(), slice::from_ref(&expected));
    database.close().unwrap();
    let (database, second) = requests();
    assert_eq!(integer(&database, "SELECT number FROM \"my table\"(19)"), 19);
    assert_eq!(second.borrow().as_slice(), [expected]);
    drop(database);
    let without = scratch.open();
    let error = value(&without, "SELECT * FROM \"my table\"", &[]).unwrap_err();
    assert_eq!(error.to_string(), "no such module: numbers");
}

#[test]
fn an_invalid_table_definition_is_an_error() {
    let many: Vec<String> = (0..=MAX_TABLE_PARAMETERS).map(|number| format!("p{number}")).collect();
    let valid = Numbers::new().definition;
    let twice = vec!["a".to_owned(), "A".to_owned()];
    for (definition, message) in [
        (Definition { parameters: many.clone(), ..valid.clone() }, "more than 32 parameters"),
        (Definition { columns: twice, ..valid }, "duplicate column name: A"),
    ] {
        let database = memory();
        let numbers = Numbers { definition, ..Numbers::new() };
        database.create_module("numbers", ModuleKind::Eponymous, numbers).unwrap();
        let error = database.prepare("SELECT * FROM numbers").unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let (database, mut numbers) = (memory(), Numbers::new());
    numbers.definition.parameters = many[..MAX_TABLE_PARAMETERS].to_vec();
    database.create_module("numbers", ModuleKind::Eponymous, numbers).unwrap();
    assert_eq!(integer(&database, "SELECT p31 FROM numbers WHERE p31 = 5 AND p0 = 18"), 5);
}

#[test]
fn a_view_can_read_a_table_unless_it_is_direct_only() {
    let (database, _) = setup();
    database.execute_batch("CREATE VIEW v AS SELECT number FROM numbers(19)").unwrap();
    assert_eq!(integer(&database, "SELECT number FROM v"), 19);
    let mut numbers = Numbers::new();
    numbers.definition.direct_only = true;
    database.create_module("numbers", ModuleKind::Eponymous, numbers).unwrap();
    assert_eq!(integer(&database, "SELECT number FROM numbers(19)"), 19);
    let error = value(&database, "SELECT number FROM v", &[]).unwrap_err();
    assert!(error.to_string().contains("unsafe use of virtual table"), "{error}");
}

/// Uses its own database while SQLite connects the table, in the middle of a parse.
struct Reckless(RefCell<Option<Database>>);

impl Module for Reckless {
    fn connect(&self, _: &TableRequest) -> Result<TableDefinition, CallbackError> {
        let database = self.0.borrow_mut().take();
        let database = database.ok_or_else(|| CallbackError::new("connected before"))?;
        for error in [
            database.execute_batch("DROP TABLE t").unwrap_err(),
            database.prepare("SELECT 1").map(|_| ()).unwrap_err(),
            database.create_module("reckless", ModuleKind::Created, Numbers::new()).unwrap_err(),
            database.close().unwrap_err(),
        ] {
            assert_eq!(error, SqlError::Busy);
        }
        Err(CallbackError::new("all refused"))
    }
}

#[test]
fn a_module_cannot_use_its_database_while_a_table_connects() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    for (kind, sql) in [
        (ModuleKind::Created, "CREATE VIRTUAL TABLE u USING reckless"),
        (ModuleKind::Eponymous, "SELECT * FROM reckless"),
    ] {
        let module = Reckless(RefCell::new(Some(database.clone())));
        database.create_module("reckless", kind, module).unwrap();
        let error = database.execute_batch(sql).unwrap_err();
        assert!(matches!(&error, SqlError::Callback { .. }), "{error:?}");
        assert_eq!(error.to_string(), "all refused");
    }
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 0);
}

/// Tries to close the database when a statement drops its rows.
struct Closing {
    database: Database,
    closed: Rc<RefCell<Vec<Result<(), SqlError>>>>,
}

impl Module for Closing {
    fn connect(&self, _: &TableRequest) -> Result<TableDefinition, CallbackError> {
        let Definition { columns, parameters, direct_only } = Numbers::new().definition;
        let table = Closing { database: self.database.clone(), closed: Rc::clone(&self.closed) };
        Ok(TableDefinition { columns, parameters, direct_only, table: Box::new(table) })
    }
}

impl VirtualTable for Closing {
    fn rows(&self, _: &[Option<Value<'_>>]) -> Result<Box<dyn Rows>, CallbackError> {
        Ok(Box::new(ClosingRows(self.database.clone(), Rc::clone(&self.closed))))
    }
}

struct ClosingRows(Database, Rc<RefCell<Vec<Result<(), SqlError>>>>);

impl Rows for ClosingRows {
    fn next(&mut self) -> Result<bool, CallbackError> {
        Ok(true)
    }

    fn column(&self, _: usize) -> Result<OwnedValue, CallbackError> {
        Ok(OwnedValue::Null)
    }
}

impl Drop for ClosingRows {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0.close());
    }
}

#[test]
fn dropped_rows_cannot_close_the_database() {
    let (database, closed) = (memory(), Rc::default());
    let module = Closing { database: database.clone(), closed: Rc::clone(&closed) };
    database.create_module("closing", ModuleKind::Eponymous, module).unwrap();
    let sql = "SELECT number FROM closing";
    database.execute_batch(&format!("{sql} LIMIT 1")).unwrap();
    let mut reset = database.prepare(sql).unwrap();
    reset.step().unwrap();
    reset.reset();
    // The cache does not keep a statement that was prepared for an older schema. Dropping such a statement finalizes
    // it.
    let mut finalized = database.prepare("SELECT number FROM closing AS c").unwrap();
    finalized.step().unwrap();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(finalized);
    assert_eq!(closed.borrow().as_slice(), [Err(SqlError::Busy), Err(SqlError::Busy), Err(SqlError::Busy)]);
    reset.step().unwrap();
    database.close().unwrap();
    assert_eq!(closed.borrow().last(), Some(&Ok(())));
}
