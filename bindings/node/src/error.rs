//! From what went wrong to what JavaScript sees.

use napi::{Env, Status};
use strongroom_database::{OpenError, SqlError};
use strongroom_keys::KeyError;

/// The code of a panic or of a Node-API call that failed: a fault of this package, not of its caller.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the TypeScript layer gives it; the list of codes names it")
)]
pub(crate) const INTERNAL: &str = "STRONGROOM_INTERNAL";

/// Marks a code that the TypeScript layer has to turn into a `SqliteError`; an error of the caller's own, thrown
/// in a callback, passes as it is.
const MARK: &str = "strongroom:";

/// Why a call stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine refused: its code and its message.
    Engine { code: &'static str, message: String },
    /// A value of a type that cannot be bound.
    Type { message: String },
    /// A value that cannot be stored as it is.
    Value { message: String },
    /// A value outside the range that its place takes.
    Range { message: String },
    /// JavaScript threw, and its exception is pending.
    Pending,
    /// Node-API refused for another reason.
    Node(napi::Error),
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// The statement or the database is in use further up the stack.
    pub(crate) fn busy() -> Failure {
        Failure::Engine {
            code: "STRONGROOM_BUSY",
            message: "the database is busy with another call".to_owned(),
        }
    }

    /// Throws in `env`, and gives what an exported function returns for an exception that is pending.
    pub(crate) fn throw(self, env: &Env) -> napi::Error {
        let thrown = match self {
            Failure::Engine { code, message } => {
                env.throw_error(&printable(&message), Some(&format!("{MARK}{code}")))
            }
            Failure::Type { message } => {
                env.throw_type_error(&printable(&message), Some("ERR_INVALID_ARG_TYPE"))
            }
            Failure::Value { message } => {
                env.throw_type_error(&printable(&message), Some("ERR_INVALID_ARG_VALUE"))
            }
            Failure::Range { message } => {
                env.throw_range_error(&printable(&message), Some("ERR_OUT_OF_RANGE"))
            }
            Failure::Pending => Ok(()),
            Failure::Node(error) => return error,
        };
        match thrown {
            Ok(()) => napi::Error::new(Status::PendingException, String::new()),
            Err(error) => error,
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Failure::Engine { code: error.code(), message: error.to_string() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Failure::Engine { code: error.code(), message: error.to_string() }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::Random { .. } | KeyError::Derivation { .. } | KeyError::Init { .. } => {
                Failure::Engine { code: error.code(), message }
            }
            _ => Failure::Range { message },
        }
    }
}

impl From<napi::Error> for Failure {
    fn from(error: napi::Error) -> Self {
        Failure::Node(error)
    }
}

/// Node-API takes messages as C strings, and a message may quote SQL that holds a NUL.
fn printable(message: &str) -> String {
    message.replace('\0', "\u{2400}")
}
