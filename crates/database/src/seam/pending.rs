//! The encryption of the database that this thread attaches or keys next.
//!
//! SQLCipher asks a provider for the lengths of nonce and tag before it passes a key, and VACUUM attaches a database itself.
//! The choice therefore waits here, on the thread, between the call that makes it and SQLCipher's call that takes it.

use std::cell::RefCell;
use std::sync::Arc;

use strongroom_format::Unlocked;

use super::default_page_size::DefaultPageSize;

/// The choice for the next database.
#[derive(Default)]
struct Pending {
    /// The keys of the next cipher that SQLCipher creates.
    keys: Option<Arc<Unlocked>>,
    /// The header of the next file that SQLite opens as a database.
    header: Option<Vec<u8>>,
    /// The page size of the next cipher that SQLCipher creates.
    page_size: Option<DefaultPageSize>,
}

thread_local! {
    static PENDING: RefCell<Pending> = RefCell::default();
}

/// Calls `run`, which sets a key. Without keys, the database gets SQLCipher's format.
pub(super) fn with_keys<T>(keys: Option<Arc<Unlocked>>, run: impl FnOnce() -> T) -> T {
    set(keys, None);
    let result = run();
    clear();
    result
}

/// Chooses the encryption of the database that VACUUM attaches next.
pub(super) fn set(keys: Option<Arc<Unlocked>>, header: Option<Vec<u8>>) {
    clear();
    PENDING.with_borrow_mut(|pending| (pending.keys, pending.header) = (keys, header));
}

/// Forgets a choice that SQLCipher has not taken.
pub(super) fn clear() {
    // Dropped outside the borrow: the page size is restored through another connection, whose authorizer calls this module.
    drop(PENDING.take());
}

/// Chooses the page size of the file that VACUUM INTO attaches next. Returns false if memory runs out.
pub(super) fn set_page_size(size: u32) -> bool {
    let changed = DefaultPageSize::change(size);
    let is_changed = changed.is_some();
    PENDING.with_borrow_mut(|pending| pending.page_size = changed);
    is_changed
}

/// Forgets the page size, which SQLCipher has taken, or which an error has made useless.
pub(super) fn clear_page_size() {
    drop(PENDING.with_borrow_mut(|pending| pending.page_size.take()));
}

pub(super) fn take_keys() -> Option<Arc<Unlocked>> {
    PENDING.with_borrow_mut(|pending| pending.keys.take())
}

pub(super) fn take_header() -> Option<Vec<u8>> {
    PENDING.with_borrow_mut(|pending| pending.header.take())
}
