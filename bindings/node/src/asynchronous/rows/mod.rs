//! The rows that a thread reads and that the main thread publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use napi::Env;
use strongroom_database::Statement;

use super::external_text::report_external;
use super::values::{ThreadSink, ThreadValue};
use super::wiped::Wiped;
use crate::batch;
use crate::encode::{Batch, DIRECT, FORMS, Form, Request};
use crate::error::Outcome;
use crate::exchange::Exchange;
use crate::handle::Handle;
use crate::layout::Kind;
use crate::staging::{Head, Staging};

/// The columns of rows, and the encoding of their values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    /// The table of each column, `None` for an expression.
    pub(crate) tables: Vec<Option<String>>,
    pub(crate) kinds: Vec<Kind>,
}

/// The memory in which a thread encodes rows.
#[derive(Default)]
pub(crate) struct Encoder {
    sink: ThreadSink,
    staging: Staging<ThreadValue>,
}

/// The batches of a statement on a thread.
#[derive(Default)]
pub(crate) struct ThreadBatch {
    batch: Batch,
    /// The columns of the last rows of each form, and the number of their layout.
    columns: [Option<(u32, Arc<Columns>)>; FORMS],
}

/// The rows of a reply. Replies wait for the main thread in any number, so each has only the memory that its rows need.
pub(crate) struct ThreadRows {
    head: Head,
    slots: Wiped<u64>,
    bytes: Wiped<u8>,
    values: Vec<ThreadValue>,
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

impl ThreadBatch {
    /// Reads up to `limit` rows. The next call reports a failure that occurs after the first row.
    ///
    /// # Errors
    ///
    /// Fails if the statement fails.
    pub(crate) fn read(
        &mut self,
        encoder: &mut Encoder,
        statement: &mut Statement,
        request: &Request,
    ) -> Outcome<ThreadRows> {
        let Encoder { sink, staging } = encoder;
        staging.begin();
        let filled = self.batch.fill(sink, statement, request, staging);
        sink.scratch.trim();
        let head = filled?;
        let columns = match head {
            Head { rows: 0, .. } | Head { layout: DIRECT, .. } => None,
            Head { layout, .. } => Some(self.columns(statement, request.form, layout)?),
        };
        let (slots, bytes) = (Wiped::copy(staging.slots())?, Wiped::copy(&staging.contents.bytes)?);
        let values = staging.contents.values.drain(..).collect();
        Ok(ThreadRows { head, slots, bytes, values, columns })
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
    pub(crate) fn publish(self, env: &Env, exchange: &Exchange, collect: Handle) -> Outcome<Option<Handle>> {
        let handles = materialized(env, self.values)?;
        let value = batch::collected(env, collect, &handles)?;
        exchange.publish(&self.head, &self.slots, &self.bytes);
        Ok(value)
    }
}

/// Creates the JavaScript values of a reply.
fn materialized(env: &Env, values: Vec<ThreadValue>) -> Outcome<Vec<Handle>> {
    let size = |values: &[ThreadValue]| values.iter().map(ThreadValue::external_size).sum::<usize>() as i64;
    report_external(env, size(&values));
    let mut handles = Vec::with_capacity(values.len());
    let mut values = values.into_iter();
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
