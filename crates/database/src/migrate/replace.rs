//! Replaces the original by the copy.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::rc::Rc;

use super::kept::Kept;
use super::lock::Locked;
use crate::MigrateError;
use crate::convert::{COMPANIONS, with_ending};
use crate::sync_folder::folder_of;

/// Creates the file of the copy, which only its owner may read until it has the permissions of the original.
pub(super) fn create(path: &Path, file: &Path, copy: &Path) -> Result<(), MigrateError> {
    let failed = |source| MigrateError::system(path, "create", copy, source);
    create_private(copy).map_err(failed)?;
    let shared = fs::metadata(file).and_then(|metadata| share_as(copy, &metadata));
    shared.map_err(|source| {
        let _ = fs::remove_file(copy);
        failed(source)
    })
}

/// Creates a file that only its owner may read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a file the permissions of the original and, where the system allows it, its owner.
pub(super) fn share_as(path: &Path, original: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        // Only root may change a file's owner. A user may set the group to any of the user's own groups.
        if chown(path, Some(original.uid()), Some(original.gid())).is_err() {
            let _ = chown(path, None, Some(original.gid()));
        }
    }
    fs::set_permissions(path, original.permissions())
}

impl Locked {
    /// Keeps the original under the name `keep`, if given, renames the copy over the original, and closes the connection.
    pub(super) fn replace(
        mut self,
        path: &Path,
        copy: &Path,
        keep: Option<&Path>,
    ) -> Result<(), MigrateError> {
        let core = Rc::clone(&self.source.core);
        self.empty_log(path)?;
        if !self.is_alone() {
            return Err(MigrateError::InUse { path: path.to_owned() });
        }
        let kept = Kept::new(path, &self.file, keep)?;
        if let Some(keep) = keep {
            // The rename removes the original's first name. A loss of power must not lose its second name after that.
            self.sync_folder(path, keep)?;
        }
        if cfg!(windows) {
            return self.replace_closed(path, copy, kept);
        }
        // Nobody else may open the original while it is copied, so the one additional descriptor is `kept`'s.
        let swapped = self.swap(path, copy, kept.has_descriptor());
        if swapped.is_ok() {
            // Another file may reuse the original's inode number as soon as the connection is closed.
            self.claim = None;
        }
        // The connection is closed before `kept`, which may close another descriptor of the original and thereby release
        // the lock.
        let _ = core.close();
        kept.keep_if(swapped.is_ok());
        swapped?;
        let path = path.to_owned();
        (self.sync)(folder_of(&self.file)).map_err(|source| MigrateError::Unsynced { path, source })
    }

    /// Makes the name of a file durable.
    fn sync_folder(&self, path: &Path, file: &Path) -> Result<(), MigrateError> {
        let folder = folder_of(file);
        (self.sync)(folder).map_err(|source| MigrateError::system(path, "sync", folder, source))
    }

    /// Moves the write-ahead log, if there is one, into the file.
    fn empty_log(&self, path: &Path) -> Result<(), MigrateError> {
        let (busy, frames): (i64, i64) = self
            .source
            .core
            .with(|connection| {
                connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
            })
            .map_err(|failure| MigrateError::sqlite(path, failure))?;
        // -1 means that the database has no log.
        match busy != 0 || frames > 0 {
            true => Err(MigrateError::InUse { path: path.to_owned() }),
            false => Ok(()),
        }
    }

    /// Renames the copy over the original, whose connection stays open.
    ///
    /// Invariant: no log or journal of the original exists when the copy gets the original's name. SQLite finds these files
    /// by the name of the database, and would apply frames with another key to the new file.
    ///
    /// Invariant: the connection to the original removes no file after the rename, because a file of that name belongs to
    /// the new database. The connection has no shared memory and writes no journal. Closing the connection keeps the log,
    /// because SQLite then finds another file at the name of the database (`databaseIsUnmoved`); a test covers this.
    fn swap(&self, path: &Path, copy: &Path, has_descriptor: bool) -> Result<(), MigrateError> {
        for ending in COMPANIONS {
            let companion = with_ending(&self.file, ending);
            match fs::remove_file(&companion) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(MigrateError::system(path, "remove", &companion, source));
                }
                _ => {}
            }
        }
        self.sync_folder(path, &self.file)?;
        // A process that has opened the file since the lock was taken waits for the lock. That process would continue with
        // the original and the log of the new file.
        if !has_descriptor && !self.is_alone() {
            return Err(MigrateError::InUse { path: path.to_owned() });
        }
        fs::rename(copy, &self.file)
            .map_err(|source| MigrateError::system(path, "rename the copy to", &self.file, source))
    }

    /// Replaces the original after its connection is closed, because Windows cannot rename an open file.
    ///
    /// If a process opens the file after that close, the rename fails. If a process changes and closes the file before
    /// the rename, the file's time has changed.
    fn replace_closed(&self, path: &Path, copy: &Path, kept: Kept<'_>) -> Result<(), MigrateError> {
        let state = |file: &Path| fs::metadata(file).and_then(|found| Ok((found.len(), found.modified()?)));
        let failed = |source| MigrateError::system(path, "rename the copy to", &self.file, source);
        let before = state(&self.file).map_err(failed)?;
        self.source.core.close().map_err(|failure| MigrateError::sqlite(path, failure))?;
        for ending in COMPANIONS {
            let _ = fs::remove_file(with_ending(&self.file, ending));
        }
        if state(&self.file).map_err(failed)? != before {
            return Err(MigrateError::InUse { path: path.to_owned() });
        }
        fs::rename(copy, &self.file).map_err(failed)?;
        kept.keep_if(true);
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::ops::ControlFlow;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::super::{Migration, Opener, lock};
    use super::*;
    use crate::{Database, Location, OpenOptions};

    /// A conversion of a plain file to a plain file, without a timeout.
    fn plain(path: &Path) -> Migration<'_> {
        Migration { path, folder: None, from: None, to: None, keep: None, timeout: Duration::ZERO }
    }

    thread_local! {
        /// The number of further syncs that succeed; every later sync fails.
        static SYNCS: Cell<usize> = const { Cell::new(0) };
        static SYNCED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    }

    fn sync(folder: &Path) -> io::Result<()> {
        SYNCED.with_borrow_mut(|synced| synced.push(folder.to_owned()));
        let left = SYNCS.get().checked_sub(1).ok_or_else(|| io::Error::other("no sync"))?;
        SYNCS.set(left);
        Ok(())
    }

    /// The sync after the rename returned the same error as the sync before it, although the file already had the new key.
    /// The folder of the original's new name was not synced at all.
    #[test]
    fn a_failed_folder_sync_after_the_rename_has_its_own_error() {
        for syncs in 0..4 {
            let (folder, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let (path, copy) = (folder.path().join("a.db"), folder.path().join("b.db"));
            let keep = kept.path().join("old.db");
            let options = OpenOptions::default();
            for (path, value) in [(&path, 1), (&copy, 2)] {
                let database = Database::open_unencrypted(Location::File(path), &options).unwrap();
                database.execute_batch(&format!("PRAGMA user_version = {value}")).unwrap();
            }
            let (old, new) = (fs::read(&path).unwrap(), fs::read(&copy).unwrap());
            let file = fs::canonicalize(&path).unwrap();
            let migration = plain(&path);
            let claim = lock::claim(&path, &file).unwrap();
            let mut locked =
                Locked::new(&migration, Opener::Plain, &file, claim, &mut |_| ControlFlow::Continue(()))
                    .unwrap();
            locked.sync = sync;
            SYNCS.set(syncs);
            SYNCED.set(Vec::new());
            let replaced = locked.replace(&path, &copy, Some(&keep));
            let all = [kept.path(), file.parent().unwrap(), file.parent().unwrap()];
            assert_eq!(SYNCED.take(), all[..all.len().min(syncs + 1)]);
            match replaced {
                Ok(()) => assert_eq!(syncs, 3),
                Err(error @ MigrateError::Unsynced { .. }) => {
                    assert_eq!((syncs, error.code()), (2, "STRONGROOM_REKEY_UNVERIFIED"));
                }
                Err(error) => {
                    assert!(syncs < 2, "{error}");
                    assert_eq!((fs::read(&path).unwrap(), keep.exists()), (old, false));
                    continue;
                }
            }
            assert_eq!((fs::read(&path).unwrap(), fs::read(&keep).unwrap()), (new, old));
        }
    }

    /// The connection to the original is closed after the rename. Closing the last connection of a file in WAL mode removes
    /// the log by name. That name then belongs to the new file's log, unless SQLite finds that the database was renamed.
    #[test]
    fn closing_the_original_keeps_the_log_of_the_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let options = OpenOptions::default();
        let open = |path: &Path| Database::open_unencrypted(Location::File(path), &options).unwrap();
        let database = open(&path);
        database.prepare("PRAGMA journal_mode = WAL").unwrap().step().unwrap();
        database.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        database.close().unwrap();
        fs::copy(&path, &copy).unwrap();
        let file = fs::canonicalize(&path).unwrap();
        let migration = plain(&path);
        let claim = lock::claim(&path, &file).unwrap();
        let locked =
            Locked::new(&migration, Opener::Plain, &file, claim, &mut |_| ControlFlow::Continue(())).unwrap();
        let read =
            |connection: &rusqlite::Connection| connection.execute_batch("BEGIN; SELECT * FROM t; COMMIT");
        locked.source.core.with(read).unwrap();
        locked.empty_log(&path).unwrap();
        locked.swap(&path, &copy, false).unwrap();
        let database = open(&path);
        database.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        drop(locked);
        let log = with_ending(&path, "-wal");
        assert!(fs::metadata(log).is_ok_and(|log| log.len() > 0), "the log of the new file was removed");
        let again = open(&path);
        let mut count = again.prepare("SELECT count(*) FROM t").unwrap();
        assert_eq!(count.step().unwrap().unwrap().value(0), crate::Value::Integer(2));
    }
}
