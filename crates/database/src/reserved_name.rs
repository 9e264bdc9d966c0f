//! Names that SQLite and this engine give to the files beside a database.

use std::path::Path;

/// SQLite removes or applies a file with one of the first three endings when it opens the database of the rest of the name.
/// The engine removes a file with one of the others as the leftover of a crash.
const ENDINGS: [&str; 6] =
    ["-journal", "-wal", "-shm", "-strongroom-migrating", "-strongroom-backup", "-strongroom-backup-pages"];

/// Returns the ending of a path that no database may have.
pub(crate) fn reserved_ending(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.as_encoded_bytes();
    ENDINGS.into_iter().find(|ending| name.ends_with(ending.as_bytes()))
}
