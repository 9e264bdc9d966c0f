//! Tests transactions and savepoints.

use std::time::Duration;

use strongroom_database::{Behavior, Database, Location, OpenOptions};

use crate::scratch::{Scratch, integer, key, memory};

fn counting() -> Database {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a UNIQUE)").unwrap();
    database
}

fn insert(database: &Database, number: i64) {
    database.execute_batch(&format!("INSERT INTO t VALUES ({number})")).unwrap();
}

fn count(database: &Database) -> i64 {
    integer(database, "SELECT count(*) FROM t")
}

#[test]
fn a_commit_keeps_changes_and_a_drop_rolls_them_back() {
    let database = counting();
    for behavior in [Behavior::Deferred, Behavior::Immediate, Behavior::Exclusive] {
        let before = count(&database);
        let transaction = database.transaction(behavior).unwrap();
        assert!(database.in_transaction());
        insert(transaction.database(), before);
        transaction.commit().unwrap();
        assert!(!database.in_transaction());
        assert_eq!(count(&database), before + 1);

        let transaction = database.transaction(behavior).unwrap();
        insert(&database, before + 1);
        transaction.rollback().unwrap();
        let transaction = database.transaction(behavior).unwrap();
        insert(&database, before + 1);
        drop(transaction);
        assert!(!database.in_transaction());
        assert_eq!(count(&database), before + 1);
    }
}

#[test]
fn a_nested_transaction_is_a_savepoint() {
    let database = counting();
    let outer = database.transaction(Behavior::Immediate).unwrap();
    insert(&database, 1);
    {
        let kept = database.transaction(Behavior::Exclusive).unwrap();
        insert(&database, 2);
        {
            let _dropped = database.transaction(Behavior::Deferred).unwrap();
            insert(&database, 3);
        }
        assert_eq!(count(&database), 2);
        kept.commit().unwrap();
    }
    let undone = database.transaction(Behavior::Deferred).unwrap();
    insert(&database, 4);
    undone.rollback().unwrap();
    assert!(database.in_transaction());
    outer.commit().unwrap();
    assert_eq!(integer(&database, "SELECT sum(a) FROM t"), 3);
}

#[test]
fn a_transaction_that_sqlite_ended_cannot_commit() {
    let database = counting();
    let transaction = database.transaction(Behavior::Immediate).unwrap();
    insert(&database, 1);
    let error = database.execute_batch("INSERT OR ROLLBACK INTO t VALUES (1)").unwrap_err();
    assert_eq!(error.code(), "SQLITE_CONSTRAINT_UNIQUE");
    assert!(!database.in_transaction());
    assert_eq!(transaction.commit().unwrap_err().code(), "SQLITE_ERROR");
    assert_eq!(count(&database), 0);
    database.transaction(Behavior::Immediate).unwrap().commit().unwrap();
}

#[test]
fn a_rollback_makes_an_open_reader_fail() {
    let database = counting();
    database.execute_batch("INSERT INTO t VALUES (1), (2), (3)").unwrap();
    let transaction = database.transaction(Behavior::Immediate).unwrap();
    database.execute_batch("CREATE TABLE other (a)").unwrap();
    let mut reader = database.prepare("SELECT a FROM t").unwrap();
    assert!(reader.step().unwrap().is_some());
    transaction.rollback().unwrap();
    assert_eq!(reader.step().unwrap_err().code(), "SQLITE_ABORT_ROLLBACK");
    assert!(!reader.is_running());
    assert!(reader.step().unwrap().is_some());
}

#[test]
fn each_behavior_takes_its_locks_at_the_documented_time() {
    let scratch = Scratch::new();
    let one = scratch.open();
    one.execute_batch("CREATE TABLE t (a)").unwrap();
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..Default::default() };
    let other = Database::open(Location::File(&scratch.path()), &key(), &options).unwrap();
    let read =
        || other.prepare("SELECT * FROM t").unwrap().step().map(|_| ()).err().map(|error| error.code());
    let write = || other.execute_batch("INSERT INTO t VALUES (1)").err().map(|error| error.code());
    let busy = Some("SQLITE_BUSY");
    for (behavior, reading, writing) in [
        (Behavior::Deferred, None, None),
        (Behavior::Immediate, None, busy),
        (Behavior::Exclusive, busy, busy),
    ] {
        let transaction = one.transaction(behavior).unwrap();
        assert_eq!((read(), write()), (reading, writing), "{behavior:?}");
        transaction.rollback().unwrap();
    }
    let error = {
        let _writer = one.transaction(Behavior::Immediate).unwrap();
        other.transaction(Behavior::Immediate).unwrap_err()
    };
    assert_eq!(error.code(), "SQLITE_BUSY");
    assert!(!other.in_transaction());
}

#[test]
fn a_commit_that_fails_is_rolled_back() {
    let database = counting();
    database.execute_batch("CREATE TABLE child (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)").unwrap();
    let transaction = database.transaction(Behavior::Immediate).unwrap();
    database.execute_batch("INSERT INTO child VALUES (9)").unwrap();
    assert_eq!(transaction.commit().unwrap_err().code(), "SQLITE_CONSTRAINT_FOREIGNKEY");
    assert!(!database.in_transaction());
    assert_eq!(integer(&database, "SELECT count(*) FROM child"), 0);
}

#[test]
fn savepoints_may_end_in_any_order() {
    let database = counting();
    let first = database.transaction(Behavior::Immediate).unwrap();
    let second = database.transaction(Behavior::Deferred).unwrap();
    let third = database.transaction(Behavior::Deferred).unwrap();
    insert(&database, 1);
    second.commit().unwrap();
    assert_eq!(third.commit().unwrap_err().code(), "SQLITE_ERROR");
    assert!(database.in_transaction());
    first.commit().unwrap();
    assert_eq!(count(&database), 1);
}

#[test]
fn a_batch_inside_a_transaction_neither_ends_it_nor_begins_another() {
    let database = counting();
    let texts = [
        "BEGIN",
        "COMMIT",
        "END",
        "; -- blank\n rollback",
        "COMMIT; BEGIN",
        "SELECT 1; COMMIT TRANSACTION",
        "INSERT INTO t VALUES (1); END; BEGIN IMMEDIATE",
    ];
    for sql in texts {
        let transaction = database.transaction(Behavior::Immediate).unwrap();
        let error = database.execute_batch_in_transaction(sql).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_IN_TRANSACTION", "{sql}");
        assert!(database.in_transaction(), "{sql}");
        drop(transaction);
        assert_eq!(count(&database), 0, "{sql}");
    }
    // Savepoints, and a trigger, whose body has the words BEGIN and END.
    let transaction = database.transaction(Behavior::Immediate).unwrap();
    let allowed = "SAVEPOINT a; INSERT INTO t VALUES (1); ROLLBACK TO a; RELEASE a;
        CREATE TRIGGER more AFTER INSERT ON t BEGIN SELECT 1; END; INSERT INTO t VALUES (2)";
    database.execute_batch_in_transaction(allowed).unwrap();
    transaction.commit().unwrap();
    assert_eq!(count(&database), 1);
    database.execute_batch("BEGIN; DELETE FROM t; COMMIT").unwrap();
    assert_eq!(count(&database), 0);
}
