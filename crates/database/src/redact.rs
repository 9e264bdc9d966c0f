//! Removes keys from SQL before anyone sees it.

use std::borrow::Cow;

use crate::lexer::{Kind, Token, tokens};

/// The text that replaces a key.
const REDACTED: &str = "'<redacted>'";

/// Replaces the value of `PRAGMA key` and similar pragmas, the key of `ATTACH`, and the arguments of `sqlcipher_export`.
///
/// All text after the key is removed too. A stray quote in the key moves the end of the statement to a place that only
/// SQLite knows, so later statements cannot be kept.
pub fn redact(sql: &str) -> Cow<'_, str> {
    match find_secret(sql) {
        None => Cow::Borrowed(sql),
        Some(start) => Cow::Owned(format!("{} {REDACTED}", sql[..start].trim_end())),
    }
}

/// Returns whether the SQL holds a key, so that no part of the SQL may be shown.
pub(crate) fn holds_secret(sql: &str) -> bool {
    find_secret(sql).is_some()
}

/// Returns the byte at which the first secret starts.
///
/// The keywords are matched anywhere in the text. A false match only hides harmless text; a list of the places where
/// SQLite accepts the keywords could have a gap.
fn find_secret(sql: &str) -> Option<usize> {
    let mut scan = tokens(sql).peekable();
    let mut attaching = false;
    while let Some(token) = scan.next() {
        if token.is_word("pragma") {
            if let Some(start) = after_key_pragma(&mut scan) {
                return Some(start);
            }
        } else if token.is_word("attach") {
            attaching = true;
        } else if attaching && token.is_word("key") {
            return scan.peek().map(|secret| secret.start);
        } else if token.name().is_some_and(|name| name == "sqlcipher_export")
            && scan.peek().is_some_and(|next| next.is("("))
        {
            scan.next();
            return scan.peek().map(|secret| secret.start);
        }
    }
    None
}

/// Returns the byte at which the value of a key pragma starts. `scan` is positioned after the word PRAGMA.
fn after_key_pragma<'a, I>(scan: &mut std::iter::Peekable<I>) -> Option<usize>
where
    I: Iterator<Item = Token<'a>>,
{
    let mut name = scan.next()?;
    if scan.peek().is_some_and(|next| next.is(".")) {
        scan.next();
        name = scan.next()?;
    }
    if !is_key_pragma(&name) {
        return None;
    }
    let value = scan.next()?;
    if value.is(";") {
        // "PRAGMA key;" has no value.
        None
    } else if value.is("=") || value.is("(") {
        scan.next().map(|value| value.start)
    } else {
        Some(value.start)
    }
}

/// Matches every pragma with "key" in its name, so that no spelling is missed. Pragmas about foreign keys are exempt.
fn is_key_pragma(name: &Token<'_>) -> bool {
    name.kind != Kind::Other
        && name.name().is_some_and(|name| name.contains("key") && !name.contains("foreign_key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_key_is_shown() {
        let secret = "s3cr3t";
        for sql in [
            "PRAGMA key = 's3cr3t'",
            "pragma KEY='s3cr3t';",
            "PRAGMA key('s3cr3t')",
            "PRAGMA key \"s3cr3t\"",
            "PRAGMA key = s3cr3t",
            "PRAGMA key = \"x's3cr3t'\"",
            "PRAGMA key = x's3cr3t'",
            "PRAGMA hexkey = 's3cr3t'",
            "PRAGMA hexrekey = 's3cr3t'",
            "PRAGMA textkey = 's3cr3t'",
            "PRAGMA rekey = 's3cr3t'",
            "PRAGMA main.key = 's3cr3t'",
            "PRAGMA \"main\" . [key] = 's3cr3t'",
            "PRAGMA 'key' = 's3cr3t'",
            "PRAGMA `rekey` ( 's3cr3t' )",
            "  /* a */ PRAGMA -- b\n /**/ key /* c */ = -- d\n 's3cr3t'",
            "EXPLAIN PRAGMA key = 's3cr3t'",
            "EXPLAIN QUERY PLAN PRAGMA key = 's3cr3t'",
            "; ; PRAGMA key = 's3cr3t'",
            "SELECT 1; PRAGMA key = 's3cr3t'",
            "PRAGMA key = 'it's s3cr3t'",
            "PRAGMA key = 'it's; s3cr3t'",
            "PRAGMA key = 's3cr3t",
            "PRAGMA key = ''s3cr3t''",
            "PRAGMA key = ; 's3cr3t'",
            "PRAGMA key =\u{a0}'s3cr3t'",
            "\u{feff}PRAGMA key = 's3cr3t'",
            "ATTACH 'a.db' AS b KEY 's3cr3t'",
            "attach database 'a.db' as b key x's3cr3t'",
            "ATTACH 'a.db' AS key KEY 's3cr3t'",
            "ATTACH 'a.db' AS b /* KEY */ KEY/**/'s3cr3t'",
            "ATTACH 'a;b' AS b KEY 's3cr3t'",
            "EXPLAIN ATTACH 'a' AS b KEY 's3cr3t'",
            "ATTACH 'a.db' AS b KEY ''; DETACH s3cr3t",
            "SELECT sqlcipher_export('s3cr3t')",
            "SELECT \"sqlcipher_export\" ( 's3cr3t' )",
            "SELECT SqlCipher_Export/**/('b', 's3cr3t')",
        ] {
            let shown = redact(sql);
            assert!(!shown.contains(secret), "{sql:?} is shown as {shown:?}");
            assert!(shown.contains(REDACTED), "{shown:?}");
            assert!(holds_secret(sql));
        }
    }

    #[test]
    fn sql_without_a_key_is_shown_unchanged() {
        for sql in [
            "SELECT 'PRAGMA key = x'",
            "SELECT key FROM t -- PRAGMA key = 'a'",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT)",
            "PRAGMA foreign_keys = ON",
            "PRAGMA foreign_key_check('t')",
            "PRAGMA main.defer_foreign_keys = 1",
            "PRAGMA key",
            "PRAGMA key; SELECT 1",
            "PRAGMA page_size = 4096",
            "PRAGMA",
            "PRAGMA main.",
            "ATTACH 'a.db' AS b",
            "ATTACH 'a.db' AS b KEY",
            "SELECT sqlcipher_export",
            "'unclosed PRAGMA key = 'a'",
            "",
        ] {
            assert!(matches!(redact(sql), Cow::Borrowed(shown) if shown == sql), "{sql:?}");
        }
    }

    #[test]
    fn text_before_the_key_stays() {
        assert_eq!(redact("PRAGMA main.key = 'a'"), "PRAGMA main.key = '<redacted>'");
        assert_eq!(redact("ATTACH 'f.db' AS f KEY 'a'"), "ATTACH 'f.db' AS f KEY '<redacted>'");
    }
}
