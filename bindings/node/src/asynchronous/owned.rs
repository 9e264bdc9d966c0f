//! The values of a call's parameters on their way to a thread.

use strongroom_database::{Statement, Value};

use super::wiped::Wiped;
use crate::error::{Failure, Outcome};
use crate::exchange::Exchange;
use crate::handle::Handle;
use crate::parameters::{Binder, Parameters};

/// A value of a parameter. The memory is wiped when the value is dropped.
enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(Wiped<u8>),
    Blob(Wiped<u8>),
}

/// The values of a call's parameters, in the order of the parameters.
#[derive(Default)]
pub(crate) struct OwnedParameters {
    values: Vec<Owned>,
    /// The failure to read the value after the last one.
    failure: Option<Failure>,
}

/// Collects values.
struct Collector<'c> {
    names: &'c [Option<String>],
    values: Vec<Owned>,
}

impl OwnedParameters {
    /// Reads the arguments of a call, some of which are in the shared memory. `names` are the names of the statement's
    /// parameters.
    ///
    /// A value that cannot be bound is not an error here. [`bind`](Self::bind) reports it, after the errors of the SQL and
    /// of the values before it, as the synchronous class does.
    ///
    /// # Errors
    ///
    /// Fails if an exception is pending.
    pub(crate) fn read(
        env: &napi::Env,
        exchange: &Exchange,
        names: &[Option<String>],
        values: &[Handle],
    ) -> Outcome<Self> {
        let mut scratch = exchange.scratch.borrow_mut();
        let mut collector = Collector { names, values: Vec::with_capacity(values.len()) };
        let mut binder = Binder { env, parameters: &mut collector, scratch: &mut scratch };
        let bound = binder.bind_call(exchange, values);
        scratch.trim();
        match bound {
            Err(failure) if failure.is_pending() => Err(failure),
            bound => Ok(Self { values: collector.values, failure: bound.err() }),
        }
    }

    /// Binds the values.
    ///
    /// # Errors
    ///
    /// Fails for a value that cannot be bound, and if a run is in progress.
    pub(crate) fn bind(self, statement: &mut Statement) -> Outcome<()> {
        for (index, value) in (1..).zip(&self.values) {
            statement.bind(index, value.borrowed())?;
        }
        self.failure.map_or(Ok(()), Err)
    }
}

impl Owned {
    fn borrowed(&self) -> Value<'_> {
        match self {
            Owned::Null => Value::Null,
            &Owned::Integer(integer) => Value::Integer(integer),
            &Owned::Real(number) => Value::Real(number),
            Owned::Text(text) => Value::Text(text),
            Owned::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

impl Parameters for Collector<'_> {
    fn bind(&mut self, _index: usize, value: Value<'_>) -> Outcome<()> {
        // The binder passes each parameter once, in order.
        self.values.push(match value {
            Value::Null => Owned::Null,
            Value::Integer(integer) => Owned::Integer(integer),
            Value::Real(number) => Owned::Real(number),
            Value::Text(text) => Owned::Text(Wiped::copy(text)?),
            Value::Blob(bytes) => Owned::Blob(Wiped::copy(bytes)?),
        });
        Ok(())
    }

    fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index.checked_sub(1)?)?.as_deref()
    }
}
