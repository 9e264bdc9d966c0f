//! Finds VACUUM statements that would write another encryption than the source's.
//!
//! SQLite gives the target of VACUUM INTO the key of the main database, even if it vacuums an attached database.

use std::ffi::CString;

use crate::cipher::Cipher;
use crate::lexer::tokens;
use crate::open::MAIN;
use crate::pragma::pragma;
use crate::seam::{Core, Source};

/// Returns the name of the database that a statement vacuums into a file.
pub(crate) fn schema(source: &Source<'_>) -> Option<String> {
    let sql = str::from_utf8(source.sql.to_bytes().get(source.start..)?).ok()?;
    let mut words = tokens(sql).skip_while(|token| token.is(";"));
    if !words.next()?.is_word("vacuum") {
        return None;
    }
    let first = words.next()?;
    if first.is_word("into") {
        return Some("main".to_owned());
    }
    let name = first.name()?;
    words.next()?.is_word("into").then_some(name)
}

/// Returns the page size of the main database in bytes, which the file of VACUUM INTO gets with the main database's cipher.
/// Returns 0 if the main database is plain.
pub(crate) fn page_size(core: &Core) -> u32 {
    let size = core.with(|connection| pragma::<String>(connection, "main", "cipher_page_size"));
    size.ok().and_then(|size| size.parse().ok()).unwrap_or(0)
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
        let found = |sql: &str| {
            let sql = CString::new(sql).unwrap();
            schema(&Source { sql: &sql, start: 0, persistent: false })
        };
        for sql in [
            "VACUUM a INTO 'f'",
            " /* c */ vacuum \"A\" into ?",
            ";VACUUM [a] INTO 'f'",
            "VACUUM 'a' INTO ?1",
        ] {
            assert_eq!(found(sql).as_deref(), Some("a"), "{sql}");
        }
        for sql in ["VACUUM INTO 'f'", "vacuum/**/into ?", "VACUUM main INTO 'f'"] {
            assert_eq!(found(sql).as_deref(), Some("main"), "{sql}");
        }
        for sql in ["VACUUM", "VACUUM a", "SELECT vacuum", ""] {
            assert_eq!(found(sql), None, "{sql}");
        }
    }
}
