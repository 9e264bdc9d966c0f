//! The prepared statement that JavaScript holds.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::{Column, Database, Snapshot, Statement};

use crate::{
    calls,
    encode::{Batch, Form},
    error::{Failure, Outcome},
    exchange::Exchange,
    handle::Handle,
    panic_request::panic_if_requested,
    parameters::Binder,
    row::Integers,
    text::Scratch,
};

/// A column of a result and its origin.
#[napi(object)]
pub struct NativeColumn {
    /// The column's name in the result.
    pub name: String,
    /// The name of the table column, unless the column is an expression.
    pub column: Option<String>,
    /// The table of `column`.
    pub table: Option<String>,
    /// The database of `table`.
    pub database: Option<String>,
    /// The declared type of `column`.
    #[napi(js_name = "type")]
    pub declared_type: Option<String>,
}

impl From<Column> for NativeColumn {
    fn from(column: Column) -> Self {
        Self {
            name: column.name,
            column: column.origin,
            table: column.table,
            database: column.database,
            declared_type: column.declared_type,
        }
    }
}

/// The columns of a statement's rows, and the encoding of their values.
#[napi(object)]
pub struct NativeLayout {
    /// The names of the columns in the result.
    pub names: Vec<String>,
    /// The table of each column, undefined for an expression.
    pub tables: Vec<Option<String>>,
    /// The kinds of the columns in the last rows of this form. `ts/api/build-row.ts` names the kinds.
    pub kinds: Vec<u8>,
}

/// A prepared statement.
#[napi]
pub struct NativeStatement {
    running: Rc<Running>,
}

/// A statement and its database. One call at a time may use the statement.
pub(crate) struct Running {
    pub(crate) database: Database,
    state: RefCell<State>,
}

/// The state of a statement.
pub(crate) struct State {
    pub(crate) statement: Statement,
    pub(crate) batch: Batch,
    /// The read transaction of an open iterator.
    snapshot: Option<Snapshot>,
}

impl NativeStatement {
    pub(crate) fn new(database: Database, statement: Statement) -> Self {
        let state = State { statement, batch: Batch::default(), snapshot: None };
        NativeStatement { running: Rc::new(Running { database, state: RefCell::new(state) }) }
    }

    fn state(&self) -> Outcome<RefMut<'_, State>> {
        panic_if_requested();
        self.running.state()
    }
}

impl Running {
    pub(crate) fn state(&self) -> Outcome<RefMut<'_, State>> {
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

    /// Returns whether the statement leaves the database unchanged.
    #[napi(getter, catch_unwind)]
    pub fn readonly(&self, env: Env) -> napi::Result<bool> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.is_read_only())
    }

    /// Returns the number of columns, or 0 for a statement without rows.
    #[napi(getter, catch_unwind)]
    pub fn column_count(&self, env: Env) -> napi::Result<u32> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(u32::try_from(state.statement.column_count()).unwrap_or(u32::MAX))
    }

    /// Returns the names of the parameters with their prefixes. The name of a `?` is null.
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
        Ok(columns.into_iter().map(NativeColumn::from).collect())
    }

    /// Returns the handle that identifies the statement to the functions of `calls`.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn handle(&self, env: Env) -> napi::Result<Handle> {
        panic_if_requested();
        calls::external(&env, &self.running).map_err(|failure| failure.throw(&env))
    }

    /// Returns whether callers that prepare the same SQL can share the statement until the schema changes.
    #[napi(getter, catch_unwind)]
    pub fn reusable(&self, env: Env) -> napi::Result<bool> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.is_reusable())
    }

    /// Returns the columns of the last rows of the given form.
    #[napi(catch_unwind)]
    pub fn layout(&self, env: Env, bigints: bool, only_first: bool) -> napi::Result<NativeLayout> {
        let layout = || {
            let state = self.state()?;
            let columns = state.statement.columns()?;
            let integers = if bigints { Integers::BigInts } else { Integers::Numbers };
            let kinds = state.batch.kinds(Form { integers, only_first });
            let (names, tables) = columns.into_iter().map(|column| (column.name, column.table)).unzip();
            Ok(NativeLayout { names, tables, kinds: kinds.iter().map(|&kind| kind as u8).collect() })
        };
        layout().map_err(|failure: Failure| failure.throw(&env))
    }

    /// Returns the SQL with the bound values and without keys, or null if memory runs out.
    #[napi(catch_unwind)]
    pub fn expanded(&self, env: Env) -> napi::Result<Option<String>> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.expanded_sql())
    }

    /// Binds one value to each parameter. The values apply to all later calls.
    #[napi(catch_unwind)]
    pub fn bind(
        &self,
        env: Env,
        #[napi(ts_arg_type = "readonly unknown[]")] values: Unknown,
    ) -> napi::Result<()> {
        let bound = (|| {
            let mut state = self.state()?;
            let mut scratch = Scratch::default();
            let mut binder = Binder { env: &env, parameters: &mut state.statement, scratch: &mut scratch };
            binder.bind_array(values.raw())
        })();
        bound.map_err(|failure| failure.throw(&env))
    }
}

impl State {
    /// Binds the arguments of a call.
    pub(crate) fn bind_call(&mut self, env: &Env, exchange: &Exchange, values: &[Handle]) -> Outcome<()> {
        let mut scratch = exchange.scratch.borrow_mut();
        let mut binder = Binder { env, parameters: &mut self.statement, scratch: &mut scratch };
        let bound = binder.bind_call(exchange, values);
        scratch.trim();
        bound
    }

    /// Returns whether a call may read rows before the caller requests them. The statement must be on a row.
    ///
    /// Holds the read transaction open if possible. Otherwise the last row would end the transaction, and the caller's
    /// other statements would see later changes by other connections.
    pub(crate) fn may_read_ahead(&mut self, database: &Database) -> bool {
        // A rollback could undo rows that the batch has read and the caller has not seen.
        if database.is_writing() {
            return false;
        }
        if self.snapshot.is_none() && self.statement.is_running() {
            self.snapshot = database.hold_snapshot();
        }
        self.snapshot.is_some()
    }

    /// Ends the run.
    pub(crate) fn end(&mut self) {
        self.statement.reset();
        self.batch.end();
        self.snapshot = None;
    }
}
