//! Waits for the threads of this crate when the process exits.
//!
//! When the process exits, SQLCipher frees the memory of all keys, which a running thread would still use.

use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

/// The longest time that the exit waits for a thread. A thread may be waiting for a slow disk.
const LONGEST: Duration = Duration::from_secs(10);

static STATE: Mutex<State> = Mutex::new(State { running: 0, exiting: false });
static ENDED: Condvar = Condvar::new();

struct State {
    running: u32,
    exiting: bool,
}

/// The work of a detached thread. The exit of the process waits until this value is dropped.
#[derive(Debug)]
pub struct DetachedWork(());

impl DetachedWork {
    /// Registers the work, or returns `None` if the process is already exiting.
    pub fn begin() -> Option<Self> {
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(|| {
            // The initialisation registers SQLCipher's own exit function; the function registered last runs first. If
            // SQLCipher cannot be initialised, no key is in use.
            let _ = vendored_sys::init();
            register();
        });
        let mut state = lock();
        if state.exiting {
            return None;
        }
        state.running += 1;
        Some(Self(()))
    }

    /// Returns whether the process is exiting, so that the work must end soon.
    pub fn must_end(&self) -> bool {
        lock().exiting
    }
}

impl Drop for DetachedWork {
    fn drop(&mut self) {
        lock().running -= 1;
        ENDED.notify_all();
    }
}

#[cfg(unix)]
fn register() {
    // SAFETY: the function is never unloaded, takes nothing and does not unwind. If memory runs out, the function is not
    // registered.
    unsafe { libc::atexit(wait) };
}

/// Windows ends all other threads before it calls exit functions.
#[cfg(not(unix))]
fn register() {
    let _ = wait;
}

extern "C" fn wait() {
    let mut state = lock();
    state.exiting = true;
    // Even if the lock is poisoned, the counter is right.
    let _ = ENDED.wait_timeout_while(state, LONGEST, |state| state.running > 0);
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
