//! Statements that wait for being asked for again.

use std::collections::HashMap;
use std::rc::Rc;

use crate::seam::RawStatement;
use crate::statement::Meta;

/// How many statements wait at most.
const CAPACITY: usize = 64;

/// Idle statements by their SQL, the least recently used leaving first.
///
/// A statement is either here or in use: one that is asked for again while it is in use is prepared anew.
#[derive(Default)]
pub(crate) struct Cache {
    idle: HashMap<Rc<str>, Idle>,
    clock: u64,
}

struct Idle {
    raw: RawStatement,
    meta: Rc<Meta>,
    used: u64,
}

impl Cache {
    /// Takes the statement out.
    pub(crate) fn take(&mut self, sql: &str) -> Option<(RawStatement, Rc<Meta>)> {
        self.idle.remove(sql).map(|idle| (idle.raw, idle.meta))
    }

    /// Puts a statement back that was reset and has no bindings. One of the same text that is here already leaves.
    pub(crate) fn put(&mut self, raw: RawStatement, meta: Rc<Meta>) {
        self.clock += 1;
        if self.idle.len() >= CAPACITY && !self.idle.contains_key(&*meta.sql) {
            let oldest =
                self.idle.values().min_by_key(|idle| idle.used).map(|idle| Rc::clone(&idle.meta.sql));
            if let Some(oldest) = oldest {
                self.idle.remove(&oldest);
            }
        }
        self.idle.insert(Rc::clone(&meta.sql), Idle { raw, meta, used: self.clock });
    }

    pub(crate) fn clear(&mut self) {
        self.idle.clear();
    }
}
