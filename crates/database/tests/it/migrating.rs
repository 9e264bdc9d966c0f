//! Helpers that convert files, and a database with every kind of content that a conversion must keep.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use strongroom_database::{Converted, Database, Location, MigrateError, Migration, OpenOptions, migrate};
use strongroom_keys::{CipherParameters, Key};

use crate::scratch::{Owned, rows, text};

/// Returns a raw key for a version of SQLCipher. Deriving a key from a passphrase would be slow.
pub(crate) fn version(compatibility: u8) -> Key {
    let parameters = CipherParameters { compatibility: Some(compatibility), ..Default::default() };
    Key::raw(&[compatibility; 32]).unwrap().with_cipher(parameters).unwrap()
}

pub(crate) fn migration<'a>(path: &'a Path, from: Option<&'a Key>, to: Option<&'a Key>) -> Migration<'a> {
    Migration { path, folder: None, from, to, keep: None, timeout: Duration::ZERO }
}

pub(crate) fn convert(path: &Path, from: Option<&Key>, to: Option<&Key>) -> Result<Converted, MigrateError> {
    migrate(&migration(path, from, to), &mut |_| ControlFlow::Continue(()))
}

pub(crate) fn open(path: &Path, key: Option<&Key>) -> Database {
    let location = Location::File(path);
    match key {
        Some(key) => Database::open(location, key, &OpenOptions::default()).unwrap(),
        None => Database::open_unencrypted(location, &OpenOptions::default()).unwrap(),
    }
}

/// Returns the sorted names of the files in a folder.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The settings of a new database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) encoding: &'static str,
    pub(crate) auto_vacuum: u8,
    pub(crate) journal: &'static str,
    pub(crate) page_size: u32,
}

/// Creates a database with every kind of content.
pub(crate) fn create_rich(path: &Path, settings: Settings) {
    let Settings { encoding, auto_vacuum, journal, page_size } = settings;
    let database = open(path, None);
    database
        .execute_batch(&format!(
            "PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page_size}; PRAGMA auto_vacuum = {auto_vacuum};
             PRAGMA user_version = -77; PRAGMA application_id = 305419896"
        ))
        .unwrap();
    rows(&database, &format!("PRAGMA journal_mode = {journal}"), &[]).unwrap();
    database.execute_batch(RICH).unwrap();
    for (name, value) in [
        ("text", text("ünï €𝄞 \u{0} after a NUL")),
        ("blob", Owned::Blob((0..=255).cycle().take(70_000).collect())),
        ("large", text(&"lorem ".repeat(5_000))),
        ("real", Owned::Real(0.1)),
        ("integer", Owned::Integer(i64::MIN)),
        ("null", Owned::Null),
    ] {
        rows(&database, "INSERT INTO \"weird \"\" name\" VALUES (?, ?)", &[text(name), value]).unwrap();
    }
    database.close().unwrap();
    add_unknown_module(path);
}

/// Adds a virtual table of an unknown module, as another program may leave it. Declares the column `late.a` NOT NULL
/// although it holds a NULL, a state that ALTER TABLE can leave.
fn add_unknown_module(path: &Path) {
    let database = open(path, None);
    database
        .execute_batch("CREATE TABLE \"vault_content\" (id INTEGER PRIMARY KEY, c); INSERT INTO vault_content VALUES (4, 'x')")
        .unwrap();
    database.close().unwrap();
    let plain = rusqlite::Connection::open(path).unwrap();
    plain.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    plain
        .execute_batch(
            "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
             VALUES ('table', 'vault', 'vault', 0, 'CREATE VIRTUAL TABLE vault USING unknown_module(c)');
             UPDATE sqlite_schema SET sql = 'CREATE TABLE late (a NOT NULL)' WHERE name = 'late'",
        )
        .unwrap();
}

const RICH: &str = r#"
PRAGMA foreign_keys = OFF;
CREATE TABLE plain (a INTEGER, b TEXT, c REAL, d);
INSERT INTO plain (rowid, a, b, c, d) VALUES (-5, 1, 'one', 1.0, NULL), (3, 2, 'two', 2.5, x'00ff'), (900, 3, '', 1e300, 'x');
CREATE TABLE indexed (a, b);
CREATE INDEX indexed_b ON indexed (b DESC, a COLLATE NOCASE);
CREATE UNIQUE INDEX indexed_part ON indexed (a) WHERE b > 3;
CREATE INDEX indexed_expression ON indexed (lower(a), length(b));
INSERT INTO indexed (rowid, a, b) VALUES (9, 'A', 1), (17, 'b', 2), (4000000000, 'C', 50);
CREATE TABLE taken (rowid, _rowid_ TEXT, oid);
INSERT INTO taken VALUES (5, 'five', 'V'), (6, 'six', 'VI');
CREATE TABLE "weird "" name" ("a ""b' [c]" TEXT, "select" BLOB);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
INSERT INTO counted VALUES (1, 'a'), (500, 'b');
DELETE FROM counted WHERE id = 500;
CREATE TABLE compact (a TEXT, b INTEGER, c, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;
INSERT INTO compact VALUES ('x', 1, 'first'), ('y', 2, NULL), ('a', 2, 3);
CREATE TABLE exact (id INTEGER PRIMARY KEY, a INT NOT NULL, b ANY, c TEXT CHECK (length(c) < 99)) STRICT;
INSERT INTO exact VALUES (7, 1, 'text', 'c'), (8, 2, 2.5, NULL);
CREATE TABLE computed (a INTEGER, b TEXT, v AS (a * 2), s TEXT AS (b || '!') STORED, u UNIQUE);
INSERT INTO computed (rowid, a, b, u) VALUES (3, 21, 'x', 'p'), (77, 22, 'y', 'q');
CREATE TABLE computed_key (id INTEGER PRIMARY KEY, v AS (id + 1) VIRTUAL, b);
INSERT INTO computed_key (id, b) VALUES (12, 'twelve');
CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES exact (id) ON DELETE CASCADE);
INSERT INTO child VALUES (1, 7), (2, 12345);
CREATE TABLE late (a); INSERT INTO late VALUES (NULL), (1);
CREATE TABLE empty (a PRIMARY KEY, b UNIQUE ON CONFLICT REPLACE);
CREATE TABLE altered (a); INSERT INTO altered VALUES (1); ALTER TABLE altered ADD COLUMN b TEXT DEFAULT 'later';
CREATE VIEW seen AS SELECT a, b FROM plain WHERE a > 1;
CREATE VIEW broken AS SELECT no_such_column FROM no_such_table;
CREATE TABLE log (a);
CREATE TRIGGER logged AFTER INSERT ON plain BEGIN INSERT INTO log VALUES (new.a); END;
CREATE TRIGGER viewed INSTEAD OF INSERT ON seen BEGIN INSERT INTO plain (a, b) VALUES (new.a, new.b); END;
INSERT INTO plain (rowid, a, b) VALUES (1000, 4, 'four');
CREATE VIRTUAL TABLE fts3 USING fts3(a, b); INSERT INTO fts3 VALUES ('one two', 'three');
CREATE VIRTUAL TABLE fts4 USING fts4(content='indexed', a); INSERT INTO fts4 (fts4) VALUES ('rebuild');
CREATE TABLE story (title, body);
INSERT INTO story (rowid, title, body) VALUES (5, 'cats', 'a cat sat'), (50, 'dogs', 'a dog ran');
CREATE VIRTUAL TABLE fts5 USING fts5(title, body, content='story');
INSERT INTO fts5 (fts5) VALUES ('rebuild');
CREATE VIRTUAL TABLE fts5_own USING fts5(x, prefix='2 3'); INSERT INTO fts5_own VALUES ('hello world'), ('hello again');
CREATE VIRTUAL TABLE area USING rtree(id, x0, x1, y0, y1, +note);
INSERT INTO area VALUES (1, 0, 1, 0, 1, 'unit'), (9, 5, 6, 5, 7, 'far');
CREATE INDEX story_title ON story (title);
ANALYZE;
"#;
