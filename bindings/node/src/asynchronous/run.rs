//! The calls that run statements.

use std::sync::Arc;

use strongroom_database::SqlError;
use strongroom_queue::Ticket;

use crate::asynchronous::connection::Connection;
use crate::asynchronous::job::{Call, CallKind, Flags};
use crate::asynchronous::reply::{Body, NativePrepared, Open, Rows};
use crate::asynchronous::rows::ThreadRows;
use crate::asynchronous::shared::interrupted;
use crate::asynchronous::statements::Prepared;
use crate::encode::Request;
use crate::error::{Failure, NO_COLUMNS, OPEN_TRANSACTION, Outcome, TRANSACTION_ENDED};
use crate::row::Integers;
use crate::statement::NativeColumn;

/// A statement whose rows JavaScript reads batch by batch.
pub(crate) struct Cursor {
    prepared: Prepared,
    /// The flags of the call that opened the cursor.
    flags: Flags,
}

impl Connection {
    /// Runs a call. Returns its last reply, or `None` for a call without a reply.
    pub(crate) fn call(&mut self, ticket: Ticket, call: Call) -> Outcome<Option<Body>> {
        let (kind, flags) = (call.kind, call.flags);
        match kind {
            CallKind::More => return self.more(ticket, call.limit).map(Some),
            CallKind::End => {
                if let Some(cursor) = self.cursors.remove(&ticket) {
                    self.statements.give_back(cursor.prepared);
                }
                return Ok(None);
            }
            CallKind::Release => {
                self.lane.end(ticket);
                self.release();
                return Ok(None);
            }
            CallKind::Prepare => return self.prepare(&call).map(Some),
            CallKind::Run | CallKind::Get | CallKind::All | CallKind::Start | CallKind::Exec => {
                if flags.in_transaction() && !self.database.in_transaction() {
                    return Err(transaction_ended());
                }
            }
            CallKind::Control => {}
        }
        let solo = call.sql.as_ref().is_some_and(|sql| sql.shape.access.solo);
        let mut outcome = self.attempt(ticket, call);
        if kind != CallKind::Control && !flags.in_transaction() && self.database.in_transaction() {
            self.cursors.remove(&ticket);
            self.lane.end(ticket);
            self.roll_back();
            outcome = outcome.and_then(|_| Err(open_transaction()));
        }
        if solo {
            self.lane.end(ticket);
            self.follow_file();
        }
        outcome.map(Some)
    }

    fn attempt(&mut self, ticket: Ticket, call: Call) -> Outcome<Body> {
        let Call { kind, flags, limit, sql, values } = call;
        let sql = sql.ok_or_else(no_sql)?;
        if kind == CallKind::Exec {
            if flags.read_only() {
                return Err(read_only());
            }
            let run = match flags.in_transaction() {
                true => self.database.execute_batch_in_transaction(&sql.text),
                false => self.database.execute_batch(&sql.text),
            };
            self.statements.clear();
            return Ok(run.map(|()| Body::Done)?);
        }
        let mut prepared = self.statements.take(&self.database, &sql)?;
        let begun = (|| {
            if flags.read_only() && !prepared.statement.is_read_only() {
                return Err(read_only());
            }
            let reads = matches!(kind, CallKind::Get | CallKind::All | CallKind::Start);
            if reads && !flags.any_columns() && prepared.statement.column_count() == 0 {
                return Err(no_columns());
            }
            values.bind(&mut prepared.statement)
        })();
        let mut outcome = begun.and_then(|()| match kind {
            CallKind::Get => self.get(&mut prepared, flags),
            CallKind::All => self.all(ticket, &mut prepared, flags),
            CallKind::Start => self.batch(&mut prepared, flags, limit),
            _ => self.run_to_end(&mut prepared, flags),
        });
        match &mut outcome {
            Ok(Body::Rows(rows)) if kind == CallKind::Start && !rows.rows.is_last() => {
                rows.open.cursor = true;
                self.cursors.insert(ticket, Cursor { prepared, flags: flags.without_hold() });
            }
            _ => self.statements.give_back(prepared),
        }
        outcome
    }

    fn run_to_end(&mut self, prepared: &mut Prepared, flags: Flags) -> Outcome<Body> {
        let before = self.database.total_changes();
        while prepared.statement.step()?.is_some() {}
        // SQLite keeps the count of the previous statement if a statement changes no rows.
        let changed = self.database.total_changes() != before;
        let changes = if changed { self.database.changes() } else { 0 };
        let bigints = flags.form().integers == Integers::BigInts;
        Ok(Body::Outcome { changes, rowid: self.database.last_insert_rowid(), bigints })
    }

    fn get(&mut self, prepared: &mut Prepared, flags: Flags) -> Outcome<Body> {
        let form = flags.form();
        let request = Request { form, limit: 1, ahead: false, direct: form.only_first };
        self.read(prepared, &request).map(|rows| Body::Rows(self.rows(rows, flags)))
    }

    /// Sends every batch but the last one, which the call returns.
    fn all(&mut self, ticket: Ticket, prepared: &mut Prepared, flags: Flags) -> Outcome<Body> {
        let request = Request { form: flags.form(), limit: usize::MAX, ahead: false, direct: false };
        let mut window = None;
        loop {
            let rows = self.read(prepared, &request)?;
            if rows.is_last() {
                return Ok(Body::Rows(self.rows(rows, flags)));
            }
            let window = window.get_or_insert_with(|| self.lane.open_window());
            // The interrupt may have come before the window was open. Between two batches, SQLite does not notice it.
            if self.lane.is_interrupted() || !window.take() {
                return Err(interrupted());
            }
            let window = Some(Arc::clone(window));
            self.send(ticket, false, Body::Rows(Rows { window, ..self.rows(rows, flags) }));
        }
    }

    fn more(&mut self, ticket: Ticket, limit: u32) -> Outcome<Body> {
        let Some(mut cursor) = self.cursors.remove(&ticket) else { return Err(no_cursor()) };
        let mut outcome = self.batch(&mut cursor.prepared, cursor.flags, limit);
        match &mut outcome {
            Ok(Body::Rows(rows)) if !rows.rows.is_last() => {
                rows.open.cursor = true;
                self.cursors.insert(ticket, cursor);
            }
            _ => self.statements.give_back(cursor.prepared),
        }
        outcome
    }

    fn batch(&mut self, prepared: &mut Prepared, flags: Flags, limit: u32) -> Outcome<Body> {
        let limit = match limit {
            0 => usize::MAX,
            limit => limit as usize,
        };
        let request = Request { form: flags.form(), limit, ahead: true, direct: false };
        self.read(prepared, &request).map(|rows| Body::Rows(self.rows(rows, flags)))
    }

    fn read(&mut self, prepared: &mut Prepared, request: &Request) -> Outcome<ThreadRows> {
        let Prepared { statement, batch, .. } = prepared;
        batch.read(&mut self.encoder, statement, request)
    }

    fn rows(&self, rows: ThreadRows, flags: Flags) -> Rows {
        let open = Open { cursor: false, hold: flags.holds() };
        Rows { rows, window: None, database: Arc::downgrade(&self.shared), open }
    }

    fn prepare(&mut self, call: &Call) -> Outcome<Body> {
        let sql = call.sql.as_ref().ok_or_else(no_sql)?;
        let prepared = self.statements.take(&self.database, sql)?;
        let statement = &prepared.statement;
        let columns = statement.columns();
        let facts = columns.map(|columns| NativePrepared {
            source: statement.sql().to_owned(),
            reader: statement.column_count() > 0,
            readonly: statement.is_read_only(),
            columns: columns.into_iter().map(NativeColumn::from).collect(),
        });
        self.statements.keep(prepared);
        Ok(Body::Prepared(facts?))
    }
}

fn no_sql() -> Failure {
    SqlError::NoStatement.into()
}

fn no_cursor() -> Failure {
    SqlError::Closed.into()
}

fn no_columns() -> Failure {
    Failure::coded(NO_COLUMNS, "the statement returns no data: use run()")
}

fn read_only() -> Failure {
    Failure::coded(
        "SQLITE_READONLY",
        "attempt to write a readonly database: statements of a read() only read; use db.run() or db.transaction()",
    )
}

fn open_transaction() -> Failure {
    Failure::coded(
        OPEN_TRANSACTION,
        "the SQL left a transaction open, which was rolled back: use db.transaction()",
    )
}

fn transaction_ended() -> Failure {
    Failure::coded(TRANSACTION_ENDED, "the transaction has ended: begin another one with db.transaction()")
}
