//! The engine: encrypted SQLite databases, statements, transactions and functions.
//!
//! [`Database::open`] opens or creates a database with a [`Key`](strongroom_keys::Key) and verifies the key;
//! [`Database::open_unencrypted`] says aloud that there is none. A [`Statement`] keeps its database alive and can
//! outlive [`Database::close`]: from then on each call answers [`SqlError::Closed`].
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
//! `unsafe` stands in the module `seam` and nowhere else.
#![deny(unsafe_code)]

mod cache;
mod codes;
mod connection;
mod error;
mod functions;
mod lexer;
mod open;
mod open_error;
mod redact;
#[expect(unsafe_code, reason = "the one place where SQLite's C interface is called")]
mod seam;
mod statement;
mod transaction;
mod value;

pub use codes::CODES;
pub use connection::{Database, Trace};
pub use error::SqlError;
pub use open::{Location, OpenOptions};
pub use open_error::OpenError;
pub use redact::redact;
pub use seam::Row;
pub use statement::{Column, Statement};
pub use transaction::{Behavior, Transaction};
pub use value::Value;
