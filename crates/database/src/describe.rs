//! The facts about an SQL text that follow from its tokens, without a connection.

use crate::lexer::{Kind, Token, tokens};

/// The facts about an SQL text that follow from its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlShape {
    /// The names of the first statement's parameters with their prefixes, in SQLite's numbering: the first entry is parameter
    /// 1. `None` for a parameter without a name, and for a number that no parameter has.
    pub parameters: Vec<Option<String>>,
    /// The connection that the SQL needs.
    pub access: Access,
    /// The pragmas of the text that set something of a single connection on which the results of queries, or their speed,
    /// depend: every connection that runs queries must run these statements.
    pub settings: Vec<String>,
}

/// The connection that an SQL text needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `true` if the text is a single SELECT or VALUES, whose result does not depend on the connection. An SQL function may
    /// still write: SQLite reports a statement that is not read-only.
    pub reads: bool,
    /// `true` if the first word is BEGIN.
    pub begins: bool,
    /// `true` if the first word is COMMIT or END, or ROLLBACK without TO.
    pub ends: bool,
    /// `true` if a pragma of the text sets or reads the journal mode or the locking mode, or sets a key: no other connection
    /// of the process may use the file meanwhile.
    pub solo: bool,
    /// `true` if the text makes or uses what only its own connection has: temporary tables, or attached databases.
    pub local: bool,
}

/// SQLite's largest number of a parameter (SQLITE_LIMIT_VARIABLE_NUMBER). SQLite refuses a statement with a larger number.
const MAX_PARAMETER: usize = 32_766;
/// The functions whose result depends on the connection, or that write.
const FUNCTIONS_OF_THE_CONNECTION: [&str; 6] = [
    "changes",
    "last_insert_rowid",
    "load_extension",
    // The function of FTS3 and FTS4, which writes.
    "optimize",
    "sqlcipher_export",
    "total_changes",
];
/// The pragmas that need the file for themselves.
const SOLO: [&str; 8] =
    ["hexkey", "hexrekey", "journal_mode", "key", "locking_mode", "rekey", "textkey", "textrekey"];

/// The pragmas that set something of a single connection, and that leave the database unchanged.
const SETTINGS: [&str; 11] = [
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "case_sensitive_like",
    "cell_size_check",
    "full_column_names",
    "mmap_size",
    "reverse_unordered_selects",
    "short_column_names",
    "temp_store",
    "trusted_schema",
];

/// Describes an SQL text from its tokens. For SQL that SQLite cannot parse, the result has no meaning.
///
/// ```
/// let shape = strongroom_database::describe("SELECT * FROM person WHERE id = ?2 AND name = :name");
/// assert_eq!(shape.parameters, [None, Some("?2".to_owned()), Some(":name".to_owned())]);
/// assert!(shape.access.reads);
/// ```
pub fn describe(sql: &str) -> SqlShape {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let start = all.iter().position(|token| !token.is(";")).unwrap_or(all.len());
    let length = all[start..].iter().position(|token| token.is(";")).unwrap_or(all.len() - start);
    let (first, rest) = all[start..].split_at(length);
    let is_single = rest.iter().all(|token| token.is(";"));
    let starts_with = |word: &str| first.first().is_some_and(|token| token.is_word(word));
    let returns_to_savepoint = first.iter().any(|token| token.is_word("to"));
    let access = Access {
        reads: is_single && reads(first),
        begins: starts_with("begin"),
        ends: starts_with("commit")
            || starts_with("end")
            || (starts_with("rollback") && !returns_to_savepoint),
        solo: is_solo(&all),
        local: is_local(&all),
    };
    SqlShape { parameters: parameters(first), access, settings: settings(&all, sql) }
}

/// Returns the names of a statement's parameters. Source: `sqlite3ExprAssignVarNumber`.
fn parameters(statement: &[Token<'_>]) -> Vec<Option<String>> {
    // The arguments of a virtual table's module are not parsed.
    let words: Vec<&Token<'_>> = statement.iter().skip_while(|token| is_explain(token)).take(2).collect();
    if let [first, second] = words.as_slice()
        && first.is_word("create")
        && second.is_word("virtual")
    {
        return Vec::new();
    }
    let mut names: Vec<Option<String>> = Vec::new();
    for parameter in statement.iter().filter(|token| token.kind == Kind::Parameter) {
        let name = parameter.text;
        match name.strip_prefix('?') {
            Some("") => names.push(None),
            Some(number) => {
                let index = number.parse().ok().filter(|number| (1..=MAX_PARAMETER).contains(number));
                let Some(index) = index else { continue };
                if names.len() < index {
                    names.resize(index, None);
                }
                // A name keeps its number: `?5` may be the number of `:a`.
                names[index - 1].get_or_insert_with(|| name.to_owned());
            }
            None if names.iter().flatten().any(|known| known == name) => {}
            None => names.push(Some(name.to_owned())),
        }
    }
    names
}

fn is_explain(token: &Token<'_>) -> bool {
    ["explain", "query", "plan"].iter().any(|word| token.is_word(word))
}

/// Returns whether a statement only reads, and its result does not depend on the connection.
fn reads(statement: &[Token<'_>]) -> bool {
    let Some(first) = statement.first() else { return false };
    let is_query = |token: &Token<'_>| token.is_word("select") || token.is_word("values");
    let is_read = match first.is_word("with") {
        true => verb_after_with(statement).is_some_and(is_query),
        false => is_query(first),
    };
    let names = statement.iter().enumerate();
    is_read
        && !names.filter_map(|(index, token)| Some((index, token.name()?))).any(|(index, name)| {
            let is_called = statement.get(index + 1).is_some_and(|next| next.is("("));
            (is_called && FUNCTIONS_OF_THE_CONNECTION.contains(&&*name))
                // A pragma in the form of a table may read a setting of the connection.
                || name.starts_with("pragma_")
        })
}

/// Returns the word that follows the common table expressions: the body of each ends with a parenthesis, after which
/// comes a comma or the verb.
fn verb_after_with<'t, 'a>(statement: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    let mut depth = 0_usize;
    let mut closed = false;
    for token in statement {
        let was_closed = std::mem::replace(&mut closed, false);
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
            closed = depth == 0;
        } else if was_closed && token.kind == Kind::Word && !token.is_word("as") {
            return Some(token);
        }
    }
    None
}

/// Returns whether the text has a pragma that needs the file for itself.
fn is_solo(all: &[Token<'_>]) -> bool {
    let pragmas = all.iter().enumerate().filter(|(_, token)| token.is_word("pragma"));
    let mut names = pragmas.filter_map(|(index, _)| {
        let has_schema = all.get(index + 2).is_some_and(|next| next.is("."));
        all.get(index + if has_schema { 3 } else { 1 })?.name()
    });
    names.any(|name| SOLO.contains(&&*name))
}

/// Returns the pragmas that set something of a single connection. A statement inside a trigger is never a pragma.
fn settings(all: &[Token<'_>], sql: &str) -> Vec<String> {
    let sets = |statement: &&[Token<'_>]| {
        let Some((_, rest)) = statement.split_first().filter(|(first, _)| first.is_word("pragma")) else {
            return false;
        };
        let named = if rest.get(1).is_some_and(|next| next.is(".")) { rest.get(2..) } else { Some(rest) };
        let Some([name, next, ..]) = named else { return false };
        (next.is("=") || next.is("(")) && name.name().is_some_and(|name| SETTINGS.contains(&&*name))
    };
    let text = |statement: &[Token<'_>]| {
        let (first, last) = (statement.first()?, statement.last()?);
        Some(sql.get(first.start..last.start + last.text.len())?.to_owned())
    };
    all.split(|token| token.is(";")).filter(sets).filter_map(text).collect()
}

/// Returns whether the text concerns the temporary database or attached databases.
///
/// A column may be called `temp` or `attach`, so the place of the word counts: `CREATE TEMP`, the schema `temp.`, and
/// ATTACH and DETACH at the start of a statement.
fn is_local(all: &[Token<'_>]) -> bool {
    all.iter().enumerate().any(|(index, token)| {
        let before = index.checked_sub(1).and_then(|before| all.get(before));
        let starts = before.is_none_or(|before| before.is(";") || is_explain(before));
        let is_created = before.is_some_and(|before| before.is_word("create"));
        let is_schema = all.get(index + 1).is_some_and(|next| next.is("."));
        let Some(name) = token.name() else { return false };
        match &*name {
            "attach" | "detach" => starts && token.kind == Kind::Word,
            "temp" | "temporary" if is_created => true,
            "temp" => is_schema,
            name => name.starts_with("sqlite_temp_"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(sql: &str) -> Access {
        describe(sql).access
    }

    #[test]
    fn a_query_reads() {
        for sql in [
            "SELECT 1",
            "  ; -- a\n select * from t;",
            "VALUES (1)",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "WITH RECURSIVE a(x) AS (SELECT 1), b AS NOT MATERIALIZED (VALUES (1)) SELECT * FROM a, b",
            "with replace as (select 1) values (2)",
            "SELECT changes FROM log",
            "SELECT temp, attach FROM weather",
            "SELECT 'temp', \"changes\" FROM t",
        ] {
            assert!(access(sql).reads, "{sql}");
            assert_eq!(access(sql), Access { reads: true, ..Access::default() }, "{sql}");
        }
    }

    #[test]
    fn what_writes_or_depends_on_the_connection_does_not_read() {
        for sql in [
            "",
            ";",
            "INSERT INTO t SELECT 1",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "WITH a AS (SELECT 1) UPDATE t SET a = 1",
            "WITH a AS (SELECT 1) DELETE FROM t",
            "WITH a AS (SELECT 1) REPLACE INTO t VALUES (1)",
            "WITH a AS (SELECT 1",
            "SELECT 1; SELECT 2",
            "SELECT changes()",
            "SELECT \"Total_Changes\" ()",
            "SELECT last_insert_rowid/**/()",
            "SELECT sqlcipher_export('a')",
            "SELECT optimize(t) FROM t",
            "SELECT * FROM pragma_foreign_keys",
            "SELECT * FROM [pragma_table_info]('t')",
            "EXPLAIN SELECT 1",
            "PRAGMA user_version",
        ] {
            assert!(!access(sql).reads, "{sql}");
        }
    }

    #[test]
    fn the_first_word_tells_how_a_transaction_changes() {
        let begins = |sql| access(sql).begins;
        assert!(begins("begin") && begins("; /* a */ BEGIN IMMEDIATE"));
        assert!(!begins("SAVEPOINT a") && !begins("SELECT begin"));
        for sql in ["COMMIT", "end transaction", "ROLLBACK", "ROLLBACK TRANSACTION"] {
            assert_eq!(access(sql), Access { ends: true, ..Access::default() }, "{sql}");
        }
        for sql in ["SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "ROLLBACK TRANSACTION TO SAVEPOINT \"a\""] {
            assert_eq!(access(sql), Access::default(), "{sql}");
        }
    }

    #[test]
    fn a_solo_pragma_is_found_anywhere() {
        for sql in [
            "PRAGMA journal_mode",
            "pragma main . \"Journal_Mode\" = wal",
            "SELECT 1; PRAGMA locking_mode(exclusive)",
            "EXPLAIN PRAGMA rekey = 'a'",
            "PRAGMA 'key' = 'a'",
            "CREATE TABLE t (a); PRAGMA [hexkey] = '00'",
        ] {
            assert!(access(sql).solo, "{sql}");
        }
        for sql in [
            "PRAGMA journal_size_limit",
            "SELECT key, journal_mode FROM t",
            "SELECT 'PRAGMA key'",
            "-- PRAGMA key",
            "PRAGMA foreign_keys = ON",
            "PRAGMA",
            "PRAGMA main.",
        ] {
            assert!(!access(sql).solo, "{sql}");
        }
    }

    #[test]
    fn temporary_and_attached_databases_are_found_anywhere() {
        for sql in [
            "CREATE TEMP TABLE t (a)",
            "create temporary view v as select 1",
            "SELECT 1; CREATE /* a */ TEMP TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END",
            "CREATE TABLE temp.t (a)",
            "INSERT INTO \"Temp\" . t VALUES (1)",
            "CREATE TABLE 'temp'.t (a)",
            "SELECT * FROM sqlite_temp_schema",
            "SELECT * FROM \"sqlite_temp_master\"",
            "ATTACH 'a.db' AS a",
            "SELECT 1; detach a",
            "PRAGMA temp.user_version = 1",
        ] {
            assert!(access(sql).local, "{sql}");
        }
        for sql in [
            "SELECT temp FROM t",
            "SELECT 1 AS attach",
            "INSERT INTO t VALUES ('temp')",
            "PRAGMA temp_store = 2",
        ] {
            assert!(!access(sql).local, "{sql}");
        }
    }

    #[test]
    fn parameters_have_the_numbers_of_sqlite() {
        let names = |sql| {
            let names = describe(sql).parameters;
            names.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
        };
        assert_eq!(names("SELECT ?, ?3, :a, ?, :a, ?1, ?4"), ["?1", "", "?3", ":a", ""]);
        assert_eq!(names("SELECT $a::b(c), '?', @d; SELECT ?"), ["$a::b(c)", "@d"]);
        assert_eq!(names("; ; SELECT ?2"), ["", "?2"]);
        assert_eq!(names("CREATE VIRTUAL TABLE t USING fts5(a, ?)"), [""; 0]);
        assert_eq!(names("SELECT ?0, ?99999, ?99999999999999999999"), [""; 0]);
    }

    #[test]
    fn the_settings_of_a_text_are_its_pragmas_that_set_something_of_a_connection() {
        let settings = |sql: &str| describe(sql).settings;
        assert_eq!(settings("PRAGMA cache_size = -2000"), ["PRAGMA cache_size = -2000"]);
        let text = "SELECT ';'; pragma main . \"Cache_Size\"(5) /* a */; PRAGMA mmap_size=0;; -- b\n PRAGMA user_version = 1";
        assert_eq!(settings(text), ["pragma main . \"Cache_Size\"(5)", "PRAGMA mmap_size=0"]);
        for sql in
            ["PRAGMA cache_size", "SELECT 'PRAGMA cache_size = 1'", "PRAGMA journal_mode = WAL", "PRAGMA", ""]
        {
            assert_eq!(settings(sql), [""; 0], "{sql}");
        }
    }
}
