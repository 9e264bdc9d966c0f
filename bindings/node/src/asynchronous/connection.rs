//! A connection on its thread.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use strongroom_database::{Backup, Database, Value};
use strongroom_keys::Format;
use strongroom_queue::{Queue, Taker, Ticket};

use crate::asynchronous::job::Job;
use crate::asynchronous::lane::{Lane, WRITER};
use crate::asynchronous::reply::{Body, NativeOpened, Reply, Sender};
use crate::asynchronous::rows::Encoder;
use crate::asynchronous::run::Cursor;
use crate::asynchronous::shared::{Shared, interrupted};
use crate::asynchronous::statements::Statements;
use crate::error::{Failure, Outcome};
use crate::panic_request::panic_if_requested_in_job;

/// A connection, its statements and its cursors.
pub(crate) struct Connection {
    // The statements are dropped before the database.
    pub(crate) cursors: HashMap<Ticket, Cursor>,
    pub(crate) statements: Statements,
    pub(crate) backups: HashMap<Ticket, Backup>,
    pub(crate) database: Database,
    pub(crate) encoder: Encoder,
    pub(crate) lane: Arc<Lane>,
    pub(crate) shared: Arc<Shared>,
    /// `true` while this reader serves only its own queue.
    held: bool,
    /// `true` if the journal mode is WAL.
    wal: bool,
    /// The number of the newest setting that this reader has run.
    applied: u64,
}

impl Connection {
    /// Takes over an open database.
    pub(crate) fn new(database: Database, lane: Arc<Lane>, shared: Arc<Shared>) -> Self {
        lane.opened(database.interrupter());
        Self {
            cursors: HashMap::new(),
            statements: Statements::default(),
            backups: HashMap::new(),
            database,
            encoder: Encoder::default(),
            lane,
            shared,
            held: false,
            wal: false,
            applied: 0,
        }
    }

    /// Returns the facts of the connection.
    pub(crate) fn opened(&mut self) -> NativeOpened {
        let journal = self.follow_file();
        NativeOpened {
            format: self.database.format().map_or("plain", Format::name),
            readonly: self.database.is_read_only(),
            journal,
        }
    }

    /// Returns the queue whose jobs the connection runs: its own one for the writer and for a held reader, otherwise the one
    /// of all readers.
    pub(crate) fn queue(&self) -> &Queue<Job> {
        match self.held || self.lane.number == WRITER {
            true => &self.lane.queue,
            false => &self.shared.readers,
        }
    }

    /// Returns whether a job holds this reader.
    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// Runs a job and sends its replies. Before the last one, announces to [`Connection::queue`] that `taker` takes a job.
    pub(crate) fn run(&mut self, ticket: Ticket, job: Job, taker: &mut Taker) {
        let (holds, releases, silent) = (job.holds(), job.releases(), job.is_silent());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            panic_if_requested_in_job();
            if self.lane.is_interrupted() && !silent {
                return Err(interrupted());
            }
            self.take_over_settings();
            self.perform(ticket, job)
        }));
        let outcome = outcome.unwrap_or_else(|payload| {
            // The panic may have left a statement half-way.
            self.cursors.clear();
            self.statements.clear();
            self.backups.clear();
            Err(Failure::panicked(&*payload))
        });
        // From now on, no interrupt of this job can come: it would end the rollback.
        self.lane.end(ticket);
        if holds {
            self.held = outcome.is_ok();
            if !self.held {
                self.release();
            }
        } else if releases {
            self.held = false;
        }
        self.queue().announce(taker);
        match outcome {
            Ok(Some(body)) => self.send(ticket, true, body),
            Ok(None) => {}
            Err(_) if silent => {}
            Err(failure) => self.send(ticket, true, Body::Failed(failure)),
        }
    }

    /// Performs a job. Returns its last reply, or `None` for a job without a reply.
    fn perform(&mut self, ticket: Ticket, job: Job) -> Outcome<Option<Body>> {
        match job {
            Job::Call(call) => self.call(ticket, call),
            Job::Backup { schema, path, key } => self.start_backup(ticket, &schema, &path, key).map(Some),
            Job::BackupStep { pages } => self.step_backup(ticket, pages).map(Some),
            Job::BackupComplete => self.complete_backup(ticket).map(|()| None),
            Job::BackupEnd => {
                self.backups.remove(&ticket);
                Ok(None)
            }
            Job::Check { schema } => self.check(ticket, &schema).map(Some),
            Job::Rekey { schema, key } => {
                let rekeyed = self.rekey(ticket, &schema, &key);
                self.lane.end(ticket);
                self.follow_file();
                rekeyed.map(Some)
            }
        }
    }

    /// Sends a reply with the state of this connection.
    pub(crate) fn send(&self, ticket: Ticket, last: bool, body: Body) {
        let sender = self.sender();
        self.shared.bell.send(Reply { ticket, sender: Some(sender), last, body });
    }

    /// Returns the state of this connection.
    pub(crate) fn sender(&self) -> Sender {
        Sender { number: self.lane.number, in_transaction: self.database.in_transaction(), wal: self.wal }
    }

    /// Rolls back an open transaction. A reader also drops its cursors, whose transaction ends.
    pub(crate) fn release(&mut self) {
        if self.lane.number != WRITER {
            self.cursors.clear();
        }
        self.roll_back();
    }

    /// Rolls back an open transaction. The running job must have ended on the lane, so that no interrupt of it can come.
    pub(crate) fn roll_back(&mut self) {
        if self.database.in_transaction() {
            // The end of the process interrupts every connection, whatever runs.
            self.lane.clear();
            // SQLite has no reason to fail. If it fails, the transaction stays open, which the next reply shows.
            let _ = self.database.execute_batch("ROLLBACK");
        }
    }

    /// Reads the journal mode again, and prepares the opening of readers: the file, its key or its mode may have changed.
    /// Returns the journal mode, or `None` if the file cannot be read.
    pub(crate) fn follow_file(&mut self) -> Option<String> {
        let journal = self.journal();
        self.wal = journal.as_deref() == Some("wal");
        if self.lane.number == WRITER {
            let connector = match self.wal {
                true => self.database.connector().map(Arc::new).map_err(|error| Some(error.into())),
                false => Err(None),
            };
            self.shared.set_connector(connector);
        }
        journal
    }

    fn journal(&self) -> Option<String> {
        let mut statement = self.database.prepare("PRAGMA main.journal_mode").ok()?;
        match statement.step().ok()??.value(0) {
            Value::Text(mode) => String::from_utf8(mode.to_vec()).ok(),
            _ => None,
        }
    }

    /// Runs the settings that the writer got since the last job of this reader.
    fn take_over_settings(&mut self) {
        if self.lane.number == WRITER {
            return;
        }
        for sql in self.shared.settings.newer(&mut self.applied) {
            // The writer has run the same statement. A reader that cannot run it keeps its setting.
            let _ = self.database.execute_batch(&sql);
        }
    }

    /// Rolls back an open transaction and closes the connection.
    pub(crate) fn close(mut self) -> Outcome<()> {
        self.roll_back();
        self.cursors.clear();
        self.statements.clear();
        self.backups.clear();
        Ok(self.database.close()?)
    }
}
