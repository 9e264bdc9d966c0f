//! The jobs that JavaScript gives to the threads.

use std::path::PathBuf;
use std::sync::Arc;

use strongroom_database::BackupKey;
use strongroom_keys::Key;

use crate::asynchronous::owned::OwnedParameters;
use crate::asynchronous::sql::Sql;
use crate::encode::Form;
use crate::error::{Outcome, Problem};
use crate::row::Integers;

/// A job of a connection.
pub(crate) enum Job {
    Call(Call),
    /// Starts a backup.
    Backup {
        schema: String,
        path: PathBuf,
        key: BackupKey,
    },
    /// Copies pages of a backup.
    BackupStep {
        pages: u32,
    },
    /// Completes a backup on a thread of its own.
    BackupComplete,
    /// Drops a backup.
    BackupEnd,
    Check {
        schema: String,
    },
    Rekey {
        schema: String,
        key: Key,
    },
}

/// A call of `submit`.
pub(crate) struct Call {
    pub(crate) kind: CallKind,
    pub(crate) flags: Flags,
    /// The number of rows to read, or 0 for no limit.
    pub(crate) limit: u32,
    pub(crate) sql: Option<Arc<Sql>>,
    pub(crate) values: OwnedParameters,
}

/// The kind of a call. `ts/async/hub.ts` has the same numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// Runs a statement to its end.
    Run,
    /// Reads the first row.
    Get,
    /// Reads every row.
    All,
    /// Opens a cursor and reads its first rows.
    Start,
    /// Reads further rows of a cursor.
    More,
    /// Ends a cursor.
    End,
    /// Runs every statement of the SQL.
    Exec,
    /// Compiles a statement and describes it.
    Prepare,
    /// Ends a hold, and rolls back an open transaction.
    Release,
    /// Runs a statement that begins or ends a transaction.
    Control,
}

/// The flags of a call, without the kind.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u32);

/// The bits of the kind in the number that JavaScript passes.
const KIND: u32 = 15;
const BIGINTS: u32 = 16;
const ONLY_FIRST: u32 = 32;
const IN_TRANSACTION: u32 = 64;
const HOLD: u32 = 128;
const READ_ONLY: u32 = 256;
const ANY_COLUMNS: u32 = 512;

impl Flags {
    /// Splits the number that JavaScript passes.
    pub(crate) fn parse(number: u32) -> Outcome<(CallKind, Self)> {
        let kind = match number & KIND {
            0 => CallKind::Run,
            1 => CallKind::Get,
            2 => CallKind::All,
            3 => CallKind::Start,
            4 => CallKind::More,
            5 => CallKind::End,
            6 => CallKind::Exec,
            7 => CallKind::Prepare,
            8 => CallKind::Release,
            9 => CallKind::Control,
            unknown => {
                return Err(
                    Problem::Range { message: format!("a call has the unknown kind {unknown}") }.into()
                );
            }
        };
        Ok((kind, Self(number & !KIND)))
    }

    /// Returns the form of the rows.
    pub(crate) fn form(self) -> Form {
        let integers = if self.has(BIGINTS) { Integers::BigInts } else { Integers::Numbers };
        Form { integers, only_first: self.has(ONLY_FIRST) }
    }

    /// Returns whether the call belongs to a transaction or a snapshot that JavaScript has opened.
    pub(crate) fn in_transaction(self) -> bool {
        self.has(IN_TRANSACTION)
    }

    /// Returns whether the statement must leave the database unchanged.
    pub(crate) fn read_only(self) -> bool {
        self.has(READ_ONLY)
    }

    /// Returns whether the reader that takes the call serves only its own queue afterwards.
    pub(crate) fn holds(self) -> bool {
        self.has(HOLD)
    }

    /// Returns the flags of the calls that follow a call which holds its reader.
    pub(crate) fn without_hold(self) -> Self {
        Self(self.0 & !HOLD)
    }

    /// Returns whether a call that reads rows takes a statement without columns too.
    pub(crate) fn any_columns(self) -> bool {
        self.has(ANY_COLUMNS)
    }

    fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

impl Job {
    /// Returns a call without a reply: [`CallKind::End`] or [`CallKind::Release`].
    pub(crate) fn silent(kind: CallKind) -> Self {
        let values = OwnedParameters::default();
        Self::Call(Call { kind, flags: Flags(0), limit: 0, sql: None, values })
    }

    /// Returns whether the job is a call that holds its reader.
    pub(crate) fn holds(&self) -> bool {
        matches!(self, Self::Call(call) if call.flags.holds())
    }

    /// Returns whether the job gets no reply. Such a job cannot fail, except by a panic.
    pub(crate) fn is_silent(&self) -> bool {
        match self {
            Self::Call(call) => matches!(call.kind, CallKind::End | CallKind::Release),
            Self::BackupEnd => true,
            _ => false,
        }
    }

    /// Returns whether the job ends a hold.
    pub(crate) fn releases(&self) -> bool {
        matches!(self, Self::Call(call) if call.kind == CallKind::Release)
    }
}
