//! The state of a database that JavaScript's thread and the threads of the connections share.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use strongroom_database::{Connector, OpenOptions, SqlError};
use strongroom_queue::{Queue, Ticket};

use crate::asynchronous::bell::Bell;
use crate::asynchronous::job::{CallKind, Job};
use crate::asynchronous::lane::{Lane, WRITER};
use crate::asynchronous::reply::{Body, Open, Reply};
use crate::asynchronous::settings::Settings;
use crate::error::{Failure, Outcome};

/// A database.
pub(crate) struct Shared {
    pub(crate) bell: Arc<Bell>,
    /// The options with which readers are opened.
    pub(crate) options: OpenOptions,
    pub(crate) writer: Arc<Lane>,
    /// The jobs that any reader may take.
    pub(crate) readers: Queue<Job>,
    crew: Mutex<Crew>,
    /// The number of the present shift. Readers of an earlier shift end.
    shift: AtomicU32,
    /// The connector of readers, or the failure to create it: `None` for a database that has no readers.
    connector: Mutex<Result<Arc<Connector>, Option<Failure>>>,
    pub(crate) settings: Settings,
    /// The completions of backups that run, each with its mark for a cancellation.
    completions: Mutex<HashMap<Ticket, Arc<AtomicBool>>>,
    /// The ticket of `close`.
    closing: OnceLock<Ticket>,
}

/// The readers.
struct Crew {
    /// The readers that run, including those of earlier shifts.
    lanes: Vec<Arc<Lane>>,
    threads: Vec<JoinHandle<()>>,
    /// The threads that complete backups.
    completing: Vec<JoinHandle<()>>,
    /// The number of the last reader.
    last: u32,
    shift: Arc<Shift>,
    closed: bool,
}

/// The readers between two calls of `dropReaders`. Each reader holds the shift until its connection is closed.
pub(crate) struct Shift {
    pub(crate) number: u32,
    bell: Arc<Bell>,
    /// The ticket of `dropReaders`.
    ended: OnceLock<Ticket>,
}

/// The end of a cancelled call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// The call waited, and will not run.
    Waiting,
    /// The call was interrupted.
    Running,
    /// The call has ended.
    Unknown,
}

impl Drop for Shift {
    fn drop(&mut self) {
        if let Some(&ticket) = self.ended.get() {
            self.bell.send(Reply { ticket, sender: None, last: true, body: Body::Done });
        }
    }
}

impl Shared {
    pub(crate) fn new(bell: Arc<Bell>, options: OpenOptions) -> Arc<Self> {
        let shift = Arc::new(Shift { number: 0, bell: Arc::clone(&bell), ended: OnceLock::new() });
        let crew = Crew {
            lanes: Vec::new(),
            threads: Vec::new(),
            completing: Vec::new(),
            last: WRITER,
            shift,
            closed: false,
        };
        let shared = Arc::new(Self {
            bell,
            options,
            writer: Arc::new(Lane::new(WRITER)),
            readers: Queue::new(),
            crew: Mutex::new(crew),
            shift: AtomicU32::new(0),
            connector: Mutex::new(Err(None)),
            settings: Settings::default(),
            completions: Mutex::default(),
            closing: OnceLock::new(),
        });
        shared.bell.add(&shared);
        shared
    }

    /// Adds a job to the queue of a lane: the writer's, the readers' (-1) or a held reader's.
    ///
    /// # Errors
    ///
    /// Fails if the database or the reader is closed.
    pub(crate) fn push(&self, lane: i32, ticket: Ticket, job: Job) -> Outcome<()> {
        let refused = match u32::try_from(lane) {
            Ok(WRITER) => self.writer.queue.push(ticket, job),
            Ok(number) => match self.crew().lanes.iter().find(|lane| lane.number == number) {
                Some(lane) => lane.queue.push(ticket, job),
                None => Err(job),
            },
            Err(_) => self.readers.push(ticket, job),
        };
        refused.map_err(|_| SqlError::Closed.into())
    }

    /// Sets the connector of readers.
    pub(crate) fn set_connector(&self, connector: Result<Arc<Connector>, Option<Failure>>) {
        *self.connector.lock().unwrap_or_else(PoisonError::into_inner) = connector;
    }

    /// Returns the connector of readers.
    ///
    /// # Errors
    ///
    /// Fails with the failure to create the connector, and without a database in WAL mode.
    pub(crate) fn connector(&self) -> Outcome<Arc<Connector>> {
        match &mut *self.connector.lock().unwrap_or_else(PoisonError::into_inner) {
            Ok(connector) => Ok(Arc::clone(connector)),
            Err(failure) => Err(failure.take().unwrap_or_else(|| SqlError::Closed.into())),
        }
    }

    /// Adds a reader whose thread `start` starts.
    ///
    /// # Errors
    ///
    /// Fails if the database is closed, and with the error of `start`.
    pub(crate) fn add_reader(
        &self,
        start: impl FnOnce(Arc<Lane>, Arc<Shift>) -> Outcome<JoinHandle<()>>,
    ) -> Outcome<u32> {
        let mut crew = self.crew();
        if crew.closed {
            return Err(SqlError::Closed.into());
        }
        crew.threads.retain(|thread| !thread.is_finished());
        let lane = Arc::new(Lane::new(crew.last + 1));
        let thread = start(Arc::clone(&lane), Arc::clone(&crew.shift))?;
        crew.threads.push(thread);
        crew.last = lane.number;
        crew.lanes.push(lane);
        Ok(crew.last)
    }

    /// Returns whether the readers of this shift go on.
    pub(crate) fn is_present(&self, shift: &Shift) -> bool {
        self.shift.load(Ordering::Acquire) == shift.number
    }

    /// Removes a reader whose connection is closed.
    pub(crate) fn remove_reader(&self, number: u32) {
        self.crew().lanes.retain(|lane| lane.number != number);
    }

    /// Ends every reader after its present job or hold. The bell then gets a reply with this ticket.
    pub(crate) fn drop_readers(&self, ticket: Ticket) {
        let mut crew = self.crew();
        let number = crew.shift.number.wrapping_add(1);
        let next = Shift { number, bell: Arc::clone(&self.bell), ended: OnceLock::new() };
        let ended = mem::replace(&mut crew.shift, Arc::new(next));
        // The shift is new, so it has no ticket.
        let _ = ended.ended.set(ticket);
        drop(crew);
        self.shift.store(number, Ordering::Release);
        self.readers.wake();
    }

    /// Removes a waiting job, or interrupts a running one.
    pub(crate) fn cancel(&self, ticket: Ticket) -> Cancelled {
        let lanes = self.lanes();
        let mut queues = lanes.iter().map(|lane| &lane.queue).chain([&self.readers]);
        if queues.any(|queue| queue.remove(ticket).is_some()) {
            self.completions().remove(&ticket);
            return Cancelled::Waiting;
        }
        let completion =
            self.completions().get(&ticket).inspect(|mark| mark.store(true, Ordering::Relaxed)).is_some();
        match lanes.iter().any(|lane| lane.cancel(ticket)) || completion {
            true => Cancelled::Running,
            false => Cancelled::Unknown,
        }
    }

    /// Ends the cursor and the hold of a call whose rows JavaScript cannot hold.
    pub(crate) fn abandon(&self, ticket: Ticket, number: u32, open: Open) {
        let ends = [(open.cursor, CallKind::End), (open.hold, CallKind::Release)];
        for (_, kind) in ends.into_iter().filter(|(open, _)| *open) {
            // The connection of a closed queue has neither cursors nor a hold.
            let _ = self.push(number.cast_signed(), ticket, Job::silent(kind));
        }
    }

    /// Adds the completion of a backup. Returns its mark for a cancellation.
    pub(crate) fn begin_completion(&self, ticket: Ticket) {
        self.completions().insert(ticket, Arc::default());
    }

    /// Returns the mark of a completion.
    pub(crate) fn completion(&self, ticket: Ticket) -> Arc<AtomicBool> {
        self.completions().get(&ticket).cloned().unwrap_or_default()
    }

    /// Keeps the thread of a completion, for the end of the database.
    pub(crate) fn keep_completion(&self, thread: JoinHandle<()>) {
        let threads = &mut self.crew().completing;
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    /// Cancels the completions of backups, and waits until they have ended: each removes its file, unless the file is
    /// complete.
    pub(crate) fn join_completions(&self) {
        self.cancel_completions();
        let threads = mem::take(&mut self.crew().completing);
        for thread in threads {
            // A thread catches its panics, and sends them as replies.
            let _ = thread.join();
        }
    }

    fn cancel_completions(&self) {
        for mark in self.completions().values() {
            mark.store(true, Ordering::Relaxed);
        }
    }

    /// Removes a completion that has ended.
    pub(crate) fn end_completion(&self, ticket: Ticket) {
        self.completions().remove(&ticket);
    }

    /// Lets each connection close after its present job, and drops the jobs that wait. The writer replies with this
    /// ticket when every thread has closed its connection.
    pub(crate) fn close(&self, ticket: Ticket) {
        // A second ticket gets no reply: the TypeScript layer closes a database once.
        let _ = self.closing.set(ticket);
        self.crew().closed = true;
        for lane in self.lanes() {
            drop(lane.queue.close());
        }
        drop(self.readers.close());
    }

    /// Returns the ticket of `close`.
    pub(crate) fn closing(&self) -> Option<Ticket> {
        self.closing.get().copied()
    }

    /// Closes every connection as soon as possible: the environment or the process ends, or JavaScript has lost the
    /// database.
    pub(crate) fn stop(&self) {
        // The queues are closed first: a thread that has forgotten the interrupt then finds no further job.
        self.crew().closed = true;
        let lanes = self.lanes();
        for lane in &lanes {
            drop(lane.queue.close());
        }
        drop(self.readers.close());
        self.cancel_completions();
        for lane in lanes {
            lane.interrupt();
        }
    }

    /// Waits until the readers have ended.
    pub(crate) fn join_readers(&self) {
        let threads = mem::take(&mut self.crew().threads);
        for thread in threads {
            // A thread catches its panics, and sends them as replies.
            let _ = thread.join();
        }
    }

    fn lanes(&self) -> Vec<Arc<Lane>> {
        let mut lanes = vec![Arc::clone(&self.writer)];
        lanes.extend(self.crew().lanes.iter().cloned());
        lanes
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn completions(&self) -> MutexGuard<'_, HashMap<Ticket, Arc<AtomicBool>>> {
        self.completions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The failure of a call that was interrupted outside SQLite.
pub(crate) fn interrupted() -> Failure {
    SqlError::Sqlite { code: "SQLITE_INTERRUPT", message: "interrupted".to_owned() }.into()
}
