//! Waits for the threads of this crate when the process exits.
//!
//! When the process exits, SQLCipher frees the memory of all keys, which a running thread would still use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

/// The longest time that the exit waits for a thread. A thread may be waiting for a slow disk.
const LONGEST: Duration = Duration::from_secs(10);

static STATE: Mutex<State> = Mutex::new(State { running: 0, exiting: false, next: 0, stops: Vec::new() });
static ENDED: Condvar = Condvar::new();

struct State {
    running: u32,
    exiting: bool,
    /// The number of the next function in `stops`.
    next: u64,
    /// The functions that make a thread end, each with its number.
    stops: Vec<(u64, Stop)>,
}

type Stop = Arc<dyn Fn() + Send + Sync>;

/// The work of a detached thread. The exit of the process waits until this value is dropped.
#[derive(Debug)]
pub struct DetachedWork {
    /// The number of the function that ends the work.
    stop: Option<u64>,
}

impl DetachedWork {
    /// Registers the work, or returns `None` if the process is already exiting.
    pub fn begin() -> Option<Self> {
        Self::register(None)
    }

    /// Registers the work as [`DetachedWork::begin`] does. If the process exits before this value is dropped, `stop` is called
    /// once, on the thread that exits, and must make the work end: the exit then waits. A panic of `stop` is ignored.
    ///
    /// On Windows, the system ends all threads before the exit, and `stop` is not called.
    pub fn begin_with(stop: impl Fn() + Send + Sync + 'static) -> Option<Self> {
        Self::register(Some(Arc::new(stop)))
    }

    fn register(stop: Option<Stop>) -> Option<Self> {
        static REGISTERED: Once = Once::new();
        REGISTERED.call_once(|| {
            // The initialisation registers SQLCipher's own exit function; the function registered last runs first. If
            // SQLCipher cannot be initialised, no key is in use.
            let _ = vendored_sys::init();
            wait_at_exit();
        });
        let mut state = lock();
        if state.exiting {
            return None;
        }
        state.running += 1;
        let number = state.next;
        state.next += 1;
        let stop = stop.map(|stop| {
            state.stops.push((number, stop));
            number
        });
        Some(Self { stop })
    }

    /// Returns whether the process is exiting, so that the work must end soon.
    pub fn must_end(&self) -> bool {
        lock().exiting
    }
}

impl Drop for DetachedWork {
    fn drop(&mut self) {
        let mut state = lock();
        state.running -= 1;
        let stop = self.stop.and_then(|number| {
            let position = state.stops.iter().position(|(stop, _)| *stop == number)?;
            Some(state.stops.swap_remove(position))
        });
        drop(state);
        // The function may own what takes long to drop, or what registers other work.
        drop(stop);
        ENDED.notify_all();
    }
}

#[cfg(unix)]
fn wait_at_exit() {
    // SAFETY: the function is never unloaded, takes nothing and does not unwind. If memory runs out, the function is not
    // registered.
    unsafe { libc::atexit(wait) };
}

/// Windows ends all other threads before it calls exit functions.
#[cfg(not(unix))]
fn wait_at_exit() {
    let _ = wait;
}

extern "C" fn wait() {
    let mut state = lock();
    state.exiting = true;
    let stops: Vec<Stop> = state.stops.iter().map(|(_, stop)| Arc::clone(stop)).collect();
    // A function may end work at once, which takes the lock.
    drop(state);
    for stop in stops {
        // A panic must not cross the C library.
        let _ = catch_unwind(AssertUnwindSafe(|| stop()));
    }
    let state = lock();
    // Even if the lock is poisoned, the counter is right.
    let _ = ENDED.wait_timeout_while(state, LONGEST, |state| state.running > 0);
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
