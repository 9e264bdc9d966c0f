//! A progress bar on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use node_audit::Progress;

/// Fewer addons are read before a bar could be seen.
const MANY: u64 = 20;

/// A bar that is shown on a terminal only, and only for larger trees.
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

    /// Removes it from the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn found(&self, addons: usize) {
        self.bar.inc_length(addons as u64);
        if self.bar.is_hidden() && self.bar.length().is_some_and(|length| length >= MANY) {
            // Hidden all the same where standard error is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn done(&self) {
        self.bar.inc(1);
    }
}
