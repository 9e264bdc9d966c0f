//! Puts the copy in the place of the original.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::lock::Locked;
use crate::MigrateError;
use crate::convert::{COMPANIONS, with_ending};
use crate::registry::file_id;

/// Creates the file of the copy, which nobody else may read until it has the permissions of the original.
pub(super) fn create(path: &Path, file: &Path, copy: &Path) -> Result<(), MigrateError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |source| MigrateError::system(path, "create", copy, source);
    options.open(copy).map_err(failed)?;
    let shared = fs::metadata(file).and_then(|metadata| {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, chown};
            // Only root may give files away. Anybody may choose among the own groups.
            if chown(copy, Some(metadata.uid()), Some(metadata.gid())).is_err() {
                let _ = chown(copy, None, Some(metadata.gid()));
            }
        }
        fs::set_permissions(copy, metadata.permissions())
    });
    shared.map_err(|source| {
        let _ = fs::remove_file(copy);
        failed(source)
    })
}

/// Whether `keep` is another name of `file`.
pub(super) fn is_link_of(keep: &Path, file: &Path) -> bool {
    let is_other_path = fs::canonicalize(keep).is_ok_and(|keep| keep != file);
    is_other_path && file_id(keep).is_some() && file_id(keep) == file_id(file)
}

impl Locked {
    /// Keeps the original under another name if wanted, and renames the copy over it.
    ///
    /// Invariant: no log or journal of the original is there when the copy gets the original's name. SQLite finds both by
    /// the name of the database: it would apply the frames of another key to the new file.
    ///
    /// Invariant: the connection to the original removes no file after the rename, because a file of that name belongs to
    /// the new database. The connection has no shared memory, it writes no journal, and it leaves the log's file, which is
    /// removed here before the rename.
    pub(super) fn replace(self, path: &Path, copy: &Path, keep: Option<&Path>) -> Result<(), MigrateError> {
        let core = &self.source.core;
        let sqlite = |failure| MigrateError::sqlite(path, failure);
        let (busy, frames): (i64, i64) = core
            .with(|connection| {
                connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
            })
            .map_err(sqlite)?;
        // -1 stands for a database without a log.
        if busy != 0 || frames > 0 {
            return Err(MigrateError::InUse { path: path.to_owned() });
        }
        let in_use = || MigrateError::InUse { path: path.to_owned() };
        self.is_alone().then_some(()).ok_or_else(in_use)?;
        let mut kept = Kept::new(path, &self.file, keep)?;
        if cfg!(windows) {
            return self.replace_closed(path, copy, kept);
        }
        core.persist_wal().map_err(sqlite)?;
        for ending in COMPANIONS {
            let companion = with_ending(&self.file, ending);
            match fs::remove_file(&companion) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(MigrateError::system(path, "remove", &companion, source));
                }
                _ => {}
            }
        }
        sync_folder(path, &self.file)?;
        // A process that has opened the file since the lock was taken waits for the lock. It would go on with the original,
        // and with the log of the new file.
        if kept.original.is_none() {
            self.is_alone().then_some(()).ok_or_else(in_use)?;
        }
        fs::rename(copy, &self.file)
            .map_err(|source| MigrateError::system(path, "rename the copy to", &self.file, source))?;
        kept.succeeded();
        let synced = sync_folder(path, &self.file);
        // The connection goes before what may close another descriptor of the original, which would release its lock.
        let _ = core.close();
        synced
    }

    /// Replaces the original after its connection is closed, because Windows renames no open file.
    ///
    /// A process that opens the file in between makes the rename fail. One that has closed it again has changed its time.
    fn replace_closed(self, path: &Path, copy: &Path, mut kept: Kept<'_>) -> Result<(), MigrateError> {
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
        kept.succeeded();
        Ok(())
    }
}

/// The original under its other name, which the drop removes unless the conversion has succeeded.
struct Kept<'a> {
    keep: Option<&'a Path>,
    /// Closing a descriptor of the original releases SQLite's lock, so that this one lives until the end.
    original: Option<File>,
}

impl<'a> Kept<'a> {
    fn new(path: &Path, file: &Path, keep: Option<&'a Path>) -> Result<Self, MigrateError> {
        let Some(name) = keep else { return Ok(Self { keep, original: None }) };
        match fs::hard_link(file, name) {
            Ok(()) => {}
            Err(_) if is_link_of(name, file) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(MigrateError::KeepExists { path: path.to_owned(), keep: name.to_owned() });
            }
            Err(_) => {
                let mut kept = Self { keep: None, original: None };
                kept.original = Some(
                    File::open(file).map_err(|source| MigrateError::system(path, "read", file, source))?,
                );
                let copied = kept.copy_to(name);
                if copied.as_ref().is_err_and(|error| error.kind() != ErrorKind::AlreadyExists) {
                    let _ = fs::remove_file(name);
                }
                copied.map_err(|source| MigrateError::system(path, "keep the original as", name, source))?;
                kept.keep = keep;
                return Ok(kept);
            }
        }
        Ok(Self { keep, original: None })
    }

    fn copy_to(&self, name: &Path) -> io::Result<()> {
        let Some(mut original) = self.original.as_ref() else { return Ok(()) };
        let mut kept = File::options().write(true).create_new(true).open(name)?;
        io::copy(&mut original, &mut kept)?;
        kept.set_permissions(original.metadata()?.permissions())?;
        kept.sync_all()
    }

    fn succeeded(&mut self) {
        self.keep = None;
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if let Some(keep) = self.keep {
            let _ = fs::remove_file(keep);
        }
    }
}

/// Makes the names in the folder of a file durable.
fn sync_folder(path: &Path, file: &Path) -> Result<(), MigrateError> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| MigrateError::system(path, "sync", folder, source))
}
