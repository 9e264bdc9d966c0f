//! The engine: encrypted SQLite databases, statements, transactions and functions.
//!
//! [`Database::open`] opens or creates a database with a [`Key`](strongroom_keys::Key) and verifies the key;
//! [`Database::open_unencrypted`] opens one without encryption. A [`Statement`] keeps its database alive and can outlive
//! [`Database::close`], after which each call returns [`SqlError::Closed`]. The crate does not depend on Node.js or
//! JavaScript.
//!
//! ```
//! use strongroom_database::{Behavior, Database, Location, OpenOptions, Value};
//! use strongroom_keys::Key;
//!
//! let key = Key::generate()?;
//! let database = Database::open(Location::Memory, &key, &OpenOptions::default())?;
//! database.execute_batch("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)")?;
//!
//! let transaction = database.transaction(Behavior::Immediate)?;
//! let mut insert = database.prepare("INSERT INTO person (name) VALUES (:name)")?;
//! insert.bind(1, Value::Text(b"Ada"))?;
//! insert.step()?;
//! transaction.commit()?;
//!
//! let mut select = database.prepare("SELECT name FROM person")?;
//! while let Some(row) = select.step()? {
//!     assert_eq!(row.value(0), Value::Text(b"Ada"));
//! }
//! database.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only the module `seam` contains `unsafe` code.

mod aggregate;
mod attach;
mod attach_error;
mod backup;
mod backup_conversion;
mod backup_error;
mod backup_file;
mod backup_target;
mod cache;
mod callback_error;
mod check;
mod cipher;
mod codes;
mod connector;
mod convert;
mod database;
mod describe;
mod error;
mod extension;
mod extension_error;
mod functions;
mod image;
mod image_error;
mod interrupter;
mod key_changed;
mod key_slots;
mod lexer;
mod library_header;
mod limited_change;
mod migrate;
mod migrate_error;
mod open;
mod open_error;
mod page_layout;
mod page_size;
mod pragma;
mod prepared;
mod redact;
mod registry;
mod rekey;
mod rekey_error;
mod reserved_name;
mod result_codes;
#[expect(unsafe_code, reason = "the one module that calls SQLite's C interface")]
mod seam;
mod session;
mod statement;
mod strongroom;
mod sync_folder;
mod temporary_file;
mod transaction;
mod unused_pages;
mod user_function;
mod vacuum_into;
mod value;
mod virtual_table;

pub use aggregate::Accumulator;
pub use attach::{AttachKey, AttachOptions};
pub use attach_error::AttachError;
pub use backup::{Backup, BackupKey, BackupProgress};
pub use backup_conversion::CopiedBackup;
pub use backup_error::BackupError;
pub use callback_error::{CallbackError, CallbackPanic};
pub use check::{CheckError, CheckProblem, CheckProblemKind, CheckProgress, CheckReport, OnCheckProgress};
pub use codes::{code_of, codes};
pub use connector::Connector;
pub use convert::{Converted, Progress};
pub use database::{Database, Snapshot};
pub use describe::{Access, SqlShape, describe};
pub use error::SqlError;
pub use extension_error::ExtensionError;
pub use image_error::ImageError;
pub use interrupter::Interrupter;
pub use key_slots::{KeySlotError, Rotated, Rotation, RotationOptions, SlotChange};
pub use migrate::{Migration, migrate};
pub use migrate_error::MigrateError;
pub use open::{Location, OpenOptions};
pub use open_error::OpenError;
pub use redact::redact;
pub use rekey::{OnRekeyProgress, RekeyProgress};
pub use rekey_error::RekeyError;
pub use seam::{Arguments, DetachedWork, Row};
pub use session::Trace;
pub use statement::{Column, Statement};
pub use strongroom_format::{Slot, SlotError, SlotKind};
pub use transaction::{Behavior, Transaction};
pub use user_function::FunctionOptions;
pub use value::{OwnedValue, Value};
pub use vendored_sys::{InitError, Versions, versions};
pub use virtual_table::{
    MAX_TABLE_PARAMETERS, Module, ModuleKind, Rows, TableDefinition, TableRequest, VirtualTable,
};
