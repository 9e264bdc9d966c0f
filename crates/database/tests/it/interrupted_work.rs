//! Tests interrupting a check, a rekey and a backup between their steps.

use std::ops::ControlFlow;

use strongroom_database::{BackupKey, Database, Location, OpenOptions};
use strongroom_keys::{Format, Key};

use crate::scratch::{Scratch, assert_sound, integer, key, memory};

/// The number of pages is more than that between two calls of the progress function.
const FILL: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
    INSERT INTO t SELECT i, randomblob(3000) FROM n;";

fn filled(scratch: &Scratch, format: Format, journal: &str) -> Database {
    let key = key().with_format(format).unwrap();
    let database = Database::open(Location::File(&scratch.path()), &key, &OpenOptions::default()).unwrap();
    database.execute_batch(&format!("PRAGMA journal_mode = {journal}; {FILL}")).unwrap();
    database
}

fn new_key() -> Key {
    Key::raw(&[7; 32]).unwrap()
}

#[test]
fn an_interrupt_cancels_a_check_wherever_it_is() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        for journal in ["delete", "wal"] {
            let scratch = Scratch::new();
            let database = filled(&scratch, format, journal);
            let interrupter = database.interrupter();
            let mut calls = 0;
            database
                .check("main", &mut |_| {
                    calls += 1;
                    true
                })
                .unwrap();
            assert!(calls > 5, "{calls} calls");
            // The last call comes after the check.
            for call in 0..calls - 1 {
                let mut seen = 0;
                let checked = database.check("main", &mut |_| {
                    if seen == call {
                        interrupter.interrupt();
                    }
                    seen += 1;
                    true
                });
                interrupter.clear();
                let code = checked.map_err(|error| error.code());
                assert_eq!(code.map(drop), Err("STRONGROOM_CANCELLED"), "{journal}, call {call}");
                assert_eq!(seen, call + 1, "the check went on after the interrupt");
            }
            assert!(database.check("main", &mut |_| true).unwrap().is_ok());
        }
    }
}

#[test]
fn an_interrupt_cancels_a_rekey_before_its_commit() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        let database = filled(&scratch, Format::SqlCipher, journal);
        let interrupter = database.interrupter();
        let mut last = 0;
        for call in 0.. {
            let mut seen = 0;
            let rekeyed = database.rekey("main", &new_key(), &mut |progress| {
                if seen == call {
                    interrupter.interrupt();
                    last = progress.done;
                }
                seen += 1;
                true
            });
            interrupter.clear();
            match rekeyed {
                Err(error) => {
                    assert_eq!(error.code(), "STRONGROOM_CANCELLED");
                    assert!(last <= 1_600, "the rekey was cancelled after its commit, at page {last}");
                    assert_eq!(integer(&scratch.open(), "SELECT count(*) FROM t"), 1_500);
                }
                // The interrupt comes after the commit.
                Ok(()) => break,
            }
            assert_eq!(seen, call + 1, "the rekey went on after the interrupt");
        }
        assert!(last > 1_500, "at page {last}");
        assert_eq!(integer(&database, "SELECT count(*) FROM t"), 1_500);
        let opened = scratch.open_with(&new_key()).unwrap();
        assert_sound(&opened);
    }
}

#[test]
fn an_interrupt_cancels_the_change_of_a_key_slot() {
    let scratch = Scratch::new();
    let database = filled(&scratch, Format::Strongroom, "delete");
    database.interrupter().interrupt();
    let rekeyed = database.rekey("main", &new_key(), &mut |_| true);
    assert_eq!(rekeyed.map_err(|error| error.code()), Err("STRONGROOM_CANCELLED"));
    database.interrupter().clear();
    assert!(scratch.open_with(&new_key()).is_err());
    database.rekey("main", &new_key(), &mut |_| true).unwrap();
    assert!(scratch.open_with(&new_key()).is_ok());
}

#[test]
fn an_interrupt_ends_a_step_of_a_backup() {
    for format in [Format::SqlCipher, Format::Strongroom] {
        let scratch = Scratch::new();
        let database = filled(&scratch, format, "delete");
        let interrupter = database.interrupter();
        let target = scratch.folder().join("copy.db");
        let mut backup = database.backup("main", &target, BackupKey::Source).unwrap();
        let stepped = backup.step(300).unwrap();
        assert_eq!(stepped.total_pages - stepped.remaining_pages, 300);
        interrupter.interrupt();
        let stepped = backup.step(300);
        assert_eq!(stepped.map_err(|error| error.code()).map(drop), Err("SQLITE_INTERRUPT"));
        interrupter.clear();
        drop(backup);
        assert!(!target.exists());

        let mut backup = database.backup("main", &target, BackupKey::Source).unwrap();
        while !backup.step(1_000).unwrap().copied {}
        backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
        let copy = Database::open(Location::File(&target), &key(), &OpenOptions::default()).unwrap();
        assert_eq!(integer(&copy, "SELECT count(*) FROM t"), 1_500);
    }
}

/// SQLite has one progress handler per connection. The handler of a check replaces that of the interrupter meanwhile.
#[test]
fn statements_are_interrupted_after_a_check_too() {
    let database = memory();
    database.execute_batch("CREATE TABLE t (a)").unwrap();
    let interrupter = database.interrupter();
    assert!(database.check("main", &mut |_| true).unwrap().is_ok());
    interrupter.interrupt();
    let long = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT count(*) FROM n";
    let ended = database.execute_batch(long);
    assert_eq!(ended.map_err(|error| error.code()), Err("SQLITE_INTERRUPT"));
}
