//! Transactions that roll back unless they are committed.

use crate::{Database, SqlError};

/// The moment at which a transaction takes its locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// Takes each lock when a statement needs it.
    #[default]
    Deferred,
    /// Takes the write lock at once; other connections can still read.
    Immediate,
    /// Takes every lock at once; in WAL mode the same as `Immediate`.
    Exclusive,
}

/// A transaction, or a savepoint inside another transaction. Dropping the transaction rolls it back.
#[derive(Debug)]
pub struct Transaction<'d> {
    database: &'d Database,
    /// The depth of the savepoint, or `None` for the outermost transaction.
    savepoint: Option<u64>,
    finished: bool,
}

impl Database {
    /// Begins a transaction, or a savepoint if a transaction is open.
    ///
    /// # Errors
    ///
    /// The errors that SQLite reports, such as SQLITE_BUSY, and [`SqlError::Closed`].
    pub fn transaction(&self, behavior: Behavior) -> Result<Transaction<'_>, SqlError> {
        let savepoint = match self.in_transaction() {
            true => Some(self.session.savepoints.get() + 1),
            false => None,
        };
        match (savepoint, behavior) {
            (Some(number), _) => run(self, &format!("SAVEPOINT {}", name(number)))?,
            (None, Behavior::Deferred) => run(self, "BEGIN DEFERRED")?,
            (None, Behavior::Immediate) => run(self, "BEGIN IMMEDIATE")?,
            (None, Behavior::Exclusive) => run(self, "BEGIN EXCLUSIVE")?,
        }
        self.session.savepoints.set(savepoint.unwrap_or(0));
        Ok(Transaction { database: self, savepoint, finished: false })
    }
}

impl<'d> Transaction<'d> {
    /// Commits the changes to the file, or to the outer transaction.
    ///
    /// # Errors
    ///
    /// The errors that SQLite reports; the transaction is then rolled back.
    pub fn commit(mut self) -> Result<(), SqlError> {
        match self.savepoint {
            Some(number) => run(self.database, &format!("RELEASE {}", name(number)))?,
            None => run(self.database, "COMMIT")?,
        }
        self.finish();
        Ok(())
    }

    /// Undoes the changes.
    ///
    /// # Errors
    ///
    /// The errors that SQLite reports.
    pub fn rollback(mut self) -> Result<(), SqlError> {
        self.finish();
        self.undo()
    }

    /// Returns the database of the transaction.
    pub fn database(&self) -> &'d Database {
        self.database
    }

    fn finish(&mut self) {
        self.finished = true;
        self.database.session.savepoints.set(self.savepoint.map_or(0, |depth| depth - 1));
    }

    fn undo(&self) -> Result<(), SqlError> {
        // An error such as SQLITE_FULL may have rolled everything back.
        if !self.database.in_transaction() {
            return Ok(());
        }
        match self.savepoint {
            Some(number) => {
                run(self.database, &format!("ROLLBACK TO {}", name(number)))?;
                run(self.database, &format!("RELEASE {}", name(number)))
            }
            None => run(self.database, "ROLLBACK"),
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.finish();
            // A drop cannot report the error. Closing the database rolls back any remaining changes.
            let _ = self.undo();
        }
    }
}

/// Returns a savepoint's name, which depends only on its depth: the cache can then reuse the statements.
fn name(savepoint: u64) -> String {
    format!("strongroom_{savepoint}")
}

fn run(database: &Database, sql: &str) -> Result<(), SqlError> {
    database.prepare(sql)?.step().map(|_| ())
}
