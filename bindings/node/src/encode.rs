//! Encodes a statement's rows in batches, for the memory that the addon shares with JavaScript.
//!
//! The module calls no Node-API function. A [`Sink`] creates the values that have no place in a slot: a handle on
//! JavaScript's thread, or a `ThreadValue` on a thread without JavaScript.

use strongroom_database::{Statement, Value};

use crate::error::{Failure, Outcome};
use crate::layout::{Kind, Layout};
use crate::row::Integers;
use crate::staging::{Contents, Head, Staging, halves};

/// The length of the longest blob that JavaScript copies out of the shared memory. V8 keeps such a copy in its own
/// heap, which is several times cheaper than an ArrayBuffer.
const MAX_SHARED_BLOB: usize = 64;
/// The number of steps of SQLite's virtual machine after which a batch that reads ahead ends.
const MAX_STEPS: u32 = 10_000;
/// The bytes of text and blobs after which a batch ends.
const MAX_BATCH: usize = 256 * 1024;
/// The number of JavaScript values after which a batch ends. A batch passes all of its values as arguments
/// of a single call to `collect`.
const MAX_VALUES: usize = 2048;

/// Marks an answer that is a single value instead of rows.
pub(crate) const DIRECT: u32 = 0;

/// The number of different forms.
pub(crate) const FORMS: usize = 4;

/// The first half of a slot whose blob is outside the shared memory.
const ELSEWHERE: u32 = u32::MAX;
/// The second half of a slot whose blob is a JavaScript value: an ArrayBuffer or a Buffer.
const OWN: u32 = 0;
/// The second half of a slot for NULL.
const NULL: u32 = u32::MAX;

/// Creates the values of a batch that have no place in a slot.
pub(crate) trait Sink {
    /// A value on its way to JavaScript.
    type Value;

    /// Creates a value of any type. `column` is counted from 0.
    ///
    /// # Errors
    ///
    /// Fails for a value that JavaScript cannot hold.
    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<Self::Value>;

    /// Creates the value of a blob that has no place in the shared memory: an ArrayBuffer or a Buffer.
    ///
    /// # Errors
    ///
    /// Fails if memory runs out.
    fn create_blob(&mut self, bytes: &[u8]) -> Outcome<Self::Value>;

    /// Returns the number of a new layout, which is never [`DIRECT`]. `layouts` is the number of layouts that the
    /// statement had before.
    fn layout_number(layouts: u32) -> u32;
}

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
    layouts: [Layout; FORMS],
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
}

/// The place where a row's values are written.
struct Target<'b, S: Sink> {
    sink: &'b mut S,
    contents: &'b mut Contents<S::Value>,
    /// The number of bytes of text and blobs in the batch.
    length: &'b mut usize,
}

impl Form {
    /// Returns a number below [`FORMS`].
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.integers == Integers::BigInts) + 2 * usize::from(self.only_first)
    }
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
        &self.layouts[form.index()].kinds
    }

    /// Discards the state of the run.
    pub(crate) fn end(&mut self) {
        self.pending = false;
        self.failure = None;
    }

    /// Reads up to `limit` rows into empty memory.
    ///
    /// The next batch reports a failure that occurs after the first row.
    ///
    /// # Errors
    ///
    /// Fails if the statement fails, or if JavaScript cannot hold a value. The contents of `staging` are then undefined.
    pub(crate) fn fill<S: Sink>(
        &mut self,
        sink: &mut S,
        statement: &mut Statement,
        request: &Request,
        staging: &mut Staging<S::Value>,
    ) -> Outcome<Head> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let integers = request.form.integers;
        let Staging { slots, used, contents } = staging;
        let (mut rows, mut length) = (0, 0);
        let steps_before = if request.ahead { statement.vm_steps() } else { 0 };
        let done = loop {
            if rows == request.limit || length >= MAX_BATCH || contents.values.len() >= MAX_VALUES {
                break false;
            }
            if request.ahead && rows > 0 && statement.vm_steps().wrapping_sub(steps_before) > MAX_STEPS {
                break false;
            }
            if !self.pending && !statement.is_running() {
                if statement.step()?.is_none() {
                    break true;
                }
                // The first step recompiles the statement after a schema change.
                self.follow_schema(statement);
                self.pending = true;
            }
            let row = if self.pending {
                statement.row()
            } else {
                match statement.step() {
                    Ok(row) => row,
                    Err(error) if rows > 0 => {
                        self.failure = Some(error.into());
                        break false;
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            let Some(row) = row else { break true };
            self.pending = true;
            let columns = if request.form.only_first { row.len().min(1) } else { row.len() };
            let Some(slots) = slots.get_mut(*used..*used + columns) else { break false };
            let Self { layouts, versions, .. } = self;
            let layout = &mut layouts[request.form.index()];
            let before = contents.values.len();
            let mut target = Target { sink: &mut *sink, contents: &mut *contents, length: &mut length };
            let value = |column| row.value(column);
            if request.direct && columns == 1 && !matches!(value(0), Value::Blob(_)) {
                let value = target.create(value(0), integers, 0)?;
                contents.values.push(value);
                self.pending = false;
                return Ok(Head { rows: 1, done: false, layout: DIRECT, values: 1 });
            }
            if layout.kinds.len() != columns || !target.put_row(&layout.kinds, slots, integers, value)? {
                contents.values.truncate(before);
                if rows > 0 {
                    break false;
                }
                widen(layout, columns, integers, value);
                layout.version = S::layout_number(*versions);
                *versions += 1;
                continue;
            }
            self.pending = false;
            *used += columns;
            rows += 1;
        };
        let layout = self.layouts[request.form.index()].version;
        Ok(Head { rows, done, layout, values: contents.values.len() })
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

/// Widens the kinds so that they can hold the values of a row.
#[cold]
fn widen<'r>(layout: &mut Layout, columns: usize, integers: Integers, value: impl Fn(usize) -> Value<'r>) {
    if layout.kinds.len() == columns {
        for (column, kind) in layout.kinds.iter_mut().enumerate() {
            *kind = kind.widened(value(column), integers);
        }
    } else {
        layout.kinds = (0..columns).map(|column| Kind::of(value(column), integers)).collect();
    }
}

impl<S: Sink> Target<'_, S> {
    /// Writes the values of a row into its slots. Returns false if a value does not fit the kind of its column.
    #[inline]
    fn put_row<'r>(
        &mut self,
        kinds: &[Kind],
        slots: &mut [u64],
        integers: Integers,
        value: impl Fn(usize) -> Value<'r>,
    ) -> Outcome<bool> {
        for (column, (&kind, slot)) in kinds.iter().zip(slots).enumerate() {
            let value = value(column);
            if !kind.holds(value, integers) {
                return Ok(false);
            }
            *slot = match (kind, value) {
                (Kind::Small, Value::Integer(integer)) => integer as u32 as u64,
                (Kind::Number, Value::Integer(integer)) => (integer as f64).to_bits(),
                (Kind::Number, Value::Real(number)) => number.to_bits(),
                (Kind::Number, _) => f64::NAN.to_bits(),
                (Kind::BigInt, Value::Integer(integer)) => integer.cast_unsigned(),
                (Kind::Blob, Value::Blob(bytes)) => self.put_blob(bytes)?,
                (Kind::Blob, _) => halves(ELSEWHERE, NULL),
                (_, value) => {
                    let value = self.create(value, integers, column)?;
                    self.contents.values.push(value);
                    0
                }
            };
        }
        Ok(true)
    }

    /// Copies a small blob, or creates a JavaScript value for a larger one.
    fn put_blob(&mut self, bytes: &[u8]) -> Outcome<u64> {
        *self.length += bytes.len();
        if bytes.len() <= MAX_SHARED_BLOB
            && let Some(place) = self.contents.place(bytes.len())
        {
            self.contents.bytes.extend_from_slice(bytes);
            return Ok(halves(place, bytes.len() as u32));
        }
        self.put_own_blob(bytes)
    }

    // In line, the two functions below would take registers from the loop over the columns.

    #[inline(never)]
    fn put_own_blob(&mut self, bytes: &[u8]) -> Outcome<u64> {
        let value = self.sink.create_blob(bytes)?;
        self.contents.values.push(value);
        Ok(halves(ELSEWHERE, OWN))
    }

    /// Creates a value, and counts its bytes.
    #[inline(never)]
    fn create(&mut self, value: Value<'_>, integers: Integers, column: usize) -> Outcome<S::Value> {
        if let Value::Text(bytes) | Value::Blob(bytes) = value {
            *self.length += bytes.len();
        }
        self.sink.create(value, integers, column)
    }
}
