//! The threads of the connections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use napi::Status;
use strongroom_database::{Database, DetachedWork, SqlError};
use strongroom_queue::{Taker, Ticket};

use crate::asynchronous::connection::Connection;
use crate::asynchronous::lane::Lane;
use crate::asynchronous::reply::{Body, Reply, Sender};
use crate::asynchronous::shared::{Shared, Shift};
use crate::asynchronous::source::Source;
use crate::error::{Failure, Outcome};

/// The stack of a thread in bytes: the size that Node gives its workers. Rust's default is half as large.
const STACK: usize = 4 << 20;

/// Starts a thread.
pub(crate) fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Outcome<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    builder.spawn(run).map_err(|error| {
        napi::Error::new(Status::GenericFailure, format!("cannot start a thread: {error}")).into()
    })
}

/// Starts the thread of the writer, which opens the database.
pub(crate) fn start_writer(shared: &Arc<Shared>, source: Source, ticket: Ticket) -> Outcome<()> {
    let stopped: Weak<Shared> = Arc::downgrade(shared);
    let work = DetachedWork::begin_with(move || {
        if let Some(shared) = stopped.upgrade() {
            shared.bell.forget();
            shared.stop();
        }
    });
    let work = work.ok_or_else(Failure::busy)?;
    let shared = Arc::clone(shared);
    let run = move || {
        let lane = Arc::clone(&shared.writer);
        let connection = open(&shared, &lane, ticket, || source.open());
        let closed = catch_unwind(AssertUnwindSafe(|| serve_writer(&shared, connection)));
        let closed = closed.unwrap_or_else(|payload| Err(Failure::panicked(&*payload)));
        if let Some(ticket) = shared.closing() {
            let body = closed.map_or_else(Body::Failed, |()| Body::Done);
            shared.bell.send(Reply { ticket, sender: None, last: true, body });
        }
        drop(work);
    };
    start("strongroom-writer", run).map(drop)
}

/// Starts the thread of a reader.
pub(crate) fn start_reader(
    shared: &Arc<Shared>,
    ticket: Ticket,
    lane: Arc<Lane>,
    shift: Arc<Shift>,
) -> Outcome<JoinHandle<()>> {
    let work = DetachedWork::begin().ok_or_else(Failure::busy)?;
    let shared = Arc::clone(shared);
    let name = format!("strongroom-reader-{}", lane.number);
    let run = move || {
        let open_reader = || open_reader(&shared);
        if let Some(mut connection) = open(&shared, &lane, ticket, open_reader) {
            // No call waits for the close of a reader, so its failure is not reported.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                serve_reader(&shared, &shift, &lane, &mut connection);
                connection.close()
            }));
        }
        shared.remove_reader(lane.number);
        drop(shift);
        drop(work);
    };
    start(&name, run)
}

/// Opens a connection and replies. Returns `None` if the connection cannot be opened.
fn open(
    shared: &Arc<Shared>,
    lane: &Arc<Lane>,
    ticket: Ticket,
    open: impl FnOnce() -> Outcome<Database>,
) -> Option<Connection> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let mut connection = Connection::new(open()?, Arc::clone(lane), Arc::clone(shared));
        let facts = connection.opened();
        Ok((connection, facts))
    }));
    match opened.unwrap_or_else(|payload| Err(Failure::panicked(&*payload))) {
        Ok((connection, facts)) => {
            connection.send(ticket, true, Body::Opened(facts));
            Some(connection)
        }
        Err(failure) => {
            fail(shared, lane, ticket, failure);
            None
        }
    }
}

fn open_reader(shared: &Shared) -> Outcome<Database> {
    let database = shared.connector()?.open(&shared.options)?;
    database.execute_batch("PRAGMA query_only = 1")?;
    Ok(database)
}

/// Serves the writer's queue until it is closed, then waits for the readers and closes the connection.
fn serve_writer(shared: &Shared, mut connection: Option<Connection>) -> Outcome<()> {
    let lane = &shared.writer;
    let mut taker = Taker::new();
    while let Some((ticket, job)) = lane.queue.next_running(&lane.running, &mut taker, || true) {
        match &mut connection {
            Some(connection) => connection.run(ticket, job, &mut taker),
            None => {
                lane.end(ticket);
                fail(shared, lane, ticket, SqlError::Closed.into());
            }
        }
    }
    // A reader may wait for the lock of this connection's transaction.
    if let Some(connection) = &mut connection {
        connection.roll_back();
    }
    shared.join_readers();
    shared.join_completions();
    connection.map_or(Ok(()), Connection::close)
}

/// Serves the readers' queue until the shift ends or the queue is closed. During a hold, serves the reader's own queue.
fn serve_reader(shared: &Shared, shift: &Shift, lane: &Lane, connection: &mut Connection) {
    let mut taker = Taker::new();
    loop {
        let go_on = || connection.is_held() || shared.is_present(shift);
        let next = connection.queue().next_running(&lane.running, &mut taker, go_on);
        let Some((ticket, job)) = next else { return };
        connection.run(ticket, job, &mut taker);
    }
}

fn fail(shared: &Shared, lane: &Lane, ticket: Ticket, failure: Failure) {
    let sender = Sender { number: lane.number, in_transaction: false, wal: false };
    shared.bell.send(Reply { ticket, sender: Some(sender), last: true, body: Body::Failed(failure) });
}
