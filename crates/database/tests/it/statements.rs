//! Tests statements: preparation, parameters, rows, and the cache.

use std::slice;

use strongroom_database::{SqlError, Value};

use crate::scratch::{Owned, integer, memory, rows, text, value};

fn code_of(sql: &str) -> &'static str {
    memory().prepare(sql).unwrap_err().code()
}

#[test]
fn prepare_takes_exactly_one_statement() {
    for sql in ["SELECT 1", "SELECT 1;", " ;; SELECT 1 ;; -- done", "/* a */ SELECT 1 /* b", "SELECT ';'"] {
        assert_eq!(value(&memory(), sql, &[]).map(|_| ()), Ok(()), "{sql}");
    }
    for sql in ["", " \n", ";", "-- nothing", "/* nothing", ";;"] {
        assert_eq!(code_of(sql), "STRONGROOM_NO_STATEMENT", "{sql}");
    }
    for sql in ["SELECT 1; SELECT 2", "SELECT 1;;x", "SELECT 1; -- a\n SELECT 2", "; SELECT 1; )"] {
        assert_eq!(code_of(sql), "STRONGROOM_MULTIPLE_STATEMENTS", "{sql}");
    }
    let trigger = "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 1; END;";
    let database = memory();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    rows(&database, trigger, &[]).unwrap();
}

#[test]
fn a_nul_in_sql_is_an_error() {
    let database = memory();
    let sql = "SELECT 1\0; DROP TABLE t";
    assert_eq!(database.prepare(sql).unwrap_err(), SqlError::NulInSql { offset: 8 });
    assert_eq!(database.execute_batch(sql).unwrap_err(), SqlError::NulInSql { offset: 8 });
}

#[test]
fn errors_of_sqlite_keep_their_codes() {
    let database = memory();
    database
        .execute_batch(
            "CREATE TABLE t (a PRIMARY KEY, b NOT NULL UNIQUE, c CHECK (c > 0), d REFERENCES t (a)) WITHOUT ROWID",
        )
        .unwrap();
    rows(&database, "INSERT INTO t VALUES (1, 1, 1, NULL)", &[]).unwrap();
    for (sql, code) in [
        ("INSERT INTO t VALUES (1, 2, 1, NULL)", "SQLITE_CONSTRAINT_PRIMARYKEY"),
        ("INSERT INTO t VALUES (2, 1, 1, NULL)", "SQLITE_CONSTRAINT_UNIQUE"),
        ("INSERT INTO t VALUES (2, NULL, 1, NULL)", "SQLITE_CONSTRAINT_NOTNULL"),
        ("INSERT INTO t VALUES (2, 2, 0, NULL)", "SQLITE_CONSTRAINT_CHECK"),
        ("INSERT INTO t VALUES (2, 2, 1, 77)", "SQLITE_CONSTRAINT_FOREIGNKEY"),
        ("SELECT * FROM missing", "SQLITE_ERROR"),
        ("SELEKT", "SQLITE_ERROR"),
    ] {
        let error = rows(&database, sql, &[]).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains("77"), "a stored value is shown: {error}");
    }
    assert_eq!(
        rows(&database, "SELECT * FROM missing", &[]).unwrap_err().to_string(),
        "no such table: missing"
    );
}

#[test]
fn every_kind_of_value_is_returned_as_it_was_bound() {
    let database = memory();
    for bound in [
        Owned::Null,
        Owned::Integer(0),
        Owned::Integer(i64::MIN),
        Owned::Integer(i64::MAX),
        Owned::Real(0.1),
        Owned::Real(f64::INFINITY),
        Owned::Real(-f64::MAX),
        text(""),
        text("a\0b"),
        text("ünï €𝄞"),
        Owned::Blob(Vec::new()),
        Owned::Blob(vec![0, 255, 0]),
        Owned::Blob(vec![7; 100_000]),
    ] {
        assert_eq!(value(&database, "SELECT ?", slice::from_ref(&bound)).unwrap(), bound);
    }
    let nan = value(&database, "SELECT ?", &[Owned::Real(f64::NAN)]).unwrap();
    assert_eq!(nan, Owned::Null);
}

#[test]
fn text_that_is_not_utf_8_can_be_read_but_not_bound() {
    let database = memory();
    let mut statement = database.prepare("SELECT CAST(x'61ff62' AS TEXT), ?").unwrap();
    let error = statement.bind(1, Value::Text(b"a\xffb")).unwrap_err();
    assert_eq!(error, SqlError::InvalidUtf8 { index: 1 });
    let row = statement.step().unwrap().unwrap();
    assert_eq!(row.value(0), Value::Text(b"a\xffb"));
    assert_eq!(row.value(1), Value::Null);
}

#[test]
fn text_of_a_utf_16_database_is_read_as_utf_8() {
    let database = memory();
    database.execute_batch("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a)").unwrap();
    rows(&database, "INSERT INTO t VALUES (?)", &[text("ünï €𝄞")]).unwrap();
    let mut statement = database.prepare("SELECT a, a FROM t").unwrap();
    let row = statement.step().unwrap().unwrap();
    let (first, second) = (row.value(0), row.value(1));
    assert_eq!(row.value(0), first);
    assert_eq!(first, Value::Text("ünï €𝄞".as_bytes()));
    assert_eq!(second, first);
}

#[test]
fn a_parameter_that_does_not_exist_is_an_error() {
    let database = memory();
    let mut statement = database.prepare("SELECT ?, ?").unwrap();
    for index in [0, 3, 32_767, 32_768, usize::MAX] {
        let error = statement.bind(index, Value::Integer(1)).unwrap_err();
        assert_eq!(error, SqlError::ParameterIndex { index, count: 2 });
        assert_eq!(error.code(), "SQLITE_RANGE");
    }
    let mut none = database.prepare("SELECT 1").unwrap();
    assert_eq!(none.bind(1, Value::Null).unwrap_err().code(), "SQLITE_RANGE");
}

#[test]
fn a_value_over_the_limit_is_refused_and_not_truncated() {
    let database = memory();
    let limit = 1_000_000_000;
    let bytes = vec![b'a'; limit + 1];
    let mut statement = database.prepare("SELECT ?").unwrap();
    for value in [Value::Blob(&bytes), Value::Text(&bytes)] {
        let error = statement.bind(1, value).unwrap_err();
        assert_eq!(error, SqlError::TooBig { length: limit + 1, limit });
        assert_eq!(error.code(), "SQLITE_TOOBIG");
    }
    assert_eq!(statement.step().unwrap().unwrap().value(0), Value::Null);
    let error = rows(&database, "SELECT zeroblob(1000000001)", &[]).unwrap_err();
    assert_eq!(error.code(), "SQLITE_TOOBIG");
}

#[test]
fn a_value_of_more_than_2_gigabytes_is_refused() {
    // The vector is never written, so it takes no physical memory.
    let bytes = vec![0; i32::MAX as usize + 10];
    let error = memory().prepare("SELECT ?").unwrap().bind(1, Value::Blob(&bytes)).unwrap_err();
    assert!(matches!(error, SqlError::TooBig { length, .. } if length == bytes.len()), "{error}");
}

#[test]
fn parameters_have_names_and_numbers() {
    let database = memory();
    let statement = database.prepare("SELECT :a, @b, $c, ?, ?7, :a").unwrap();
    assert_eq!(statement.parameter_count(), 7);
    let names: Vec<_> = (0..=8).map(|index| statement.parameter_name(index)).collect();
    assert_eq!(names, [None, Some(":a"), Some("@b"), Some("$c"), None, None, None, Some("?7"), None]);
    for (name, index) in [
        (":a", Some(1)),
        ("a", Some(1)),
        ("@b", Some(2)),
        ("b", Some(2)),
        ("$c", Some(3)),
        ("c", Some(3)),
        (":b", None),
        ("?7", Some(7)),
        ("missing", None),
        ("", None),
    ] {
        assert_eq!(statement.parameter_index(name), index, "{name}");
    }
}

#[test]
fn columns_report_their_origins() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a INTEGER, b VARCHAR(9))").unwrap();
    let statement = database.prepare("SELECT a AS x, b, 1 + 1 AS sum FROM t").unwrap();
    assert_eq!(statement.column_count(), 3);
    let columns = statement.columns().unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(columns[0].name, "x");
    assert_eq!(columns[0].origin, some("a"));
    assert_eq!(columns[0].table, some("t"));
    assert_eq!(columns[0].database, some("main"));
    assert_eq!(columns[0].declared_type, some("INTEGER"));
    assert_eq!(columns[1].declared_type, some("VARCHAR(9)"));
    assert_eq!((columns[2].name.as_str(), &columns[2].table), ("sum", &None));
    assert!(statement.is_read_only());
    let insert = database.prepare("INSERT INTO t VALUES (1, 2)").unwrap();
    assert!(!insert.is_read_only());
    assert_eq!((insert.column_count(), insert.columns().unwrap().len()), (0, 0));
}

#[test]
fn a_statement_can_run_again_after_its_end() {
    let database = memory();
    let mut statement = database.prepare("SELECT column1 FROM (VALUES (1), (2)) WHERE column1 >= ?").unwrap();
    statement.bind(1, Value::Integer(1)).unwrap();
    for _ in 0..3 {
        assert!(!statement.is_running());
        for expected in [1, 2] {
            let row = statement.step().unwrap().unwrap();
            assert_eq!((row.len(), row.value(0)), (1, Value::Integer(expected)));
            assert_eq!(row.value(1), Value::Null, "a column that does not exist");
        }
        assert!(statement.is_running());
        assert!(statement.step().unwrap().is_none());
    }
    statement.step().unwrap();
    let error = statement.bind(1, Value::Integer(2)).unwrap_err();
    assert_eq!((error.clone(), error.code()), (SqlError::Running { index: 1 }, "SQLITE_MISUSE"));
    statement.reset();
    statement.bind(1, Value::Integer(2)).unwrap();
    assert_eq!(statement.step().unwrap().unwrap().value(0), Value::Integer(2));
    statement.reset();
    statement.clear_bindings();
    assert!(statement.step().unwrap().is_none());
}

#[test]
fn a_statement_can_run_again_after_an_error() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a UNIQUE)").unwrap();
    let mut statement = database.prepare("INSERT INTO t VALUES (?)").unwrap();
    for (number, stored) in [(1, true), (1, false), (2, true), (2, false), (3, true)] {
        statement.bind(1, Value::Integer(number)).unwrap();
        assert_eq!(statement.step().is_ok(), stored);
        assert!(!statement.is_running());
    }
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 3);
}

#[test]
fn a_cached_statement_has_no_old_bindings_or_rows() {
    let database = memory();
    let sql = "SELECT ?1, column1 FROM (VALUES (1), (2))";
    {
        let mut first = database.prepare(sql).unwrap();
        first.bind(1, Value::Integer(5)).unwrap();
        first.step().unwrap();
    }
    let mut again = database.prepare(sql).unwrap();
    let mut both = database.prepare(sql).unwrap();
    for statement in [&mut again, &mut both] {
        assert!(!statement.is_running());
        let row = statement.step().unwrap().unwrap();
        assert_eq!(
            (row.value(0), row.value(1)),
            (Value::Null, Value::Integer(1)),
            "bindings or rows were left over"
        );
    }
    drop((again, both));
    for number in 0..500 {
        assert_eq!(integer(&database, &format!("SELECT {number}")), number);
    }
}

#[test]
fn a_cached_statement_sees_a_changed_schema() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(rows(&database, "SELECT * FROM t", &[]).unwrap()[0].len(), 1);
    database.execute_batch("ALTER TABLE t ADD COLUMN b DEFAULT 2").unwrap();
    assert_eq!(rows(&database, "SELECT * FROM t", &[]).unwrap()[0].len(), 2);
    database.execute_batch("DROP TABLE t").unwrap();
    assert_eq!(rows(&database, "SELECT * FROM t", &[]).unwrap_err().code(), "SQLITE_ERROR");
}

#[test]
fn changes_and_the_last_rowid_are_reported() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)").unwrap();
    assert_eq!((database.changes(), database.total_changes(), database.last_insert_rowid()), (3, 3, 3));
    rows(&database, "DELETE FROM t WHERE a < 3", &[]).unwrap();
    assert_eq!((database.changes(), database.total_changes(), database.last_insert_rowid()), (2, 5, 3));
}

#[test]
fn a_batch_stops_at_its_first_error() {
    let database = memory();
    let error = database
        .execute_batch("CREATE TABLE t (a); -- comment\n SELECT 1; INSERT INTO t VALUES (1); nonsense; INSERT INTO t VALUES (2)")
        .unwrap_err();
    assert_eq!(error.code(), "SQLITE_ERROR");
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 1);
    database.execute_batch("").unwrap();
    database.execute_batch(" ;; -- nothing").unwrap();
}

/// SQLite got the length of the text without its NUL, and therefore copied the rest of the batch for each statement.
/// The time of a batch was quadratic in its length.
#[test]
fn a_long_batch_takes_linear_time() {
    let database = memory();
    let batch: String =
        (0..100_000).map(|number| format!("INSERT INTO t VALUES ({number}); -- ä\n")).collect();
    database.execute_batch(&format!("CREATE TABLE t (a); BEGIN; {batch} COMMIT")).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 100_000);
}

#[test]
fn a_schema_change_increases_the_count_of_repreparations() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    let mut select = database.prepare("SELECT * FROM t").unwrap();
    let before = select.reprepared();
    assert_eq!(select.step().unwrap().unwrap().len(), 1);
    select.reset();
    assert_eq!(select.reprepared(), before);
    database.execute_batch("ALTER TABLE t ADD COLUMN b").unwrap();
    assert_eq!(select.step().unwrap().unwrap().len(), 2);
    assert!(select.reprepared() > before);
}

/// The cache returned a statement unchanged even after the schema had changed. The statement had the old columns of the
/// table, and preparing it did not fail if the table no longer existed.
#[test]
fn a_cached_statement_is_prepared_for_the_current_schema() {
    let database = memory();
    let columns = || database.prepare("SELECT * FROM t").map(|statement| statement.columns().unwrap().len());
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(columns(), Ok(1));
    let held = database.prepare("SELECT * FROM t").unwrap();
    database.execute_batch("ALTER TABLE t ADD COLUMN b").unwrap();
    assert_eq!(columns(), Ok(2));
    drop(held);
    assert_eq!(columns(), Ok(2));
    database.prepare("ALTER TABLE t ADD COLUMN c").unwrap().step().unwrap();
    assert_eq!(columns(), Ok(3));
    database.execute_batch("BEGIN; ALTER TABLE t ADD COLUMN d").unwrap();
    assert_eq!(columns(), Ok(4));
    rows(&database, "ROLLBACK", &[]).unwrap();
    assert_eq!(columns(), Ok(3));
    database.execute_batch("; /* a */ DROP TABLE t").unwrap();
    assert_eq!(columns().unwrap_err().code(), "SQLITE_ERROR");
}

#[test]
fn values_of_every_length_can_be_bound_repeatedly() {
    let database = memory();
    let mut statement = database.prepare("SELECT ?1, ?2").unwrap();
    for length in [0, 1, 100, 16 * 1024, 16 * 1024 + 1, 200_000, 3, 70_000, 0, 16 * 1024] {
        let bytes = vec![u8::try_from(length % 251).unwrap(); length];
        let text = vec![b'x'; length];
        statement.bind(1, Value::Blob(&bytes)).unwrap();
        statement.bind(2, Value::Text(&text)).unwrap();
        let row = statement.step().unwrap().unwrap();
        assert_eq!((row.value(0), row.value(1)), (Value::Blob(&bytes), Value::Text(&text)));
        drop(row);
        assert!(statement.step().unwrap().is_none());
        statement.clear_long_bindings();
    }
}

#[test]
fn clearing_the_bindings_ends_the_run() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('a'), ('b'), ('c')").unwrap();
    let mut statement = database.prepare("SELECT x FROM t WHERE x < ?1").unwrap();
    statement.bind(1, Value::Text(b"z")).unwrap();
    assert!(statement.step().unwrap().is_some());
    statement.clear_bindings();
    assert!(!statement.is_running());
    // A comparison with NULL is never true.
    assert!(statement.step().unwrap().is_none());
}

#[test]
fn a_refused_value_clears_all_bindings() {
    let database = memory();
    let mut statement = database.prepare("SELECT typeof(?1), typeof(?2)").unwrap();
    statement.bind(1, Value::Text(b"kept")).unwrap();
    let huge = vec![0; 1_000_000_001];
    assert!(matches!(statement.bind(2, Value::Blob(&huge)), Err(SqlError::TooBig { .. })));
    let row = statement.step().unwrap().unwrap();
    assert_eq!((row.value(0), row.value(1)), (Value::Text(b"null"), Value::Text(b"null")));
}
