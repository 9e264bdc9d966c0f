//! A thread that takes jobs.

use std::time::Duration;

use crate::Look;

/// How long a thread looks for the next job before it sleeps: a caller that awaits each call makes the next one sooner.
const LOOK: Duration = Duration::from_micros(50);

/// A thread that takes jobs from queues.
#[derive(Debug)]
pub struct Taker {
    /// `true` from [`Queue::announce`](crate::Queue::announce) until the thread takes a job.
    pub(crate) announced: bool,
    pub(crate) look: Look,
}

impl Taker {
    /// Returns the state of a thread that has not taken a job.
    pub fn new() -> Self {
        Self { announced: false, look: Look::new(LOOK) }
    }
}

impl Default for Taker {
    fn default() -> Self {
        Self::new()
    }
}
