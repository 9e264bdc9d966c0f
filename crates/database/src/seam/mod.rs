//! SQLite's C interface, made safe: the one place of this crate that calls it.
//!
//! Invariants, which make every `unsafe` block here sound:
//! - A [`Core`] owns its connection, and `db` is its pointer, or null from the moment when it is closed.
//! - Every `sqlite3_stmt` that is live belongs to exactly one [`RawStatement`] and stands in `Core::statements`.
//!   Closing finalizes all that stand there, so that a `RawStatement` is live if and only if its core is open.
//! - Closing is refused while `entered` is not zero. Each call into SQLite that can run foreign code, and each
//!   [`Row`], counts there, so that no pointer into a statement outlives it.
//! - A core and all that hangs on it stay on one thread: the `Rc` in each handle sees to it.

mod core;
mod handle;
mod row;
mod statement;

pub(crate) use core::{Core, Failure};
pub(crate) use handle::{OpenFailure, length_limit, open};
pub use row::Row;
pub(crate) use statement::{Origin, RawStatement, Step};
