//! SQL functions of the caller.

use std::ffi::CString;

use crate::seam::{self, Arguments};
use crate::{CallbackError, Database, OwnedValue, SqlError};

/// How SQL may call a function or an aggregate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionOptions {
    /// The number of arguments; `None` for any number. Functions of one name with different numbers exist side by side.
    pub arguments: Option<u8>,
    /// Whether equal arguments always give an equal result, which an index and a generated column require.
    pub deterministic: bool,
    /// Whether a view, a trigger or another part of the schema may not call the function.
    pub direct_only: bool,
}

impl Database {
    /// Creates an SQL function, or replaces the one of this name and number of arguments.
    ///
    /// The function may run statements on the database. Its error is the error of the statement that called it:
    /// [`SqlError::Callback`]. A panic is such an error as well ([`CallbackPanic`](crate::CallbackPanic)).
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

/// Returns the name of a function or an aggregate for SQLite, which answers a longer one with a misuse without a message
/// (https://www.sqlite.org/c3ref/create_function.html).
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
