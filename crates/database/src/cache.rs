//! Idle statements, kept for the next caller that prepares the same SQL.

use std::collections::HashMap;
use std::rc::Rc;

use crate::prepared::Prepared;

/// The number of idle statements that the cache keeps.
const MAX_IDLE: usize = 64;

/// Idle statements by their SQL. The least recently used statement is dropped first.
///
/// A statement is either in the cache or in use. SQL prepared again while its statement is in use is compiled again.
#[derive(Default)]
pub(crate) struct Cache {
    idle: HashMap<Rc<str>, Idle>,
    clock: u64,
}

struct Idle {
    prepared: Prepared,
    used: u64,
}

impl Cache {
    /// Removes and returns the statement of this SQL.
    pub(crate) fn take(&mut self, sql: &str) -> Option<Prepared> {
        self.idle.remove(sql).map(|idle| idle.prepared)
    }

    /// Stores a statement that was reset and has no bindings. Replaces a statement of the same SQL.
    pub(crate) fn put(&mut self, prepared: Prepared) {
        self.clock += 1;
        if self.idle.len() >= MAX_IDLE && !self.idle.contains_key(&*prepared.facts.sql) {
            let oldest = self.idle.iter().min_by_key(|(_, idle)| idle.used).map(|(sql, _)| Rc::clone(sql));
            if let Some(oldest) = oldest {
                self.idle.remove(&oldest);
            }
        }
        let sql = Rc::clone(&prepared.facts.sql);
        self.idle.insert(sql, Idle { prepared, used: self.clock });
    }

    pub(crate) fn clear(&mut self) {
        self.idle.clear();
    }
}
