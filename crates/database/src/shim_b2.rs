//! Temporary.
#![allow(missing_docs, clippy::all)]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use crate::{Database, OpenOptions, OpenError, Location, DetachedWork};
#[derive(Clone, Default)]
pub struct Interrupter(Arc<AtomicBool>);
impl Interrupter {
    pub fn interrupt(&self) { self.0.store(true, Ordering::SeqCst); }
    pub fn clear(&self) { self.0.store(false, Ordering::SeqCst); }
    pub fn is_interrupted(&self) -> bool { self.0.load(Ordering::SeqCst) }
}
pub struct Connector(std::path::PathBuf);
impl Connector {
    pub fn open(&self, options: &OpenOptions) -> Result<Database, OpenError> { Database::open_unencrypted(Location::File(&self.0), options) }
}
impl Database {
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::default()
    }
    pub fn connector(&self) -> Result<Connector, OpenError> { Ok(Connector(crate::open::file_of(&self.session.core))) }
}
impl DetachedWork {
    pub fn begin_with(_stop: impl Fn() + Send + Sync + 'static) -> Option<Self> { Self::begin() }
}
pub struct Access { pub reads: bool, pub begins: bool, pub ends: bool, pub solo: bool, pub local: bool }
pub struct SqlShape { pub parameters: Vec<Option<String>>, pub access: Access }
pub fn describe(sql: &str) -> SqlShape {
    let l = sql.to_lowercase();
    SqlShape { parameters: sql.matches('?').map(|_| None).collect(), access: Access { reads: l.trim_start().starts_with("select"), begins: l.starts_with("begin"), ends: l.starts_with("commit"), solo: l.contains("journal_mode"), local: l.contains("temp") } }
}
