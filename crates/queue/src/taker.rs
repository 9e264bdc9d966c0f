//! A thread that takes jobs.

use std::time::Instant;

use crate::Look;

/// A thread that takes jobs from queues.
#[derive(Debug, Default)]
pub struct Taker {
    /// `true` from [`Queue::announce`](crate::Queue::announce) until the thread takes a job.
    pub(crate) announced: bool,
    pub(crate) look: Look,
    /// The number of the queue's last job that this thread took.
    pub(crate) take: u64,
    /// When the thread took the job that it runs.
    pub(crate) began: Option<Instant>,
}

impl Taker {
    /// Returns the state of a thread that has not taken a job.
    pub fn new() -> Self {
        Self::default()
    }
}
