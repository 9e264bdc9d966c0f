//! Reads the text of `PRAGMA integrity_check`.

use super::tables::Tables;
use super::{CheckProblem, CheckProblemKind};

/// A finding of SQLite's integrity check.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) problem: CheckProblem,
    /// The position of the row in its table, counted from 1 in the order of the rowids.
    pub(super) position: Option<u64>,
}

/// Splits a row of the pragma into findings. A row may hold several lines.
pub(super) fn findings(text: &str, tables: &Tables) -> Vec<Finding> {
    let mut findings = Vec::new();
    // R-Tree's findings follow a line that names the table.
    let mut rtree = None;
    for line in text.lines().filter(|line| !line.is_empty() && *line != "ok") {
        if line.starts_with("*** in database ") {
            continue;
        }
        if let Some(name) = line.strip_prefix("In RTree ").and_then(|rest| rest.strip_suffix(':')) {
            rtree = name.split_once('.').map(|(_, table)| table);
            continue;
        }
        let mut finding = finding(line, tables);
        if let Some(table) = rtree
            && finding.problem.table.is_none()
        {
            finding.problem.table = tables.named(table).map(str::to_owned);
        }
        findings.push(finding);
    }
    findings
}

/// Reads the page, the table and the row that a line names.
/// Source of the texts: `sqlite3Pragma`, `checkTreePage`, `checkList` and `sqlite3BtreeIntegrityCheck`.
fn finding(line: &str, tables: &Tables) -> Finding {
    let mut problem = CheckProblem::new(CheckProblemKind::Structure, line.to_owned());
    let mut position = None;
    let mut table = None;
    if let Some((root, rest)) = number_behind(line, "Tree ") {
        table = u32::try_from(root).ok().and_then(|root| tables.of_root(root));
        problem.page = number_behind(rest, " page ").and_then(|(page, _)| u32::try_from(page).ok());
    } else if let Some((page, _)) = number_behind(line, "Page ") {
        problem.page = u32::try_from(page).ok();
    } else if let Some((row, rest)) = number_behind(line, "row ") {
        position = Some(row);
        table = behind(rest, &[" missing from index ", " values differ from index "])
            .and_then(|index| tables.of_index(index));
    } else if let Some((row, rest)) = number_behind(line, "rowid not at end-of-record for row ") {
        position = Some(row);
        table = behind(rest, &[" of index "]).and_then(|index| tables.of_index(index));
    } else if let Some(rest) = line.strip_prefix("index ")
        && let Some((index, row)) = rest.split_once(" stores an imprecise floating-point value for row ")
    {
        position = row.parse().ok();
        table = tables.of_index(index);
    } else if let Some(index) = behind(line, &["non-unique entry in index ", "wrong # of entries in index "])
    {
        table = tables.of_index(index);
    } else if let Some(name) =
        behind(line, &["CHECK constraint failed in ", "row not in PRIMARY KEY order for "])
    {
        table = tables.named(name);
    } else if let Some((_, column)) = line.split_once(" value in ") {
        table = tables.of_column(column);
    } else if let Some((_, name)) = line.split_once(" table ") {
        // Full-text indexes also name the database, and may add SQLite's message.
        let name = name.split_once('.').map_or(name, |(_, name)| name);
        table = tables.named(name).or_else(|| tables.named(name.split(':').next().unwrap_or(name)));
    }
    problem.table = table.map(str::to_owned);
    Finding { problem, position }
}

fn behind<'t>(text: &'t str, starts: &[&str]) -> Option<&'t str> {
    starts.iter().find_map(|start| text.strip_prefix(start))
}

/// Returns the number that follows `start` in the text, and the rest.
fn number_behind<'t>(text: &'t str, start: &str) -> Option<(u64, &'t str)> {
    let rest = text.strip_prefix(start)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((rest.get(..end)?.parse().ok()?, rest.get(end..)?))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn tables() -> Tables {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE t (a TEXT UNIQUE); CREATE INDEX \"i x\" ON t (a); CREATE TABLE \"t.a\" (b)";
        connection.execute_batch(sql).unwrap();
        Tables::read(&connection, "main").unwrap()
    }

    #[test]
    fn every_message_of_sqlite_yields_its_location() {
        let tables = tables();
        for (text, page, table, position) in [
            ("Tree 2 page 7 cell 3: Rowid 5 out of order", Some(7), Some("t"), None),
            ("Tree 4 page 4: btreeInitPage() returns error code 11", Some(4), Some("t"), None),
            ("Tree 1 page 1 right child: 2nd reference to page 9", Some(1), Some("sqlite_schema"), None),
            ("Tree 99 page 5: free space corruption", Some(5), None, None),
            ("Page 12: never used", Some(12), None, None),
            ("Freelist: size is 3 but should be 4", None, None, None),
            ("row 3 missing from index i x", None, Some("t"), Some(3)),
            ("row 3 missing from index sqlite_autoindex_t_1", None, Some("t"), Some(3)),
            ("row 4 values differ from index i x", None, Some("t"), Some(4)),
            ("rowid not at end-of-record for row 5 of index i x", None, Some("t"), Some(5)),
            ("index i x stores an imprecise floating-point value for row 6", None, Some("t"), Some(6)),
            ("non-unique entry in index i x", None, Some("t"), None),
            ("wrong # of entries in index none", None, None, None),
            ("NULL value in t.a", None, Some("t"), None),
            ("non-INT value in t.a.b", None, Some("t.a"), None),
            ("CHECK constraint failed in t", None, Some("t"), None),
            ("malformed inverted index for FTS5 table main.t", None, Some("t"), None),
            (
                "unable to validate the inverted index for FTS5 table main.t: SQL logic error",
                None,
                Some("t"),
                None,
            ),
            ("Tree 99999999999999999999 page 1", None, None, None),
            ("something new", None, None, None),
        ] {
            let found = findings(text, &tables);
            let [Finding { problem, position: found_position }] = &found[..] else {
                panic!("{text}: {found:?}")
            };
            assert_eq!(
                (problem.page, problem.table.as_deref(), *found_position),
                (page, table, position),
                "{text}"
            );
            assert_eq!(problem.message, text);
        }
    }

    #[test]
    fn a_row_of_the_pragma_may_hold_many_lines() {
        let found = findings("*** in database main ***\nPage 3: never used\nPage 4: never used", &tables());
        let pages: Vec<_> = found.iter().map(|finding| finding.problem.page).collect();
        assert_eq!(pages, [Some(3), Some(4)]);
        let found = findings("In RTree main.t:\nNode 1 is too small (3 bytes)", &tables());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].problem.table.as_deref(), Some("t"));
        assert_eq!(findings("ok", &tables()), []);
    }
}
