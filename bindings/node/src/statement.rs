//! The prepared statement that JavaScript holds.

use std::cell::{RefCell, RefMut};

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::{Database, Statement};

use crate::{
    error::{Failure, Outcome},
    handle::{self, Handle},
    panic_request::panic_if_requested,
    parameters::{Binder, Scratch},
    row::{self, Columns, Format, Integers},
};

/// A column of a result and its origin.
#[napi(object)]
pub struct NativeColumn {
    /// The column's name in the result.
    pub name: String,
    /// The table's column that this column shows, if it shows one.
    pub column: Option<String>,
    /// The table of `column`.
    pub table: Option<String>,
    /// The database of `table`.
    pub database: Option<String>,
    /// The declared type of `column`.
    #[napi(js_name = "type")]
    pub declared_type: Option<String>,
}

/// A prepared statement.
#[napi]
pub struct NativeStatement {
    database: Database,
    state: RefCell<State>,
}

/// The state that one call at a time may use.
struct State {
    statement: Statement,
    /// The columns for which the `build` function of the TypeScript layer was compiled.
    names: Vec<String>,
    /// How often SQLite had compiled the statement again when `names` were read.
    names_as_of: u32,
    scratch: Scratch,
    columns: Columns,
}

/// The rows of one call.
struct Rows<'e> {
    env: &'e Env,
    /// `None` for rows that are their first value alone.
    build: Option<Handle>,
    rebuild: Handle,
    integers: Integers,
}

impl NativeStatement {
    pub(crate) fn new(database: Database, statement: Statement) -> Self {
        let state = State {
            statement,
            names: Vec::new(),
            names_as_of: 0,
            scratch: Scratch::default(),
            columns: Columns::default(),
        };
        NativeStatement { database, state: RefCell::new(state) }
    }

    fn state(&self) -> Outcome<RefMut<'_, State>> {
        panic_if_requested();
        self.state.try_borrow_mut().map_err(|_| Failure::busy())
    }
}

#[napi]
impl NativeStatement {
    /// Returns the statement's SQL, without keys.
    #[napi(getter, catch_unwind)]
    pub fn source(&self, env: Env) -> napi::Result<String> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.sql().to_owned())
    }

    /// Whether the statement leaves the database as it is.
    #[napi(getter, catch_unwind)]
    pub fn readonly(&self, env: Env) -> napi::Result<bool> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.is_read_only())
    }

    /// Returns the number of columns, 0 for a statement without rows.
    #[napi(getter, catch_unwind)]
    pub fn column_count(&self, env: Env) -> napi::Result<u32> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(u32::try_from(state.statement.column_count()).unwrap_or(u32::MAX))
    }

    /// Returns the names of the parameters with their prefixes, and null for a `?`.
    #[napi(catch_unwind)]
    pub fn parameters(&self, env: Env) -> napi::Result<Vec<Option<String>>> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        let count = state.statement.parameter_count();
        Ok((1..=count).map(|index| state.statement.parameter_name(index).map(str::to_owned)).collect())
    }

    /// Returns the columns of the rows and their origins.
    #[napi(catch_unwind)]
    pub fn columns(&self, env: Env) -> napi::Result<Vec<NativeColumn>> {
        let columns = (|| Ok(self.state()?.statement.columns()?))();
        let columns = columns.map_err(|failure: Failure| failure.throw(&env))?;
        Ok(columns
            .into_iter()
            .map(|column| NativeColumn {
                name: column.name,
                column: column.origin,
                table: column.table,
                database: column.database,
                declared_type: column.declared_type,
            })
            .collect())
    }

    /// Returns the names of the columns, for which the caller compiles the `build` function of later calls.
    #[napi(catch_unwind)]
    pub fn names(&self, env: Env) -> napi::Result<Vec<String>> {
        let names = (|| {
            let mut state = self.state()?;
            state.names = names(&state.statement)?;
            state.names_as_of = state.statement.reprepared();
            Ok(state.names.clone())
        })();
        names.map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the table of each column, and null for an expression.
    #[napi(catch_unwind)]
    pub fn tables(&self, env: Env) -> napi::Result<Vec<Option<String>>> {
        let tables = (|| tables_of(&self.state()?.statement))();
        tables.map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the SQL with the values that are bound, without keys, or null if memory is short.
    #[napi(catch_unwind)]
    pub fn expanded(&self, env: Env) -> napi::Result<Option<String>> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.expanded_sql())
    }

    /// Binds one value to each parameter for all later calls.
    #[napi(catch_unwind)]
    pub fn bind(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[]")] values: Unknown,
    ) -> napi::Result<()> {
        let bound = (|| {
            let mut state = self.state()?;
            state.bind(&env, values.raw()).map(|_| ())
        })();
        bound.map_err(|failure| failure.throw(&env))
    }

    /// Runs the statement to its end. Returns `build(changes, lastInsertRowid)`.
    #[napi(catch_unwind, ts_return_type = "unknown")]
    pub fn run(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[] | undefined")] values: Unknown,
        #[napi(ts_arg_type = "(changes: number, lastInsertRowid: number | bigint) => unknown")]
        build: Unknown,
        bigints: bool,
    ) -> napi::Result<Handle> {
        let run = || {
            let mut state = self.state()?;
            let before = self.database.total_changes();
            state.execute(&env, values.raw(), |state| {
                while state.statement.step()?.is_some() {}
                Ok(())
            })?;
            // A statement that changes nothing leaves the count of the statement before it.
            let changed = self.database.total_changes() != before;
            let changes = if changed { self.database.changes() } else { 0 };
            let changes = row::integer_value(&env, changes.cast_signed(), Integers::Numbers)?;
            let rowid = row::integer_value(&env, self.database.last_insert_rowid(), integers(bigints))?;
            handle::call(&env, build.raw(), &[changes, rowid])
        };
        run().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the first row, or undefined.
    #[napi(catch_unwind, ts_return_type = "unknown")]
    pub fn get(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[] | undefined")] values: Unknown,
        #[napi(ts_arg_type = "((...columns: never[]) => unknown) | undefined")] build: Unknown,
        #[napi(ts_arg_type = "(names: string[], tables: (string | null)[]) => unknown")] rebuild: Unknown,
        bigints: bool,
    ) -> napi::Result<Handle> {
        let get = || {
            let build = handle::defined(&env, build.raw())?;
            let mut rows = Rows { env: &env, build, rebuild: rebuild.raw(), integers: integers(bigints) };
            self.state()?.execute(&env, values.raw(), |state| match rows.next(state)? {
                Some(row) => Ok(row),
                None => handle::undefined(&env),
            })
        };
        get().map_err(|failure| failure.throw(&env))
    }

    /// Returns every row in an array.
    #[napi(catch_unwind, ts_return_type = "unknown[]")]
    pub fn all(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[] | undefined")] values: Unknown,
        #[napi(ts_arg_type = "((...columns: never[]) => unknown) | undefined")] build: Unknown,
        #[napi(ts_arg_type = "(names: string[], tables: (string | null)[]) => unknown")] rebuild: Unknown,
        bigints: bool,
    ) -> napi::Result<Handle> {
        let all = || {
            let build = handle::defined(&env, build.raw())?;
            let mut rows = Rows { env: &env, build, rebuild: rebuild.raw(), integers: integers(bigints) };
            let array = handle::array(&env)?;
            self.state()?.execute(&env, values.raw(), |state| {
                let mut length = 0;
                loop {
                    // Without scopes a million rows would be millions of live handles; the array keeps the rows. The
                    // first row may set a new `build`, which the other rows need, and therefore has no scope.
                    let _scope = if length == 0 { None } else { Some(handle::Scope::open(&env)?) };
                    let Some(row) = rows.next(state)? else { return Ok(array) };
                    handle::set_element(&env, array, length, row)?;
                    length += 1;
                }
            })
        };
        all().map_err(|failure| failure.throw(&env))
    }

    /// Binds values and prepares for `next`.
    #[napi(catch_unwind)]
    pub fn start(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[] | undefined")] values: Unknown,
    ) -> napi::Result<()> {
        let start = || {
            let mut state = self.state()?;
            state.statement.reset();
            state.bind(&env, values.raw()).map(|_| ())
        };
        start().map_err(|failure| failure.throw(&env))
    }

    /// Returns the next row, or undefined at the end.
    #[napi(catch_unwind, ts_return_type = "unknown")]
    pub fn next(
        &self,
        env: Env,
        #[napi(ts_arg_type = "((...columns: never[]) => unknown) | undefined")] build: Unknown,
        #[napi(ts_arg_type = "(names: string[], tables: (string | null)[]) => unknown")] rebuild: Unknown,
        bigints: bool,
    ) -> napi::Result<Handle> {
        let next = || {
            let mut state = self.state()?;
            let build = handle::defined(&env, build.raw())?;
            let mut rows = Rows { env: &env, build, rebuild: rebuild.raw(), integers: integers(bigints) };
            match rows.next(&mut state)? {
                Some(row) => Ok(row),
                None => handle::undefined(&env),
            }
        };
        next().map_err(|failure| failure.throw(&env))
    }

    /// Ends a run that `start` began, and unbinds its values if `clear` is set.
    #[napi(catch_unwind)]
    pub fn reset(&self, env: Env, clear: bool) -> napi::Result<()> {
        let reset = || {
            let mut state = self.state()?;
            state.statement.reset();
            if clear {
                state.statement.clear_bindings();
            }
            Ok(())
        };
        reset().map_err(|failure: Failure| failure.throw(&env))
    }
}

impl State {
    /// Binds values, does the work, and resets the statement, even after a failure.
    fn execute<T>(
        &mut self,
        env: &Env,
        values: Handle,
        work: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.statement.reset();
        let bound = self.bind(env, values);
        let clear = !matches!(bound, Ok(false));
        let result = bound.and_then(|_| work(self));
        self.statement.reset();
        if clear {
            self.statement.clear_bindings();
        }
        result
    }

    /// Binds an array of values. Returns false if `values` is undefined.
    fn bind(&mut self, env: &Env, values: Handle) -> Outcome<bool> {
        let Some(values) = handle::defined(env, values)? else { return Ok(false) };
        let mut binder = Binder { env, statement: &mut self.statement, scratch: &mut self.scratch };
        let bound = binder.bind_all(values);
        self.scratch.trim();
        bound.map(|()| true)
    }
}

impl Rows<'_> {
    /// Steps to the next row and builds it.
    fn next(&mut self, state: &mut State) -> Outcome<Option<Handle>> {
        let State { statement, columns, .. } = state;
        // Only the first step of a run compiles the statement again after a change of the schema.
        let starts = !statement.is_running();
        let Some(row) = statement.step()? else { return Ok(None) };
        columns.read(
            self.env,
            &row,
            &Format { only_first: self.build.is_none(), integers: self.integers },
        )?;
        drop(row);
        if starts {
            self.follow_schema(state)?;
        }
        state.columns.row(self.env, self.build).map(Some)
    }

    /// Replaces `build` if the columns differ from those that it was compiled for.
    fn follow_schema(&mut self, state: &mut State) -> Outcome<()> {
        let now = state.statement.reprepared();
        if now == state.names_as_of || self.build.is_none() {
            return Ok(());
        }
        state.names_as_of = now;
        let found = names(&state.statement)?;
        if found != state.names {
            let array = handle::array(self.env)?;
            for (index, name) in (0..).zip(&found) {
                handle::set_element(self.env, array, index, handle::string(self.env, name)?)?;
            }
            let tables = handle::array(self.env)?;
            for (index, table) in (0..).zip(tables_of(&state.statement)?) {
                let table = match table {
                    Some(table) => handle::string(self.env, &table)?,
                    None => handle::undefined(self.env)?,
                };
                handle::set_element(self.env, tables, index, table)?;
            }
            self.build = Some(handle::call(self.env, self.rebuild, &[array, tables])?);
            state.names = found;
        }
        Ok(())
    }
}

fn integers(bigints: bool) -> Integers {
    if bigints { Integers::BigInts } else { Integers::Numbers }
}

fn names(statement: &Statement) -> Outcome<Vec<String>> {
    Ok(statement.columns()?.into_iter().map(|column| column.name).collect())
}

fn tables_of(statement: &Statement) -> Outcome<Vec<Option<String>>> {
    Ok(statement.columns()?.into_iter().map(|column| column.table).collect())
}
