//! The compiled statements of a connection.

use std::collections::HashMap;
use std::sync::Arc;

use strongroom_database::{Database, Statement};

use crate::asynchronous::rows::ThreadBatch;
use crate::asynchronous::sql::Sql;
use crate::error::Outcome;

/// The number of idle statements to keep.
const MAX_IDLE: usize = 100;

/// A compiled statement.
pub(crate) struct Prepared {
    /// Keeps the address alive that identifies the SQL.
    sql: Arc<Sql>,
    pub(crate) statement: Statement,
    pub(crate) batch: ThreadBatch,
}

/// The idle statements, by the address of their SQL.
#[derive(Default)]
pub(crate) struct Statements {
    idle: HashMap<usize, Idle>,
    /// Counts the statements that became idle.
    clock: u64,
}

struct Idle {
    prepared: Prepared,
    /// The value of the clock when the statement became idle.
    since: u64,
}

impl Prepared {
    /// Ends a run.
    pub(crate) fn end(&mut self) {
        self.statement.reset();
        self.statement.clear_long_bindings();
        self.batch.end();
    }
}

impl Statements {
    /// Takes the idle statement of this SQL, or compiles the SQL.
    pub(crate) fn take(&mut self, database: &Database, sql: &Arc<Sql>) -> Outcome<Prepared> {
        if let Some(Idle { prepared, .. }) = self.idle.remove(&address(sql)) {
            return Ok(prepared);
        }
        let statement = database.prepare(&sql.text)?;
        Ok(Prepared { sql: Arc::clone(sql), statement, batch: ThreadBatch::default() })
    }

    /// Ends the run of a statement, and keeps the statement for later calls.
    ///
    /// A statement that may have changed the schema is dropped with all idle statements: the meaning of their SQL may
    /// have changed.
    pub(crate) fn give_back(&mut self, mut prepared: Prepared) {
        prepared.end();
        if !prepared.statement.is_reusable() {
            self.clear();
        }
        self.keep(prepared);
    }

    /// Keeps a statement that has not run for later calls.
    pub(crate) fn keep(&mut self, prepared: Prepared) {
        if !prepared.statement.is_reusable() {
            return;
        }
        if self.idle.len() >= MAX_IDLE
            && let Some((&oldest, _)) = self.idle.iter().min_by_key(|(_, idle)| idle.since)
        {
            self.idle.remove(&oldest);
        }
        self.clock += 1;
        self.idle.insert(address(&prepared.sql), Idle { prepared, since: self.clock });
    }

    /// Drops the idle statements.
    pub(crate) fn clear(&mut self) {
        self.idle.clear();
    }
}

fn address(sql: &Arc<Sql>) -> usize {
    Arc::as_ptr(sql).addr()
}
