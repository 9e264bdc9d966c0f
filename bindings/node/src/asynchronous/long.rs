//! The jobs that take long: backups, checks and rekeys.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use strongroom_database::{BackupKey, CopiedBackup, DetachedWork};
use strongroom_keys::Key;
use strongroom_queue::Ticket;

use crate::asynchronous::connection::Connection;
use crate::asynchronous::reply::{Body, Pending, Progress, Reply};
use crate::asynchronous::shared::Shared;
use crate::asynchronous::thread;
use crate::error::{Failure, Outcome};

impl Connection {
    /// Starts a backup, whose ticket is the call's.
    pub(crate) fn start_backup(
        &mut self,
        ticket: Ticket,
        schema: &str,
        path: &Path,
        key: BackupKey,
    ) -> Outcome<Body> {
        let backup = self.database.backup(schema, path, key)?;
        self.backups.insert(ticket, backup);
        Ok(Body::Done)
    }

    /// Copies pages. A failure ends the backup.
    pub(crate) fn step_backup(&mut self, ticket: Ticket, pages: u32) -> Outcome<Body> {
        let mut backup = self.backups.remove(&ticket).ok_or_else(Failure::busy)?;
        let progress = backup.step(pages)?;
        self.backups.insert(ticket, backup);
        Ok(Body::Copied(progress))
    }

    /// Completes a backup on a thread of its own, which sends the replies.
    pub(crate) fn complete_backup(&mut self, ticket: Ticket) -> Outcome<()> {
        let started = self.backups.remove(&ticket).ok_or_else(Failure::busy).and_then(|backup| {
            let copied = backup.finish()?;
            let work = DetachedWork::begin().ok_or_else(Failure::busy)?;
            let shared = Arc::clone(&self.shared);
            let complete = move || complete(&shared, ticket, copied, &work);
            thread::start("strongroom-backup", complete)
        });
        match started {
            Ok(thread) => self.shared.keep_completion(thread),
            Err(failure) => {
                self.shared.end_completion(ticket);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Checks a database.
    pub(crate) fn check(&mut self, ticket: Ticket, schema: &str) -> Outcome<Body> {
        let pending = Pending::default();
        let report = self.database.check(schema, &mut |now| {
            self.report(ticket, &pending, now.checked, now.total);
            !self.lane.is_interrupted()
        });
        Ok(Body::Checked(report?))
    }

    /// Changes the key of a database.
    pub(crate) fn rekey(&mut self, ticket: Ticket, schema: &str, key: &Key) -> Outcome<Body> {
        let pending = Pending::default();
        let done = self.database.rekey(schema, key, &mut |now| {
            self.report(ticket, &pending, now.done, now.total);
            !self.lane.is_interrupted()
        });
        self.statements.clear();
        Ok(done.map(|()| Body::Done)?)
    }

    /// Reports progress, unless JavaScript has not yet seen the last report.
    fn report(&self, ticket: Ticket, pending: &Pending, done: u64, total: u64) {
        if pending.begin() {
            let progress = Progress::Pages { done, total, pending: pending.clone() };
            self.send(ticket, false, Body::Progress(progress));
        }
    }
}

/// Writes and renames the file of a backup.
fn complete(shared: &Shared, ticket: Ticket, copied: CopiedBackup, work: &DetachedWork) {
    let cancelled: Arc<AtomicBool> = shared.completion(ticket);
    let pending = Pending::default();
    let send = |last, body| shared.bell.send(Reply { ticket, sender: None, last, body });
    let report = |progress| {
        if pending.begin() {
            send(false, Body::Progress(Progress::Backup { progress, pending: pending.clone() }));
        }
        match cancelled.load(Relaxed) || work.must_end() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let installed = catch_unwind(AssertUnwindSafe(|| copied.install(report)));
    let outcome = match installed {
        Ok(Ok(())) => Body::Done,
        Ok(Err(error)) => Body::Failed(error.into()),
        Err(payload) => Body::Failed(Failure::panicked(&*payload)),
    };
    shared.end_completion(ticket);
    send(true, outcome);
}
