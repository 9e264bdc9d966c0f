//! Reads a statement's rows on JavaScript's thread.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::encode::{Batch, Request, Sink};
use crate::error::Outcome;
use crate::exchange::Exchange;
use crate::handle::{self, Handle, check};
use crate::row::{self, Integers};
use crate::staging::{Head, Staging};
use crate::text;

/// The length from which a blob becomes a Node Buffer instead of an ArrayBuffer.
const LARGE_BLOB: usize = 64 * 1024;

/// Creates JavaScript values.
struct HandleSink<'c> {
    env: &'c Env,
    exchange: &'c Exchange,
}

/// The rows of a call before they are in the shared memory.
pub(crate) struct Answer {
    head: Head,
    staging: Box<Staging<Handle>>,
    value: Option<Handle>,
}

impl Answer {
    /// Puts the rows into the shared memory. No other code may run before the call returns.
    pub(crate) fn publish(self, exchange: &Exchange) -> Option<Handle> {
        exchange.publish(&self.head, self.staging.slots(), &self.staging.contents.bytes);
        exchange.unstage(self.staging);
        self.value
    }
}

impl Batch {
    /// Reads up to `limit` rows.
    ///
    /// If the rows need one JavaScript value, the answer holds that value. If the rows need several, the answer holds
    /// the array that `collect` returns, in the order of rows and columns. `collect` is the function that returns its
    /// arguments as an array. The next batch reports a failure that occurs after the first row.
    pub(crate) fn read(
        &mut self,
        env: &Env,
        exchange: &Exchange,
        statement: &mut Statement,
        request: &Request,
        collect: Handle,
    ) -> Outcome<Answer> {
        let mut staging = exchange.stage();
        let filled = self.fill(&mut HandleSink { env, exchange }, statement, request, &mut staging);
        exchange.scratch.borrow_mut().trim();
        let answered = filled.and_then(|head| Ok((head, collected(env, collect, &staging.contents.values)?)));
        match answered {
            Ok((head, value)) => Ok(Answer { head, staging, value }),
            Err(failure) => {
                exchange.unstage(staging);
                Err(failure)
            }
        }
    }
}

/// Returns no value, the only value, or an array of several values. `collect` is the function that returns its arguments
/// as an array.
#[inline]
pub(crate) fn collected(env: &Env, collect: Handle, values: &[Handle]) -> Outcome<Option<Handle>> {
    match values {
        [] => Ok(None),
        &[value] => Ok(Some(value)),
        values => handle::call(env, collect, values).map(Some),
    }
}

impl Sink for HandleSink<'_> {
    type Value = Handle;

    #[inline]
    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<Handle> {
        match value {
            Value::Text(text) => {
                let mut scratch = self.exchange.scratch.borrow_mut();
                text::create_string(self.env, text, &mut scratch, || text::column_label(column))
            }
            other => row::plain_value(self.env, other, integers),
        }
    }

    #[inline]
    fn create_blob(&mut self, bytes: &[u8]) -> Outcome<Handle> {
        blob(self.env, bytes)
    }

    #[inline]
    fn layout_number(layouts: u32) -> u32 {
        layouts + 1
    }
}

/// Creates the value of a blob that has no place in the shared memory.
#[inline]
pub(crate) fn blob(env: &Env, bytes: &[u8]) -> Outcome<Handle> {
    match bytes.len() {
        // If memory runs out, creating an ArrayBuffer aborts the process, but creating a Node Buffer throws.
        LARGE_BLOB.. => row::plain_value(env, Value::Blob(bytes), Integers::Numbers),
        _ => array_buffer(env, bytes),
    }
}

/// Creates an ArrayBuffer with a copy of the bytes.
fn array_buffer(env: &Env, bytes: &[u8]) -> Outcome<Handle> {
    let (mut address, mut buffer) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is the environment of the running call. Node-API sets the address of new memory of this length.
    unsafe {
        let status = sys::napi_create_arraybuffer(env.raw(), bytes.len(), &mut address, &mut buffer);
        check(env, status, "cannot create the blob of a column")?;
        if !address.is_null() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), address.cast(), bytes.len());
        }
    }
    Ok(buffer)
}
