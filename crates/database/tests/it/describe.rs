//! Compares the description of an SQL text with SQLite's.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rusqlite::Connection;
use strongroom_database::describe;

/// Returns the names of the first statement's parameters as SQLite reports them, or `None` if SQLite cannot parse it.
fn names_of_sqlite(connection: &Connection, sql: &str) -> Option<Vec<Option<String>>> {
    let statement = connection.prepare(sql).ok()?;
    let names = (1..=statement.parameter_count()).map(|index| statement.parameter_name(index));
    Some(names.map(|name| name.map(str::to_owned)).collect())
}

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a, b); CREATE TABLE \"?\" (\":a\")").unwrap();
    connection
}

/// Parameters of every form, few enough that they repeat.
fn parameter() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[ab]", "[a-c$_0-9é]{1,3}", "(::)?[ab](::[ab]){0,2}(::)?"];
    let suffix = prop_oneof![4 => "", 1 => "\\([a;?:'\"é-]{0,3}\\)"];
    prop_oneof![
        3 => Just("?".to_owned()),
        3 => "\\?0{0,2}[1-9]",
        1 => "\\?[0-9]{2,6}",
        6 => ("[:@$#]", name, suffix).prop_map(|(sign, name, suffix)| format!("{sign}{name}{suffix}")),
    ]
}

/// Texts that hold the signs of parameters, but no parameter.
fn no_parameter() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,3}(\\.[0-9])?(e[+-]?[0-9])?",
        "'([a?:@;]|''){0,4}'",
        "x'0{0}(3f){0,2}'",
        "0x[0-9a-f]{1,3}",
        Just("NULL".to_owned()),
        Just("a".to_owned()),
        Just("a$b".to_owned()),
        Just("\"?\".\":a\"".to_owned()),
        Just("[?].[:a]".to_owned()),
        Just("`?`.`:a`".to_owned()),
    ]
}

/// Blanks and comments. A comment may hold the signs of parameters, quotes and semicolons.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[ \t\r\n\x0c]{1,2}",
        1 => "/\\*[a?:'\";/-]{0,4}\\*/",
        1 => "--[a?:'\";*/]{0,4}\n",
        1 => Just("\u{feff} ".to_owned()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let value = prop_oneof![4 => parameter(), 2 => no_parameter()];
    let leaf = (blank(), value, blank()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let operator = prop_oneof![
            Just("+"),
            Just("||"),
            Just("="),
            Just("->"),
            Just("->>"),
            Just("<<"),
            Just("IS"),
            Just("AND"),
            Just("-"),
            Just("/"),
        ];
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("{a}{operator}{b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| format!("max({})", list.join(","))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} BETWEEN {b} AND ?")),
            (inner.clone(), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(a, list)| format!("{a} IN ({})", list.join(","))),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("CASE {a} WHEN {b} THEN ?3 ELSE :b END")),
            inner.clone().prop_map(|a| format!("(SELECT {a} LIMIT ?, ?)")),
            inner.prop_map(|a| format!("CAST({a} AS TEXT) COLLATE nocase")),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    let from = prop_oneof![Just(""), Just("FROM t"), Just("FROM t, \"?\"")];
    (expression(), expression(), from, parameter(), 0..10_u8).prop_map(|(a, b, from, parameter, kind)| {
        match kind {
            0 => format!("VALUES ({a}, ?), ({b}, {parameter})"),
            1 => format!("WITH w(x) AS (SELECT {a}) SELECT {b} {from}"),
            2 => format!("INSERT INTO t VALUES ({a}, {b}) ON CONFLICT DO NOTHING RETURNING {parameter}"),
            3 => format!("UPDATE t SET a = {a} {from} WHERE {b}"),
            4 => format!("DELETE FROM t WHERE {a} RETURNING {b}"),
            5 => format!("EXPLAIN SELECT {a}, {b} {from}"),
            6 => format!("SELECT sum({a}) OVER (ORDER BY {b}) FROM t WHERE a = {parameter}"),
            7 => format!("SELECT {a} AS \"?\" {from} WHERE {b} GROUP BY {parameter} HAVING ? ORDER BY ?5"),
            8 => format!("CREATE TABLE u AS SELECT {a}, {b}"),
            _ => format!("SELECT {a}, {b} {from} UNION ALL SELECT {parameter}, ?"),
        }
    })
}

/// Returns the text before a statement, the statement, and the text after it.
fn text() -> impl Strategy<Value = (&'static str, String, &'static str)> {
    let before = prop_oneof![6 => Just(""), 1 => Just(";"), 1 => Just(" ; -- ;?\n;")];
    let after: &[&str] = &["", "", "", ";", "; SELECT :other, ?9", ";;--:a", " /* ? ", " -- ?"];
    (before, statement(), prop::sample::select(after))
}

#[test]
fn the_parameters_are_those_of_sqlite() {
    const CASES: u32 = 10_000;
    let connection = connection();
    let parsed = Cell::new(0);
    let config =
        Config { cases: CASES, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() };
    let compared = TestRunner::new(config).run(&text(), |(before, statement, after)| {
        if let Some(expected) = names_of_sqlite(&connection, &format!("{statement}{after}")) {
            parsed.set(parsed.get() + 1);
            let sql = format!("{before}{statement}{after}");
            prop_assert_eq!(describe(&sql).parameters, expected, "{}", sql);
        }
        Ok(())
    });
    compared.unwrap();
    let parsed = parsed.get();
    println!("SQLite parsed {parsed} of {CASES} texts");
    assert!(parsed > CASES / 4, "SQLite parsed only {parsed} of {CASES} texts");
}
