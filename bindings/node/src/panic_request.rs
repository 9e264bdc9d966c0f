//! A test's request to make the next call of an export, or the next job of a thread, panic.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static REQUESTED_IN_JOB: AtomicBool = AtomicBool::new(false);

pub(crate) fn request_panic() {
    REQUESTED.store(true, Relaxed);
}

pub(crate) fn request_panic_in_job() {
    REQUESTED_IN_JOB.store(true, Relaxed);
}

/// Panics if a test requested a panic in a job. Every job of a thread calls this function first.
#[inline]
pub(crate) fn panic_if_requested_in_job() {
    if REQUESTED_IN_JOB.load(Relaxed) && REQUESTED_IN_JOB.swap(false, Relaxed) {
        panic!("requested by a test");
    }
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
