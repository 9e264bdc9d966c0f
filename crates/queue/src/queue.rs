//! A queue of jobs.

use std::collections::VecDeque;
use std::fmt;

use crate::sync::{Condvar, Mutex, lock, wait};
use crate::{Running, Ticket};

/// A queue of jobs, which one or several threads take in the order in which they were pushed.
///
/// The length has no limit: the caller counts its calls.
pub struct Queue<J> {
    state: Mutex<State<J>>,
    /// Signalled when a job is pushed, when the queue is closed, and by [`Queue::wake`].
    changed: Condvar,
}

struct State<J> {
    waiting: VecDeque<(Ticket, J)>,
    closed: bool,
}

impl<J> Queue<J> {
    /// Returns an empty queue.
    pub fn new() -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
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
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes the first job. Blocks while the queue is empty. Returns `None` once the queue is closed.
    pub fn next(&self) -> Option<(Ticket, J)> {
        self.take(|| true, |_| {})
    }

    /// Takes the first job, and marks it as running in the same step: [`Queue::remove`] and [`Running::cancel`], called one
    /// after the other, always find a job that has not ended.
    ///
    /// Blocks while the queue is empty. Returns `None` once the queue is closed or `go_on` returns false, which is asked
    /// before each job and after each [`Queue::wake`], under the lock of the queue: `go_on` must not call the queue.
    pub fn next_running(&self, running: &Running, go_on: impl Fn() -> bool) -> Option<(Ticket, J)> {
        self.take(go_on, |ticket| running.begin(ticket))
    }

    fn take(&self, go_on: impl Fn() -> bool, taken: impl FnOnce(Ticket)) -> Option<(Ticket, J)> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if !go_on() {
                // The signal for a new job may have woken this thread, which does not take the job.
                self.changed.notify_one();
                return None;
            }
            if let Some((ticket, job)) = state.waiting.pop_front() {
                taken(ticket);
                return Some((ticket, job));
            }
            state = wait(&self.changed, state);
        }
    }

    /// Removes a waiting job. Returns `None` if a thread has taken the job, or the queue never had the ticket.
    pub fn remove(&self, ticket: Ticket) -> Option<J> {
        let mut state = lock(&self.state);
        let position = state.waiting.iter().position(|(waiting, _)| *waiting == ticket)?;
        state.waiting.remove(position).map(|(_, job)| job)
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
        drop(state);
        self.changed.notify_all();
        waiting
    }

    /// Returns whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        lock(&self.state).closed
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
