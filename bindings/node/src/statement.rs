//! The prepared statement that JavaScript holds.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::{Database, Snapshot, Statement};

use crate::{
    batch::{Batch, Form},
    calls,
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

/// The columns of a statement's rows, and how their values cross.
#[napi(object)]
pub struct NativeLayout {
    /// The names in the result.
    pub names: Vec<String>,
    /// The table of each column, undefined for an expression.
    pub tables: Vec<Option<String>>,
    /// How the values of each column crossed in the last rows of this form. `ts/api/build-row.ts` names the numbers.
    pub kinds: Vec<u8>,
}

/// A prepared statement.
#[napi]
pub struct NativeStatement {
    running: Rc<Running>,
}

/// A statement that one call at a time may use.
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

    /// Returns the handle by which the functions of `calls` know the statement.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn handle(&self, env: Env) -> napi::Result<Handle> {
        panic_if_requested();
        calls::external(&env, &self.running).map_err(|failure| failure.throw(&env))
    }

    /// Whether callers that prepare the same SQL again can share the statement, as long as the schema stays.
    #[napi(getter, catch_unwind)]
    pub fn reusable(&self, env: Env) -> napi::Result<bool> {
        let state = self.state().map_err(|failure| failure.throw(&env))?;
        Ok(state.statement.is_reusable())
    }

    /// Returns the columns of the last rows of the form.
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
            let mut scratch = Scratch::default();
            let mut binder = Binder { env: &env, statement: &mut state.statement, scratch: &mut scratch };
            binder.bind_array(values.raw())
        })();
        bound.map_err(|failure| failure.throw(&env))
    }
}

impl State {
    /// Binds the arguments of a call.
    pub(crate) fn bind_call(&mut self, env: &Env, exchange: &Exchange, values: &[Handle]) -> Outcome<()> {
        let mut scratch = exchange.scratch.borrow_mut();
        let mut binder = Binder { env, statement: &mut self.statement, scratch: &mut scratch };
        let bound = binder.bind_call(exchange, values);
        scratch.trim();
        bound
    }

    /// Whether rows may be read before the caller asks for them, while the statement is on a row.
    ///
    /// The last row would otherwise end the transaction, and the caller's other statements would see what other connections
    /// have changed since.
    pub(crate) fn may_read_ahead(&mut self, database: &Database) -> bool {
        // A rollback could take back rows that were read and not yet seen.
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
