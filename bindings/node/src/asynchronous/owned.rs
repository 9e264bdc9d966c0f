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

#[cfg(test)]
mod tests {
    use strongroom_database::{Database, Location, OpenOptions};

    use super::*;
    use crate::error::Problem;

    fn collected(values: &[Value<'_>], failure: Option<Failure>) -> OwnedParameters {
        let mut collector = Collector { names: &[], values: Vec::new() };
        for (index, &value) in (1..).zip(values) {
            collector.bind(index, value).unwrap();
        }
        OwnedParameters { values: collector.values, failure }
    }

    fn prepared(sql: &str) -> Statement {
        let database = Database::open_unencrypted(Location::Memory, &OpenOptions::default()).unwrap();
        database.prepare(sql).unwrap()
    }

    #[test]
    fn values_bind_as_they_were_read() {
        let long = vec![b'x'; 100_000];
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Text(b""),
            Value::Text("漢\0é".as_bytes()),
            Value::Text(&long),
            Value::Blob(b""),
            Value::Blob(b"\0\xFF"),
            Value::Blob(&long),
        ];
        let mut statement = prepared("VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        let owned = collected(&values, None);
        std::thread::scope(|scope| scope.spawn(|| drop(collected(&values, None))).join()).unwrap();
        owned.bind(&mut statement).unwrap();
        let row = statement.step().unwrap().unwrap();
        assert_eq!((0..row.len()).map(|column| row.value(column)).collect::<Vec<_>>(), values);
    }

    #[test]
    fn a_value_that_could_not_be_read_fails_after_the_values_before_it() {
        let unsupported =
            || Some(Problem::Type { message: "parameter 2 must be a number".to_owned() }.into());
        let failure = |sql, values: &[Value<'_>]| {
            let failed = collected(values, unsupported()).bind(&mut prepared(sql)).err().unwrap();
            format!("{failed:?}")
        };
        assert!(failure("SELECT ?, ?", &[Value::Null]).contains("must be a number"));
        // The statement has no parameter for the first value.
        assert!(failure("SELECT 1", &[Value::Null]).contains("parameter"));
        assert!(!failure("SELECT 1", &[Value::Null]).contains("must be a number"));
    }

    #[test]
    fn a_label_is_the_name_in_the_sql() {
        let names = [None, Some(":id".to_owned())];
        let collector = Collector { names: &names, values: Vec::new() };
        assert_eq!([0, 1, 2, 3].map(|index| collector.name(index)), [None, None, Some(":id"), None]);
    }
}
