//! The SQL that JavaScript passes with a call.

use std::sync::Arc;

use napi::Env;
use napi_derive::napi;
use strongroom_database::{SqlShape, describe};
use zeroize::Zeroizing;

use crate::asynchronous::external;
use crate::handle::Handle;
use crate::panic_request::panic_if_requested;

/// The text of a statement, and the facts that the text alone shows.
pub(crate) struct Sql {
    /// Wiped when it is dropped: the SQL may hold a key.
    pub(crate) text: Zeroizing<String>,
    pub(crate) shape: SqlShape,
}

/// The SQL of calls. Threads share a compiled statement between calls with the same object.
#[napi]
pub struct NativeSql {
    sql: Arc<Sql>,
}

#[napi]
impl NativeSql {
    /// Reads the SQL without compiling it.
    #[napi(constructor, catch_unwind)]
    pub fn new(sql: String) -> Self {
        panic_if_requested();
        let shape = describe(&sql);
        Self { sql: Arc::new(Sql { text: Zeroizing::new(sql), shape }) }
    }

    /// Returns the handle that identifies the SQL to `submit`.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn handle(&self, env: Env) -> napi::Result<Handle> {
        panic_if_requested();
        external::create(&env, &self.sql).map_err(|failure| failure.throw(&env))
    }

    /// Returns the names of the parameters with their prefixes. The name of a `?` is null.
    #[napi(getter, catch_unwind, ts_return_type = "(string | null)[]")]
    pub fn parameters(&self) -> Vec<Option<String>> {
        panic_if_requested();
        self.sql.shape.parameters.clone()
    }

    /// Returns whether the statement only reads the database, so that a reader can run it.
    #[napi(getter, catch_unwind)]
    pub fn reads(&self) -> bool {
        panic_if_requested();
        self.sql.shape.access.reads
    }

    /// Returns whether the statement begins a transaction.
    #[napi(getter, catch_unwind)]
    pub fn begins(&self) -> bool {
        panic_if_requested();
        self.sql.shape.access.begins
    }

    /// Returns whether the statement ends a transaction.
    #[napi(getter, catch_unwind)]
    pub fn ends(&self) -> bool {
        panic_if_requested();
        self.sql.shape.access.ends
    }

    /// Returns whether no other connection of this process may be open while the SQL runs.
    #[napi(getter, catch_unwind)]
    pub fn solo(&self) -> bool {
        panic_if_requested();
        self.sql.shape.access.solo
    }

    /// Returns whether the SQL depends on objects of its connection: temporary tables and attached databases.
    #[napi(getter, catch_unwind)]
    pub fn local(&self) -> bool {
        panic_if_requested();
        self.sql.shape.access.local
    }

    /// Returns the pragmas of the SQL that set something of a single connection, for `setting`.
    #[napi(getter, catch_unwind)]
    pub fn settings(&self) -> Vec<String> {
        panic_if_requested();
        self.sql.shape.settings.clone()
    }
}
