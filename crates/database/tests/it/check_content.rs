//! Tests the check of the structure and of foreign keys, and the cases in which a check fails.

use std::fs;
use std::time::Duration;

use strongroom_database::{
    AttachKey, AttachOptions, CheckError, CheckProblemKind, Database, Location, OpenOptions,
};
use strongroom_keys::{CipherParameters, Key};

use crate::check::{CONTENT, PAGE, assert_sound, check, damage, damage_page, filled, of_kind, pages, root};
use crate::scratch::{Scratch, integer, key, memory, rows};

/// An old version of a page passes authentication, because it has the same key and page number. Only the structure
/// check detects that the page contradicts other pages.
#[test]
fn an_old_version_of_a_page_is_a_problem_of_the_structure() {
    let (scratch, database) = filled();
    let old = fs::read(scratch.path()).unwrap();
    database.execute_batch("UPDATE t SET b = 'new' || b WHERE a < 20").unwrap();
    let leaf = (2..old.len() / PAGE)
        .find(|page| {
            let mut bytes = fs::read(scratch.path()).unwrap();
            let place = (page - 1) * PAGE..page * PAGE;
            if bytes[place.clone()] == old[place.clone()] {
                return false;
            }
            let new = bytes.clone();
            bytes[place.clone()].copy_from_slice(&old[place]);
            fs::write(scratch.path(), bytes).unwrap();
            let report = check(&database);
            fs::write(scratch.path(), new).unwrap();
            pages(&report).is_empty()
                && report
                    .problems
                    .iter()
                    .any(|problem| problem.table.as_deref() == Some("t") && problem.rowid == Some(10))
        })
        .unwrap();
    assert!(leaf > 1);
    assert_sound(&database);
}

#[test]
fn the_check_names_the_rowid_of_a_row_that_is_missing_from_an_index() {
    for encrypted in [false, true] {
        let scratch = Scratch::new();
        let parameters = CipherParameters { use_hmac: Some(false), ..Default::default() };
        let database = match encrypted {
            true => scratch.open_with(&key().with_cipher(parameters).unwrap()).unwrap(),
            false => scratch.open_plain(),
        };
        database
            .execute_batch(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b);
                 INSERT INTO t VALUES (100, 'a'), (200, 'b'), (9007199254740993, 'c')",
            )
            .unwrap();
        let index = root(&database, "i");
        if encrypted {
            // Without HMAC, a damaged page decrypts to other content.
            damage(&scratch.path(), index * PAGE - 84);
            let report = check(&database);
            assert!(!report.authenticated && !report.is_ok(), "{report:?}");
            assert!(report.problems.iter().all(|problem| problem.kind == CheckProblemKind::Structure));
            continue;
        }
        // Reduces the number of cells in the page's header by one.
        damage(&scratch.path(), (index - 1) * PAGE + 4);
        let report = check(&database);
        let missing = report.problems.iter().find(|problem| problem.message.contains("missing from index i"));
        let missing = missing.unwrap_or_else(|| panic!("{report:?}"));
        assert_eq!((missing.table.as_deref(), missing.rowid), (Some("t"), Some(9_007_199_254_740_993)));
        assert!(report.problems.iter().any(|problem| problem.message == "wrong # of entries in index i"));
        assert!(!report.authenticated);
    }
}

#[test]
fn the_check_names_the_damaged_tree_of_a_plain_file() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    database.execute_batch(CONTENT).unwrap();
    let t = root(&database, "t");
    let mut bytes = fs::read(scratch.path()).unwrap();
    bytes[(t - 1) * PAGE] = 99;
    fs::write(scratch.path(), &bytes).unwrap();
    let report = check(&database);
    let problem = report.problems.iter().find(|problem| problem.page == Some(t as u32));
    assert_eq!(problem.and_then(|problem| problem.table.as_deref()), Some("t"), "{report:?}");
    // The messages contain no stored values.
    assert!(report.problems.iter().all(|problem| !problem.message.contains("000000")), "{report:?}");
}

#[test]
fn the_check_reports_a_plain_file_without_its_header_or_its_end() {
    let scratch = Scratch::new();
    let database = scratch.open_plain();
    database.execute_batch(CONTENT).unwrap();
    let good = fs::read(scratch.path()).unwrap();
    damage(&scratch.path(), 3);
    let report = check(&database);
    assert!(!report.is_ok(), "{report:?}");
    fs::write(scratch.path(), &good[..good.len() - 3 * PAGE]).unwrap();
    let report = check(&database);
    assert!(report.problems[0].message.contains("cut off"), "{report:?}");
    assert_eq!(report.pages as usize, good.len() / PAGE);
}

#[test]
fn the_check_names_a_row_without_its_parent() {
    for database in [memory(), Scratch::new().open_plain(), filled().1] {
        database
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 CREATE TABLE parent (a PRIMARY KEY); CREATE TABLE child (a REFERENCES parent);
                 INSERT INTO parent VALUES ('secret'); INSERT INTO child (rowid, a) VALUES (3, 'secret'), (4, 'lost');
                 CREATE TABLE odd (a REFERENCES t_without_key (b)); CREATE TABLE t_without_key (b)",
            )
            .unwrap();
        let report = check(&database);
        let found = of_kind(&report, CheckProblemKind::ForeignKey);
        assert_eq!((found[0].table.as_deref(), found[0].rowid), (Some("child"), Some(4)), "{report:?}");
        assert!(found[0].message.contains("\"parent\""), "{report:?}");
        // SQLite cannot check a foreign key whose parent column has no unique index. The report lists such a key as a
        // separate problem.
        assert_eq!(found[1].table.as_deref(), Some("odd"), "{report:?}");
        assert_eq!(found.len(), 2);
        assert!(report.problems.iter().all(|problem| !problem.message.contains("lost")));
    }
}

#[test]
fn the_structure_check_calls_progress_and_can_be_cancelled() {
    let database = memory();
    database.execute_batch(CONTENT).unwrap();
    database
        .execute_batch("INSERT INTO t SELECT a + 10000, b FROM t; INSERT INTO t SELECT a + 100000, b FROM t; INSERT INTO t SELECT a + 1000000, b FROM t; INSERT INTO t SELECT a + 10000000, b FROM t")
        .unwrap();
    let mut calls = 0;
    let cancelled = database.check("main", &mut |_| {
        calls += 1;
        calls < 5
    });
    assert!(matches!(cancelled, Err(CheckError::Cancelled)), "{cancelled:?}");
    assert_eq!(calls, 5);
    // The check has removed its progress handler from the connection.
    assert_sound(&database);
    assert_eq!(integer(&database, "SELECT count(*) FROM t"), 8_000);
}

#[test]
fn the_check_does_not_see_uncommitted_changes() {
    for journal in ["delete", "wal"] {
        let (_scratch, database) = filled();
        rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
        database.execute_batch("PRAGMA foreign_keys = OFF; CREATE TABLE parent (a PRIMARY KEY); CREATE TABLE child (a REFERENCES parent)").unwrap();
        database.execute_batch("BEGIN; INSERT INTO child VALUES (1)").unwrap();
        assert_sound(&database);
        assert!(database.in_transaction());
        database.execute_batch("COMMIT").unwrap();
        assert_eq!(check(&database).problems.len(), 1);
    }
}

#[test]
fn the_check_of_a_locked_database_fails() {
    let (scratch, database) = filled();
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let path = scratch.path();
    let other = Database::open(Location::File(&path), &key(), &options).unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(other.check("main", &mut |_| true).unwrap_err().code(), "SQLITE_BUSY");
    // The same connection holds the lock, so the check fails without a wait.
    assert_eq!(database.check("main", &mut |_| true).unwrap_err().code(), "SQLITE_BUSY");
    database.execute_batch("COMMIT").unwrap();
    assert_sound(&database);
    assert_sound(&other);
    // The check has released its locks.
    other.execute_batch("CREATE TABLE u (a)").unwrap();
}

#[test]
fn attached_databases_are_checked_by_name() {
    let (scratch, main) = filled();
    let path = scratch.folder().join("other.db");
    let own = Key::raw(&[9; 32]).unwrap();
    let options = AttachOptions { key: AttachKey::Key(&own), ..AttachOptions::default() };
    main.attach(Location::File(&path), "other one", &options).unwrap();
    main.attach(Location::Memory, "mem", &AttachOptions::default()).unwrap();
    main.execute_batch(
        "CREATE TABLE \"other one\".t (a); INSERT INTO \"other one\".t VALUES (zeroblob(9000))",
    )
    .unwrap();
    assert_eq!(main.check("other one", &mut |_| true).unwrap().problems, []);
    assert_eq!(main.check("mem", &mut |_| true).unwrap().problems, []);
    damage_page(&path, 3);
    let report = main.check("other one", &mut |_| true).unwrap();
    assert_eq!(pages(&report), [3]);
    assert_eq!(report.problems[0].table.as_deref(), Some("t"));
    assert_sound(&main);
    for name in ["none", "a\0b"] {
        assert_eq!(main.check(name, &mut |_| true).unwrap_err().code(), "STRONGROOM_NOT_ATTACHED");
    }
    main.close().unwrap();
    assert_eq!(main.check("main", &mut |_| true).unwrap_err().code(), "STRONGROOM_CLOSED");
}

#[test]
fn a_read_only_connection_can_check() {
    let (scratch, database) = filled();
    database.close().unwrap();
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let path = scratch.path();
    let database = Database::open(Location::File(&path), &key(), &options).unwrap();
    assert_sound(&database);
    let before = fs::read(&path).unwrap();
    damage_page(&path, 5);
    assert_eq!(pages(&check(&database)), [5]);
    damage_page(&path, 5);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_changed_key_is_an_error_and_not_damage() {
    for (journal, only_in_log) in [("delete", false), ("wal", false), ("wal", true)] {
        let (scratch, database) = filled();
        rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
        database.execute_batch("CREATE TABLE u (a)").unwrap();
        let reader = scratch.open();
        if only_in_log {
            // An open read transaction keeps the rekeyed pages in the log.
            reader.execute_batch("BEGIN").unwrap();
            integer(&reader, "SELECT count(*) FROM t");
        }
        let other = scratch.open();
        other.rekey("main", &Key::raw(&[8; 32]).unwrap(), &mut |_| true).unwrap();
        let error = database.check("main", &mut |_| true).unwrap_err();
        assert_eq!(error.code(), "STRONGROOM_KEY_CHANGED", "{journal}: {error}");
        assert_sound(&other);
    }
}
