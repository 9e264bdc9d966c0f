//! The rows that a thread reads and that the main thread publishes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{mem, vec};

use napi::Env;
use strongroom_database::Statement;

use super::external_text::report_external;
use super::values::{ThreadSink, ThreadValue};
use crate::batch;
use crate::encode::{Batch, DIRECT, FORMS, Form, Request};
use crate::error::Outcome;
use crate::exchange::Exchange;
use crate::handle::Handle;
use crate::layout::Kind;
use crate::staging::{Head, Staging};

/// The number of memories that a pool keeps.
const MAX_KEPT: usize = 8;

/// The columns of rows, and the encoding of their values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    /// The table of each column, `None` for an expression.
    pub(crate) tables: Vec<Option<String>>,
    pub(crate) kinds: Vec<Kind>,
}

/// The memory for rows, which threads fill and the main thread empties.
#[derive(Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<Staging<ThreadValue>>>,
}

/// The batches of a statement on a thread.
#[derive(Default)]
pub(crate) struct ThreadBatch {
    batch: Batch,
    /// The columns of the last rows of each form, and the number of their layout.
    columns: [Option<(u32, Arc<Columns>)>; FORMS],
}

/// The rows of a reply.
pub(crate) struct ThreadRows {
    head: Head,
    staging: Staging<ThreadValue>,
    columns: Option<Arc<Columns>>,
}

/// Returns the number of a new layout, which is unique in the process until the count wraps.
pub(super) fn next_layout() -> u32 {
    static LAYOUTS: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = LAYOUTS.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if number != DIRECT {
            return number;
        }
    }
}

impl Pool {
    fn take(&self) -> Staging<ThreadValue> {
        let mut staging = self.free().pop().unwrap_or_default();
        staging.begin();
        staging
    }

    fn give_back(&self, mut staging: Staging<ThreadValue>) {
        staging.contents.values.clear();
        let mut free = self.free();
        if free.len() < MAX_KEPT {
            free.push(staging);
        }
    }

    /// Wipes and frees the memory that no reply uses.
    pub(crate) fn wipe(&self) {
        let kept = mem::take(&mut *self.free());
        drop(kept);
    }

    fn free(&self) -> MutexGuard<'_, Vec<Staging<ThreadValue>>> {
        // A list of memories is never half changed.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ThreadBatch {
    /// Reads up to `limit` rows. The next call reports a failure that occurs after the first row.
    ///
    /// # Errors
    ///
    /// Fails if the statement fails.
    pub(crate) fn read(
        &mut self,
        sink: &mut ThreadSink,
        pool: &Pool,
        statement: &mut Statement,
        request: &Request,
    ) -> Outcome<ThreadRows> {
        let mut staging = pool.take();
        let filled = self.batch.fill(sink, statement, request, &mut staging);
        sink.scratch.trim();
        let filled = filled.and_then(|head| {
            let columns = match head {
                Head { rows: 0, .. } | Head { layout: DIRECT, .. } => None,
                Head { layout, .. } => Some(self.columns(statement, request.form, layout)?),
            };
            Ok((head, columns))
        });
        match filled {
            Ok((head, columns)) => Ok(ThreadRows { head, staging, columns }),
            Err(failure) => {
                pool.give_back(staging);
                Err(failure)
            }
        }
    }

    /// Discards the state of a run.
    pub(crate) fn end(&mut self) {
        self.batch.end();
    }

    fn columns(&mut self, statement: &Statement, form: Form, layout: u32) -> Outcome<Arc<Columns>> {
        let known = &mut self.columns[form.index()];
        if let Some((number, columns)) = known
            && *number == layout
        {
            return Ok(Arc::clone(columns));
        }
        let (mut names, mut tables) = (Vec::new(), Vec::new());
        for column in statement.columns()? {
            names.push(column.name);
            tables.push(column.table);
        }
        let columns = Arc::new(Columns { names, tables, kinds: self.batch.kinds(form).to_vec() });
        *known = Some((layout, Arc::clone(&columns)));
        Ok(columns)
    }
}

impl ThreadRows {
    /// Returns the number of rows.
    pub(crate) fn count(&self) -> usize {
        self.head.rows
    }

    /// Returns whether the run has ended.
    pub(crate) fn is_last(&self) -> bool {
        self.head.done
    }

    /// Returns the columns, or `None` without rows and for a single value.
    pub(crate) fn columns(&self) -> Option<&Arc<Columns>> {
        self.columns.as_ref()
    }

    /// Creates the JavaScript values, then puts the rows into the shared memory. Returns the values as the synchronous
    /// calls do: no value, the only value, or an array of several. No other code may run before JavaScript reads the rows.
    ///
    /// `collect` is the function that returns its arguments as an array.
    ///
    /// # Errors
    ///
    /// Fails if V8 refuses a value. The shared memory is then unchanged.
    pub(crate) fn publish(
        mut self,
        env: &Env,
        exchange: &Exchange,
        pool: &Pool,
        collect: Handle,
    ) -> Outcome<Option<Handle>> {
        let handles = materialized(env, self.staging.contents.values.drain(..));
        let value = handles.and_then(|handles| batch::collected(env, collect, &handles));
        if value.is_ok() {
            exchange.publish(&self.head, &self.staging);
        }
        pool.give_back(self.staging);
        value
    }
}

/// Creates the JavaScript values of a reply.
fn materialized(env: &Env, mut values: vec::Drain<'_, ThreadValue>) -> Outcome<Vec<Handle>> {
    let size = |values: &[ThreadValue]| values.iter().map(ThreadValue::external_size).sum::<usize>() as i64;
    report_external(env, size(values.as_slice()));
    let mut handles = Vec::with_capacity(values.len());
    while let Some(value) = values.next() {
        match value.materialize(env) {
            Ok(handle) => handles.push(handle),
            Err(failure) => {
                report_external(env, -size(values.as_slice()));
                return Err(failure);
            }
        }
    }
    Ok(handles)
}

#[cfg(test)]
mod tests;
