//! A test's request to make the next call of an export panic.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static REQUESTED: AtomicBool = AtomicBool::new(false);

pub(crate) fn request_panic() {
    REQUESTED.store(true, Relaxed);
}

/// Panics if a test requested a panic. Every export calls this function first.
#[inline]
pub(crate) fn panic_if_requested() {
    if REQUESTED.load(Relaxed) {
        panic_as_requested();
    }
}

#[cold]
fn panic_as_requested() {
    REQUESTED.store(false, Relaxed);
    panic!("requested by a test");
}
