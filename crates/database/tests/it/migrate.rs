//! Tests that conversions between plain files and SQLCipher's versions keep all content.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use strongroom_database::{Database, Migration, Progress, migrate};
use strongroom_keys::{CipherParameters, HashAlgorithm, Key};

use crate::migrating::{Settings, convert, create_rich, files, migration, open, version};
use crate::scratch::{Owned, Scratch, assert_intact, integer, rows, text, value};

/// Returns all content that SQL can read, keyed by the statement that reads it.
fn content(database: &Database) -> BTreeMap<String, Vec<Vec<Owned>>> {
    let mut statements: Vec<String> = [
        "SELECT rowid, type, name, tbl_name, rootpage > 0, sql FROM sqlite_schema ORDER BY rowid",
        "SELECT rowid, title FROM fts5 WHERE fts5 MATCH 'cat OR ran' ORDER BY rowid",
        "SELECT docid FROM fts4 WHERE fts4 MATCH 'b' ORDER BY docid",
        "SELECT docid, a FROM fts3 WHERE fts3 MATCH 'two'",
        "SELECT rowid FROM fts5_own WHERE fts5_own MATCH 'he*' ORDER BY rowid",
        "SELECT id, note FROM area WHERE x0 > 2",
        "SELECT v, s FROM computed ORDER BY rowid",
        "PRAGMA encoding",
        "PRAGMA user_version",
        "PRAGMA application_id",
        "PRAGMA auto_vacuum",
        "PRAGMA journal_mode",
    ]
    .map(str::to_owned)
    .to_vec();
    let tables = rows(
        database,
        "SELECT '\"' || replace(name, '\"', '\"\"') || '\"', name = 'taken' OR sql LIKE '%WITHOUT ROWID%'
         FROM sqlite_schema WHERE type = 'table' AND rootpage > 0",
        &[],
    );
    for table in tables.unwrap() {
        let [Owned::Text(name), without] = &table[..] else { panic!("{table:?}") };
        let rowid = if *without == Owned::Integer(1) { "1" } else { "rowid" };
        statements.push(format!("SELECT {rowid}, * FROM {name} NOT INDEXED"));
    }
    statements
        .into_iter()
        .map(|sql| (sql.clone(), rows(database, &sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e}"))))
        .collect()
}

/// Converts a file from each key to the next, and compares the content after each step.
fn round(path: &Path, keys: &[Option<&Key>]) {
    let before = content(&open(path, keys[0]));
    for pair in keys.windows(2) {
        let converted = convert(path, pair[0], pair[1]).unwrap_or_else(|error| panic!("{pair:?}: {error}"));
        assert_eq!(files(path.parent().unwrap()), ["test.db"]);
        let database = open(path, pair[1]);
        assert_eq!(integer(&database, "PRAGMA page_count"), converted.pages as i64);
        assert_eq!(integer(&database, "PRAGMA page_size"), i64::from(converted.page_size));
        for (sql, rows) in content(&database) {
            assert_eq!(rows, before[&sql], "{pair:?}: {sql}");
        }
        // The conversion keeps the invalid NULL in `late`.
        let faults = rows(&database, "PRAGMA integrity_check", &[]).unwrap();
        assert_eq!(faults, [[text("NULL value in late.a")]], "{pair:?}");
        database.execute_batch("INSERT INTO counted (a) VALUES ('next')").unwrap();
        assert_eq!(integer(&database, "SELECT max(id) FROM counted"), 501);
        database
            .execute_batch("DELETE FROM counted WHERE id = 501; UPDATE sqlite_sequence SET seq = 500")
            .unwrap();
    }
}

/// Converts a plain database to every version of SQLCipher, then back to plain.
fn round_trip(settings: Settings) {
    let scratch = Scratch::new();
    create_rich(&scratch.path(), settings);
    let keys = [4, 3, 2, 1].map(version);
    let keys: Vec<_> = [None].into_iter().chain(keys.iter().map(Some)).chain([None]).collect();
    round(&scratch.path(), &keys);
}

#[test]
fn a_rich_database_converts_to_every_version_and_back() {
    round_trip(Settings { encoding: "UTF-8", auto_vacuum: 0, journal: "delete", page_size: 4096 });
}

#[test]
fn a_utf_16le_database_in_wal_mode_with_auto_vacuum_converts_to_every_version_and_back() {
    round_trip(Settings { encoding: "UTF-16le", auto_vacuum: 1, journal: "wal", page_size: 1024 });
}

#[test]
fn a_utf_16be_database_with_incremental_vacuum_and_large_pages_converts_to_every_version_and_back() {
    round_trip(Settings { encoding: "UTF-16be", auto_vacuum: 2, journal: "wal", page_size: 65536 });
}

#[test]
fn a_database_with_pages_too_small_for_a_cipher_converts_to_every_version_and_back() {
    round_trip(Settings { encoding: "UTF-8", auto_vacuum: 1, journal: "delete", page_size: 512 });
}

#[test]
fn files_convert_between_any_two_sets_of_parameters() {
    let scratch = Scratch::new();
    create_rich(
        &scratch.path(),
        Settings { encoding: "UTF-8", auto_vacuum: 0, journal: "wal", page_size: 4096 },
    );
    let with = |parameters| Key::passphrase(b"pass").unwrap().with_cipher(parameters).unwrap();
    let keys = [
        CipherParameters { kdf_iter: Some(7), page_size: Some(8192), ..Default::default() },
        CipherParameters {
            kdf_iter: Some(9),
            use_hmac: Some(false),
            kdf_algorithm: Some(HashAlgorithm::Sha256),
            ..Default::default()
        },
        CipherParameters {
            kdf_iter: Some(9),
            hmac_algorithm: Some(HashAlgorithm::Sha1),
            plaintext_header_size: Some(32),
            salt: Some([7; 16]),
            ..Default::default()
        },
        CipherParameters {
            kdf_iter: Some(3),
            compatibility: Some(2),
            hmac_salt_mask: Some(0),
            fast_kdf_iter: Some(5),
            ..Default::default()
        },
    ]
    .map(with);
    let keys: Vec<_> = [None].into_iter().chain(keys.iter().map(Some)).chain([None]).collect();
    round(&scratch.path(), &keys);
}

#[test]
fn a_default_page_size_becomes_the_default_of_the_new_version_and_any_other_size_is_kept() {
    for (size, sizes) in [(4096, [4096, 1024, 4096]), (8192, [8192; 3]), (1024, [1024, 1024, 4096])] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), None);
        database.execute_batch(&format!("PRAGMA page_size = {size}; CREATE TABLE t (a)")).unwrap();
        database.close().unwrap();
        let (four, three) = (version(4), version(3));
        let steps = [(None, Some(&four)), (Some(&four), Some(&three)), (Some(&three), None)];
        let found = steps.map(|(from, to)| convert(&scratch.path(), from, to).unwrap().page_size);
        assert_eq!(found, sizes, "{size}");
    }
}

/// Without HMAC, the file does not reveal a page size other than the default.
#[test]
fn a_file_without_hmac_gets_the_default_page_size() {
    let scratch = Scratch::new();
    open(&scratch.path(), None).execute_batch("PRAGMA page_size = 8192; CREATE TABLE t (a)").unwrap();
    let one = version(1);
    assert_eq!(convert(&scratch.path(), None, Some(&one)).unwrap().page_size, 1024);
    assert_eq!(integer(&open(&scratch.path(), Some(&one)), "SELECT count(*) FROM t"), 0);
}

#[test]
fn a_database_without_a_table_keeps_its_settings() {
    let scratch = Scratch::new();
    open(&scratch.path(), None)
        .execute_batch(
            "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a); DROP TABLE t; PRAGMA user_version = 3",
        )
        .unwrap();
    let key = version(4);
    let converted = convert(&scratch.path(), None, Some(&key)).unwrap();
    assert_eq!((converted.tables, converted.rows), (0, 0));
    let database = open(&scratch.path(), Some(&key));
    assert_eq!(value(&database, "PRAGMA encoding", &[]).unwrap(), text("UTF-16le"));
    assert_eq!(integer(&database, "PRAGMA user_version"), 3);
    assert_intact(&database);
}

#[test]
fn progress_rises_from_zero_to_the_total() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), None);
    database
        .execute_batch(
            "CREATE TABLE t (a); WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO t SELECT randomblob(3000) FROM n",
        )
        .unwrap();
    let pages = integer(&database, "PRAGMA page_count") as u64;
    database.close().unwrap();
    let (key, mut seen) = (version(4), Vec::new());
    migrate(&migration(&scratch.path(), None, Some(&key)), &mut |progress: Progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(seen.iter().all(|progress| progress.total == 2 * pages));
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done));
    assert_eq!((seen[0].done, seen[seen.len() - 1].done), (0, 2 * pages));
    let within = |half: u64| {
        seen.iter().filter(|progress| progress.done > half && progress.done < half + pages).count()
    };
    assert!(within(0) > 5 && within(pages) > 5, "{} and {}", within(0), within(pages));
}

#[test]
fn the_original_is_kept_under_another_name() {
    for journal in ["delete", "wal"] {
        let scratch = Scratch::new();
        create_rich(
            &scratch.path(),
            Settings { encoding: "UTF-8", auto_vacuum: 0, journal, page_size: 4096 },
        );
        let before = content(&open(&scratch.path(), None));
        let (key, path, keep) = (version(4), scratch.path(), scratch.folder().join("old.db"));
        let kept = Migration { keep: Some(&keep), ..migration(&path, None, Some(&key)) };
        migrate(&kept, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(files(&scratch.folder()), ["old.db", "test.db"]);
        assert_eq!(content(&open(&keep, None)), before);
        assert_eq!(integer(&open(&scratch.path(), Some(&key)), "SELECT count(*) FROM plain"), 4);
    }
}

#[cfg(unix)]
#[test]
fn the_new_file_keeps_the_permissions_and_links_still_lead_to_it() {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new();
    open(&scratch.path(), None).execute_batch("CREATE TABLE t (a)").unwrap();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = scratch.folder().join("link.db");
    symlink(scratch.path(), &link).unwrap();
    let key = version(4);
    convert(&link, None, Some(&key)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(scratch.path()).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(integer(&open(&link, Some(&key)), "SELECT count(*) FROM t"), 0);
}
