//! Prepared statements.

use std::cell::OnceCell;
use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;

use crate::connection::Inner;
use crate::seam::{RawStatement, Row, Step};
use crate::{SqlError, Value};

/// A column of a statement's result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// Its name in the result.
    pub name: String,
    /// The column of a table that it is, where it is one and not an expression.
    pub origin: Option<String>,
    /// That table.
    pub table: Option<String>,
    /// The database of that table: `main`, `temp` or the name of an attached one.
    pub database: Option<String>,
    /// The type in the table's declaration.
    pub declared_type: Option<String>,
}

/// A prepared statement.
///
/// It keeps its database alive, and may outlive [`Database::close`](crate::Database::close): every call is an error then.
/// When it is dropped, it goes back into the cache.
pub struct Statement {
    inner: Rc<Inner>,
    /// Some until it is dropped.
    raw: Option<RawStatement>,
    meta: Rc<Meta>,
    running: bool,
    /// The schema for which it was prepared.
    schema: u64,
}

/// What is known of a statement once it is prepared.
pub(crate) struct Meta {
    pub(crate) sql: Rc<str>,
    pub(crate) cached: bool,
    read_only: bool,
    parameter_count: usize,
    parameter_names: OnceCell<Vec<Option<String>>>,
}

impl Meta {
    /// With the text that may be shown, and whether the statement may wait in the cache.
    pub(crate) fn new(raw: &RawStatement, sql: &str, cached: bool) -> Self {
        Self {
            sql: Rc::from(sql),
            cached,
            read_only: raw.is_read_only(),
            parameter_count: raw.parameter_count(),
            parameter_names: OnceCell::new(),
        }
    }
}

impl Statement {
    pub(crate) fn new(inner: Rc<Inner>, raw: RawStatement, meta: Rc<Meta>) -> Self {
        let schema = inner.schema();
        Self { inner, raw: Some(raw), meta, running: false, schema }
    }

    /// The SQL that was prepared, without keys.
    pub fn sql(&self) -> &str {
        &self.meta.sql
    }

    /// Whether running it leaves the database file as it is.
    pub fn is_read_only(&self) -> bool {
        self.meta.read_only
    }

    /// The number of columns of its result, 0 where it has none.
    pub fn column_count(&self) -> usize {
        self.raw().map_or(0, RawStatement::column_count)
    }

    /// The columns of its result.
    ///
    /// # Errors
    ///
    /// [`SqlError::Closed`].
    pub fn columns(&self) -> Result<Vec<Column>, SqlError> {
        let origins = self.raw()?.origins().map_err(SqlError::from_failure)?;
        let column = |origin: crate::seam::Origin| Column {
            name: origin.name,
            origin: origin.column,
            table: origin.table,
            database: origin.database,
            declared_type: origin.declared_type,
        };
        Ok(origins.into_iter().map(column).collect())
    }

    /// How often SQLite has prepared it anew, which it does on the first step after a change of the schema: as long as
    /// this stays, so do the columns.
    #[inline]
    pub fn reprepared(&self) -> u32 {
        self.raw().map_or(0, RawStatement::reprepared)
    }

    /// The number of parameters. Numbered ones (`?5`) count up to the highest.
    pub fn parameter_count(&self) -> usize {
        self.meta.parameter_count
    }

    /// The name of a parameter with its prefix, as in `:id`; parameters count from 1. `None` where it has no name.
    pub fn parameter_name(&self, index: usize) -> Option<&str> {
        self.parameter_names().get(index.checked_sub(1)?)?.as_deref()
    }

    /// The index of a parameter, counted from 1. The name is given with its prefix, or without where that is enough to
    /// tell it from others; the first that fits is meant.
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

    /// Binds a value, which is copied, to a parameter, counted from 1. It stays until it is bound anew.
    ///
    /// # Errors
    ///
    /// [`SqlError::ParameterIndex`] for a parameter that does not exist, [`SqlError::TooBig`] and
    /// [`SqlError::InvalidUtf8`] for a value that cannot be stored, [`SqlError::Running`] between two rows.
    #[inline]
    pub fn bind(&mut self, index: usize, value: Value<'_>) -> Result<(), SqlError> {
        if index == 0 || index > self.meta.parameter_count {
            return Err(SqlError::ParameterIndex { index, count: self.meta.parameter_count });
        }
        if self.running {
            return Err(SqlError::Running { index });
        }
        if let Value::Text(bytes) = value
            && str::from_utf8(bytes).is_err()
        {
            return Err(SqlError::InvalidUtf8 { index });
        }
        // parameters are counted in a C int
        self.raw_mut()?.bind(index as c_int, value).map_err(|failure| self.inner.refuse(value, failure))
    }

    /// Sets every parameter to NULL.
    pub fn clear_bindings(&mut self) {
        if let Ok(raw) = self.raw_mut() {
            raw.clear_bindings();
        }
    }

    /// Runs to the next row, and `None` where there is none. After that, or after an error, it starts anew.
    ///
    /// The row borrows the statement, and the database cannot be closed while it lives.
    ///
    /// # Errors
    ///
    /// What SQLite reports, and [`SqlError::Closed`].
    #[inline]
    pub fn step(&mut self) -> Result<Option<Row<'_>>, SqlError> {
        if !self.running {
            self.inner.trace(|| self.raw.as_ref().and_then(RawStatement::expanded_sql), &self.meta.sql);
        }
        let raw = self.raw.as_mut().ok_or(SqlError::Closed)?;
        let stepped = raw.step();
        if !self.meta.cached {
            self.inner.schema_may_differ();
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
                let error = self.inner.explain(failure);
                raw.reset();
                Err(error)
            }
        }
    }

    /// Ends a run, so that the next step starts anew. Bindings stay.
    pub fn reset(&mut self) {
        self.running = false;
        if let Ok(raw) = self.raw_mut() {
            raw.reset();
        }
    }

    /// Whether it stands on a row: stepped, and neither at its end nor reset since.
    #[inline]
    pub fn is_running(&self) -> bool {
        self.running && self.inner.is_open()
    }

    fn parameter_names(&self) -> &[Option<String>] {
        self.meta
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
            self.inner.give_back(raw, &self.meta, self.schema);
        }
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql()).field("running", &self.running).finish()
    }
}
