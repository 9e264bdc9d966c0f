//! Aggregates and window functions of the caller.

use crate::seam::{self, Arguments, Windowed};
use crate::user_function::function_name;
use crate::{CallbackError, Database, FunctionOptions, OwnedValue, SqlError};

/// The state of an aggregate for one group of rows, or for one window.
pub trait Accumulator {
    /// Adds a row.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn step(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError>;

    /// Removes the oldest row of a window. Only window functions need this method.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn inverse(&mut self, arguments: &Arguments<'_>) -> Result<(), CallbackError> {
        let _ = arguments;
        Ok(())
    }

    /// Returns the result for the rows so far. For a window function, SQLite asks for the result of each row.
    ///
    /// # Errors
    ///
    /// An error ends the statement.
    fn value(&mut self) -> Result<OwnedValue, CallbackError>;
}

impl Database {
    /// Creates an SQL aggregate, or replaces the function of this name and number of arguments.
    ///
    /// `start` creates the accumulator of each group before its first row, or at the end of a group without rows.
    ///
    /// # Errors
    ///
    /// The errors of [`Database::create_function`].
    pub fn create_aggregate(
        &self,
        name: &str,
        options: &FunctionOptions,
        start: impl Fn() -> Result<Box<dyn Accumulator>, CallbackError> + 'static,
    ) -> Result<(), SqlError> {
        let name = function_name(name)?;
        seam::create_aggregate(&self.session.core, &name, *options, Windowed::No, Box::new(start))
            .map_err(SqlError::from_failure)
    }

    /// Creates an aggregate that is also a window function: SQL may call it with OVER.
    ///
    /// # Errors
    ///
    /// The errors of [`Database::create_function`].
    pub fn create_window_function(
        &self,
        name: &str,
        options: &FunctionOptions,
        start: impl Fn() -> Result<Box<dyn Accumulator>, CallbackError> + 'static,
    ) -> Result<(), SqlError> {
        let name = function_name(name)?;
        seam::create_aggregate(&self.session.core, &name, *options, Windowed::Yes, Box::new(start))
            .map_err(SqlError::from_failure)
    }
}
