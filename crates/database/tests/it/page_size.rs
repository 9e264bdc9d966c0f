//! Tests `PRAGMA page_size`, for which SQLCipher itself returns text.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use strongroom_database::{AttachKey, AttachOptions, Location};

use crate::scratch::{Owned, Scratch, memory, rows, text};

#[test]
fn the_page_size_of_an_encrypted_database_is_a_number() {
    let scratch = Scratch::new();
    let database = scratch.open();
    for sql in ["PRAGMA page_size", "pragma main.page_size;", "PRAGMA \"page_size\""] {
        let mut statement = database.prepare(sql).unwrap();
        assert_eq!(statement.columns().unwrap()[0].name, "page_size");
        assert_eq!(statement.sql(), sql);
        assert!(statement.is_read_only());
        assert_eq!(rows(&database, sql, &[]).unwrap(), [[Owned::Integer(4096)]]);
        assert!(statement.step().unwrap().is_some());
    }
    assert_eq!(rows(&database, "PRAGMA cipher_page_size", &[]).unwrap(), [[text("4096")]]);
}

#[test]
fn an_attached_database_has_its_own_page_size() {
    let scratch = Scratch::new();
    let plain = scratch.folder().join("plain.db");
    let database = memory();
    database
        .attach(
            Location::File(&plain),
            "plain",
            &AttachOptions { key: AttachKey::Plain, read_only: false, must_exist: false },
        )
        .unwrap();
    database.execute_batch("PRAGMA plain.page_size = 8192; CREATE TABLE plain.t (a)").unwrap();
    assert_eq!(rows(&database, "PRAGMA plain.page_size", &[]).unwrap(), [[Owned::Integer(8192)]]);
    assert_eq!(rows(&database, "PRAGMA main.page_size", &[]).unwrap(), [[Owned::Integer(4096)]]);
}

#[test]
fn page_size_reports_the_size_that_a_pragma_set() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    assert_eq!(rows(&database, "PRAGMA page_size", &[]).unwrap(), [[Owned::Integer(4096)]]);
    database.execute_batch("PRAGMA key = 'a'; PRAGMA cipher_page_size = 8192; CREATE TABLE t (a)").unwrap();
    assert_eq!(rows(&database, "PRAGMA page_size", &[]).unwrap(), [[Owned::Integer(8192)]]);
}

#[test]
fn a_trace_shows_the_original_statement() {
    let database = memory();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    database.set_trace(Some(Box::new(move |sql: &str| {
        notes.borrow_mut().push(sql.to_owned());
        ControlFlow::Continue(())
    })));
    rows(&database, "PRAGMA page_size", &[]).unwrap();
    assert_eq!(*seen.borrow(), ["PRAGMA page_size"]);
}
