//! A thread that takes jobs.

use crate::Look;

/// A thread that takes jobs from queues.
#[derive(Debug, Default)]
pub struct Taker {
    /// `true` from [`Queue::announce`](crate::Queue::announce) until the thread takes a job.
    pub(crate) announced: bool,
    pub(crate) look: Look,
}

impl Taker {
    /// Returns the state of a thread that has not taken a job.
    pub fn new() -> Self {
        Self::default()
    }
}
