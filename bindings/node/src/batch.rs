//! Reads a statement's rows in batches into the memory that the addon shares with JavaScript.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::error::{Failure, Outcome};
use crate::exchange::{Exchange, Head, Staging, halves};
use crate::handle::{self, Handle, check};
use crate::layout::{Kind, Layout};
use crate::row::{self, Integers};
use crate::text;

/// The length of the longest blob that JavaScript copies out of the shared memory. V8 keeps such a copy in its own
/// heap, which is several times cheaper than an ArrayBuffer.
const MAX_SHARED_BLOB: usize = 64;
/// The length from which a blob becomes a Node Buffer instead of an ArrayBuffer.
const LARGE_BLOB: usize = 64 * 1024;
/// The number of steps of SQLite's virtual machine after which a batch that reads ahead ends.
const MAX_STEPS: u32 = 10_000;
/// The bytes of text and blobs after which a batch ends.
const MAX_BATCH: usize = 256 * 1024;
/// The number of JavaScript values after which a batch ends. A batch passes all of its values as arguments
/// of a single call to `collect`.
const MAX_VALUES: usize = 2048;

/// Marks an answer that is a single value instead of rows.
const DIRECT: u32 = 0;

/// The first half of a slot whose blob is outside the shared memory.
const ELSEWHERE: u32 = u32::MAX;
/// The second half of a slot whose blob is a JavaScript value: an ArrayBuffer or a Buffer.
const OWN: u32 = 0;
/// The second half of a slot for NULL.
const NULL: u32 = u32::MAX;

/// The form of the rows that a caller requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) integers: Integers,
    /// `true` if a row is only its first value.
    pub(crate) only_first: bool,
}

/// The layouts of a statement's rows, and the state of its run.
pub(crate) struct Batch {
    /// One layout per form, so that callers that share a statement keep their own layouts.
    layouts: [Layout; 4],
    versions: u32,
    /// The statement's count of recompilations when the layouts were set.
    compiled: u32,
    /// `true` if the next batch begins with the statement's current row.
    pending: bool,
    /// The failure that occurred after the rows of the last batch.
    failure: Option<Failure>,
}

/// The rows that a call requests.
pub(crate) struct Request {
    pub(crate) form: Form,
    pub(crate) limit: usize,
    /// `true` if the batch ends early when rows take long to find, because the caller may not want all of them.
    pub(crate) ahead: bool,
    /// `true` if the call may return a row of one value as that value.
    pub(crate) direct: bool,
    /// The function that returns its arguments as an array.
    pub(crate) collect: Handle,
}

/// The rows of a call before they are in the shared memory.
pub(crate) struct Answer {
    head: Head,
    staging: Box<Staging>,
    value: Option<Handle>,
}

impl Answer {
    /// Puts the rows into the shared memory. No other code may run before the call returns.
    pub(crate) fn publish(self, exchange: &Exchange) -> Option<Handle> {
        exchange.publish(&self.head, self.staging);
        self.value
    }
}

/// The place where a row's values are written.
struct Target<'b> {
    env: &'b Env,
    exchange: &'b Exchange,
    staging: &'b mut Staging,
    /// The number of bytes of text and blobs in the batch.
    length: &'b mut usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            layouts: std::array::from_fn(|_| Layout { version: 0, kinds: Vec::new() }),
            versions: 0,
            compiled: 0,
            pending: false,
            failure: None,
        }
    }
}

impl Batch {
    /// Returns the kinds of the columns in the last rows of this form.
    pub(crate) fn kinds(&self, form: Form) -> &[Kind] {
        &self.layouts[index(form)].kinds
    }

    /// Discards the state of the run.
    pub(crate) fn end(&mut self) {
        self.pending = false;
        self.failure = None;
    }

    /// Reads up to `limit` rows.
    ///
    /// If the rows need one JavaScript value, the answer holds that value. If the rows need several, the answer holds
    /// the array that `collect` returns, in the order of rows and columns. The next batch reports a failure that occurs
    /// after the first row.
    pub(crate) fn read(
        &mut self,
        env: &Env,
        exchange: &Exchange,
        statement: &mut Statement,
        request: &Request,
    ) -> Outcome<Answer> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut staging = exchange.stage();
        let filled = self.fill(env, exchange, statement, request, &mut staging);
        exchange.scratch.borrow_mut().trim();
        let answered = filled.and_then(|head| {
            let value = match staging.handles.as_slice() {
                [] => None,
                &[value] => Some(value),
                values => Some(handle::call(env, request.collect, values)?),
            };
            Ok((head, value))
        });
        match answered {
            Ok((head, value)) => Ok(Answer { head, staging, value }),
            Err(failure) => {
                exchange.unstage(staging);
                Err(failure)
            }
        }
    }

    fn fill(
        &mut self,
        env: &Env,
        exchange: &Exchange,
        statement: &mut Statement,
        request: &Request,
        staging: &mut Staging,
    ) -> Outcome<Head> {
        let integers = request.form.integers;
        let (mut rows, mut length) = (0, 0);
        let steps_before = statement.vm_steps();
        let done = loop {
            if rows == request.limit || length >= MAX_BATCH || staging.handles.len() >= MAX_VALUES {
                break false;
            }
            if request.ahead && rows > 0 && statement.vm_steps().wrapping_sub(steps_before) > MAX_STEPS {
                break false;
            }
            if !self.pending {
                let starts = !statement.is_running();
                match statement.step() {
                    Ok(Some(_)) => {}
                    Ok(None) => break true,
                    Err(error) if rows > 0 => {
                        self.failure = Some(error.into());
                        break false;
                    }
                    Err(error) => return Err(error.into()),
                }
                if starts {
                    self.follow_schema(statement);
                }
            }
            self.pending = true;
            let Some(row) = statement.row() else { break true };
            let columns = if request.form.only_first { row.len().min(1) } else { row.len() };
            if !staging.has_room(columns) {
                break false;
            }
            let Self { layouts, versions, .. } = self;
            let layout = &mut layouts[index(request.form)];
            let before = staging.handles.len();
            let mut target = Target { env, exchange, staging, length: &mut length };
            let value = |column| row.value(column);
            if request.direct && columns == 1 && !matches!(value(0), Value::Blob(_)) {
                let value = target.create(value(0), integers, 0)?;
                staging.handles.push(value);
                self.pending = false;
                return Ok(Head { rows: 1, done: false, layout: DIRECT, values: 1 });
            }
            if layout.kinds.len() != columns || !target.put_row(&layout.kinds, integers, value)? {
                staging.handles.truncate(before);
                staging.slots.truncate(rows * columns);
                if rows > 0 {
                    break false;
                }
                widen(layout, columns, integers, value);
                *versions += 1;
                layout.version = *versions;
                continue;
            }
            self.pending = false;
            rows += 1;
        };
        let layout = self.layouts[index(request.form)].version;
        Ok(Head { rows, done, layout, values: staging.handles.len() })
    }

    /// Discards the columns if SQLite has recompiled the statement. After a schema change, the first step of a run
    /// recompiles the statement.
    fn follow_schema(&mut self, statement: &Statement) {
        let compiled = statement.reprepared();
        if self.compiled != compiled {
            self.compiled = compiled;
            self.layouts.iter_mut().for_each(|layout| layout.kinds.clear());
        }
    }
}

fn index(form: Form) -> usize {
    usize::from(form.integers == Integers::BigInts) + 2 * usize::from(form.only_first)
}

/// Widens the kinds so that they can hold the values of a row.
fn widen<'r>(layout: &mut Layout, columns: usize, integers: Integers, value: impl Fn(usize) -> Value<'r>) {
    if layout.kinds.len() == columns {
        for (column, kind) in layout.kinds.iter_mut().enumerate() {
            *kind = kind.widened(value(column), integers);
        }
    } else {
        layout.kinds = (0..columns).map(|column| Kind::of(value(column), integers)).collect();
    }
}

impl Target<'_> {
    /// Writes the values of a row. Returns false if a value does not fit the kind of its column.
    #[inline]
    fn put_row<'r>(
        &mut self,
        kinds: &[Kind],
        integers: Integers,
        value: impl Fn(usize) -> Value<'r>,
    ) -> Outcome<bool> {
        for (column, &kind) in kinds.iter().enumerate() {
            let value = value(column);
            if !kind.holds(value, integers) {
                return Ok(false);
            }
            let slot = match (kind, value) {
                (Kind::Small, Value::Integer(integer)) => integer as u32 as u64,
                (Kind::Number, Value::Integer(integer)) => (integer as f64).to_bits(),
                (Kind::Number, Value::Real(number)) => number.to_bits(),
                (Kind::Number, _) => f64::NAN.to_bits(),
                (Kind::BigInt, Value::Integer(integer)) => integer.cast_unsigned(),
                (Kind::Blob, Value::Blob(bytes)) => self.put_blob(bytes)?,
                (Kind::Blob, _) => halves(ELSEWHERE, NULL),
                (_, value) => {
                    let handle = self.create(value, integers, column)?;
                    self.staging.handles.push(handle);
                    0
                }
            };
            self.staging.slots.push(slot);
        }
        Ok(true)
    }

    /// Copies a small blob, or creates a JavaScript value for a larger one.
    fn put_blob(&mut self, bytes: &[u8]) -> Outcome<u64> {
        *self.length += bytes.len();
        if bytes.len() <= MAX_SHARED_BLOB
            && let Some(place) = self.staging.place(bytes.len())
        {
            self.staging.bytes.extend_from_slice(bytes);
            return Ok(halves(place, bytes.len() as u32));
        }
        let value = match bytes.len() {
            // If memory runs out, creating an ArrayBuffer aborts the process, but creating a Node Buffer throws.
            LARGE_BLOB.. => row::plain_value(self.env, Value::Blob(bytes), Integers::Numbers)?,
            _ => array_buffer(self.env, bytes)?,
        };
        self.staging.handles.push(value);
        Ok(halves(ELSEWHERE, OWN))
    }

    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<Handle> {
        match value {
            Value::Text(text) => {
                *self.length += text.len();
                let mut scratch = self.exchange.scratch.borrow_mut();
                text::create_string(self.env, text, &mut scratch, || format!("column {}", column + 1))
            }
            other => {
                if let Value::Blob(bytes) = other {
                    *self.length += bytes.len();
                }
                row::plain_value(self.env, other, integers)
            }
        }
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
