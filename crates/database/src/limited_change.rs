//! Explains the failure of UPDATE and DELETE with ORDER BY or LIMIT, which SQLCipher's parser does not support.

use crate::lexer::{Kind, Token, tokens};

const UPDATE: &str = "UPDATE t SET … WHERE rowid IN (SELECT rowid FROM t WHERE … ORDER BY … LIMIT n), or the primary key \
                      instead of rowid";
const DELETE: &str = "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE … ORDER BY … LIMIT n), or the primary key \
                      instead of rowid";

/// Words after which an expression continues: a `limit` or `order` after one of them is a name.
const OPEN: [&str; 33] = [
    "and",
    "as",
    "between",
    "by",
    "case",
    "collate",
    "cross",
    "delete",
    "distinct",
    "else",
    "escape",
    "from",
    "full",
    "glob",
    "in",
    "inner",
    "is",
    "join",
    "left",
    "like",
    "match",
    "natural",
    "not",
    "on",
    "or",
    "outer",
    "regexp",
    "returning",
    "right",
    "set",
    "then",
    "when",
    "where",
];

/// Returns an equivalent for a statement that SQLite could not parse, if the cause is an ORDER BY or a LIMIT of an UPDATE
/// or a DELETE.
///
/// `offset` is the byte at which SQLite stopped.
pub(crate) fn rewrite(sql: &str, offset: usize) -> Option<&'static str> {
    let mut scan = tokens(sql);
    let (mut depth, mut change, mut begun) = (0_usize, None, false);
    let mut last: Option<Token<'_>> = None;
    for token in scan.by_ref() {
        if token.start >= offset {
            let next = tokens(&sql[token.start + token.text.len()..]).next();
            let clause = token.start == offset && depth == 0 && begun && is_clause(&token, next);
            return change.filter(|_| clause && last.is_some_and(|last| ends_expression(&last)));
        }
        match last {
            None if !["update", "delete", "with", "explain"].iter().any(|word| token.is_word(word)) => {
                return None;
            }
            _ => {}
        }
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && change.is_none() {
            change = match () {
                () if token.is_word("update") => Some(UPDATE),
                () if token.is_word("delete") => Some(DELETE),
                () => None,
            };
        } else if depth == 0 && (token.is_word("set") || (token.is_word("from") && change == Some(DELETE))) {
            begun = true;
        }
        last = Some(token);
    }
    None
}

/// Returns whether a token begins an ORDER BY or a LIMIT clause.
fn is_clause(token: &Token<'_>, next: Option<Token<'_>>) -> bool {
    let Some(next) = next else { return false };
    match token {
        _ if token.is_word("order") => next.is_word("by"),
        // A value must follow LIMIT, or an operator that precedes a value.
        _ if token.is_word("limit") => {
            next.kind != Kind::Other || ["(", "-", "+", "~"].iter().any(|sign| next.is(sign))
        }
        _ => false,
    }
}

/// Returns whether a name, a value or a parenthesis ends with this token.
fn ends_expression(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => !OPEN.iter().any(|word| token.is_word(word)),
        Kind::Quoted | Kind::Parameter => true,
        Kind::Other => token.is(")") || token.is("*"),
    }
}
