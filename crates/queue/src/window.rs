//! A limit on the replies that are on their way.

use std::fmt;

use crate::sync::{Condvar, Mutex, lock, wait};

/// A limit on the replies of one job that are on their way to JavaScript's thread.
pub struct Window {
    state: Mutex<State>,
    /// Signalled when a place is given back, and when the window is stopped.
    changed: Condvar,
}

struct State {
    free: usize,
    stopped: bool,
}

impl Window {
    /// Returns a window for `places` replies.
    pub fn new(places: usize) -> Self {
        Self { state: Mutex::new(State { free: places, stopped: false }), changed: Condvar::new() }
    }

    /// Takes a place for one reply. Blocks until a place is free. Returns false once the window is stopped: the job must
    /// then end.
    #[must_use = "a stopped window has no place"]
    pub fn take(&self) -> bool {
        let mut state = lock(&self.state);
        while !state.stopped && state.free == 0 {
            state = wait(&self.changed, state);
        }
        if state.stopped {
            return false;
        }
        state.free -= 1;
        true
    }

    /// Gives back the place of a reply that was delivered.
    pub fn give_back(&self) {
        lock(&self.state).free += 1;
        self.changed.notify_one();
    }

    /// Ends a blocked [`Window::take`] and every later one.
    pub fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("Window")
            .field("free", &state.free)
            .field("stopped", &state.stopped)
            .finish_non_exhaustive()
    }
}
