//! Lets the threads of this crate end before the process does.
//!
//! At the end of the process SQLCipher frees the memory of all keys, which a running thread would still use.

use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

/// The longest time that the end of the process waits for a thread, which may wait for a slow disk.
const LONGEST: Duration = Duration::from_secs(10);

static STATE: Mutex<State> = Mutex::new(State { running: 0, exiting: false });
static ENDED: Condvar = Condvar::new();

struct State {
    running: u32,
    exiting: bool,
}

/// The work of a thread that nothing joins. The end of the process waits until the value is dropped.
#[derive(Debug)]
pub struct DetachedWork(());

impl DetachedWork {
    /// Announces the work, or returns `None` if the process ends already.
    pub fn begin() -> Option<Self> {
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(|| {
            // SQLCipher registers its own function here. The one that is registered last runs first. If SQLCipher cannot
            // be initialised, no key is in use.
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

    /// Whether the process is about to end, so that the work should end soon.
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
    // SAFETY: the function is never unloaded, takes nothing and does not unwind. Without memory it is not registered.
    unsafe { libc::atexit(wait) };
}

/// Windows ends all other threads before it calls such a function.
#[cfg(not(unix))]
fn register() {
    let _ = wait;
}

extern "C" fn wait() {
    let mut state = lock();
    state.exiting = true;
    // A poisoned lock protects a counter, which is right.
    let _ = ENDED.wait_timeout_while(state, LONGEST, |state| state.running > 0);
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
