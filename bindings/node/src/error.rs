//! Turns failures into JavaScript errors.

use std::any::Any;
use std::error::Error;
use std::io;
use std::iter;

use napi::{Env, JsValue, Status};
use napi_derive::napi;
use strongroom_database::{
    AttachError, BackupError, CallbackError, CallbackPanic, CheckError, ExtensionError, ImageError,
    KeySlotError, MigrateError, OpenError, RekeyError, SqlError, code_of,
};
use strongroom_keys::KeyError;

use crate::handle::{self, ErrorKind, Handle};

/// The code of a panic or of a failed Node-API call: a bug in this package, not in its caller.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the TypeScript layer sets this code, which only a test reads here")
)]
pub(crate) const INTERNAL: &str = "STRONGROOM_INTERNAL";

/// The code of a call after the end of its transaction.
pub(crate) const TRANSACTION_ENDED: &str = "STRONGROOM_TRANSACTION_ENDED";
/// The code of SQL that leaves a transaction open.
pub(crate) const OPEN_TRANSACTION: &str = "STRONGROOM_OPEN_TRANSACTION";
/// The code of a call that reads the rows of a statement without columns. The TypeScript layer turns the error into a
/// `TypeError` without a code.
pub(crate) const NO_COLUMNS: &str = "STRONGROOM_NO_COLUMNS";

/// The codes that only the asynchronous class has.
#[cfg_attr(not(test), expect(dead_code, reason = "the TypeScript layer sets most of the codes"))]
pub(crate) const ASYNC_CODES: [&str; 5] = [
    "STRONGROOM_IN_TRANSACTION",
    "STRONGROOM_MAIN_THREAD",
    OPEN_TRANSACTION,
    "STRONGROOM_QUEUE_FULL",
    TRANSACTION_ENDED,
];

/// Marks the code of an error that the TypeScript layer turns into a `SqliteError`. An error that the caller's own
/// callback throws is not marked and passes through unchanged.
const MARK: &str = "strongroom:";

/// The reason for a failed call, boxed so that an [`Outcome`] fits in two registers.
#[derive(Debug)]
pub(crate) struct Failure(Box<Problem>);

/// The reason for a failed call.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The engine failed.
    Engine { code: &'static str, message: String, causes: Vec<NativeCause> },
    /// A value has a type that cannot be bound.
    Type { message: String },
    /// A value cannot be stored as it is.
    Value { message: String },
    /// A value is out of range.
    Range { message: String },
    /// A callback returned a value that cannot be stored.
    Returned { message: String },
    /// JavaScript threw an exception, which is pending.
    Pending,
    /// Node-API failed for another reason.
    Node(napi::Error),
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

/// A cause of a thrown error.
#[napi(object)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NativeCause {
    /// The error's code, if the error comes from the engine, a key or the codec.
    pub code: Option<String>,
    /// The number of the operating system's error, except on Windows.
    pub errno: Option<i32>,
    /// The error's message.
    pub message: String,
}

impl NativeCause {
    fn new(error: &(dyn Error + 'static)) -> Self {
        // On Windows, Node's error names do not match the system's error numbers.
        let system = error.downcast_ref::<io::Error>().filter(|_| cfg!(unix));
        Self {
            code: code_of(error).map(str::to_owned),
            errno: system.and_then(io::Error::raw_os_error),
            message: printable(&error.to_string()),
        }
    }
}

impl Failure {
    /// The failure of a call while an outer call is using the statement or the database.
    pub(crate) fn busy() -> Failure {
        SqlError::Busy.into()
    }

    /// The failure of a call that panicked.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Failure {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Problem::Node(napi::Error::new(Status::GenericFailure, text.unwrap_or("panic").to_owned())).into()
    }

    /// A failure of a call of the asynchronous class, with a code that the engine does not have.
    pub(crate) fn coded(code: &'static str, message: &str) -> Failure {
        Problem::Engine { code, message: message.to_owned(), causes: Vec::new() }.into()
    }

    /// Returns whether the failure is an exception that is already pending.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(*self.0, Problem::Pending)
    }

    /// An error of the engine, with its message and its chain of sources.
    fn engine(code: &'static str, error: &(dyn Error + 'static)) -> Failure {
        let stopped = |error: &&(dyn Error + 'static)| error.downcast_ref() == Some(&SqlError::TraceStopped);
        if iter::successors(Some(error), |&error| error.source()).any(|error| stopped(&error)) {
            // The trace function stopped the statement with an exception.
            return Problem::Pending.into();
        }
        if let Some(SqlError::Callback { source }) = error.downcast_ref() {
            return Failure::callback(source);
        }
        let message = error.to_string();
        let causes = iter::successors(error.source(), |&cause| cause.source())
            // A source adds nothing if it has the error's code and its message is the end of the error's message.
            .skip_while(|&cause| code_of(cause) == Some(code) && message.ends_with(&cause.to_string()))
            .map(NativeCause::new)
            .collect();
        Problem::Engine { code, message, causes }.into()
    }

    /// The failure of a callback that threw, whose exception is pending, or that panicked.
    fn callback(error: &CallbackError) -> Failure {
        match error.downcast_ref::<CallbackPanic>() {
            Some(panic) => {
                Problem::Node(napi::Error::new(Status::GenericFailure, panic.message.clone())).into()
            }
            None => Problem::Pending.into(),
        }
    }

    /// Throws the failure as an exception in `env`. Returns the error that an exported function returns for a pending
    /// exception.
    pub(crate) fn throw(self, env: &Env) -> napi::Error {
        match *self.0 {
            Problem::Node(error) => return error,
            Problem::Pending => {}
            _ => match self.error(env) {
                Ok(error) => handle::throw(env, error),
                Err(Failure(problem)) => {
                    if let Problem::Node(error) = *problem {
                        return error;
                    }
                }
            },
        }
        napi::Error::new(Status::PendingException, String::new())
    }

    /// Creates the error that [`throw`](Self::throw) throws.
    ///
    /// # Errors
    ///
    /// Fails if an exception is pending, or if Node-API fails.
    pub(crate) fn error(self, env: &Env) -> Outcome<Handle> {
        let error = |kind, code, message: &str| handle::error(env, kind, code, &printable(message));
        match *self.0 {
            Problem::Engine { code, message, causes } => {
                let mut error =
                    env.create_error(napi::Error::new(Status::GenericFailure, printable(&message)))?;
                error.set("code", format!("{MARK}{code}"))?;
                error.set("causes", causes)?;
                Ok(error.raw())
            }
            Problem::Type { message } => error(ErrorKind::Type, "ERR_INVALID_ARG_TYPE", &message),
            Problem::Value { message } => error(ErrorKind::Type, "ERR_INVALID_ARG_VALUE", &message),
            Problem::Range { message } => error(ErrorKind::Range, "ERR_OUT_OF_RANGE", &message),
            Problem::Returned { message } => error(ErrorKind::Type, "ERR_INVALID_RETURN_VALUE", &message),
            Problem::Node(napi::Error { status, reason, .. }) => {
                error(ErrorKind::Plain, status.as_ref(), &reason)
            }
            Problem::Pending => Err(self),
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<ExtensionError> for Failure {
    fn from(error: ExtensionError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<RekeyError> for Failure {
    fn from(error: RekeyError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<AttachError> for Failure {
    fn from(error: AttachError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<KeySlotError> for Failure {
    fn from(error: KeySlotError) -> Self {
        Failure::engine(error.code(), &error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::RecoveryCode { .. }
            | KeyError::Random { .. }
            | KeyError::Derivation { .. }
            | KeyError::Init { .. } => Failure::engine(error.code(), &error),
            _ => Problem::Range { message: error.to_string() }.into(),
        }
    }
}

impl From<napi::Error> for Failure {
    fn from(error: napi::Error) -> Self {
        Problem::Node(error).into()
    }
}

/// Replaces each NUL in a message. Node-API takes messages as C strings, and a message may quote SQL.
fn printable(message: &str) -> String {
    message.replace('\0', "\u{2400}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_causes_are_the_chain_of_sources_outermost_first() {
        let source = SqlError::Sqlite { code: "SQLITE_NOTADB", message: "file is not a database".to_owned() };
        let error = OpenError::NotADatabase { path: PathBuf::from("a.db"), length: 7, source };
        let Failure(problem) = error.into();
        let Problem::Engine { code, causes, .. } = *problem else { panic!("not the engine's") };
        let sqlite = NativeCause {
            code: Some("SQLITE_NOTADB".to_owned()),
            errno: None,
            message: "file is not a database".to_owned(),
        };
        assert_eq!((code, causes), ("SQLITE_NOTADB", vec![sqlite]));
        let Failure(problem) = SqlError::Closed.into();
        let Problem::Engine { causes, .. } = *problem else { panic!("not the engine's") };
        assert_eq!(causes, []);
    }

    #[test]
    fn a_callback_fails_with_its_exception_unless_it_panicked() {
        let failure = |error| Failure::from(SqlError::Callback { source: error });
        assert!(matches!(*failure(CallbackError::new("thrown")).0, Problem::Pending));
        let Problem::Node(error) =
            *failure(CallbackError::new(CallbackPanic { message: "the roof".to_owned() })).0
        else {
            panic!("not an internal error")
        };
        assert_eq!((error.status, error.reason.as_str()), (Status::GenericFailure, "the roof"));
    }

    #[test]
    fn a_source_that_repeats_the_error_is_not_a_cause() {
        let source = SqlError::Sqlite { code: "SQLITE_BUSY", message: "database is locked".to_owned() };
        let error = OpenError::Sqlite { path: PathBuf::from("a.db"), source };
        let Failure(problem) = error.into();
        let Problem::Engine { code, message, causes } = *problem else { panic!("not the engine's") };
        assert_eq!((code, causes), ("SQLITE_BUSY", vec![]));
        assert!(message.ends_with(": database is locked"), "{message}");
    }

    #[test]
    fn an_error_of_the_operating_system_has_its_number_on_unix() {
        let source = io::Error::from_raw_os_error(2);
        let error = OpenError::MissingFile { path: PathBuf::from("a.db"), source };
        let Failure(problem) = error.into();
        let Problem::Engine { causes, .. } = *problem else { panic!("not the engine's") };
        let numbers: Vec<_> = causes.iter().map(|cause| (&cause.code, cause.errno)).collect();
        assert_eq!(numbers, [(&None, cfg!(unix).then_some(2))]);
    }
}
