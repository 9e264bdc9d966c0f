//! Prepared statements.

use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;

use crate::prepared::{Facts, Prepared};
use crate::seam::{Origin, RawStatement, Row, Step};
use crate::session::Session;
use crate::{SqlError, Value, redact};

/// A column of a statement's result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The column's name in the result.
    pub name: String,
    /// The table column that this column shows, or `None` for an expression.
    pub origin: Option<String>,
    /// The table of `origin`.
    pub table: Option<String>,
    /// The database of `table`: `main`, `temp` or the name of an attached database.
    pub database: Option<String>,
    /// The declared type of `origin`.
    pub declared_type: Option<String>,
}

/// A prepared statement.
///
/// A statement keeps its database alive. A statement may outlive [`Database::close`](crate::Database::close); every call
/// then fails. A dropped statement goes back into the cache.
pub struct Statement {
    session: Rc<Session>,
    /// `Some` until the statement is dropped.
    raw: Option<RawStatement>,
    facts: Rc<Facts>,
    running: bool,
    /// The schema version for which the statement was prepared.
    schema: u64,
}

impl Statement {
    pub(crate) fn new(session: Rc<Session>, prepared: Prepared) -> Self {
        let Prepared { raw, facts } = prepared;
        let schema = session.schema();
        Self { session, raw: Some(raw), facts, running: false, schema }
    }

    /// Returns the statement's SQL, without keys.
    pub fn sql(&self) -> &str {
        &self.facts.sql
    }

    /// Returns whether the statement leaves the database file unchanged.
    pub fn is_read_only(&self) -> bool {
        self.facts.read_only
    }

    /// Returns whether the statement leaves the schema unchanged and holds no key. Callers that prepare the same SQL again
    /// can share such a statement until the schema changes.
    pub fn is_reusable(&self) -> bool {
        self.facts.cacheable
    }

    /// Returns the SQL with the bound values, without keys, or `None` if memory runs out.
    pub fn expanded_sql(&self) -> Option<String> {
        self.raw().ok()?.expanded_sql().map(|sql| redact(&sql).into_owned())
    }

    /// Returns the number of columns of the result, 0 for a statement without rows.
    pub fn column_count(&self) -> usize {
        self.raw().map_or(0, RawStatement::column_count)
    }

    /// Returns the columns of the result.
    ///
    /// # Errors
    ///
    /// [`SqlError::Closed`].
    pub fn columns(&self) -> Result<Vec<Column>, SqlError> {
        let origins = self.raw()?.origins().map_err(SqlError::from_failure)?;
        let column = |origin: Origin| Column {
            name: origin.name,
            origin: origin.column,
            table: origin.table,
            database: origin.database,
            declared_type: origin.declared_type,
        };
        Ok(origins.into_iter().map(column).collect())
    }

    /// Returns how often SQLite has recompiled the statement. The first step after a schema change recompiles the
    /// statement. The columns stay the same while this number stays the same.
    #[inline]
    pub fn reprepared(&self) -> u32 {
        self.raw().map_or(0, RawStatement::reprepared)
    }

    /// Returns the number of virtual machine steps that the statement has taken. The number wraps.
    #[inline]
    pub fn vm_steps(&self) -> u32 {
        self.raw().map_or(0, RawStatement::vm_steps)
    }

    /// Returns the number of parameters. With numbered parameters (`?5`), returns the highest number.
    pub fn parameter_count(&self) -> usize {
        self.facts.parameter_count
    }

    /// Returns the name of a parameter with its prefix, such as `:id`, or `None` for a parameter without a name.
    /// Parameters are counted from 1.
    pub fn parameter_name(&self, index: usize) -> Option<&str> {
        self.parameter_names().get(index.checked_sub(1)?)?.as_deref()
    }

    /// Returns the index of a parameter, counted from 1.
    ///
    /// A parameter whose full name matches, including the prefix, takes precedence over a match without the prefix. The
    /// first match wins.
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        let names = self.parameter_names();
        let with_prefix = |known: &Option<String>| known.as_deref() == Some(name);
        let without_prefix = |known: &Option<String>| {
            known.as_deref().and_then(|known| known.strip_prefix([':', '@', '$'])) == Some(name)
        };
        let position =
            names.iter().position(with_prefix).or_else(|| names.iter().position(without_prefix))?;
        Some(position + 1)
    }

    /// Binds a copy of a value to a parameter, counted from 1. The value stays bound until the next `bind`.
    ///
    /// # Errors
    ///
    /// [`SqlError::ParameterIndex`] for a parameter that does not exist, [`SqlError::TooBig`] and
    /// [`SqlError::InvalidUtf8`] for a value that cannot be stored, [`SqlError::Running`] between two rows.
    #[inline]
    pub fn bind(&mut self, index: usize, value: Value<'_>) -> Result<(), SqlError> {
        if index == 0 || index > self.facts.parameter_count {
            return Err(SqlError::ParameterIndex { index, count: self.facts.parameter_count });
        }
        if self.running {
            return Err(SqlError::Running { index });
        }
        if let Value::Text(bytes) = value
            && str::from_utf8(bytes).is_err()
        {
            return Err(SqlError::InvalidUtf8 { index });
        }
        // SQLite counts parameters in a C int.
        self.raw_mut()?.bind(index as c_int, value).map_err(|failure| self.session.refuse(value, failure))
    }

    /// Sets every parameter to NULL if one of the values is long, so that an idle statement keeps little memory.
    #[inline]
    pub fn clear_long_bindings(&mut self) {
        if let Ok(raw) = self.raw_mut() {
            raw.clear_long_bindings();
        }
    }

    /// Ends a run, and sets every parameter to NULL.
    pub fn clear_bindings(&mut self) {
        self.reset();
        if let Ok(raw) = self.raw_mut() {
            raw.clear_bindings();
        }
    }

    /// Runs to the next row, or returns `None` at the end. The step after the end or after an error starts over.
    ///
    /// The row borrows the statement. The database cannot be closed while the row exists.
    ///
    /// # Errors
    ///
    /// The errors that SQLite reports, and [`SqlError::Closed`].
    #[inline]
    pub fn step(&mut self) -> Result<Option<Row<'_>>, SqlError> {
        if !self.running {
            let compiled = self.raw.as_ref().filter(|_| !self.facts.replaced);
            self.session.trace(|| compiled.and_then(RawStatement::expanded_sql), &self.facts.sql)?;
        }
        let raw = self.raw.as_mut().ok_or(SqlError::Closed)?;
        let stepped = raw.step();
        if !self.facts.cacheable {
            self.session.schema_may_differ();
        }
        match stepped {
            Ok(Step::Row) => {
                self.running = true;
                Ok(Some(raw.row()))
            }
            Ok(Step::Done) => {
                self.running = false;
                raw.reset();
                Ok(None)
            }
            Err(failure) => {
                self.running = false;
                let error = self.session.explain(failure);
                raw.reset();
                Err(error)
            }
        }
    }

    /// Returns the row that the last step reached, or `None` if the statement is not on a row.
    #[inline]
    pub fn row(&self) -> Option<Row<'_>> {
        self.raw.as_ref().filter(|_| self.is_running()).map(RawStatement::row)
    }

    /// Ends a run, so that the next step starts over. Bindings stay.
    #[inline]
    pub fn reset(&mut self) {
        // The step that ended the run has already reset the statement.
        if self.running {
            self.running = false;
            if let Ok(raw) = self.raw_mut() {
                raw.reset();
            }
        }
    }

    /// Returns whether the statement is on a row: it has been stepped, and is neither at its end nor reset.
    #[inline]
    pub fn is_running(&self) -> bool {
        self.running && self.session.is_open()
    }

    fn parameter_names(&self) -> &[Option<String>] {
        self.facts
            .parameter_names
            .get_or_init(|| self.raw().map(RawStatement::parameter_names).unwrap_or_default())
    }

    fn raw(&self) -> Result<&RawStatement, SqlError> {
        self.raw.as_ref().ok_or(SqlError::Closed)
    }

    fn raw_mut(&mut self) -> Result<&mut RawStatement, SqlError> {
        self.raw.as_mut().ok_or(SqlError::Closed)
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take() {
            self.session.give_back(Prepared { raw, facts: Rc::clone(&self.facts) }, self.schema);
        }
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql()).field("running", &self.running).finish()
    }
}
