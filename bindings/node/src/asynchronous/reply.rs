//! The replies that threads send to JavaScript.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use strongroom_database::{BackupProgress, CheckReport};
use strongroom_queue::{Ticket, Window};

use crate::asynchronous::rows::ThreadRows;
use crate::asynchronous::shared::Shared;
use crate::error::Failure;
use crate::statement::NativeColumn;

/// A reply to a job.
pub(crate) struct Reply {
    pub(crate) ticket: Ticket,
    /// `None` for a reply without a connection.
    pub(crate) sender: Option<Sender>,
    /// `true` unless more replies to the ticket follow.
    pub(crate) last: bool,
    pub(crate) body: Body,
}

/// The connection that sends a reply, and its state.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    /// The number of the thread; the writer's is 0.
    pub(crate) number: u32,
    pub(crate) in_transaction: bool,
    /// `true` if the journal mode is WAL.
    pub(crate) wal: bool,
}

/// The content of a reply.
pub(crate) enum Body {
    Rows(Rows),
    Outcome { changes: u64, rowid: i64, bigints: bool },
    Failed(Failure),
    Opened(NativeOpened),
    Prepared(NativePrepared),
    Checked(CheckReport),
    Copied(BackupProgress),
    Progress(Progress),
    Done,
}

/// A batch of rows.
pub(crate) struct Rows {
    pub(crate) rows: ThreadRows,
    /// The window of the batch, which gets its place back once JavaScript has the rows.
    pub(crate) window: Option<Arc<Window>>,
    pub(crate) database: Weak<Shared>,
    pub(crate) open: Open,
}

/// The state that a call leaves on its connection.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    /// `true` if the call's cursor is open.
    pub(crate) cursor: bool,
    /// `true` if the call holds its reader.
    pub(crate) hold: bool,
}

/// The progress of a long job.
pub(crate) enum Progress {
    /// A check or a rekey.
    Pages { done: u64, total: u64, pending: Pending },
    /// The completion of a backup.
    Backup { progress: BackupProgress, pending: Pending },
}

/// A mark that a report of progress is on its way. A long job sends the next report only after JavaScript has seen the
/// last one.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<AtomicBool>);

impl Pending {
    /// Returns whether no report was on its way, and marks that one is.
    pub(crate) fn begin(&self) -> bool {
        !self.0.swap(true, Relaxed)
    }

    /// Marks that JavaScript has seen the report.
    pub(crate) fn end(&self) {
        self.0.store(false, Relaxed);
    }
}

/// The facts of an open connection.
#[napi_derive::napi(object, object_from_js = false)]
pub(crate) struct NativeOpened {
    /// The format of the file.
    #[napi(ts_type = "'plain' | 'sqlcipher' | 'strongroom'")]
    pub format: &'static str,
    /// `true` if the file is open read-only.
    pub readonly: bool,
    /// The journal mode, unless the file cannot be read yet.
    pub journal: Option<String>,
}

/// The facts of a compiled statement.
#[napi_derive::napi(object, object_from_js = false)]
pub(crate) struct NativePrepared {
    /// The SQL, without keys.
    pub source: String,
    /// `true` if the statement returns rows.
    pub reader: bool,
    /// `true` if the statement leaves the database unchanged.
    pub readonly: bool,
    /// The columns of the rows.
    pub columns: Vec<NativeColumn>,
}
