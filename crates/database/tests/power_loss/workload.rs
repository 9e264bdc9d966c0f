//! A random workload, which a seed determines, and the promise at each moment of it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use strongroom_database::{Database, Row, Value};

use crate::access::{Access, FileFormat};
use crate::content::{self, Content};
use crate::promise::{Durability, Expectation, Expected, Ledger, State};
use crate::random::Random;
use crate::recorder::{Op, Recorder};
use crate::setup::{Mode, Setup};

/// Returns what a mode promises of a transaction that has written to `files` files.
fn durability(mode: Mode, files: usize) -> Durability {
    match (mode.journal, mode.synchronous) {
        // SQLite syncs the folder after it has deleted the super-journal.
        ("delete", _) if files > 1 => Durability::Every,
        ("delete", "full") => Durability::AllButLast,
        ("wal", "normal") => Durability::Prefix,
        // An emptied or invalidated journal is synced at FULL; a log is synced at FULL.
        _ => Durability::Every,
    }
}

/// One database of the workload.
pub(super) struct File {
    pub(super) name: PathBuf,
    pub(super) schema: &'static str,
    pub(super) content: Content,
    /// The content after the transaction that was not acknowledged.
    pub(super) attempted: Option<(State, Content)>,
    pub(super) ledger: Ledger,
    /// With what the workload opens the file.
    pub(super) access: Access,
    /// What opens the file now: `access`, and the keys of other slots.
    pub(super) slots: Vec<Access>,
    /// What may open the file after a loss of power: one of these sets.
    pub(super) keys: Vec<Vec<Access>>,
    /// What opened the file in the past.
    pub(super) refused: Vec<Access>,
}

/// A backup, or an original that a conversion has kept.
pub(super) struct Copy {
    pub(super) name: PathBuf,
    pub(super) states: Vec<State>,
    pub(super) keys: Vec<Vec<Access>>,
    pub(super) optional: bool,
}

pub(crate) struct Workload<'r> {
    pub(super) setup: &'r Setup,
    pub(super) root: &'r Path,
    pub(super) recorder: &'r RefCell<Recorder>,
    pub(super) random: Random,
    pub(super) database: Option<Database>,
    pub(super) files: Vec<File>,
    pub(super) copies: Vec<Copy>,
    pub(super) mode: Mode,
    pub(super) commits: usize,
    pub(super) keys: u8,
    pub(super) together: Rc<Vec<usize>>,
    pub(super) operation: &'static str,
    pub(super) expectations: Vec<Rc<Expectation>>,
}

/// The operations of each workload, in a random order, each after some transactions.
const OPERATIONS: [&str; 10] = [
    "schema",
    "checkpoint",
    "vacuum",
    "backup",
    "rekey",
    "key slots",
    "rotate",
    "migrate",
    "journal mode",
    "reopen",
];

impl<'r> Workload<'r> {
    pub(crate) fn new(setup: &'r Setup, root: &'r Path, recorder: &'r RefCell<Recorder>) -> Self {
        let names = [("test.db", "main"), ("second.db", "second")];
        let content = Content::default();
        let state = State { commit: 0, digest: content.digest() };
        let files = names[..setup.files].iter().zip(1..).map(|((name, schema), key)| {
            let access = Access::new(setup.format, key);
            File {
                name: name.into(),
                schema,
                content: content.clone(),
                attempted: None,
                ledger: Ledger::new(state),
                access,
                slots: vec![access],
                keys: vec![vec![access]],
                refused: Vec::new(),
            }
        });
        Self {
            setup,
            root,
            recorder,
            random: Random::new(setup.seed),
            database: None,
            files: files.collect(),
            copies: Vec::new(),
            mode: setup.mode,
            commits: 0,
            keys: 2,
            together: Rc::default(),
            operation: "create",
            expectations: Vec::new(),
        }
    }

    /// Runs the whole workload without faults.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.begin()?;
        for operation in self.operations() {
            self.perform(operation)?;
            self.assert_current()?;
        }
        self.end()
    }

    /// Runs the whole workload, of which some calls fail. After an error, the connection goes on, or a new one does.
    pub(crate) fn run_with_faults(&mut self) -> Result<(), String> {
        let begun = self.begin();
        self.go_on_after(begun)?;
        for operation in self.operations() {
            let performed = self.perform(operation);
            self.go_on_after(performed)?;
        }
        let ended = self.end();
        self.go_on_after(ended)
    }

    pub(crate) fn operations(&mut self) -> Vec<&'static str> {
        let mut left = OPERATIONS.to_vec();
        let mut operations = Vec::new();
        while !left.is_empty() {
            operations.extend(vec!["transaction"; self.random.below(3) + 1]);
            operations.push(left.swap_remove(self.random.below(left.len())));
        }
        operations.push("transaction");
        operations
    }

    /// Creates the files.
    pub(crate) fn begin(&mut self) -> Result<(), String> {
        self.operation = "create";
        self.expect();
        self.open()
    }

    pub(crate) fn end(&mut self) -> Result<(), String> {
        self.operation = "close";
        self.expect();
        self.close()
    }

    pub(crate) fn perform(&mut self, operation: &'static str) -> Result<(), String> {
        self.operation = operation;
        self.expect();
        match operation {
            "schema" | "transaction" => self.transaction(),
            "checkpoint" => self.checkpoint(),
            "vacuum" => self.vacuum(),
            "backup" => self.back_up(),
            "rekey" if self.files[0].access.format != FileFormat::Plain => self.rekey(),
            "rekey" | "migrate" => self.migrate(),
            "key slots" => self.change_slots(),
            "rotate" => self.rotate(),
            "journal mode" => self.switch_mode(),
            _ => self.close().and_then(|()| self.open()),
        }
        .map_err(|error| format!("{operation}: {error}"))
    }

    /// Records what the files may be from here on.
    pub(super) fn expect(&mut self) {
        let files = self.files.iter().map(|file| Expected {
            name: file.name.clone(),
            states: Rc::new(file.ledger.states()),
            keys: file.keys.clone(),
            refused: file.refused.clone(),
            optional: false,
            changes_key: file.keys.len() > 1,
            is_new: self.operation == "create",
            again: false,
        });
        let copies = self.copies.iter().map(|copy| Expected {
            name: copy.name.clone(),
            states: Rc::new(copy.states.clone()),
            keys: copy.keys.clone(),
            refused: Vec::new(),
            optional: copy.optional,
            changes_key: false,
            is_new: false,
            again: false,
        });
        let expectation = Expectation {
            operation: self.operation,
            format: self.files[0].access.format,
            mode: self.mode.to_string(),
            files: files.chain(copies).collect(),
            together: Rc::clone(&self.together),
        };
        self.recorder.borrow_mut().ops.push(Op::Expect(self.expectations.len()));
        self.expectations.push(Rc::new(expectation));
    }

    pub(super) fn path(&self, file: usize) -> PathBuf {
        self.root.join(&self.files[file].name)
    }

    fn log(&self, file: usize) -> PathBuf {
        let mut log = self.path(file).into_os_string();
        log.push("-wal");
        log.into()
    }

    pub(super) fn database(&self) -> &Database {
        self.database.as_ref().expect("the workload has opened the database")
    }

    pub(super) fn sql(&self, sql: &str) -> Result<(), String> {
        self.database().execute_batch(sql).map_err(|error| format!("{sql}: {error}"))
    }

    /// Runs a statement and returns the first row, as text.
    pub(super) fn row(&self, sql: &str) -> Result<Vec<String>, String> {
        let failed = |error| format!("{sql}: {error}");
        let mut statement = self.database().prepare(sql).map_err(failed)?;
        let row = statement.step().map_err(failed)?;
        let text = |row: &Row<'_>, column| match row.value(column) {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        };
        let row =
            row.map(|row| (0..row.len()).map(|column| text(&row, column)).collect()).unwrap_or_default();
        // A pragma that writes commits after its row.
        while statement.step().map_err(failed)?.is_some() {}
        Ok(row)
    }

    pub(super) fn open(&mut self) -> Result<(), String> {
        let page_size = Some(self.setup.page_size);
        let main = self.files[0].access.open(&self.path(0), page_size);
        self.database = Some(main.map_err(|error| format!("open: {error}"))?);
        for file in 1..self.files.len() {
            let File { access, schema, .. } = self.files[file];
            access.attach(self.database(), &self.path(file), schema, page_size)?;
        }
        self.set_mode()
    }

    /// Gives every file the journal mode.
    pub(super) fn set_mode(&mut self) -> Result<(), String> {
        let Mode { journal, synchronous } = self.mode;
        for file in 0..self.files.len() {
            let schema = self.files[file].schema;
            if self.setup.auto_vacuum {
                // Has an effect on a new file only.
                self.sql(&format!("PRAGMA {schema}.auto_vacuum = FULL"))?;
            }
            self.sql(&format!(
                "PRAGMA {schema}.cache_size = 12; PRAGMA {schema}.synchronous = {synchronous}"
            ))?;
            let found = self.row(&format!("PRAGMA {schema}.journal_mode = {journal}"))?;
            if found != [journal] {
                return Err(format!("the journal mode of {schema} is {found:?} instead of {journal}"));
            }
        }
        self.sql("PRAGMA wal_autocheckpoint = 30")
    }

    pub(super) fn close(&mut self) -> Result<(), String> {
        let Some(database) = self.database.take() else { return Ok(()) };
        database.close().map_err(|error| format!("close: {error}"))?;
        for file in 0..self.files.len() {
            // SQLite removes the log after it has moved the log's content into the file.
            if self.mode.is_wal() && !self.log(file).exists() {
                self.files[file].ledger.settle();
            }
        }
        self.expect();
        Ok(())
    }

    /// Commits changes to one file or to both.
    fn transaction(&mut self) -> Result<(), String> {
        let files: Vec<usize> = match (self.files.len(), self.random.below(10)) {
            (1, _) | (2, 0..=2) => vec![0],
            (_, 3 | 4) => vec![1],
            _ => vec![0, 1],
        };
        self.commits += 1;
        let number = self.commits;
        self.sql("BEGIN")?;
        let changes = self.random.below(3) + 1;
        for &file in &files {
            let mut content = self.files[file].content.clone();
            let schema = self.files[file].schema;
            let (database, random) = (self.database.as_ref().expect("it is open"), &mut self.random);
            let mut change = || {
                for _ in 0..changes {
                    content.change_rows(database, schema, random)?;
                }
                if self.operation == "schema" {
                    content.change_schema(database, schema, random)?;
                }
                content.set_last(database, schema, number)
            };
            change().map_err(|error| error.to_string())?;
            let state = State { commit: number, digest: content.digest() };
            self.files[file].attempted = Some((state, content));
        }
        // If a log cannot be deleted, SQLite reports the new mode, but goes on with the log.
        if files.len() > 1 && !self.mode.is_wal() && files.iter().all(|&file| !self.log(file).exists()) {
            Rc::make_mut(&mut self.together).push(number);
        }
        for &file in &files {
            let File { ledger, attempted, .. } = &mut self.files[file];
            ledger.begin(attempted.as_ref().expect("it was changed").0);
        }
        self.expect();
        self.sql("COMMIT")?;
        for &file in &files {
            let durability = durability(self.mode, files.len());
            let File { ledger, attempted, content, .. } = &mut self.files[file];
            let (state, new) = attempted.take().expect("it was changed");
            *content = new;
            ledger.acknowledge(state, durability);
        }
        self.expect();
        Ok(())
    }

    /// Returns an access with a new key.
    pub(super) fn new_access(&mut self, format: FileFormat) -> Access {
        self.keys += 1;
        Access::new(format, self.keys)
    }

    /// Fails unless the running connection sees the current state of each file.
    fn assert_current(&self) -> Result<(), String> {
        for file in &self.files {
            let found = content::read(self.database(), file.schema).map_err(|error| error.to_string())?;
            let State { commit, digest } = file.ledger.current();
            if found != digest {
                return Err(format!("{} does not have the content of transaction {commit}", file.schema));
            }
        }
        Ok(())
    }
}
