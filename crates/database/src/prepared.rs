//! A compiled statement and the facts about it.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::lexer::tokens;
use crate::redact::{holds_secret, redact};
use crate::seam::RawStatement;

/// A compiled statement, owned by the cache or by a [`Statement`](crate::Statement).
pub(crate) struct Prepared {
    pub(crate) raw: RawStatement,
    pub(crate) facts: Rc<Facts>,
}

/// The facts about a statement that follow from its SQL and its compilation.
pub(crate) struct Facts {
    /// The SQL, without keys.
    pub(crate) sql: Rc<str>,
    /// `true` if the cache may keep the statement.
    pub(crate) cacheable: bool,
    /// `true` if SQLite compiled other SQL in place of `sql`.
    pub(crate) replaced: bool,
    pub(crate) read_only: bool,
    pub(crate) parameter_count: usize,
    pub(crate) parameter_names: OnceCell<Vec<Option<String>>>,
}

impl Prepared {
    /// Collects the facts about the statement that SQLite compiled from `sql`.
    pub(crate) fn new(raw: RawStatement, sql: &str) -> Self {
        let facts = Facts {
            sql: Rc::from(redact(sql)),
            cacheable: keeps_schema(sql) && !holds_secret(sql),
            replaced: false,
            read_only: raw.is_read_only(),
            parameter_count: raw.parameter_count(),
            parameter_names: OnceCell::new(),
        };
        Self { raw, facts: Rc::new(facts) }
    }

    /// Collects the facts about a statement compiled from other SQL that replaces `sql`.
    pub(crate) fn in_place_of(raw: RawStatement, sql: &str) -> Self {
        let Self { raw, facts } = Self::new(raw, sql);
        let facts = Rc::try_unwrap(facts).map(|facts| Rc::new(Facts { replaced: true, ..facts }));
        Self { raw, facts: facts.unwrap_or_else(|facts| facts) }
    }
}

/// Returns whether a statement leaves the schema unchanged, judged by the statement's first word.
///
/// ROLLBACK may undo a schema change, and a pragma may change anything, even while SQLite prepares the pragma.
pub(crate) fn keeps_schema(sql: &str) -> bool {
    const WORDS: [&str; 12] = [
        "select",
        "values",
        "with",
        "insert",
        "replace",
        "update",
        "delete",
        "begin",
        "commit",
        "end",
        "savepoint",
        "release",
    ];
    let first = tokens(sql).find(|token| !token.is(";"));
    first.is_none_or(|token| WORDS.iter().any(|word| token.is_word(word)))
}
