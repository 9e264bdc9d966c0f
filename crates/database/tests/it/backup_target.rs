//! Tests the target of a backup: the files that a backup replaces or refuses, and the state after a failure.

use std::fs::{self, File};
#[cfg(unix)]
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::{Command, Stdio};

use strongroom_database::{BackupError, BackupKey, Database};
use strongroom_keys::Key;

use crate::backup::{FILL, complete, content, listing, open, open_plain, other_key};
use crate::scratch::{REMOVED_ENDINGS, Scratch, integer, key, rows};

/// Returns a source with some content, and the path of a copy.
fn source(scratch: &Scratch) -> (Database, PathBuf) {
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    (database, scratch.folder().join("copy.db"))
}

fn refused(database: &Database, path: &Path) -> BackupError {
    database.backup("main", path, BackupKey::Source).unwrap_err()
}

#[test]
fn an_existing_database_is_replaced_whatever_its_key() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    open(&path, &other_key()).execute_batch("CREATE TABLE old (a)").unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));

    fs::remove_file(&path).unwrap();
    open_plain(&path).execute_batch("CREATE TABLE old (a)").unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));

    File::create(&path).unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    assert_eq!(content(&open(&path, &key()), "t"), content(&database, "t"));
}

#[test]
fn an_unfinished_backup_does_not_change_the_target() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    open_plain(&path).execute_batch("CREATE TABLE old (a)").unwrap();
    let before = fs::read(&path).unwrap();
    let unchanged = |what: &str| {
        assert_eq!(fs::read(&path).unwrap(), before, "{what}");
        assert_eq!(listing(&scratch.folder()), ["copy.db", "test.db"], "{what}");
    };
    for key in [BackupKey::Source, BackupKey::Plain] {
        let mut backup = database.backup("main", &path, key).unwrap();
        backup.step(5).unwrap();
        drop(backup);
        unchanged("dropped in the middle");
    }
    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    backup.step(5).unwrap();
    assert_eq!(backup.finish().unwrap_err().code(), "SQLITE_MISUSE");
    unchanged("finished too early");

    for cancelled_at in [0, 1, 2] {
        let mut backup = database.backup("main", &path, BackupKey::Plain).unwrap();
        while !backup.step(50).unwrap().copied {}
        let mut reports = 0;
        let result = backup.finish().unwrap().install(|_| {
            reports += 1;
            if reports > cancelled_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(result, Err(BackupError::Cancelled { .. })), "{result:?}");
        unchanged("cancelled conversion");
    }

    let mut backup = database.backup("main", &path, BackupKey::Source).unwrap();
    while !backup.step(50).unwrap().copied {}
    let copied = backup.finish().unwrap();
    let user = open_plain(&path);
    user.execute_batch("BEGIN IMMEDIATE").unwrap();
    let result = copied.install(|_| ControlFlow::Continue(()));
    assert_eq!(result.unwrap_err().code(), "STRONGROOM_IN_USE");
    user.close().unwrap();
    unchanged("a target that was locked meanwhile");
}

#[test]
fn a_backup_does_not_replace_a_file_in_use_or_a_file_that_is_not_a_database() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    let error = refused(&database, Path::new(""));
    assert!(matches!(error, BackupError::EmptyPath));
    let error = refused(&database, &scratch.folder());
    assert!(matches!(error, BackupError::Directory { .. }));
    let error = refused(&database, &scratch.folder().join("missing/copy.db"));
    assert!(matches!(error, BackupError::MissingDirectory { .. }));
    let error = refused(&database, &scratch.path().join("copy.db"));
    assert!(matches!(error, BackupError::MissingDirectory { .. }), "a file as a folder");
    let dotted = scratch.folder().join(".").join("test.db");
    assert!(matches!(refused(&database, &dotted), BackupError::TargetIsSource { .. }));

    fs::write(&path, "not a database file").unwrap();
    assert_eq!(refused(&database, &path).code(), "SQLITE_NOTADB");
    assert_eq!(fs::read(&path).unwrap(), b"not a database file");
    fs::remove_file(&path).unwrap();

    let user = open_plain(&path);
    user.execute_batch("CREATE TABLE t (a)").unwrap();
    for mode in ["delete", "wal"] {
        rows(&user, &format!("PRAGMA journal_mode = {mode}"), &[]).unwrap();
        user.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert!(matches!(refused(&database, &path), BackupError::TargetInUse { .. }), "{mode}");
    }
    user.close().unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
}

// A connection removes files with these endings even while the connection stays open. A backup with such a name was
// deleted.
#[test]
fn a_backup_refuses_a_target_that_sqlite_would_remove() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    for ending in REMOVED_ENDINGS {
        for name in ["test.db", "copy.db"] {
            let error = refused(&database, &scratch.folder().join(format!("{name}{ending}")));
            assert_eq!(error.code(), "STRONGROOM_RESERVED_NAME", "{error}");
        }
    }
    assert!(!path.exists());
    assert_eq!(listing(&scratch.folder()), ["test.db"]);
}

// SQLite applies a journal to any database of the same name. If a copy replaced a database that has a hot journal,
// SQLite would overwrite the copy with old pages.
#[test]
fn a_target_with_the_journal_of_a_crash_is_not_replaced() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    open_plain(&path).execute_batch("CREATE TABLE old (a)").unwrap();
    for ending in ["-journal", "-wal"] {
        let journal = scratch.folder().join(format!("copy.db{ending}"));
        fs::write(&journal, [7; 600]).unwrap();
        let error = refused(&database, &path);
        assert!(
            matches!(&error, BackupError::TargetHasJournal { journal: found, .. } if *found == fs::canonicalize(&journal).unwrap())
        );
        assert_eq!(error.code(), "STRONGROOM_TARGET_HAS_JOURNAL");
        fs::remove_file(&journal).unwrap();
    }
}

#[test]
fn the_leftovers_of_a_crash_are_removed_by_the_next_backup() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    for key in [BackupKey::Source, BackupKey::Plain] {
        for ending in ["", "-journal", "-wal", "-shm", "-pages", "-pages-wal"] {
            fs::write(scratch.folder().join(format!("copy.db-strongroom-backup{ending}")), "left").unwrap();
        }
        complete(database.backup("main", &path, key).unwrap()).unwrap();
        for ending in ["", "-journal", "-wal", "-shm"] {
            assert!(
                !scratch.folder().join(format!("copy.db-strongroom-backup{ending}")).exists(),
                "{ending}"
            );
        }
    }
    assert_eq!(listing(&scratch.folder()), ["copy.db", "test.db"]);
}

#[test]
fn a_backup_does_not_touch_the_temporary_file_of_another_process() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    let temporary = scratch.folder().join("copy.db-strongroom-backup");
    // SQLite's locks work between connections of one process as they do between processes.
    let other = open_plain(&temporary);
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE t (a)").unwrap();
    assert!(matches!(refused(&database, &path), BackupError::TargetInUse { .. }));
    assert_eq!(integer(&other, "SELECT count(*) FROM t"), 0);
    assert!(temporary.exists());
}

#[test]
fn a_temporary_file_is_locked_from_the_start() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    for key in [BackupKey::Source, BackupKey::Plain] {
        let backup = database.backup("main", &path, key).unwrap();
        for name in listing(&scratch.folder()).iter().filter(|name| name.contains("-strongroom-backup")) {
            let error =
                open_plain(&scratch.folder().join(name)).execute_batch("BEGIN IMMEDIATE").unwrap_err();
            assert_eq!(error.code(), "SQLITE_BUSY", "{name}");
        }
        complete(backup).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn the_copy_keeps_the_permissions_of_the_replaced_file_and_follows_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    open_plain(&path).execute_batch("CREATE TABLE old (a)").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let link = scratch.folder().join("link.db");
    symlink(&path, &link).unwrap();
    let backup = database.backup("main", &link, BackupKey::Plain).unwrap();
    for name in ["copy.db-strongroom-backup", "copy.db-strongroom-backup-pages"] {
        let mode = fs::metadata(scratch.folder().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "{name}");
    }
    complete(backup).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(content(&open_plain(&path), "t"), content(&database, "t"));
}

// A plain copy of a database that only its owner could read had the default permissions of a new file, so every user
// could read it.
#[cfg(unix)]
#[test]
fn a_new_copy_has_the_permissions_of_its_source_and_can_be_written_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    for (of_source, of_copy) in [(0o600, 0o600), (0o660, 0o660), (0o444, 0o644), (0o604, 0o604)] {
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(of_source)).unwrap();
        for key in [BackupKey::Source, BackupKey::Plain, BackupKey::Key(other_key())] {
            let backup = database.backup("main", &path, key).unwrap();
            for name in listing(&scratch.folder()).iter().filter(|name| name.starts_with("copy.db")) {
                let mode = fs::metadata(scratch.folder().join(name)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, of_copy, "{name}");
            }
            complete(backup).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, of_copy);
            fs::remove_file(&path).unwrap();
        }
    }
}

// A complete copy has no open connection while it waits for its thread. A backup by another process mistook the
// temporary file for a leftover and replaced it. The target then became the empty file of the other process.
#[cfg(unix)]
#[test]
fn the_temporary_file_of_another_process_does_not_become_the_target() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
    let before = fs::read(&path).unwrap();
    for (key, name) in [
        (BackupKey::Source, "copy.db-strongroom-backup"),
        (BackupKey::Plain, "copy.db-strongroom-backup"),
        (BackupKey::Plain, "copy.db-strongroom-backup-pages"),
    ] {
        let mut backup = database.backup("main", &path, key).unwrap();
        while !backup.step(50).unwrap().copied {}
        let copied = backup.finish().unwrap();
        let temporary = scratch.folder().join(name);
        fs::remove_file(&temporary).unwrap();
        File::create_new(&temporary).unwrap();
        let result = copied.install(|_| ControlFlow::Continue(()));
        assert_eq!(result.unwrap_err().code(), "STRONGROOM_IN_USE", "{name}");
        assert_eq!(fs::read(&path).unwrap(), before, "{name}");
        assert_eq!(listing(&scratch.folder()), ["copy.db", name, "test.db"]);
        fs::remove_file(&temporary).unwrap();
    }
}

// After a rename, open connections keep the old file. An idle connection holds no lock, so locks do not reveal the
// connection.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_connection_of_another_process_is_found() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    open_plain(&path).execute_batch("CREATE TABLE old (a); INSERT INTO old VALUES (1)").unwrap();
    let spawned = Command::new("sqlite3").arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut shell) = spawned else { return println!("skipped: no sqlite3 on PATH") };
    let mut input = shell.stdin.take().unwrap();
    writeln!(input, "SELECT 'open ' || count(*) FROM old;").unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "open 1\n");
    assert!(matches!(refused(&database, &path), BackupError::TargetInUse { .. }));
    drop(input);
    shell.wait().unwrap();
    complete(database.backup("main", &path, BackupKey::Source).unwrap()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_change_the_target() {
    let scratch = Scratch::new();
    let disk = scratch.folder().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&disk).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return println!("skipped: this user cannot mount a tmpfs");
    }
    let database = scratch.open();
    database.execute_batch(FILL).unwrap();
    let path = disk.join("copy.db");
    open_plain(&path).execute_batch("CREATE TABLE old (a)").unwrap();
    let before = fs::read(&path).unwrap();
    database.execute_batch("INSERT INTO t SELECT a + 100, b FROM t").unwrap();
    let mut outcomes = Vec::new();
    // One copy of 200 rows does not fit. One copy of 60 rows fits, but a second copy does not, so the conversion fails.
    for (rows, key) in
        [(200, BackupKey::Source), (60, BackupKey::Plain), (60, BackupKey::Source), (1, BackupKey::Plain)]
    {
        database.execute_batch(&format!("DELETE FROM t WHERE a > {rows}; VACUUM")).unwrap();
        let result = complete(database.backup("main", &path, key).unwrap());
        assert_eq!(fs::read(&path).unwrap() == before, result.is_err());
        assert_eq!(listing(&disk), ["copy.db"]);
        outcomes.push(result.map_or_else(|error| error.code(), |_| "copied"));
    }
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    assert_eq!(outcomes, ["SQLITE_FULL", "SQLITE_FULL", "copied", "copied"]);
}

#[test]
fn a_copy_can_be_completed_on_another_thread() {
    let scratch = Scratch::new();
    let (database, path) = source(&scratch);
    for key in [BackupKey::Source, BackupKey::Plain, BackupKey::Key(Key::raw(&[1; 32]).unwrap())] {
        let mut backup = database.backup("main", &path, key).unwrap();
        while !backup.step(50).unwrap().copied {}
        let copied = backup.finish().unwrap();
        database.execute_batch("UPDATE t SET b = 'after the copy' WHERE a = 1").unwrap();
        std::thread::spawn(move || copied.install(|_| ControlFlow::Continue(()))).join().unwrap().unwrap();
    }
    assert!(integer(&open(&path, &Key::raw(&[1; 32]).unwrap()), "SELECT count(*) FROM t") == 100);
}
