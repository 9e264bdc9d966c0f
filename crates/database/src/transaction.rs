//! Transactions that roll back unless they are committed.

use crate::{Database, SqlError};

/// When a transaction takes its locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// With the first statement that needs one.
    #[default]
    Deferred,
    /// The write lock at once; readers go on.
    Immediate,
    /// Every lock at once; in WAL mode the same as immediate.
    Exclusive,
}

/// A transaction, or a savepoint where one is open already. Dropping it rolls it back.
#[derive(Debug)]
pub struct Transaction<'d> {
    database: &'d Database,
    /// The depth of the savepoint that it is, and `None` for the outermost.
    savepoint: Option<u64>,
    finished: bool,
}

impl<'d> Transaction<'d> {
    pub(crate) fn begin(database: &'d Database, behavior: Behavior) -> Result<Self, SqlError> {
        let savepoint = match database.in_transaction() {
            true => Some(database.savepoints() + 1),
            false => None,
        };
        match (savepoint, behavior) {
            (Some(number), _) => run(database, &format!("SAVEPOINT {}", name(number)))?,
            (None, Behavior::Deferred) => run(database, "BEGIN DEFERRED")?,
            (None, Behavior::Immediate) => run(database, "BEGIN IMMEDIATE")?,
            (None, Behavior::Exclusive) => run(database, "BEGIN EXCLUSIVE")?,
        }
        database.set_savepoints(savepoint.unwrap_or(0));
        Ok(Self { database, savepoint, finished: false })
    }

    /// Makes its changes part of the outer transaction, or permanent where it is the outermost.
    ///
    /// # Errors
    ///
    /// What SQLite reports; the transaction is rolled back then.
    pub fn commit(mut self) -> Result<(), SqlError> {
        match self.savepoint {
            Some(number) => run(self.database, &format!("RELEASE {}", name(number)))?,
            None => run(self.database, "COMMIT")?,
        }
        self.finish();
        Ok(())
    }

    /// Undoes its changes.
    ///
    /// # Errors
    ///
    /// What SQLite reports.
    pub fn rollback(mut self) -> Result<(), SqlError> {
        self.finish();
        self.undo()
    }

    /// The database on which it is.
    pub fn database(&self) -> &'d Database {
        self.database
    }

    fn finish(&mut self) {
        self.finished = true;
        self.database.set_savepoints(self.savepoint.map_or(0, |depth| depth - 1));
    }

    fn undo(&self) -> Result<(), SqlError> {
        // An error such as SQLITE_FULL may have rolled everything back already.
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
            // Nobody is left to tell. What cannot be rolled back here is when the database is closed.
            let _ = self.undo();
        }
    }
}

/// Named by its depth, so that the statement for it comes from the cache.
fn name(savepoint: u64) -> String {
    format!("strongroom_{savepoint}")
}

fn run(database: &Database, sql: &str) -> Result<(), SqlError> {
    database.prepare(sql)?.step().map(|_| ())
}
