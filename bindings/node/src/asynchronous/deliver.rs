//! Passes replies to JavaScript.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::ToNapiValue;

use crate::asynchronous::hub::Hub;
use crate::asynchronous::reply::{Body, Progress, Reply, Rows, Sender};
use crate::backup::NativeBackupProgress;
use crate::check::NativeCheckReport;
use crate::error::{Failure, Outcome, Problem};
use crate::handle::{self, Handle};
use crate::statement::NativeLayout;

/// The kinds of replies. `ts/async/hub.ts` has the same numbers.
mod kind {
    pub(super) const ROWS: u32 = 0;
    pub(super) const OUTCOME: u32 = 1;
    pub(super) const FAILED: u32 = 2;
    pub(super) const VALUE: u32 = 3;
    pub(super) const PROGRESS: u32 = 4;
    pub(super) const DONE: u32 = 5;
}

/// The number of the thread in a reply without a connection. JavaScript reads -1.
const NOBODY: u32 = u32::MAX;

/// The progress of a check or a rekey.
#[napi_derive::napi(object, object_from_js = false)]
pub(crate) struct NativePageProgress {
    /// The number of pages that are done.
    pub done: f64,
    /// The number of pages.
    pub total: f64,
}

/// Delivers at least one reply if one waits, and replies until `limit` rows are delivered. Returns whether JavaScript must
/// drain again: more replies may wait.
///
/// # Errors
///
/// Fails with the exception of `deliver`.
pub(crate) fn drain(env: &Env, hub: &Hub, collect: Handle, limit: usize) -> Outcome<bool> {
    let mut rows = 0;
    while let Some(reply) = hub.bell.take() {
        let _scope = handle::Scope::open(env)?;
        rows += deliver(env, hub, collect, reply)?;
        if rows >= limit {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Delivers a reply. Returns its number of rows.
fn deliver(env: &Env, hub: &Hub, collect: Handle, reply: Reply) -> Outcome<usize> {
    let Reply { ticket, sender, last, body } = reply;
    if hub.failed.borrow().contains(&ticket) {
        // JavaScript has got the failure as the last reply.
        if last {
            hub.failed.borrow_mut().remove(&ticket);
        }
        return Ok(0);
    }
    let mut count = 0;
    let converted = match body {
        Body::Rows(Rows { rows, window, database, open }) => {
            count = rows.count();
            hub.columns.replace(rows.columns().map(Arc::clone));
            let value = rows.publish(env, &hub.exchange, collect);
            match (&value, window) {
                (Ok(_), Some(window)) => window.give_back(),
                (Ok(_), None) => {}
                // The thread does not know that the call has failed.
                (Err(_), Some(window)) => window.stop(),
                (Err(_), None) => {
                    if let (Some(database), Some(sender)) = (database.upgrade(), sender) {
                        database.abandon(ticket, sender.number, open);
                    }
                }
            }
            value.map(|value| (kind::ROWS, value))
        }
        other => convert(env, hub, other),
    };
    let (kind, value) = match converted {
        Ok(converted) => converted,
        Err(failure) => {
            if !last {
                hub.failed.borrow_mut().insert(ticket);
            }
            (kind::FAILED, Some(error(env, failure)?))
        }
    };
    match sender {
        Some(Sender { number, in_transaction, wal }) => {
            hub.exchange.set_state(number, u32::from(in_transaction) | u32::from(wal) << 1);
        }
        None => hub.exchange.set_state(NOBODY, 0),
    }
    let value = value.map_or_else(|| handle::undefined(env), Ok)?;
    let arguments = [handle::uint32(env, ticket)?, handle::uint32(env, kind)?, value];
    let called = handle::call(env, hub.deliver.value()?, &arguments);
    hub.columns.take();
    called.map(|_| count)
}

/// Creates the error of a failure, or takes the exception that is pending because Node refuses a value.
fn error(env: &Env, failure: Failure) -> Outcome<Handle> {
    match failure.is_pending() {
        true => handle::take_exception(env).ok_or(failure),
        false => failure.error(env),
    }
}

/// Converts a reply without rows. Returns its kind and its value.
fn convert(env: &Env, hub: &Hub, body: Body) -> Outcome<(u32, Option<Handle>)> {
    Ok(match body {
        // `deliver` handles rows.
        Body::Rows(_) | Body::Done => (kind::DONE, None),
        Body::Outcome { changes, rowid, bigints } => {
            hub.exchange.set_outcome(changes, rowid, bigints);
            (kind::OUTCOME, None)
        }
        Body::Failed(failure) => (kind::FAILED, Some(failure.error(env)?)),
        Body::Opened(opened) => (kind::VALUE, Some(object(env, opened)?)),
        Body::Prepared(prepared) => (kind::VALUE, Some(object(env, prepared)?)),
        Body::Checked(report) => (kind::VALUE, Some(object(env, NativeCheckReport::from(report))?)),
        Body::Copied(progress) => (kind::VALUE, Some(object(env, NativeBackupProgress::from(progress))?)),
        Body::Progress(Progress::Backup { progress, pending }) => {
            pending.end();
            (kind::PROGRESS, Some(object(env, NativeBackupProgress::from(progress))?))
        }
        Body::Progress(Progress::Pages { done, total, pending }) => {
            pending.end();
            // Exact: a database has fewer than 2^32 pages.
            let progress = NativePageProgress { done: done as f64, total: total as f64 };
            (kind::PROGRESS, Some(object(env, progress)?))
        }
    })
}

/// Returns the columns of the reply that JavaScript is getting.
///
/// # Errors
///
/// Fails outside `deliver`, and for a reply without rows.
pub(crate) fn columns(env: &Env, hub: &Hub) -> Outcome<Handle> {
    let columns = hub.columns.borrow().clone();
    let columns = columns.ok_or_else(|| -> Failure {
        Problem::Range {
            message: "the reply has no columns: call columns() while deliver() handles rows".to_owned(),
        }
        .into()
    })?;
    let kinds = columns.kinds.iter().map(|&kind| kind as u8).collect();
    object(env, NativeLayout { names: columns.names.clone(), tables: columns.tables.clone(), kinds })
}

/// Converts an object of napi-derive.
fn object(env: &Env, value: impl ToNapiValue) -> Outcome<Handle> {
    // SAFETY: `env` is the environment of the running call.
    Ok(unsafe { ToNapiValue::to_napi_value(env.raw(), value)? })
}
