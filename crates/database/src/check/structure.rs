//! Runs SQLite's integrity check and its check of foreign keys.

use std::collections::HashMap;

use rusqlite::Connection;

use super::finding::{Finding, findings};
use super::report::LISTED;
use super::tables::Tables;
use super::twin::{Begun, Twin, damage};
use super::{CheckError, CheckProblem, CheckProblemKind, Meter};
use crate::SqlError;
use crate::pragma::quoted;
use crate::seam::{Core, Failure};

/// The number of SQLite's steps between two calls of the caller's progress function.
const STEPS: i32 = 20_000;

/// The problems found in the content.
#[derive(Default)]
pub(super) struct Found {
    pub(super) structure: Vec<CheckProblem>,
    pub(super) foreign_keys: Vec<CheckProblem>,
}

/// Checks a whole database if all of its pages can be read.
pub(super) fn whole(
    core: &Core,
    schema: &str,
    tables: &Tables,
    meter: &mut Meter<'_, '_>,
) -> Result<Found, CheckError> {
    let mut found = Found::default();
    // The limit is one more than the report lists, so that the report can say that more exist.
    let limit = (LISTED + 1).to_string();
    let (problems, failure) = integrity(core, schema, &limit, tables, meter);
    found.structure = problems;
    if let Some(failure) = failure {
        let problem = told(CheckProblemKind::Structure, failure, None)?;
        // SQLite stops at some kinds of damage, and leaves later tables unchecked.
        for table in tables.names() {
            let (problems, failure) = integrity(core, schema, &quoted(table), tables, meter);
            let failed = failure.map(|failure| told(CheckProblemKind::Structure, failure, Some(table)));
            for problem in problems.into_iter().chain(failed.transpose()?) {
                if found.structure.len() <= LISTED && !found.structure.contains(&problem) {
                    found.structure.push(problem);
                }
            }
        }
        if found.structure.is_empty() {
            found.structure.push(problem);
        }
    }
    for table in tables.names() {
        match foreign_keys(core, schema, table, meter) {
            Ok(problems) => found.foreign_keys.extend(problems),
            Err(failure) => {
                found.foreign_keys.push(told(CheckProblemKind::ForeignKey, failure, Some(table))?);
            }
        }
        if found.foreign_keys.len() > LISTED {
            break;
        }
    }
    Ok(found)
}

/// Checks each table of an encrypted database, apart from tables with a page that fails its authentication.
pub(super) fn readable_tables(
    twin: &mut Twin<'_>,
    lenient: bool,
    tables: &Tables,
    meter: &mut Meter<'_, '_>,
) -> Result<Found, CheckError> {
    let mut found = Found::default();
    for table in tables.names() {
        let (problems, failure) = integrity(twin.core(), "main", &quoted(table), tables, meter);
        let structure = failure.map_or(Ok(problems), Err);
        if let Some(problems) = of_table(twin, lenient, structure, CheckProblemKind::Structure, table)? {
            found.structure.extend(problems);
        }
        let rows = foreign_keys(twin.core(), "main", table, meter);
        if let Some(problems) = of_table(twin, lenient, rows, CheckProblemKind::ForeignKey, table)? {
            found.foreign_keys.extend(problems);
        }
        if found.structure.len() > LISTED && found.foreign_keys.len() > LISTED {
            break;
        }
    }
    Ok(found)
}

/// Returns the result for a table, or `None` if the check read a page that fails its authentication: SQLite's further
/// findings are then about pages that SQLCipher no longer reads.
fn of_table(
    twin: &mut Twin<'_>,
    lenient: bool,
    result: Result<Vec<CheckProblem>, Failure>,
    kind: CheckProblemKind,
    table: &str,
) -> Result<Option<Vec<CheckProblem>>, CheckError> {
    if twin.cipher_failed() {
        if let Err(failure) = result {
            told(kind, failure, None)?;
        }
        return match twin.reopen(lenient)? {
            Begun::CipherFailed => Err(SqlError::PageAuthentication.into()),
            Begun::Sound | Begun::Damaged { .. } => Ok(None),
        };
    }
    match result {
        Ok(problems) => Ok(Some(problems)),
        Err(failure) => Ok(Some(vec![told(kind, failure, Some(table))?])),
    }
}

/// Turns a failure caused by damage into a problem.
fn told(kind: CheckProblemKind, failure: Failure, table: Option<&str>) -> Result<CheckProblem, CheckError> {
    let mut problem = CheckProblem::new(kind, damage(failure)?);
    problem.table = table.map(str::to_owned);
    Ok(problem)
}

/// Runs `PRAGMA integrity_check` with an argument: the largest number of findings, or a table. Returns the findings, and the
/// failure that ended the check early.
fn integrity(
    core: &Core,
    schema: &str,
    argument: &str,
    tables: &Tables,
    meter: &mut Meter<'_, '_>,
) -> (Vec<CheckProblem>, Option<Failure>) {
    let sql = format!("PRAGMA {}.integrity_check({argument})", quoted(schema));
    let mut found = Vec::new();
    let checked = core.watched(STEPS, &mut || meter.go_on(), || {
        core.with(|connection| {
            let mut check = connection.prepare(&sql)?;
            let mut rows = check.query([])?;
            while let Some(row) = rows.next()? {
                let text = String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned();
                found.extend(findings(&text, tables));
            }
            Ok(())
        })
    });
    let rowids = core
        .watched(STEPS, &mut || meter.go_on(), || core.with(|connection| rowids(connection, schema, &found)));
    // The search for rowids is best effort, because a damaged table may not be readable.
    let rowids = rowids.unwrap_or_default();
    let with_rowid = |finding: Finding| {
        let mut problem = finding.problem;
        if let (Some(table), Some(position)) = (&problem.table, finding.position) {
            problem.rowid = rowids.get(table).and_then(|rows| rows.get(&position)).copied();
        }
        problem
    };
    (found.into_iter().map(with_rowid).collect(), checked.err())
}

type Rowids = HashMap<String, HashMap<u64, i64>>;

/// Returns the rowids of the rows that SQLite's messages identify by position.
fn rowids(connection: &Connection, schema: &str, found: &[Finding]) -> rusqlite::Result<Rowids> {
    let mut wanted: Rowids = HashMap::new();
    for finding in found {
        if let (Some(table), Some(position)) = (&finding.problem.table, finding.position) {
            wanted.entry(table.clone()).or_default().insert(position, 0);
        }
    }
    for (table, positions) in &mut wanted {
        let last = positions.keys().copied().max().unwrap_or(0);
        let mut known = HashMap::new();
        if let Some(name) = rowid_name(connection, schema, table)? {
            let (schema, table) = (quoted(schema), quoted(table));
            let sql = format!("SELECT {name} FROM {schema}.{table} NOT INDEXED ORDER BY {name} LIMIT ?1");
            let mut rows = connection.prepare(&sql)?;
            let mut rows = rows.query([last.cast_signed()])?;
            let mut position = 0;
            while let Some(row) = rows.next()? {
                position += 1;
                if positions.contains_key(&position) {
                    known.insert(position, row.get(0)?);
                }
            }
        }
        *positions = known;
    }
    Ok(wanted)
}

/// Returns a name for the rowid that no column has, or `None` for a table without rowids.
fn rowid_name(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<Option<&'static str>> {
    let sql = "SELECT wr FROM pragma_table_list WHERE schema = ?1 AND name = ?2";
    if connection.query_row(sql, [schema, table], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let mut columns = connection.prepare("SELECT lower(name) FROM pragma_table_xinfo(?1, ?2)")?;
    let columns: Vec<String> =
        columns.query_map([table, schema], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(["rowid", "_rowid_", "oid"].into_iter().find(|name| !columns.iter().any(|column| column == name)))
}

/// Returns the rows of a table that refer to missing rows.
fn foreign_keys(
    core: &Core,
    schema: &str,
    table: &str,
    meter: &mut Meter<'_, '_>,
) -> Result<Vec<CheckProblem>, Failure> {
    let sql = format!("PRAGMA {}.foreign_key_check({})", quoted(schema), quoted(table));
    core.watched(STEPS, &mut || meter.go_on(), || {
        core.with(|connection| {
            let mut check = connection.prepare(&sql)?;
            let mut rows = check.query([])?;
            let mut problems = Vec::new();
            while problems.len() <= LISTED
                && let Some(row) = rows.next()?
            {
                let (rowid, parent): (Option<i64>, Option<String>) = (row.get(1)?, row.get(2)?);
                let constraint: i64 = row.get(3)?;
                let message = format!(
                    "a row refers to a row that the table \"{}\" does not have (foreign key {constraint} of \"{table}\")",
                    parent.unwrap_or_default()
                );
                let mut problem = CheckProblem::new(CheckProblemKind::ForeignKey, message);
                problem.table = Some(table.to_owned());
                problem.rowid = rowid;
                problems.push(problem);
            }
            Ok(problems)
        })
    })
}
