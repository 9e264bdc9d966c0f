//! The job that a thread runs.

use std::fmt;

use crate::Ticket;
use crate::sync::{Mutex, lock};

/// The job that a thread runs, so that an interrupt reaches this job and not the next one.
pub struct Running {
    ticket: Mutex<Option<Ticket>>,
}

impl Running {
    /// Returns the state of a thread that runs no job.
    pub fn new() -> Self {
        Self { ticket: Mutex::new(None) }
    }

    /// Notes that the thread runs a job. An interrupt of an earlier job must be cleared before this call.
    pub fn begin(&self, ticket: Ticket) {
        *lock(&self.ticket) = Some(ticket);
    }

    /// Notes that the job has ended: from now on, [`Running::cancel`] does not interrupt the job. Does nothing if another
    /// job runs.
    pub fn end(&self, ticket: Ticket) {
        let mut running = lock(&self.ticket);
        if *running == Some(ticket) {
            *running = None;
        }
    }

    /// Calls `interrupt` if the thread runs the job. Returns whether the thread runs the job.
    ///
    /// The job cannot end, and no other job can begin, before `interrupt` returns. `interrupt` must not call this value.
    pub fn cancel(&self, ticket: Ticket, interrupt: impl FnOnce()) -> bool {
        let running = lock(&self.ticket);
        let runs = *running == Some(ticket);
        if runs {
            interrupt();
        }
        runs
    }

    /// Returns the job that the thread runs.
    pub fn ticket(&self) -> Option<Ticket> {
        *lock(&self.ticket)
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("ticket", &self.ticket()).finish()
    }
}
