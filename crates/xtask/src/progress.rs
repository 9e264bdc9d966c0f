//! Shows that long work goes on: a moving line on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a log that nobody watches says that a step still runs.
const PLAIN_INTERVAL: Duration = Duration::from_secs(60);

/// One step under way.
pub(crate) struct Progress {
    title: String,
    started: Instant,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Announces a step.
    pub(crate) fn start(title: &str) -> Self {
        let bar = if io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}") {
                bar.set_style(style);
            }
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            Some(bar)
        } else {
            eprintln!("...  {title}");
            None
        };
        let started = Instant::now();
        Self { title: title.to_owned(), started, bar, last_line: started }
    }

    /// Tells what the step does now: the last line that it wrote.
    pub(crate) fn update(&mut self, doing: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(doing.to_owned()),
            None if self.last_line.elapsed() >= PLAIN_INTERVAL => {
                self.last_line = Instant::now();
                eprintln!("     {}: {} s, {doing}", self.title, self.started.elapsed().as_secs());
            }
            None => {}
        }
    }

    /// Ends a step that did what it should.
    pub(crate) fn succeed(self) {
        self.end("ok  ");
    }

    /// Ends a step that failed.
    pub(crate) fn fail(self) {
        self.end("FAIL");
    }

    fn end(self, mark: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{mark} {} ({:.1} s)", self.title, self.started.elapsed().as_secs_f64());
    }
}
