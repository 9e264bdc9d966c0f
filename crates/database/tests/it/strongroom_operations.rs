//! Tests the operations on files in the Strongroom format: VACUUM, attaching, backups, conversions and images.

use std::fs;
use std::ops::ControlFlow;

use strongroom_database::{
    AttachKey, AttachOptions, BackupKey, Database, Location, Migration, OpenOptions, migrate,
};
use strongroom_keys::{Format, Key};

use crate::scratch::{Scratch, integer};
use crate::strongroom::{
    MAGIC, assert_filled, assert_sealed, fill, is_strongroom, open, other_key, page_size, plain_key, sealed,
};

#[test]
fn vacuum_keeps_the_file_sealed() {
    for (journal, size) in
        [("delete", 4_096), ("wal", 4_096), ("wal", 1_024), ("delete", 8_192), ("wal", 65_536)]
    {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &page_size(size)).unwrap();
        database
            .execute_batch(&format!("PRAGMA journal_mode = {journal}; PRAGMA temp_store = FILE"))
            .unwrap();
        fill(&database);
        let before = integer(&database, "PRAGMA page_count");
        database.execute_batch("VACUUM").unwrap();
        assert!(integer(&database, "PRAGMA page_count") < before);
        assert_filled(&database);
        let target = scratch.folder().join("into.db");
        database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).unwrap();
        assert!(is_strongroom(&target));
        assert_sealed(&target);
        assert_filled(&open(&target, &plain_key()).unwrap());
        // Each file has keys of its own.
        let (source, copy) = (fs::read(scratch.path()).unwrap(), fs::read(&target).unwrap());
        assert_ne!(source[24..40], copy[24..40]);
        let refused = database.execute_batch(&format!("VACUUM INTO '{}'", target.display()));
        assert!(refused.is_err());
        assert_filled(&open(&target, &plain_key()).unwrap());
        assert_filled(&database);
    }
}

#[test]
fn vacuum_into_never_replaces_a_header() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    let target = scratch.folder().join("into.db");
    open(&target, &other_key().with_format(Format::Strongroom).unwrap()).unwrap().close().unwrap();
    assert!(database.execute_batch(&format!("VACUUM INTO '{}'", target.display())).is_err());
    // The refused statement has left nothing behind for the next one.
    let second = scratch.folder().join("second.db");
    database.execute_batch(&format!("VACUUM INTO '{}'", second.display())).unwrap();
    assert_filled(&open(&second, &plain_key()).unwrap());
    assert_eq!(integer(&open(&target, &other_key()).unwrap(), "SELECT count(*) FROM sqlite_schema"), 0);
}

#[test]
fn databases_of_all_formats_share_a_connection() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    let path = |name: &str| scratch.folder().join(name);
    let attach = |name: &str, key: AttachKey<'_>| {
        let options = AttachOptions { key, ..AttachOptions::default() };
        database.attach(Location::File(&path(name)), name, &options)
    };
    attach("like", AttachKey::OfMain).unwrap();
    attach("own", AttachKey::Key(&other_key().with_format(Format::Strongroom).unwrap())).unwrap();
    attach("cipher", AttachKey::Key(&other_key())).unwrap();
    attach("plain", AttachKey::Plain).unwrap();
    database
        .execute_batch(
            "BEGIN;
             CREATE TABLE \"like\".t AS SELECT * FROM main.t; CREATE TABLE own.t AS SELECT * FROM main.t;
             CREATE TABLE cipher.t AS SELECT * FROM main.t; CREATE TABLE plain.t AS SELECT * FROM main.t;
             COMMIT",
        )
        .unwrap();
    for name in ["like", "own", "cipher", "plain"] {
        assert_eq!(integer(&database, &format!("SELECT count(*) FROM \"{name}\".t")), 2001, "{name}");
        database.detach(name).unwrap();
    }
    assert!(is_strongroom(&path("like")) && is_strongroom(&path("own")) && !is_strongroom(&path("cipher")));
    assert!(fs::read(path("plain")).unwrap().starts_with(b"SQLite format 3\0"));
    assert_sealed(&path("like"));
    for (name, key) in [("like", plain_key()), ("own", other_key()), ("cipher", other_key())] {
        assert_filled(&open(&path(name), &key).unwrap());
    }
    // The main database's key opens its like again, and nothing else.
    attach("like", AttachKey::OfMain).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM \"like\".t"), 2001);
    assert_eq!(attach("own", AttachKey::OfMain).unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    assert_eq!(attach("own", AttachKey::Plain).unwrap_err().code(), "STRONGROOM_KEY_REQUIRED");
    assert_eq!(attach("cipher", AttachKey::OfMain).unwrap_err().code(), "STRONGROOM_OTHER_FORMAT");
    assert_eq!(attach("plain", AttachKey::OfMain).unwrap_err().code(), "STRONGROOM_OTHER_FORMAT");
    assert_filled(&database);
}

#[test]
fn a_passphrase_of_the_main_database_opens_what_it_created() {
    let scratch = Scratch::new();
    let key = || Key::passphrase(b"correct horse").unwrap();
    let database = open(&scratch.path(), &key().with_format(Format::Strongroom).unwrap()).unwrap();
    let path = scratch.folder().join("like");
    database.attach(Location::File(&path), "like", &AttachOptions::default()).unwrap();
    database.execute_batch("CREATE TABLE \"like\".t (a)").unwrap();
    database.detach("like").unwrap();
    database.attach(Location::File(&path), "like", &AttachOptions::default()).unwrap();
    assert_eq!(integer(&database, "SELECT count(*) FROM \"like\".t"), 0);
    drop(database);
    assert_eq!(integer(&open(&path, &key()).unwrap(), "SELECT count(*) FROM t"), 0);
}

#[test]
fn sql_never_makes_a_plain_copy() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    let attach = format!("ATTACH '{}' AS a", scratch.folder().join("a.db").display());
    for sql in [attach.clone(), format!("{attach} KEY ''"), "ATTACH ?1 AS a".to_owned()] {
        assert_eq!(database.prepare(&sql).unwrap_err().code(), "STRONGROOM_ATTACH_REFUSED", "{sql}");
    }
    database
        .execute_batch("ATTACH ':memory:' AS m; CREATE TABLE m.t (a); DETACH m; ATTACH '' AS m; DETACH m")
        .unwrap();

    let plain = Scratch::new().open_plain();
    let key = sealed();
    let options = AttachOptions { key: AttachKey::Key(&key), ..AttachOptions::default() };
    let path = scratch.folder().join("b.db");
    plain.attach(Location::File(&path), "b", &options).unwrap();
    plain.execute_batch("CREATE TABLE b.t (a)").unwrap();
    let into = format!("VACUUM b INTO '{}'", scratch.folder().join("c.db").display());
    assert_eq!(plain.prepare(&into).unwrap_err().code(), "STRONGROOM_VACUUM_REFUSED");
    plain.execute_batch("VACUUM b").unwrap();
    assert!(is_strongroom(&path));
}

#[test]
fn backups_convert_between_all_formats() {
    let cipher = || plain_key().with_format(Format::SqlCipher).unwrap();
    let scratch = Scratch::new();
    let sources: [(&str, Option<Key>); 3] =
        [("plain", None), ("cipher", Some(cipher())), ("sealed", Some(sealed()))];
    for (name, key) in sources {
        let path = scratch.folder().join(name);
        let database = match &key {
            Some(key) => open(&path, key).unwrap(),
            None => Database::open_unencrypted(Location::File(&path), &OpenOptions::default()).unwrap(),
        };
        fill(&database);
        let targets = [
            ("source", BackupKey::Source, name == "sealed"),
            ("plain", BackupKey::Plain, false),
            ("other", BackupKey::Key(other_key()), name == "sealed"),
            ("cipher", BackupKey::Key(other_key().with_format(Format::SqlCipher).unwrap()), false),
            ("sealed", BackupKey::Key(other_key().with_format(Format::Strongroom).unwrap()), true),
        ];
        for (target, to, is_sealed) in targets {
            let copy = scratch.folder().join(format!("{name}-{target}"));
            let is_plain = matches!(to, BackupKey::Plain) || (name == "plain" && target == "source");
            let opener = if target == "source" { plain_key() } else { other_key() };
            let mut backup = database.backup("main", &copy, to).unwrap();
            while !backup.step(100).unwrap().copied {}
            backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
            assert_eq!(is_strongroom(&copy), is_sealed, "{name} {target}");
            let opened = match is_plain {
                true => Database::open_unencrypted(Location::File(&copy), &OpenOptions::default()).unwrap(),
                false => open(&copy, &opener).unwrap(),
            };
            assert_filled(&opened);
        }
    }
}

#[test]
fn migrations_convert_between_all_formats() {
    let scratch = Scratch::new();
    let path = scratch.path();
    fill(&open(&path, &plain_key()).unwrap());
    let step = |from: Option<&Key>, to: Option<&Key>| {
        let timeout = std::time::Duration::ZERO;
        let migration = Migration { path: &path, folder: None, from, to, keep: None, timeout };
        migrate(&migration, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let cipher = plain_key().with_format(Format::SqlCipher).unwrap();
    step(Some(&plain_key()), Some(&sealed()));
    assert!(is_strongroom(&path));
    // Without a format, the file keeps its own.
    step(Some(&plain_key()), Some(&other_key()));
    assert!(is_strongroom(&path));
    assert_filled(&open(&path, &other_key()).unwrap());
    step(Some(&other_key()), None);
    assert!(fs::read(&path).unwrap().starts_with(b"SQLite format 3\0"));
    step(None, Some(&sealed()));
    assert_filled(&open(&path, &plain_key()).unwrap());
    step(Some(&plain_key()), Some(&page_size(16_384)));
    assert_filled(&open(&path, &plain_key()).unwrap());
    step(Some(&plain_key()), Some(&cipher));
    assert!(!is_strongroom(&path));
    assert_filled(&open(&path, &plain_key()).unwrap());
}

#[test]
fn images_have_a_header() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    let image = database.serialize_encrypted("main", None).unwrap();
    assert!(image.starts_with(MAGIC));
    let opened = Database::open(Location::Image(&image), &plain_key(), &OpenOptions::default()).unwrap();
    assert_filled(&opened);
    opened.execute_batch("INSERT INTO t VALUES (0, 'x')").unwrap();
    let wrong = Database::open(Location::Image(&image), &other_key(), &OpenOptions::default());
    assert_eq!(wrong.unwrap_err().code(), "STRONGROOM_WRONG_KEY");
    let without_key = Database::open_unencrypted(Location::Image(&image), &OpenOptions::default());
    assert_eq!(without_key.unwrap_err().code(), "STRONGROOM_KEY_REQUIRED");
    // An image is a file.
    let path = scratch.folder().join("image.db");
    fs::write(&path, &image).unwrap();
    assert_filled(&open(&path, &plain_key()).unwrap());
    let image = database.serialize_encrypted("main", Some(&other_key())).unwrap();
    assert_filled(&Database::open(Location::Image(&image), &other_key(), &OpenOptions::default()).unwrap());
    let plain = database.serialize("main").unwrap();
    assert_filled(&Database::open_unencrypted(Location::Image(&plain), &OpenOptions::default()).unwrap());
}

/// A copy with the removed key would look like a good backup to a program that has the new key.
#[test]
fn no_copy_gets_a_key_that_another_connection_has_changed() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    open(&scratch.path(), &plain_key()).unwrap().rekey("main", &other_key(), &mut |_| true).unwrap();
    let path = |name: &str| scratch.folder().join(name);
    let backup = database.backup("main", &path("backup"), BackupKey::Source).err().unwrap();
    assert_eq!(backup.code(), "STRONGROOM_KEY_CHANGED");
    assert_eq!(database.serialize_encrypted("main", None).unwrap_err().code(), "STRONGROOM_KEY_CHANGED");
    let attached = database.attach(Location::File(&path("like")), "like", &AttachOptions::default());
    assert_eq!(attached.unwrap_err().code(), "STRONGROOM_KEY_CHANGED");
    let into = format!("VACUUM INTO '{}'", path("into").display());
    assert_eq!(database.execute_batch(&into).unwrap_err().code(), "STRONGROOM_KEY_CHANGED");
    // The data key is the same: reading, writing and copies with a key of their own go on.
    assert_filled(&database);
    let mut backup = database.backup("main", &path("own"), BackupKey::Key(other_key())).unwrap();
    while !backup.step(1_000).unwrap().copied {}
    backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
    assert_filled(&open(&path("own"), &other_key()).unwrap());
}

#[test]
fn a_check_reports_a_damaged_header() {
    for (damaged, text) in [
        (0..8_192, "the header cannot be read"),
        (0..4_096, "one of the two copies"),
        (4_096..8_192, "one of"),
    ] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &sealed()).unwrap();
        fill(&database);
        assert!(database.check("main", &mut |_| true).unwrap().problems.is_empty());
        let mut bytes = fs::read(scratch.path()).unwrap();
        bytes[damaged].fill(7);
        fs::write(scratch.path(), bytes).unwrap();
        let problems = database.check("main", &mut |_| true).unwrap().problems;
        assert!(problems.len() == 1 && problems[0].message.starts_with(text), "{problems:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_replaced_file_is_not_rekeyed() {
    let scratch = Scratch::new();
    let database = open(&scratch.path(), &sealed()).unwrap();
    fill(&database);
    let other = scratch.folder().join("other.db");
    fill(&open(&other, &sealed()).unwrap());
    fs::rename(&other, scratch.path()).unwrap();
    let error = database.rekey("main", &other_key(), &mut |_| true).unwrap_err();
    assert_eq!(error.code(), "SQLITE_READONLY_DBMOVED", "{error}");
}

#[test]
fn a_key_of_sqlcipher_does_not_attach_a_strongroom_file() {
    let scratch = Scratch::new();
    let path = scratch.folder().join("sealed.db");
    fill(&open(&path, &sealed()).unwrap());
    let database = open(&scratch.path(), &plain_key()).unwrap();
    fill(&database);
    let attached = database.attach(Location::File(&path), "x", &AttachOptions::default());
    assert_eq!(attached.unwrap_err().code(), "STRONGROOM_OTHER_FORMAT");
}

#[test]
fn temporary_tables_of_an_encrypted_database_are_not_backed_up_in_plain() {
    for key in [sealed(), plain_key()] {
        let scratch = Scratch::new();
        let database = open(&scratch.path(), &key).unwrap();
        database.execute_batch("CREATE TEMP TABLE s AS SELECT 'secret' AS x").unwrap();
        let target = scratch.folder().join("backup");
        let refused = database.backup("temp", &target, BackupKey::Source).err().unwrap();
        assert_eq!(refused.code(), "STRONGROOM_NOT_ENCRYPTED");
        let mut backup = database.backup("temp", &target, BackupKey::Key(other_key())).unwrap();
        while !backup.step(1_000).unwrap().copied {}
        backup.finish().unwrap().install(|_| ControlFlow::Continue(())).unwrap();
        assert_eq!(integer(&open(&target, &other_key()).unwrap(), "SELECT count(*) FROM s"), 1);
    }
}
