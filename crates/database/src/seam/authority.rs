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
    /// The databases in the Strongroom format.
    pub(super) sealed: RefCell<Vec<(CString, Arc<Unlocked>)>>,
    /// The parameters of the main database, as SQLCipher's defaults, for the target of VACUUM INTO.
    pub(super) for_vacuum_into: RefCell<Option<Defaults>>,
    /// The databases that have a key, in either format.
    pub(super) keyed: RefCell<Vec<CString>>,
    /// Held while SQLite parses a statement of the caller.
    pub(super) parsing: SchemaLock,
}

impl Authority {
    pub(super) fn new(parsing: SchemaLock) -> Self {
        Self { parsing, ..Self::default() }
    }

    /// Notes the format of a database that has a new key.
    pub(super) fn keys_changed(&self, schema: &CStr, keys: Option<&Arc<Unlocked>>) {
        let mut sealed = self.sealed.borrow_mut();
        sealed.retain(|(name, _)| !name.as_bytes().eq_ignore_ascii_case(schema.to_bytes()));
        if let Some(keys) = keys {
            sealed.push((schema.to_owned(), Arc::clone(keys)));
        }
    }

    /// Drops the keys, because the connection is closed. The caller may keep the closed handle.
    pub(super) fn forget_keys(&self) {
        self.sealed.take();
    }

    /// Notes that a database has a key.
    pub(super) fn is_keyed_now(&self, schema: &CStr) {
        let mut keyed = self.keyed.borrow_mut();
        if !keyed.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(schema.to_bytes())) {
            keyed.push(schema.to_owned());
        }
    }

    /// Returns whether a database, or any for `None`, has a key.
    pub(super) fn has_key(&self, schema: Option<&CStr>) -> bool {
        let Ok(keyed) = self.keyed.try_borrow() else { return true };
        match schema {
            None => !keyed.is_empty(),
            Some(schema) => keyed.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(schema.to_bytes())),
        }
    }

    /// Returns the keys of a database in the Strongroom format.
    pub(super) fn keys_of(&self, schema: &[u8]) -> Option<Arc<Unlocked>> {
        let sealed = self.sealed.try_borrow().ok()?;
        let found = sealed.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(schema));
        found.map(|(_, keys)| Arc::clone(keys))
    }
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
