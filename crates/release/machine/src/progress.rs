//! Shows the progress of long work: a moving line on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two plain lines of a running step.
const PLAIN_INTERVAL: Duration = Duration::from_secs(60);

/// A running step.
pub struct Progress {
    title: String,
    started: Instant,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Announces a step.
    #[must_use]
    pub fn start(title: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_prefix(title.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            eprintln!("...  {title}");
        }
        let started = Instant::now();
        Self { title: title.to_owned(), started, bar, last_line: started }
    }

    /// Shows the step's current work.
    pub fn update(&mut self, current: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(current.to_owned()),
            None if self.last_line.elapsed() >= PLAIN_INTERVAL => {
                self.last_line = Instant::now();
                eprintln!("     {}: {} s, {current}", self.title, self.started.elapsed().as_secs());
            }
            None => {}
        }
    }

    /// Ends the step, and shows whether it succeeded.
    pub fn end(&self, succeeded: bool) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let mark = if succeeded { "ok  " } else { "FAIL" };
        eprintln!("{mark} {} ({:.1} s)", self.title, self.started.elapsed().as_secs_f64());
    }
}
