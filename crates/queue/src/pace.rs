//! Whether one thread keeps up with the jobs of a queue.

use std::time::{Duration, Instant};

use crate::Taker;

/// The duration of a job below which a second thread slows a queue: waking a thread takes as long as the job, and on two
/// processors, both threads and JavaScript's take turns.
const SHORT: Duration = Duration::from_micros(20);
/// The longest duration that counts for a job: a thread may lose its processor during a short job.
const LONGEST: Duration = SHORT.saturating_mul(4);
/// A job that has run for this long needs a second thread, however short the jobs before were.
const STALLED: Duration = Duration::from_micros(50);
/// The length of a watch: the longest time for which a job waits behind a long one although a thread sleeps.
pub(crate) const WATCH: Duration = Duration::from_millis(1);

/// The pace of a queue: who took the last job, when, and how long jobs take.
#[derive(Debug)]
pub(crate) struct Pace {
    /// A moving average of the durations of the jobs.
    typical: Duration,
    /// The number of jobs that were taken.
    takes: u64,
    /// When the last job was taken.
    taken: Option<Instant>,
    /// `true` until the thread that took the last job sleeps.
    awake: bool,
}

impl Pace {
    /// Returns the pace of a queue without jobs, whose jobs count as long.
    pub(crate) fn new() -> Self {
        Self { typical: LONGEST, takes: 0, taken: None, awake: false }
    }

    /// Notes that `taker` takes a job.
    pub(crate) fn takes(&mut self, taker: &mut Taker) {
        let now = Instant::now();
        self.takes += 1;
        self.taken = Some(now);
        self.awake = true;
        taker.take = self.takes;
        taker.began = Some(now);
    }

    /// Notes how long a job took.
    pub(crate) fn lasted(&mut self, duration: Duration) {
        self.typical = (self.typical * 7 + duration.min(LONGEST)) / 8;
    }

    /// Notes that `taker` sleeps or leaves.
    pub(crate) fn sleeps(&mut self, taker: &Taker) {
        if self.is_last(taker) {
            self.awake = false;
        }
    }

    /// Returns whether jobs are so short that one thread takes them all.
    fn is_short(&self) -> bool {
        // loom knows no time: in a model, every thread takes jobs.
        !cfg!(feature = "loom") && self.typical < SHORT
    }

    /// Returns whether a thread is awake that takes the short jobs one after another.
    pub(crate) fn one_suffices(&self) -> bool {
        self.is_served(STALLED)
    }

    /// Returns whether `taker` should leave the jobs to another thread.
    pub(crate) fn is_crowded_by(&self, taker: &Taker) -> bool {
        !self.is_last(taker) && self.one_suffices()
    }

    /// Returns whether `taker` should sleep no longer than [`WATCH`], because no push wakes it as long as another thread takes
    /// short jobs.
    pub(crate) fn needs_watch(&self, taker: &Taker) -> bool {
        !self.is_last(taker) && self.is_served(WATCH)
    }

    fn is_last(&self, taker: &Taker) -> bool {
        taker.take == self.takes
    }

    /// Returns whether jobs are short, and a thread that is awake took the last one less than `time` ago.
    fn is_served(&self, time: Duration) -> bool {
        self.is_short() && self.awake && self.taken.is_some_and(|taken| taken.elapsed() < time)
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// Returns the pace of a queue with short jobs.
    fn short() -> Pace {
        let mut pace = Pace::new();
        (0..100).for_each(|_| pace.lasted(Duration::from_micros(1)));
        pace
    }

    /// Lets a new thread take a job of a queue with short jobs, as if it did so in an hour: too late for the other threads to
    /// call it stalled.
    fn taken() -> (Pace, Taker) {
        let (mut pace, mut taker) = (short(), Taker::new());
        pace.takes(&mut taker);
        pace.taken = Some(Instant::now() + HOUR);
        (pace, taker)
    }

    #[test]
    fn jobs_count_as_long_until_several_were_short() {
        let mut pace = Pace::new();
        let lasted = |pace: &mut Pace, micros| {
            pace.lasted(Duration::from_micros(micros));
            pace.is_short()
        };
        let until_short = (1..100).find(|_| lasted(&mut pace, 1));
        assert_eq!(until_short, Some(11));
    }

    #[test]
    fn one_or_two_jobs_of_an_hour_do_not_make_the_jobs_long_but_a_third_does() {
        let mut pace = short();
        let short = [(); 3].map(|()| {
            pace.lasted(HOUR);
            pace.is_short()
        });
        assert_eq!(short, [true, true, false]);
    }

    #[test]
    fn other_threads_leave_short_jobs_to_the_one_that_took_the_last() {
        let (mut pace, taker) = taken();
        let other = Taker::new();
        assert!(pace.one_suffices());
        assert!(pace.is_crowded_by(&other) && pace.needs_watch(&other));
        assert!(!pace.is_crowded_by(&taker) && !pace.needs_watch(&taker));
        pace.sleeps(&other);
        assert!(pace.one_suffices(), "another thread's sleep changes nothing");
        pace.sleeps(&taker);
        assert!(!pace.one_suffices() && !pace.is_crowded_by(&other) && !pace.needs_watch(&other));
    }

    #[test]
    fn every_thread_takes_long_jobs() {
        let (mut pace, _) = taken();
        pace.typical = LONGEST;
        assert!(
            !pace.one_suffices() && !pace.is_crowded_by(&Taker::new()) && !pace.needs_watch(&Taker::new())
        );
    }

    #[test]
    fn a_stalled_thread_needs_another_one() {
        let (mut pace, _) = taken();
        pace.taken = Instant::now().checked_sub(WATCH);
        assert!(
            !pace.one_suffices() && !pace.is_crowded_by(&Taker::new()) && !pace.needs_watch(&Taker::new())
        );
    }
}
