//! Refuses statements while SQLite parses one.

use std::cell::Cell;
use std::rc::Rc;

/// Counts the parses that are running, and the calls to make a virtual table.
///
/// A statement that a callback runs meanwhile might change the schema, to which the parse has pointers.
#[derive(Clone, Default)]
pub(super) struct SchemaLock(Rc<Cell<u32>>);

/// Counts as one running parse until it is dropped.
pub(super) struct Held(Rc<Cell<u32>>);

impl SchemaLock {
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.0.get() != 0
    }

    #[inline]
    pub(super) fn hold(&self) -> Held {
        self.0.set(self.0.get() + 1);
        Held(Rc::clone(&self.0))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
