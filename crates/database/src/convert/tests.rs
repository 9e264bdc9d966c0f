//! Tests a conversion while other connections use the source.

use std::time::Duration;

use super::*;

fn open(path: &Path, key: Option<&Key>) -> Opened {
    let location = Location::File(path);
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let mut opened = Opened::connect(location, &options).unwrap();
    if let Some(key) = key {
        opened.unlock(location, key).unwrap();
        opened.verify(location).unwrap();
    }
    opened
}

fn run(opened: &Opened, sql: &str) {
    opened.core.with(|connection| connection.execute_batch(sql)).unwrap();
}

#[test]
fn a_database_in_use_is_converted_in_one_transaction_of_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let writer = open(&path, None);
    run(&writer, "PRAGMA journal_mode = WAL; CREATE TABLE t (a, b TEXT); CREATE INDEX i ON t (b)");
    run(&writer, "INSERT INTO t (rowid, a, b) VALUES (7, 1, 'one'), (70, 2, 'two')");
    let source = open(&path, None);
    let key = Key::raw(&[3; 32]).unwrap();
    let encryption = Encryption::Key(&key);
    let conversion = Conversion { source: &source, path: &path, target: &target, encryption };
    let mut last = None;
    let converted = convert(&conversion, &mut |progress| {
        // Another connection keeps writing; the copy has the state that the transaction saw.
        if progress.done >= progress.total / 2 {
            run(&writer, "INSERT INTO t VALUES (3, 'three')");
        }
        last = Some(progress);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((converted.tables, converted.rows, converted.page_size), (1, 2, 4096));
    assert!(last.is_some_and(|last| last.done == last.total && last.total > 0));
    let copy = open(&target, Some(&key));
    let rowids = copy.core.with(|connection| {
        connection.query_row("SELECT group_concat(rowid) FROM t", [], |row| row.get::<_, String>(0))
    });
    assert_eq!(rowids.unwrap(), "7,70");
    run(&source, "SELECT count(*) FROM t");
    assert!(matches!(
        convert(&conversion, &mut |_| ControlFlow::Continue(())),
        Err(MigrateError::TargetExists { .. })
    ));
}
