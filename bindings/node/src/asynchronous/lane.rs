//! The queue of a connection, and the job that the connection runs.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use strongroom_database::Interrupter;
use strongroom_queue::{Queue, Running, Ticket, Window};

use crate::asynchronous::job::Job;

/// The number of the writer.
pub(crate) const WRITER: u32 = 0;
/// The number of batches of one call that may be on their way to JavaScript.
const BATCHES: usize = 4;

/// The part of a connection that JavaScript's thread uses.
pub(crate) struct Lane {
    /// 0 for the writer.
    pub(crate) number: u32,
    /// The jobs of this connection alone: every job of the writer, and the jobs of a held reader.
    pub(crate) queue: Queue<Job>,
    pub(crate) running: Running,
    /// Set once the connection is open.
    interrupter: OnceLock<Interrupter>,
    /// The window of the running call.
    window: Mutex<Option<Arc<Window>>>,
}

impl Lane {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            queue: Queue::new(),
            running: Running::new(),
            interrupter: OnceLock::new(),
            window: Mutex::default(),
        }
    }

    /// Sets the interrupter of the connection.
    pub(crate) fn opened(&self, interrupter: Interrupter) {
        // A lane belongs to one connection.
        let _ = self.interrupter.set(interrupter);
    }

    /// Interrupts the running job.
    pub(crate) fn interrupt(&self) {
        // A thread opens a window before it looks at the interrupter, so one of the two steps ends its wait.
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt();
        }
        if let Some(window) = &*self.window.lock().unwrap_or_else(PoisonError::into_inner) {
            window.stop();
        }
    }

    /// Interrupts the job with this ticket. Returns whether the job runs.
    pub(crate) fn cancel(&self, ticket: Ticket) -> bool {
        self.running.cancel(ticket, || self.interrupt())
    }

    /// Returns whether the running job was interrupted.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupter.get().is_some_and(Interrupter::is_interrupted)
    }

    /// Opens the window of the running call.
    pub(crate) fn open_window(&self) -> Arc<Window> {
        let window = Arc::new(Window::new(BATCHES));
        self.window.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&window));
        window
    }

    /// Ends the running job: an interrupt that comes later has no effect.
    pub(crate) fn end(&self, ticket: Ticket) {
        self.running.end(ticket);
        self.window.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.clear();
    }

    /// Forgets an interrupt.
    pub(crate) fn clear(&self) {
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.clear();
        }
    }
}
