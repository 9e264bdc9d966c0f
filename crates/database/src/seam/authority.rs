//! The state that a connection's authorizer reads.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::Arc;

use strongroom_format::Unlocked;

use super::Defaults;
use super::schema_lock::SchemaLock;

/// The state that a connection's authorizer reads.
#[derive(Default)]
pub(crate) struct Authority {
    /// `true` if the connection's key was verified.
    pub(super) verified: Cell<bool>,
    /// The number of running calls of the engine itself, whose pragmas are allowed.
    pub(super) internal: Cell<u32>,
    /// The databases that have a key, with their keys if they are in the Strongroom format.
    keyed: RefCell<Vec<(CString, Option<Arc<Unlocked>>)>>,
    /// `true` while the caller's SQL must neither begin nor end a transaction.
    pub(super) bounds_refused: Cell<bool>,
    /// The parameters of the main database, as SQLCipher's defaults, for the target of VACUUM INTO.
    pub(super) for_vacuum_into: RefCell<Option<Defaults>>,
    /// Held while SQLite parses a statement of the caller.
    pub(super) parsing: SchemaLock,
}

impl Authority {
    pub(super) fn new(parsing: SchemaLock) -> Self {
        Self { parsing, ..Self::default() }
    }

    /// Notes that a database has a key. `None` means SQLCipher's format.
    pub(super) fn set_key(&self, schema: &CStr, keys: Option<&Arc<Unlocked>>) {
        self.forget_key(schema);
        self.keyed.borrow_mut().push((schema.to_owned(), keys.map(Arc::clone)));
    }

    /// Forgets the key of a database that is detached, or whose name another database gets.
    pub(super) fn forget_key(&self, schema: &CStr) {
        self.keyed.borrow_mut().retain(|(name, _)| !is_name(name, schema.to_bytes()));
    }

    /// Forgets all keys, because the connection is closed. The caller may keep the closed handle.
    pub(super) fn forget_keys(&self) {
        self.keyed.take();
    }

    /// Returns whether a database, or any for `None`, has a key.
    pub(super) fn has_key(&self, schema: Option<&CStr>) -> bool {
        let keyed = self.keyed.borrow();
        keyed.iter().any(|(name, _)| schema.is_none_or(|schema| is_name(name, schema.to_bytes())))
    }

    /// Returns the keys of a database in the Strongroom format.
    pub(super) fn keys_of(&self, schema: &[u8]) -> Option<Arc<Unlocked>> {
        let keyed = self.keyed.borrow();
        keyed.iter().find(|(name, _)| is_name(name, schema))?.1.clone()
    }
}

/// Returns whether both are the name of one database. SQLite ignores the case of ASCII letters.
fn is_name(name: &CStr, other: &[u8]) -> bool {
    name.to_bytes().eq_ignore_ascii_case(other)
}

/// Allows the pragmas of the engine itself until this value is dropped.
pub(super) struct Internal<'a> {
    authority: &'a Authority,
}

impl<'a> Internal<'a> {
    pub(super) fn begin(authority: &'a Authority) -> Self {
        authority.internal.set(authority.internal.get() + 1);
        Self { authority }
    }
}

impl Drop for Internal<'_> {
    fn drop(&mut self) {
        self.authority.internal.set(self.authority.internal.get() - 1);
    }
}
