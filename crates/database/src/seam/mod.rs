//! A safe interface to SQLite's C functions, which no other module of this crate calls.
//!
//! Invariants that make every `unsafe` block here sound:
//! - A [`Core`] owns its connection. `db` is the connection's pointer, or null once the core is closed.
//! - Every live `sqlite3_stmt` belongs to exactly one [`RawStatement`] and is in `Core::statements`. Closing finalizes all
//!   statements, so a `RawStatement` is live if and only if its core is open.
//! - Every live `sqlite3_backup` belongs to exactly one [`RawBackup`], which keeps its target open, and is in
//!   `Core::backups` of its source. Closing the source ends all of its backups.
//! - A core does not close while `entered` is not zero. `entered` counts each call into SQLite that can run foreign code,
//!   and each [`Row`]. No pointer into a statement therefore outlives the statement.
//! - SQLite owns the user data of each function, aggregate and module, and each of their tables, cursors and groups. SQLite
//!   frees all of them before it frees the connection. No function is created while the core is entered, so no function
//!   is replaced while it runs. No statement is parsed or stepped during another parse.
//! - A core and everything that refers to it stay on one thread, because each handle holds an `Rc`.

mod aggregate;
mod attach;
mod authority;
mod backup;
mod bound;
mod callback;
mod cipher;
mod core;
mod defaults;
mod descriptors;
mod exit;
mod extension;
mod file;
mod function;
mod handle;
mod image;
mod interrupt;
mod pending;
mod progress;
mod provider;
mod refused;
mod row;
mod schema_lock;
mod statement;
mod vfs;
mod virtual_table;

pub(crate) use aggregate::{Windowed, create_aggregate};
pub(crate) use attach::AttachFlags;
pub(crate) use backup::{Copied, RawBackup};
pub use callback::Arguments;
pub(crate) use core::{Core, Failure};
pub(crate) use defaults::Defaults;
#[cfg(unix)]
pub(crate) use descriptors::descriptors;
#[cfg(target_os = "linux")]
pub(crate) use descriptors::{is_open_elsewhere, lock_beside_sqlite};
pub use exit::DetachedWork;
pub(crate) use extension::try_library;
pub(crate) use file::FileStart;
pub(crate) use function::create_function;
pub(crate) use handle::{OpenFailure, length_limit, open};
pub(crate) use image::leave_wal;
#[cfg(test)]
pub(crate) use provider::derivations;
pub(crate) use provider::register_provider;
pub(crate) use refused::take_refused;
pub use row::Row;
pub(crate) use statement::{Origin, Parsed, RawStatement, Source, Step};
pub(crate) use vfs::{Created, FileOnDisk, HeaderChange, Layout};
pub(crate) use virtual_table::create_module;
