//! The endings that SQLite and this engine give to files beside a database.

use std::path::Path;

/// SQLite removes or applies a file with one of the first three endings when it opens the database named by the rest of the
/// path. The engine removes a file with one of the other endings as the leftover of a crash.
const ENDINGS: [&str; 7] = [
    "-journal",
    "-wal",
    "-shm",
    "-strongroom-migrating",
    "-strongroom-keeping",
    "-strongroom-backup",
    "-strongroom-backup-pages",
];

/// Returns the ending of the path that is reserved, if any. No database may have such a path.
pub(crate) fn reserved_ending(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.as_encoded_bytes();
    ENDINGS.into_iter().find(|ending| name.ends_with(ending.as_bytes()))
}
