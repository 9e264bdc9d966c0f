//! Looking for a moment before sleeping.

use std::time::{Duration, Instant};
use std::{hint, thread};

/// How long a thread looks: a caller that awaits each call makes the next one sooner.
const LONGEST: Duration = Duration::from_micros(50);
/// The largest number of waits without a look, after looks in vain.
const MOST_SKIPPED: u32 = 63;
/// The number of glances between two moments at which another thread may use the processor.
const GLANCES: u32 = 16;

/// Decides whether a thread looks for a moment for what another thread is about to send, before it sleeps: to wake a sleeping
/// thread takes longer than many a statement.
///
/// After a look in vain, the thread sleeps at once in the next wait, then in the next three, seven and so on, so that rare
/// calls cost hardly any time of the processor.
#[derive(Debug)]
pub struct Look {
    longest: Duration,
    /// `true` if the machine has a processor for a thread that looks.
    can_look: bool,
    /// The number of waits without a look after the last look in vain.
    skipped: u32,
    /// The number of those waits that are still to come.
    to_skip: u32,
}

impl Look {
    /// Returns the state of a thread that has not looked.
    pub fn new() -> Self {
        // In a model of loom, a thread that looks would never let another one run.
        let can_look =
            !cfg!(feature = "loom") && thread::available_parallelism().is_ok_and(|number| number.get() > 1);
        Self { longest: LONGEST, can_look, skipped: 0, to_skip: 0 }
    }

    /// Looks until `is_there` returns true, unless the thread sleeps at once this time.
    pub(crate) fn wait(&mut self, is_there: impl Fn() -> bool) {
        if !self.can_look || is_there() {
            return;
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return;
        }
        let begun = Instant::now();
        while begun.elapsed() < self.longest {
            for _ in 0..GLANCES {
                hint::spin_loop();
                if is_there() {
                    self.skipped = 0;
                    return;
                }
            }
            // Another thread may need this processor.
            thread::yield_now();
        }
        self.skipped = (self.skipped * 2 + 1).min(MOST_SKIPPED);
        self.to_skip = self.skipped;
    }
}

impl Default for Look {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn look() -> Look {
        Look { can_look: true, longest: Duration::from_micros(1), ..Look::new() }
    }

    /// Returns whether the thread looks in a wait for something that does not come.
    fn looks_in_vain(look: &mut Look) -> bool {
        let asked = Cell::new(0);
        look.wait(|| {
            asked.set(asked.get() + 1);
            false
        });
        asked.get() > 1
    }

    #[test]
    fn a_thread_looks_less_often_after_each_look_in_vain() {
        let mut look = look();
        let looks: Vec<usize> = (0..200).filter(|_| looks_in_vain(&mut look)).collect();
        assert_eq!(looks, [0, 2, 6, 14, 30, 62, 126, 190]);
    }

    #[test]
    fn a_look_that_finds_something_makes_the_thread_look_again() {
        let mut look = Look { longest: Duration::from_secs(24 * 60 * 60), ..look() };
        look.skipped = 7;
        let asked = Cell::new(0);
        look.wait(|| {
            asked.set(asked.get() + 1);
            asked.get() == 3
        });
        assert_eq!((asked.get(), look.skipped, look.to_skip), (3, 0, 0));
    }

    #[test]
    fn a_thread_of_a_machine_with_one_processor_does_not_look() {
        assert!(!looks_in_vain(&mut Look { can_look: false, ..look() }));
    }
}
