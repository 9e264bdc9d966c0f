//! Tests UPDATE and DELETE with ORDER BY or LIMIT.

use strongroom_database::SqlError;

use crate::scratch::{integer, memory};

/// Statements that SQLite would accept with SQLITE_ENABLE_UPDATE_DELETE_LIMIT.
const LIMITED: [&str; 16] = [
    "UPDATE t SET a = 1 LIMIT 5",
    "UPDATE t SET a = 1 ORDER BY b",
    "UPDATE t SET a = 's3cr3t' WHERE b = 's3cr3t' ORDER BY b DESC LIMIT 5 OFFSET 2",
    "update t set a = (select 1), b = 2 where a in (1, 2) limit 5",
    "UPDATE OR IGNORE t SET a = ? LIMIT ?",
    "UPDATE t SET a = :a LIMIT :n",
    "UPDATE t SET a = 1 RETURNING * LIMIT 1",
    "DELETE FROM t LIMIT 5",
    "DELETE FROM t WHERE a = 1 LIMIT (SELECT 1)",
    "DELETE FROM \"t\" ORDER BY a LIMIT 1",
    "DELETE FROM main.t WHERE \"limit\" = 1 /* LIMIT */ LIMIT -1",
    "WITH x AS (SELECT 1 LIMIT 1) DELETE FROM t WHERE a IN (SELECT * FROM x LIMIT 1) LIMIT 1",
    "EXPLAIN DELETE FROM t LIMIT 1",
    "EXPLAIN QUERY PLAN UPDATE t SET a = 1 LIMIT 1",
    "DELETE FROM t WHERE a IS NULL LIMIT 1",
    " -- a comment\n DELETE FROM t WHERE a NOTNULL\nLIMIT 5;",
];

/// Statements that fail for another reason.
const OTHERS: [&str; 18] = [
    "UPDATE limit SET a = 1",
    "UPDATE t SET limit = 1",
    "UPDATE t SET order = 1",
    "UPDATE t SET a = limit",
    "UPDATE t SET a = 1, limit = 2",
    "UPDATE t SET a = 1 WHERE limit > 3",
    "UPDATE t SET a = 1 WHERE a AND limit = 1",
    "UPDATE t SET a = 1 FROM limit",
    "UPDATE t SET a = (SELECT 1 FROM limit)",
    "UPDATE t SET a = 1 WHERE a IN (SELECT 1 FROM t LIMIT)",
    "DELETE FROM limit",
    "DELETE FROM limit WHERE a = 1",
    "DELETE FROM main.limit",
    "DELETE FROM t WHERE a = 'LIMIT 5' 'b'",
    "DELETE FROM t RETURNING limit",
    "SELECT a FROM t LIMIT LIMIT 1",
    "INSERT INTO t (limit) VALUES (1)",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM nowhere.t WHERE limit; END",
];

#[test]
fn the_error_shows_how_to_rewrite_the_statement() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a, b, \"limit\")").unwrap();
    for sql in LIMITED {
        for error in [database.prepare(sql).unwrap_err(), database.execute_batch(sql).unwrap_err()] {
            assert!(matches!(error, SqlError::LimitedChange { .. }), "{sql}: {error}");
            assert_eq!(error.code(), "SQLITE_ERROR");
            let verb = if sql.to_uppercase().contains("DELETE") {
                "DELETE FROM t WHERE rowid IN"
            } else {
                "UPDATE t SET"
            };
            assert!(error.to_string().contains(&format!("write {verb}")), "{sql}: {error}");
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
    }
}

#[test]
fn the_error_is_about_the_statement_that_failed() {
    let database = memory();
    let error = database
        .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); DELETE FROM t LIMIT 1")
        .unwrap_err();
    assert!(matches!(error, SqlError::LimitedChange { .. }), "{error}");
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 1);
    let error =
        database.execute_batch("SELECT 1; UPDATE t SET a = 1 WHERE; DELETE FROM t LIMIT 1").unwrap_err();
    assert!(error.to_string().contains("syntax error"), "{error}");
}

#[test]
fn other_errors_do_not_suggest_a_rewrite() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a, b, \"limit\")").unwrap();
    for sql in OTHERS {
        let error = database.prepare(sql).unwrap_err();
        assert!(matches!(error, SqlError::Sqlite { code: "SQLITE_ERROR", .. }), "{sql}: {error}");
    }
}

#[test]
fn the_rewrite_that_the_error_shows_works() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)").unwrap();
    database
        .execute_batch(
            "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a > 1 ORDER BY a DESC LIMIT 1)",
        )
        .unwrap();
    assert_eq!(integer(&database, "SELECT sum(a) FROM t"), 3);
}
