//! Makes `PRAGMA page_size` of an encrypted database return a number.
//!
//! SQLCipher returns text, in a column with another name, and computes the text while SQLite compiles the statement.

use std::ffi::CString;

use crate::lexer::tokens;
use crate::prepared::Prepared;
use crate::seam::{RawStatement, Source, Step};
use crate::session::Session;
use crate::{SqlError, Value};

/// The name of the column in SQLCipher's result.
const COLUMN_OF_CIPHER: &str = "cipher_page_size";

/// Returns the statement that SQLite compiled from `sql`, or for `PRAGMA page_size` a statement that returns a number as
/// SQLite does.
pub(crate) fn prepared(session: &Session, mut raw: RawStatement, sql: &str) -> Result<Prepared, SqlError> {
    if asks_for_page_size(sql)
        && let Some(size) = answer_of_cipher(&mut raw)
        && let Ok(select) = CString::new(format!("SELECT {size} AS page_size"))
    {
        let source = Source { sql: &select, start: 0, persistent: true };
        if let Some(raw) = session.parse(&source)?.statement {
            return Ok(Prepared::in_place_of(raw, sql));
        }
    }
    Ok(Prepared::new(raw, sql))
}

/// Returns whether the SQL is `PRAGMA page_size`, with or without the name of a database.
fn asks_for_page_size(sql: &str) -> bool {
    let mut words = tokens(sql).filter(|token| !token.is(";"));
    if !words.next().is_some_and(|first| first.is_word("pragma")) {
        return false;
    }
    let rest: Vec<_> = words.take(4).collect();
    let name = match rest.as_slice() {
        [name] => name,
        [_, point, name] if point.is(".") => name,
        _ => return false,
    };
    name.name().is_some_and(|name| name == "page_size")
}

/// Returns the page size that SQLCipher returned, or `None` for SQLite's own result.
fn answer_of_cipher(raw: &mut RawStatement) -> Option<u32> {
    let columns = raw.origins().ok()?;
    if columns.first()?.name != COLUMN_OF_CIPHER {
        return None;
    }
    let size = match raw.step() {
        Ok(Step::Row) => match raw.row().value(0) {
            Value::Text(text) => str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
            _ => None,
        },
        _ => None,
    };
    raw.reset();
    size
}

#[cfg(test)]
mod tests {
    use super::asks_for_page_size;

    #[test]
    fn every_spelling_of_the_pragma_is_recognised() {
        for sql in [
            "PRAGMA page_size",
            " pragma /* a */ Page_Size ;",
            "PRAGMA main.page_size",
            "PRAGMA \"a\".[page_size];;",
        ] {
            assert!(asks_for_page_size(sql), "{sql}");
        }
        for sql in [
            "PRAGMA page_size = 4096",
            "PRAGMA page_size(4096)",
            "PRAGMA cipher_page_size",
            "PRAGMA main.page_size = 1",
            "SELECT page_size FROM pragma_page_size",
            "PRAGMA page_count",
            "PRAGMA",
            "",
        ] {
            assert!(!asks_for_page_size(sql), "{sql}");
        }
    }
}
