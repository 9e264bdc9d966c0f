//! The replies to JavaScript's thread.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::Look;
use crate::sync::{Mutex, lock};

/// The replies to JavaScript's thread, which a bell wakes.
///
/// The bell is rung for the first reply only. JavaScript's thread then takes replies until [`Replies::take`] returns `None`,
/// and calls [`Replies::rest`]. If `rest` returns true, a reply has come meanwhile, and its sender has not rung the bell.
pub struct Replies<R> {
    state: Mutex<State<R>>,
    /// The number of waiting replies, for a thread that looks without the lock: a hint, which decides nothing.
    length: AtomicUsize,
}

struct State<R> {
    waiting: VecDeque<R>,
    /// `true` from the ring of the bell until JavaScript's thread rests.
    woken: bool,
}

impl<R> Replies<R> {
    /// Returns an empty queue, whose receiver rests.
    pub fn new() -> Self {
        let state = State { waiting: VecDeque::new(), woken: false };
        Self { state: Mutex::new(state), length: AtomicUsize::new(0) }
    }

    /// Adds a reply at the end. Returns whether the caller must ring the bell.
    #[must_use = "a reply whose bell is not rung is never delivered"]
    pub fn push(&self, reply: R) -> bool {
        let mut state = lock(&self.state);
        state.waiting.push_back(reply);
        self.length.store(state.waiting.len(), Relaxed);
        let rests = !state.woken;
        state.woken = true;
        rests
    }

    /// Takes the first reply.
    pub fn take(&self) -> Option<R> {
        let mut state = lock(&self.state);
        let reply = state.waiting.pop_front();
        self.length.store(state.waiting.len(), Relaxed);
        reply
    }

    /// Looks for a reply for a moment. Returns whether a reply waits.
    pub fn look(&self, look: &mut Look) -> bool {
        look.wait(|| self.length.load(Relaxed) > 0);
        self.length.load(Relaxed) > 0
    }

    /// Lets the receiver rest until the bell rings, unless replies wait. Returns whether replies wait: the receiver must
    /// then take them.
    #[must_use = "replies that wait are never delivered if the receiver rests"]
    pub fn rest(&self) -> bool {
        let mut state = lock(&self.state);
        state.woken = !state.waiting.is_empty();
        state.woken
    }
}

impl<R> Default for Replies<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Replies<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A reply holds rows, which are not shown.
        let state = lock(&self.state);
        f.debug_struct("Replies")
            .field("waiting", &state.waiting.len())
            .field("woken", &state.woken)
            .finish_non_exhaustive()
    }
}
