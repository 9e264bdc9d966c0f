//! VACUUM INTO of encrypted databases.
//!
//! SQLite gives the target the key of the main database, even if it vacuums an attached database, and SQLCipher gives it the
//! process's default parameters.

use std::ffi::CString;

use crate::SqlError;
use crate::cipher::{Cipher, NoDefault};
use crate::lexer::tokens;
use crate::open::MAIN;
use crate::seam::Core;
use crate::unused_pages;

/// Prepares the engine for a statement that may be VACUUM or VACUUM INTO.
///
/// # Errors
///
/// [`SqlError::RefusedVacuumInto`] if SQLite would give the file another encryption than the database has.
pub(crate) fn prepare(core: &Core, statement: &[u8]) -> Result<(), SqlError> {
    if let Some(schema) = vacuumed(statement)
        && core.is_attached(&schema)
    {
        unused_pages::repair(core, &schema);
    }
    let Some(schema) = schema(statement) else { return Ok(()) };
    if schema != "main" && !is_encrypted_alike(core, &schema) {
        return Err(SqlError::RefusedVacuumInto { schema });
    }
    let main = Cipher::of(core, MAIN).map_err(SqlError::from_failure)?;
    let changed = main.as_ref().map(|main| main.key_changed(core, MAIN)).transpose();
    if let Some(path) = changed.map_err(SqlError::from_failure)?.flatten() {
        return Err(SqlError::KeyChanged { path });
    }
    let defaults = main.map(|main| main.as_defaults()).transpose();
    let defaults = defaults.map_err(|NoDefault| SqlError::RefusedVacuumInto { schema })?;
    core.prepare_vacuum_into(defaults);
    Ok(())
}

/// Returns the name of the database that a statement vacuums in place or into a file.
fn vacuumed(statement: &[u8]) -> Option<CString> {
    let sql = str::from_utf8(statement).ok()?;
    let mut words = tokens(sql).skip_while(|token| token.is(";"));
    if !words.next()?.is_word("vacuum") {
        return None;
    }
    let name = words.next().filter(|word| !word.is_word("into") && !word.is(";"));
    CString::new(name.and_then(|word| word.name()).unwrap_or_else(|| "main".to_owned())).ok()
}

/// Returns the name of the database that a statement vacuums into a file.
fn schema(statement: &[u8]) -> Option<String> {
    let sql = str::from_utf8(statement).ok()?;
    let mut words = tokens(sql).skip_while(|token| token.is(";"));
    if !words.next()?.is_word("vacuum") {
        return None;
    }
    let next = words.next()?;
    if next.is_word("into") {
        return Some("main".to_owned());
    }
    words.next()?.is_word("into").then(|| next.name()).flatten()
}

/// Returns whether a copy of the database with the encryption of the main database has its own encryption: both are plain,
/// or both have the same key.
pub(crate) fn is_encrypted_alike(core: &Core, schema: &str) -> bool {
    let Ok(name) = CString::new(schema) else { return true };
    match (Cipher::of(core, MAIN), Cipher::of(core, &name)) {
        (Ok(None), Ok(None)) => true,
        (Ok(Some(main)), Ok(Some(attached))) => main.is_like(&attached),
        // SQLite reports an unknown database.
        (Err(_), _) | (_, Err(_)) => !core.is_attached(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_vacuum_is_recognised() {
        let found = |sql: &str| vacuumed(sql.as_bytes()).map(|name| name.into_string().unwrap());
        for sql in ["VACUUM", "vacuum;", "; VACUUM INTO 'f'", "VACUUM main", "VACUUM \"main\" INTO ?"] {
            assert_eq!(found(sql).as_deref(), Some("main"), "{sql}");
        }
        assert_eq!(found("VACUUM [a b];").as_deref(), Some("a b"));
        assert_eq!(found("SELECT 'vacuum'"), None);
    }

    #[test]
    fn every_spelling_of_vacuum_into_is_recognised() {
        let found = |sql: &str| schema(sql.as_bytes());
        for sql in [
            "VACUUM a INTO 'f'",
            " /* c */ vacuum \"A\" into ?",
            ";VACUUM [a] INTO 'f'",
            "VACUUM 'a' INTO ?1",
        ] {
            assert_eq!(found(sql).as_deref(), Some("a"), "{sql}");
        }
        assert_eq!(found("VACUUM INTO 'f'").as_deref(), Some("main"));
        for sql in ["VACUUM", "VACUUM a", "SELECT vacuum", ""] {
            assert_eq!(found(sql), None, "{sql}");
        }
    }
}
