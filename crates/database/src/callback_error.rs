//! The error of a caller's callback.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The error that a caller's function, aggregate or virtual table returned, unchanged.
///
/// A statement that fails because of the callback returns the error in
/// [`SqlError::Callback`](crate::SqlError::Callback). SQLite gets the error's message.
#[derive(Clone)]
pub struct CallbackError(Arc<dyn Error + Send + Sync>);

/// A callback panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a callback panicked: {message}")]
pub struct CallbackPanic {
    /// The message of the panic.
    pub message: String,
}

impl CallbackError {
    /// Wraps an error of the caller.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }

    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::new(CallbackPanic { message: message.unwrap_or_else(|| "no message".to_owned()) })
    }

    /// Returns the caller's error if it has this type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for CallbackError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for CallbackError {
    /// Returns whether both are the same error, not merely equal errors.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CallbackError {}
