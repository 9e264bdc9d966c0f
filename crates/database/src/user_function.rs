//! SQL functions of the caller.

use std::ffi::CString;

use crate::seam::{self, Arguments};
use crate::{CallbackError, Database, OwnedValue, SqlError};

/// The rules for calling a function or an aggregate from SQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionOptions {
    /// The number of arguments; `None` for any number. Functions with one name and different numbers of arguments can
    /// coexist.
    pub arguments: Option<u8>,
    /// `true` if equal arguments always give equal results. Indexes and generated columns require such functions.
    pub deterministic: bool,
    /// `true` if a view, a trigger or another part of the schema may not call the function.
    pub direct_only: bool,
}

impl Database {
    /// Creates an SQL function, or replaces the function with this name and number of arguments.
    ///
    /// The function may run statements on the database. If the function fails, the statement that called it fails with
    /// [`SqlError::Callback`]. A panic is reported as a failure ([`CallbackPanic`](crate::CallbackPanic)).
    ///
    /// # Errors
    ///
    /// [`SqlError::Busy`] while a row is borrowed, or a call is running in an outer frame; `SQLITE_BUSY` if a running
    /// statement may use the replaced function; [`SqlError::LongFunctionName`]; `SQLITE_MISUSE` for more arguments than
    /// SQLite allows; [`SqlError::NulInSql`] and [`SqlError::Closed`].
    pub fn create_function(
        &self,
        name: &str,
        options: &FunctionOptions,
        function: impl Fn(&Arguments<'_>) -> Result<OwnedValue, CallbackError> + 'static,
    ) -> Result<(), SqlError> {
        let created =
            seam::create_function(&self.session.core, &function_name(name)?, *options, Box::new(function));
        created.map_err(SqlError::from_failure)
    }
}

/// Returns the name of a function or an aggregate for SQLite. For a name over the limit, SQLite itself reports a misuse
/// without a message (https://www.sqlite.org/c3ref/create_function.html).
pub(crate) fn function_name(name: &str) -> Result<CString, SqlError> {
    if name.len() > 255 {
        return Err(SqlError::LongFunctionName { length: name.len() });
    }
    c_name(name)
}

/// Returns the name of a module for SQLite.
pub(crate) fn c_name(name: &str) -> Result<CString, SqlError> {
    CString::new(name).map_err(|error| SqlError::NulInSql { offset: error.nul_position() })
}
