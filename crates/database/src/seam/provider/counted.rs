//! Counts the OpenSSL contexts that a thread holds and has created, for tests.

/// Counts the context that this value is stored beside. Does nothing outside this crate's unit tests.
pub(super) struct Counted {
    _private: (),
}

impl Counted {
    pub(super) fn new() -> Self {
        #[cfg(test)]
        counts::change(|counts| {
            counts.made += 1;
            counts.live += 1;
        });
        Self { _private: () }
    }
}

#[cfg(test)]
impl Drop for Counted {
    fn drop(&mut self) {
        counts::change(|counts| counts.live -= 1);
    }
}

#[cfg(test)]
pub(super) mod counts {
    use std::cell::Cell;

    /// The contexts of this thread.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(in super::super) struct Counts {
        pub(in super::super) made: usize,
        pub(in super::super) live: usize,
    }

    thread_local! {
        static COUNTS: Cell<Counts> = const { Cell::new(Counts { made: 0, live: 0 }) };
    }

    pub(super) fn change(change: impl FnOnce(&mut Counts)) {
        let mut counts = COUNTS.get();
        change(&mut counts);
        COUNTS.set(counts);
    }

    pub(in super::super) fn get() -> Counts {
        COUNTS.get()
    }
}
