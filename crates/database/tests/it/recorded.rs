//! Tests that no plaintext, and no checksum of plaintext, is ever written: a VFS records each write of a long workload.

use std::env;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use strongroom_database::{
    AttachKey, AttachOptions, BackupKey, Database, Location, Migration, OpenOptions, migrate,
};
use strongroom_keys::{CipherParameters, Format, Key};

use crate::recorded_writes::assert_nothing_leaks;
use crate::recording::{self, Kind, log};
use crate::scratch::{Scratch, integer, rows};

/// Set for the process that records: the VFS must be registered before the process opens a database.
const RECORDS: &str = "STRONGROOM_TEST_RECORDS";
/// Each text of the workload repeats this.
pub(crate) const NEEDLE: &str = "plaintext-needle";

/// Runs a test in a process of its own, which records.
fn record(test: &str, run: impl FnOnce()) {
    if env::var_os(RECORDS).is_some() {
        recording::start();
        return run();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(RECORDS, "1")
        .output()
        .unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("recorded "), "{said}{failed}");
    println!("{said}");
}

pub(crate) fn keys() -> [Key; 3] {
    [1, 2, 3].map(|byte| Key::raw(&[byte; 32]).unwrap())
}

fn sealed(index: usize, page_size: u32) -> Key {
    let parameters = CipherParameters { page_size: Some(page_size), ..CipherParameters::default() };
    let [first, second, third] = keys();
    let key = [first, second, third].into_iter().nth(index).unwrap();
    key.with_cipher(parameters).unwrap().with_format(Format::Strongroom).unwrap()
}

fn open(path: &Path, key: &Key) -> Database {
    Database::open(Location::File(path), key, &OpenOptions::default()).unwrap()
}

fn run(database: &Database, sql: &str) {
    database.execute_batch(&sql.replace("NEEDLE", NEEDLE)).unwrap();
}

/// Runs statements that use every kind of file: spilled transactions, statement journals, savepoints, sorts, temporary
/// tables and indexes.
fn work(database: &Database, journal: &str, vacuum: &str) {
    run(
        database,
        &format!(
            "PRAGMA auto_vacuum = {vacuum}; PRAGMA journal_mode = {journal}; PRAGMA temp_store = FILE;
             PRAGMA cache_size = 10; PRAGMA wal_autocheckpoint = 40;
             CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT UNIQUE); CREATE INDEX i ON t (v);
             WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 150)
             INSERT INTO t SELECT i, replace(hex(zeroblob(6)), '00', 'NEEDLE'), printf('%08d NEEDLENEEDLE', i) FROM n;
             INSERT INTO t VALUES (9999, replace(hex(zeroblob(2500)), '00', 'NEEDLE'), 'NEEDLENEEDLE')"
        ),
    );
    run(
        database,
        "BEGIN; UPDATE t SET v = v || 'NEEDLENEEDLE'; SAVEPOINT a; DELETE FROM t WHERE id % 2; SAVEPOINT b;
         UPDATE t SET w = w || 'NEEDLENEEDLE'; ROLLBACK TO b; UPDATE t SET v = 'NEEDLENEEDLE' WHERE id < 50;
         ROLLBACK TO a; RELEASE a; COMMIT; BEGIN; UPDATE t SET v = v || 'NEEDLENEEDLENEEDLE'; ROLLBACK",
    );
    // A statement that fails after many changes inside a transaction uses its statement journal.
    run(database, "BEGIN");
    let failed = "UPDATE t SET v = v || 'NEEDLE', w = CASE id WHEN 9999 THEN '00000007 NEEDLENEEDLE' ELSE w || 'x' END"
        .replace("NEEDLE", NEEDLE)
        .replace("'00000007 ", "'unique ");
    run(database, &failed);
    let collision = format!("UPDATE t SET v = v || '{NEEDLE}', w = 'same {NEEDLE}'");
    assert!(rows(database, &collision, &[]).is_err());
    run(database, "ROLLBACK");
    run(
        database,
        "CREATE TEMP TABLE u AS SELECT * FROM t, (VALUES (1), (2), (3)); CREATE INDEX temp.j ON u (v, w);
         UPDATE u SET v = v || 'NEEDLENEEDLE'; CREATE TABLE s AS SELECT v || w AS x FROM u ORDER BY w, v DESC;
         CREATE INDEX k ON s (x); DELETE FROM s WHERE rowid % 3 = 0; PRAGMA incremental_vacuum(5); DROP TABLE u;
         ATTACH '' AS scrap; CREATE TABLE scrap.t AS SELECT * FROM t; DETACH scrap",
    );
    assert_eq!(integer(database, "SELECT count(*) FROM t"), 151);
    assert_eq!(integer(database, "SELECT count(DISTINCT x) > 100 FROM s"), 1);
}

/// Vacuums, attaches, copies, changes the key and converts.
fn copy(scratch: &Scratch, database: Database, page_size: u32) {
    let path = |name: &str| scratch.folder().join(name);
    run(&database, "VACUUM; DROP TABLE s; VACUUM");
    run(&database, &format!("VACUUM INTO '{}'", path("into.db").display()));
    let key = sealed(1, page_size);
    let options = AttachOptions { key: AttachKey::Key(&key), ..AttachOptions::default() };
    database.attach(Location::File(&path("other.db")), "other", &options).unwrap();
    database.attach(Location::File(&path("like.db")), "like", &AttachOptions::default()).unwrap();
    run(
        &database,
        "CREATE TABLE other.t AS SELECT * FROM main.t; CREATE TABLE \"like\".t AS SELECT * FROM main.t;
         BEGIN; DELETE FROM main.t WHERE id = 1; DELETE FROM other.t WHERE id = 1; DELETE FROM \"like\".t; COMMIT;
         VACUUM other",
    );
    for (name, to) in [("source.db", BackupKey::Source), ("key.db", BackupKey::Key(sealed(1, page_size)))] {
        let mut backup = database.backup("main", &path(name), to).unwrap();
        while !backup.step(20).unwrap().copied {}
        backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
    }
    database.rekey("main", &keys()[2], &mut |_| true).unwrap();
    run(&database, "UPDATE t SET v = 'NEEDLENEEDLE' WHERE id = 2");
    assert!(database.check("main", &mut |_| true).unwrap().is_ok());
    database.close().unwrap();
    let (from, to) = (&keys()[2], sealed(0, 8_192));
    let main = scratch.path();
    let timeout = Duration::ZERO;
    let migration =
        Migration { path: &main, folder: None, from: Some(from), to: Some(&to), keep: None, timeout };
    migrate(&migration, &mut |_| ControlFlow::Continue(())).unwrap();
    run(&open(&main, &keys()[0]), "UPDATE t SET v = 'NEEDLENEEDLE' WHERE id = 3");
}

#[test]
fn no_file_ever_gets_plaintext_or_a_checksum_of_plaintext() {
    record("recorded::no_file_ever_gets_plaintext_or_a_checksum_of_plaintext", || {
        let cases = [
            ("delete", "NONE", 4_096),
            ("truncate", "FULL", 1_024),
            ("persist", "INCREMENTAL", 8_192),
            ("memory", "NONE", 4_096),
            ("wal", "NONE", 4_096),
            ("wal", "FULL", 1_024),
        ];
        for (journal, vacuum, page_size) in cases {
            let scratch = Scratch::new();
            let database = open(&scratch.path(), &sealed(0, page_size));
            work(&database, journal, vacuum);
            copy(&scratch, database, page_size);
            let found = assert_nothing_leaks();
            println!("recorded {journal}, auto_vacuum {vacuum}, pages of {page_size} bytes: {found}");
            // A test that records nothing would find nothing.
            assert!(found.database_pages > 300, "{found}");
            match journal {
                "memory" => {}
                "wal" => {
                    assert!(found.wal_pages > 300 && found.wal_checksums > 30 && found.shm > 30, "{found}")
                }
                _ => assert!(found.journal_pages > 100, "{found}"),
            }
        }
    });
}

/// The search finds what it searches for: the same workload in a plain database.
#[test]
fn the_search_finds_the_writes_of_a_plain_database() {
    record("recorded::the_search_finds_the_writes_of_a_plain_database", || {
        for journal in ["delete", "wal"] {
            let scratch = Scratch::new();
            let database = scratch.open_plain();
            work(&database, journal, "NONE");
            let log = log();
            for kind in [Kind::Database, if journal == "wal" { Kind::Wal } else { Kind::Journal }] {
                let mut writes = log.writes.iter().filter(|write| write.kind == kind);
                assert!(
                    writes.any(|write| write.bytes.windows(16).any(|window| window == NEEDLE.as_bytes())),
                    "{journal} {kind:?}"
                );
            }
            // SQLite is built to sort, and to keep temporary tables, in memory only.
            let temporary = log.opened.iter().filter(|(kind, _)| *kind == Kind::Temporary).count();
            assert_eq!(temporary, 0, "{journal}");
            println!("recorded {} writes", log.writes.len());
        }
    });
}
