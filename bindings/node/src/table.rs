//! Creates virtual tables that JavaScript implements.

use std::rc::Rc;

use napi::{Env, JsValue, Unknown};
use napi_derive::napi;
use strongroom_database::{
    CallbackError, Module, ModuleKind, OwnedValue, Rows, TableDefinition, TableRequest, Value, VirtualTable,
};

use crate::{
    callback::{Registration, Released, call, called, sql_value},
    database::NativeDatabase,
    error::{Failure, Outcome},
    handle::{self, Handle},
    parameters::string_of,
    reference::Reference,
    row::{Integers, argument_value},
};

/// A module of virtual tables.
struct Factory {
    name: Rc<str>,
    connect: Reference,
    released: Released,
    _registration: Registration,
}

/// A virtual table.
struct Table {
    shared: Rc<Shared>,
    open: Reference,
    integers: Integers,
}

/// The part of a table that its rows need.
struct Shared {
    module: Rc<str>,
    next: Reference,
    close: Reference,
    _registration: Registration,
}

/// The rows of a scan.
struct Cursor {
    table: Rc<Shared>,
    cursor: Reference,
    /// The values of the current row. `next` fills this array again for each row.
    values: Reference,
    ended: bool,
}

#[napi]
impl NativeDatabase {
    /// Creates or replaces a module of virtual tables. The caller keeps `connect` alive.
    ///
    /// `connect(module, database, table, ...arguments)` returns a table: an object with `columns`, `parameters`,
    /// `directOnly`, `bigints`, `registration`, and three functions. `open(...parameters)` returns a cursor, whose
    /// `values` are the values of the current row. `next(cursor)` moves to the next row and returns false if the rows
    /// have ended. `close(cursor)` ends the rows early.
    #[napi(catch_unwind)]
    pub fn table(
        &self,
        env: Env,
        name: String,
        eponymous: bool,
        registration: u32,
        #[napi(ts_arg_type = "(...words: string[]) => unknown")] connect: Unknown,
    ) -> napi::Result<()> {
        let table = || {
            let factory = Factory {
                name: Rc::from(name.as_str()),
                _registration: Registration { number: registration, released: Rc::clone(self.released()) },
                connect: Reference::weak(&env, connect.raw())?,
                released: Rc::clone(self.released()),
            };
            let kind = if eponymous { ModuleKind::Eponymous } else { ModuleKind::Created };
            Ok(self.database().create_module(&name, kind, factory)?)
        };
        table().map_err(|failure: Failure| failure.throw(&env))
    }
}

impl Module for Factory {
    fn connect(&self, request: &TableRequest) -> Result<TableDefinition, CallbackError> {
        let env = self.connect.env();
        let named = [&request.module, &request.database, &request.table];
        let words: Vec<&String> = named.into_iter().chain(&request.arguments).collect();
        called(&env, || {
            let definition =
                call(&self.connect, words.len(), |env, index| handle::string(env, words[index]))?;
            self.definition(&env, definition)
        })
    }
}

impl Factory {
    fn definition(&self, env: &Env, definition: Handle) -> Outcome<TableDefinition> {
        let property = |name| handle::property(env, definition, name);
        let function = |name| Reference::weak(env, property(name)?);
        let integers = match handle::boolean(env, property(c"bigints")?)? {
            true => Integers::BigInts,
            false => Integers::Numbers,
        };
        let registration = Registration {
            number: handle::number(env, property(c"registration")?)?,
            released: Rc::clone(&self.released),
        };
        let shared = Shared {
            module: Rc::clone(&self.name),
            next: function(c"next")?,
            close: function(c"close")?,
            _registration: registration,
        };
        Ok(TableDefinition {
            columns: strings(env, property(c"columns")?)?,
            parameters: strings(env, property(c"parameters")?)?,
            direct_only: handle::boolean(env, property(c"directOnly")?)?,
            table: Box::new(Table { shared: Rc::new(shared), open: function(c"open")?, integers }),
        })
    }
}

impl VirtualTable for Table {
    fn rows(&self, parameters: &[Option<Value<'_>>]) -> Result<Box<dyn Rows>, CallbackError> {
        let env = self.open.env();
        called(&env, || {
            let cursor = call(&self.open, parameters.len(), |env, index| match parameters[index] {
                Some(value) => argument_value(env, value, self.integers, index),
                None => handle::undefined(env),
            })?;
            let values = handle::property(&env, cursor, c"values")?;
            Ok(Box::new(Cursor {
                table: Rc::clone(&self.shared),
                cursor: Reference::new(&env, cursor)?,
                values: Reference::new(&env, values)?,
                ended: false,
            }) as Box<dyn Rows>)
        })
    }
}

impl Rows for Cursor {
    fn next(&mut self) -> Result<bool, CallbackError> {
        let env = self.cursor.env();
        let more = called(&env, || {
            let more = call(&self.table.next, 1, |_, _| self.cursor.value())?;
            handle::boolean(&env, more)
        })?;
        self.ended = !more;
        Ok(more)
    }

    fn column(&self, column: usize) -> Result<OwnedValue, CallbackError> {
        let env = self.values.env();
        called(&env, || {
            let value = handle::element(&env, self.values.value()?, column as u32)?;
            sql_value(&env, value, || format!("Virtual table module \"{}\" yielded", self.table.module))
        })
    }
}

impl Drop for Cursor {
    /// Closes the cursor of a statement that needs no more rows. A pending exception stays pending.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let env = self.cursor.env();
        let Ok(_scope) = handle::Scope::open(&env) else { return };
        let exception = handle::take_exception(&env);
        // The statement already has its result, so an exception of `close` is dropped.
        let _ = call(&self.table.close, 1, |_, _| self.cursor.value());
        handle::take_exception(&env);
        if let Some(exception) = exception {
            handle::throw(&env, exception);
        }
    }
}

fn strings(env: &Env, array: Handle) -> Outcome<Vec<String>> {
    let text = |index| Ok(string_of(env, handle::element(env, array, index)?)?.unwrap_or_default());
    (0..handle::array_length(env, array)?).map(text).collect()
}
