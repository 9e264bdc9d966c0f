//! Refuses statements while SQLite parses another statement.

use std::cell::Cell;
use std::rc::Rc;

/// Counts the running parses and the running calls that create a virtual table.
///
/// A statement run by a callback meanwhile might change the schema, to which the parse holds pointers.
#[derive(Clone, Default)]
pub(super) struct SchemaLock(Rc<Cell<u32>>);

/// Keeps one running parse counted until this value is dropped.
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
