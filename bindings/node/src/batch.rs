//! Reads the rows of a statement into the memory that JavaScript shares, many at a time.

use std::ptr;

use napi::{Env, sys};
use strongroom_database::{Statement, Value};

use crate::error::{Failure, Outcome};
use crate::exchange::{BYTES, Exchange, FIRST, Head, MAX_PARAMETERS, SLOTS, halves};
use crate::handle::{self, Handle, check};
use crate::layout::{Kind, Layout};
use crate::row::{self, Integers};
use crate::text;

/// The length of the longest blob that JavaScript copies out of the shared memory. V8 keeps a copy of this length within its
/// heap, which is several times cheaper than an ArrayBuffer.
const MAX_SHARED_BLOB: usize = 64;
/// The bytes of text and blobs after which a batch ends.
const MAX_BATCH: usize = 256 * 1024;
/// The number of JavaScript values after which a batch ends. They become arguments of one call.
const MAX_VALUES: usize = 2048;

/// The layout of an answer that is the returned value itself.
const DIRECT: u32 = 0;

/// The first half of a slot for a blob that has none of the shared memory.
const ELSEWHERE: u32 = u32::MAX;
/// The second half of a slot for a blob that is a value of its own.
const OWN: u32 = 0;
/// The second half of a slot for NULL.
const NULL: u32 = u32::MAX;

/// The form of the rows that a caller asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) integers: Integers,
    /// Whether a row is its first value alone.
    pub(crate) only_first: bool,
}

/// The memory of a statement's calls.
pub(crate) struct Batch {
    /// By form, so that callers that share a statement do not change each other's.
    layouts: [Layout; 4],
    versions: u32,
    /// Whether the statement is on a row that the next batch begins with.
    pending: bool,
    /// The failure that follows the rows of the last batch.
    failure: Option<Failure>,
    handles: Vec<Handle>,
}

/// Where the values of a batch go.
struct Target<'b> {
    env: &'b Env,
    exchange: &'b Exchange,
    handles: &'b mut Vec<Handle>,
    slot: usize,
    byte: usize,
    /// The bytes of text and blobs so far.
    length: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            layouts: std::array::from_fn(|_| Layout { version: 0, kinds: Vec::new() }),
            versions: 0,
            pending: false,
            failure: None,
            handles: Vec::new(),
        }
    }
}

impl Batch {
    /// Returns the kinds of the columns of the last rows of this form.
    pub(crate) fn kinds(&self, form: Form) -> &[Kind] {
        &self.layouts[index(form)].kinds
    }

    /// Forgets the columns, which a change of the schema has changed.
    pub(crate) fn forget_columns(&mut self) {
        self.layouts.iter_mut().for_each(|layout| layout.kinds.clear());
    }

    /// Forgets the run.
    pub(crate) fn end(&mut self) {
        self.pending = false;
        self.failure = None;
    }

    /// Reads up to `limit` rows. `started` is called after the first step of a run.
    ///
    /// Returns `None` if no value crosses as a JavaScript value, the value if it is the only one, or what `collect` returns
    /// for all of them. The values are in the order of rows and columns. A failure after the first row is kept for the
    /// next batch.
    pub(crate) fn read(
        &mut self,
        env: &Env,
        exchange: &Exchange,
        statement: &mut Statement,
        request: &Request,
        started: impl FnOnce(&mut Self, &Statement) -> Outcome<()>,
    ) -> Outcome<Option<Handle>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.handles.clear();
        let mut rows = 0;
        let mut started = Some(started);
        let (mut slot, mut byte, mut length) = (FIRST, MAX_PARAMETERS, 0);
        let done = loop {
            if rows == request.limit || length >= MAX_BATCH || self.handles.len() >= MAX_VALUES {
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
                if starts && let Some(started) = started.take() {
                    started(self, statement)?;
                }
            }
            self.pending = true;
            let Some(row) = statement.row() else { break true };
            let columns = if request.form.only_first { row.len().min(1) } else { row.len() };
            if slot + columns > SLOTS {
                break false;
            }
            let Self { layouts, handles, versions, .. } = self;
            let layout = &mut layouts[index(request.form)];
            let before = handles.len();
            let mut target = Target { env, exchange, handles, slot, byte, length };
            let value = |column| row.value(column);
            if request.direct && columns == 1 && !matches!(value(0), Value::Blob(_)) {
                let value = target.create(value(0), request.form.integers, 0)?;
                self.pending = false;
                exchange.scratch.borrow_mut().trim();
                exchange.set_head(&Head { rows: 1, done: false, layout: DIRECT, values: 1 });
                return Ok(Some(value));
            }
            if layout.kinds.len() != columns
                || !target.put_row(&layout.kinds, request.form.integers, value)?
            {
                handles.truncate(before);
                if rows > 0 {
                    break false;
                }
                widen(layout, columns, request.form.integers, value);
                *versions += 1;
                layout.version = *versions;
                continue;
            }
            (slot, byte, length) = (target.slot, target.byte, target.length);
            self.pending = false;
            rows += 1;
        };
        exchange.scratch.borrow_mut().trim();
        let layout = self.layouts[index(request.form)].version;
        exchange.set_head(&Head { rows, done, layout, values: self.handles.len() });
        match self.handles.as_slice() {
            [] => Ok(None),
            &[value] => Ok(Some(value)),
            values => handle::call(env, request.collect, values).map(Some),
        }
    }
}

/// The rows that a call asks for.
pub(crate) struct Request {
    pub(crate) form: Form,
    pub(crate) limit: usize,
    /// Whether a row of one value may be the returned value itself.
    pub(crate) direct: bool,
    /// The function that returns its arguments as an array.
    pub(crate) collect: Handle,
}

fn index(form: Form) -> usize {
    usize::from(form.integers == Integers::BigInts) + 2 * usize::from(form.only_first)
}

/// Widens the kinds so that they hold the values of a row.
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
    /// Puts the values of a row. Returns false if a column has a value of another kind, or the shared memory is full.
    #[inline]
    fn put_row<'r>(
        &mut self,
        kinds: &[Kind],
        integers: Integers,
        value: impl Fn(usize) -> Value<'r>,
    ) -> Outcome<bool> {
        let slots = self.exchange.slots();
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
                    self.handles.push(handle);
                    0
                }
            };
            slots[self.slot + column].set(slot);
        }
        self.slot += kinds.len();
        Ok(true)
    }

    /// Copies a small blob, or creates an ArrayBuffer for a larger one.
    fn put_blob(&mut self, bytes: &[u8]) -> Outcome<u64> {
        self.length += bytes.len();
        let free = self.exchange.bytes().get(self.byte..BYTES).unwrap_or_default();
        if bytes.len() <= MAX_SHARED_BLOB && bytes.len() <= free.len() {
            for (place, &byte) in free.iter().zip(bytes) {
                place.set(byte);
            }
            let slot = halves(self.byte as u32, bytes.len() as u32);
            self.byte += bytes.len();
            return Ok(slot);
        }
        self.handles.push(array_buffer(self.env, bytes)?);
        Ok(halves(ELSEWHERE, OWN))
    }

    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<Handle> {
        match value {
            Value::Text(text) => {
                self.length += text.len();
                let mut scratch = self.exchange.scratch.borrow_mut();
                text::create_string(self.env, text, &mut scratch, || format!("column {}", column + 1))
            }
            other => {
                if let Value::Blob(bytes) = other {
                    self.length += bytes.len();
                }
                row::plain_value(self.env, other, integers)
            }
        }
    }
}

/// Creates an ArrayBuffer with a copy of the bytes.
fn array_buffer(env: &Env, bytes: &[u8]) -> Outcome<Handle> {
    let (mut address, mut buffer) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is the environment of the running call. Node-API sets the address of memory of this length, to which
    // nothing else refers yet.
    unsafe {
        let status = sys::napi_create_arraybuffer(env.raw(), bytes.len(), &mut address, &mut buffer);
        check(env, status, "the blob of a column")?;
        if !address.is_null() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), address.cast(), bytes.len());
        }
    }
    Ok(buffer)
}
