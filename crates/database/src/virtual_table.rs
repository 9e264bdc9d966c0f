//! Virtual tables of the caller.

use crate::seam;
use crate::user_function::c_name;
use crate::{CallbackError, Database, OwnedValue, SqlError, Value};

/// The maximum number of parameters of a virtual table.
pub const MAX_TABLE_PARAMETERS: usize = 32;

/// A module of virtual tables. A module creates a table for each CREATE VIRTUAL TABLE, and again for each connection that
/// uses the table.
pub trait Module {
    /// Creates the table. The database cannot be used meanwhile.
    ///
    /// # Errors
    ///
    /// An error ends the statement that needs the table.
    fn connect(&self, request: &TableRequest) -> Result<TableDefinition, CallbackError>;
}

/// The origin of a module's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// CREATE VIRTUAL TABLE creates the tables.
    Created,
    /// The module is a single table, which has the module's name and exists without CREATE VIRTUAL TABLE.
    Eponymous,
}

/// The words of a CREATE VIRTUAL TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRequest {
    /// The module.
    pub module: String,
    /// The database that holds the table.
    pub database: String,
    /// The table.
    pub table: String,
    /// The arguments of the module, as written.
    pub arguments: Vec<String>,
}

/// A virtual table and its columns.
pub struct TableDefinition {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The names of the parameters: hidden columns that the table needs to produce its rows. At most
    /// [`MAX_TABLE_PARAMETERS`].
    ///
    /// SQL passes parameters as in `SELECT * FROM name(1, 2)`, or with `=` in the WHERE clause. If a parameter is NULL,
    /// the table is empty.
    pub parameters: Vec<String>,
    /// `true` if a view, a trigger or another part of the schema may not read the table.
    pub direct_only: bool,
    /// The table.
    pub table: Box<dyn VirtualTable>,
}

/// A read-only virtual table.
pub trait VirtualTable {
    /// Starts reading the rows for these parameters. A parameter that the SQL does not pass is `None`.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn rows(&self, parameters: &[Option<Value<'_>>]) -> Result<Box<dyn Rows>, CallbackError>;
}

/// The rows of a virtual table. A statement that needs no more rows drops them.
pub trait Rows {
    /// Moves to the next row. Returns whether a next row exists.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn next(&mut self) -> Result<bool, CallbackError>;

    /// Returns the value of a column of the row, counted from 0 without the parameters.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn column(&self, column: usize) -> Result<OwnedValue, CallbackError>;
}

impl Database {
    /// Creates a module of virtual tables, or replaces the module of this name for tables connected later.
    ///
    /// # Errors
    ///
    /// [`SqlError::Busy`] while a row is borrowed, or a call is running in an outer frame; [`SqlError::NulInSql`] and
    /// [`SqlError::Closed`].
    pub fn create_module(
        &self,
        name: &str,
        kind: ModuleKind,
        module: impl Module + 'static,
    ) -> Result<(), SqlError> {
        let created = seam::create_module(&self.session.core, &c_name(name)?, kind, Box::new(module));
        // Without this call, idle statements would read the table of the replaced module.
        self.session.schema_may_differ();
        created.map_err(SqlError::from_failure)
    }
}
