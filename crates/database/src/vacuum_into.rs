//! Finds VACUUM statements that would write another encryption than the source's.
//!
//! SQLite gives the target of VACUUM INTO the key of the main database, even if it vacuums an attached database.

use std::ffi::CString;

use crate::cipher::Cipher;
use crate::lexer::tokens;
use crate::open::MAIN;
use crate::seam::{Core, Source};

/// Returns the name of the database that a statement vacuums into a file, unless it is the main database.
pub(crate) fn attached_schema(source: &Source<'_>) -> Option<String> {
    let sql = str::from_utf8(source.sql.to_bytes().get(source.start..)?).ok()?;
    let mut words = tokens(sql).skip_while(|token| token.is(";"));
    if !words.next()?.is_word("vacuum") {
        return None;
    }
    let name = words.next()?.name()?;
    (words.next()?.is_word("into") && name != "main").then_some(name)
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
    fn every_spelling_of_vacuum_into_is_recognised() {
        let schema = |sql: &str| {
            let sql = CString::new(sql).unwrap();
            attached_schema(&Source { sql: &sql, start: 0, persistent: false })
        };
        for sql in [
            "VACUUM a INTO 'f'",
            " /* c */ vacuum \"A\" into ?",
            ";VACUUM [a] INTO 'f'",
            "VACUUM 'a' INTO ?1",
        ] {
            assert_eq!(schema(sql).as_deref(), Some("a"), "{sql}");
        }
        for sql in ["VACUUM", "VACUUM INTO 'f'", "VACUUM a", "VACUUM main INTO 'f'", "SELECT vacuum", ""] {
            assert_eq!(schema(sql), None, "{sql}");
        }
    }
}
