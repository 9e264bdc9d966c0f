//! A queue of jobs.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::{fmt, mem};

use crate::pace::{Pace, WATCH};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_timeout};
use crate::{Running, Taker, Ticket};

/// A queue of jobs, which one or several threads take in the order in which they were pushed.
///
/// While jobs are shorter than a change between threads, one thread takes them all, and another one only watches: it sleeps,
/// and takes the next job if the first thread has not come back to the queue.
///
/// The length has no limit: the caller counts its calls.
pub struct Queue<J> {
    state: Mutex<State<J>>,
    /// The number of waiting jobs, for a thread that looks without the lock: a hint, which decides nothing.
    length: AtomicUsize,
    /// Signalled when a job is pushed, when the queue is closed, and by [`Queue::wake`].
    changed: Condvar,
}

struct State<J> {
    waiting: VecDeque<(Ticket, J)>,
    /// The number of threads that have announced that they take the next job.
    announced: usize,
    /// The number of threads that sleep.
    asleep: usize,
    /// `true` while one of them watches.
    watched: bool,
    pace: Pace,
    closed: bool,
}

impl<J> Queue<J> {
    /// Returns an empty queue.
    pub fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            announced: 0,
            asleep: 0,
            watched: false,
            pace: Pace::new(),
            closed: false,
        };
        Self { state: Mutex::new(state), length: AtomicUsize::new(0), changed: Condvar::new() }
    }

    /// Adds a job at the end.
    ///
    /// # Errors
    ///
    /// The job, if the queue is closed.
    pub fn push(&self, ticket: Ticket, job: J) -> Result<(), J> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(job);
        }
        state.waiting.push_back((ticket, job));
        self.length.store(state.waiting.len(), Relaxed);
        self.wake_one(state);
        Ok(())
    }

    /// Announces that the thread of `taker` takes the next job soon. Its next call must be [`Queue::next_running`] of this
    /// queue.
    ///
    /// A thread calls this before the last reply to its job. The reply may make the caller push the next job at once, for
    /// which no sleeping thread needs to wake.
    pub fn announce(&self, taker: &mut Taker) {
        taker.announced = true;
        let lasted = taker.began.take().map(|began| began.elapsed());
        let mut state = lock(&self.state);
        state.announced += 1;
        if let Some(lasted) = lasted {
            state.pace.lasted(lasted);
        }
    }

    /// Takes the first job, and marks it as running in the same step: [`Queue::remove`] and [`Running::cancel`], called one
    /// after the other, always find a job that has not ended.
    ///
    /// Blocks while the queue is empty; an announced thread first looks for a moment. Returns `None` once the queue is closed
    /// or `go_on` returns false, which is asked before each job and after each [`Queue::wake`], under the lock of the queue:
    /// `go_on` must not call the queue.
    pub fn next_running(
        &self,
        running: &Running,
        taker: &mut Taker,
        go_on: impl Fn() -> bool,
    ) -> Option<(Ticket, J)> {
        let announced = mem::take(&mut taker.announced);
        if announced {
            taker.look.wait(|| self.length.load(Relaxed) > 0);
        }
        let mut state = lock(&self.state);
        state.announced -= usize::from(announced);
        loop {
            if state.closed {
                return None;
            }
            if !go_on() {
                state.pace.sleeps(taker);
                // A new job may have woken this thread, or no thread because of the announcement. Another must take it.
                self.changed.notify_one();
                return None;
            }
            if !state.pace.is_crowded_by(taker)
                && let Some((ticket, job)) = state.waiting.pop_front()
            {
                self.length.store(state.waiting.len(), Relaxed);
                running.begin(ticket);
                state.pace.takes(taker);
                // The thread that watched may be this one.
                self.wake_one(state);
                return Some((ticket, job));
            }
            state = self.sleep(state, taker);
        }
    }

    /// Wakes a thread if jobs wait for which no thread is on its way, and none watches.
    fn wake_one(&self, state: MutexGuard<'_, State<J>>) {
        let needs_thread = state.asleep > 0
            && state.waiting.len() > state.announced
            && !(state.watched && state.pace.one_suffices());
        drop(state);
        if needs_thread {
            self.changed.notify_one();
        }
    }

    /// Sleeps until the queue changes, or for the length of a watch.
    fn sleep<'q>(&'q self, mut state: MutexGuard<'q, State<J>>, taker: &Taker) -> MutexGuard<'q, State<J>> {
        state.pace.sleeps(taker);
        state.asleep += 1;
        // Jobs wait here only if they are left to another thread, which may not come back soon.
        if !state.watched && (!state.waiting.is_empty() || state.pace.needs_watch(taker)) {
            state.watched = true;
            state = wait_timeout(&self.changed, state, WATCH);
            state.watched = false;
        } else {
            state = wait(&self.changed, state);
        }
        state.asleep -= 1;
        state
    }

    /// Removes a waiting job. Returns `None` if a thread has taken the job, or the queue never had the ticket.
    pub fn remove(&self, ticket: Ticket) -> Option<J> {
        let mut state = lock(&self.state);
        let position = state.waiting.iter().position(|(waiting, _)| *waiting == ticket)?;
        let removed = state.waiting.remove(position);
        self.length.store(state.waiting.len(), Relaxed);
        removed.map(|(_, job)| job)
    }

    /// Makes each blocked thread ask its `go_on` again. The change that `go_on` sees must be made before this call.
    pub fn wake(&self) {
        // A thread that has just asked `go_on` holds the lock until it waits. Without the lock, the signal could come in
        // between, and would be lost.
        drop(lock(&self.state));
        self.changed.notify_all();
    }

    /// Closes the queue, and returns the jobs that still wait, in their order. Running jobs are not affected. A second call
    /// returns no job.
    pub fn close(&self) -> Vec<(Ticket, J)> {
        let mut state = lock(&self.state);
        state.closed = true;
        let waiting = state.waiting.drain(..).collect();
        self.length.store(0, Relaxed);
        drop(state);
        self.changed.notify_all();
        waiting
    }
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J> fmt::Debug for Queue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A job holds the values of a call, which are not shown.
        let state = lock(&self.state);
        f.debug_struct("Queue")
            .field("waiting", &state.waiting.len())
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}
