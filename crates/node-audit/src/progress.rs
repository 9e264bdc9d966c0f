//! A progress bar on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use node_audit::{MIN_PROGRESS_ADDONS, Progress};

/// A progress bar, which appears on a terminal for larger audits.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(crate) fn new() -> Bar {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} addons") {
            bar.set_style(style);
        }
        Bar { bar }
    }

    /// Removes the bar from the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn found(&self, addons: usize) {
        self.bar.inc_length(addons as u64);
        if self.bar.is_hidden() && self.bar.length().is_some_and(|length| length >= MIN_PROGRESS_ADDONS) {
            // The bar stays hidden if standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn done(&self) {
        self.bar.inc(1);
    }
}
