//! Interrupts the calls of a connection from another thread.

use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Database;

/// Interrupts the calls of one connection from any thread.
///
/// An interrupt ends the statement that runs, a wait for another connection's lock, and a check, a rekey or a step of a
/// backup, with SQLITE_INTERRUPT. Statements of the connection that are on a row, but are not being stepped, can go on after
/// [`Interrupter::clear`]. An interrupt stays in effect until then.
///
/// SQLite looks for an interrupt every 1,000 steps of its virtual machine, so a statement of fewer steps ends as usual. SQLite
/// does not look during a sort in memory and during one call of a function.
#[derive(Clone, Default)]
pub struct Interrupter {
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    /// Changed only under `lock`, so that no wait misses the change.
    interrupted: AtomicBool,
    waits: AtomicU64,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Interrupter {
    /// Interrupts the running call, and every later call until [`Interrupter::clear`].
    pub fn interrupt(&self) {
        let locked = self.lock();
        self.signal.interrupted.store(true, Release);
        drop(locked);
        self.signal.changed.notify_all();
    }

    /// Ends the effect of an interrupt. To be called before a job that must not be interrupted.
    pub fn clear(&self) {
        let _locked = self.lock();
        self.signal.interrupted.store(false, Release);
    }

    /// Returns whether an interrupt is in effect.
    #[inline]
    pub fn is_interrupted(&self) -> bool {
        self.signal.interrupted.load(Acquire)
    }

    /// Returns how often the connection has paused so far, between two attempts to take a lock that another connection holds.
    pub fn waits(&self) -> u64 {
        self.signal.waits.load(Relaxed)
    }

    /// Waits for an interrupt for at most `pause`. Returns whether an interrupt is in effect.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        self.signal.waits.fetch_add(1, Relaxed);
        let waited = self.signal.changed.wait_timeout_while(self.lock(), pause, |()| !self.is_interrupted());
        drop(waited);
        self.is_interrupted()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.signal.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").field("interrupted", &self.is_interrupted()).finish_non_exhaustive()
    }
}

impl Database {
    /// Returns the interrupter of this connection.
    ///
    /// The first call makes SQLite look for interrupts; a connection without an interrupter does not pay for them. After the
    /// database is closed, the interrupter has no effect.
    pub fn interrupter(&self) -> Interrupter {
        self.session.core.interrupter()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A wait that misses the interrupt takes a day, so that the test does not end.
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn an_interrupt_ends_a_wait_and_every_later_one() {
        let interrupter = Interrupter::default();
        let waiting = {
            let interrupter = interrupter.clone();
            thread::spawn(move || interrupter.wait(DAY))
        };
        while interrupter.waits() == 0 {
            thread::yield_now();
        }
        interrupter.interrupt();
        assert!(waiting.join().unwrap());
        assert!(interrupter.wait(DAY));
        interrupter.clear();
        assert!(!interrupter.wait(Duration::ZERO));
        assert_eq!(interrupter.waits(), 3);
    }

    #[test]
    fn an_interrupter_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Interrupter>();
    }
}
