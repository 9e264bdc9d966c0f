//! What the engine promises about a file at each moment of a workload, and the files' possible states.

use std::path::PathBuf;
use std::rc::Rc;

use crate::access::Access;
use crate::content::Digest;
use crate::verify::{Survivor, Survivors};

/// The state of a file after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The number of the transaction. Transactions are numbered over all files.
    pub(crate) commit: usize,
    pub(crate) digest: Digest,
}

/// The promise for acknowledged transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Each survives: WAL and FULL, DELETE and EXTRA, and each transaction of several files with rollback journals.
    Every,
    /// Each but the last one survives: the journal of that one may be there again (DELETE and FULL).
    AllButLast,
    /// The first ones survive (WAL and NORMAL).
    Prefix,
}

/// The states that one file may have after a loss of power.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// The acknowledged states that may survive. The last one is the current state.
    acknowledged: Vec<State>,
    /// The states of transactions that were not acknowledged, each with the acknowledged state before it.
    unacknowledged: Vec<(State, State)>,
}

impl Ledger {
    pub(crate) fn new(state: State) -> Self {
        Self { acknowledged: vec![state], unacknowledged: Vec::new() }
    }

    pub(crate) fn current(&self) -> State {
        self.acknowledged[self.acknowledged.len() - 1]
    }

    /// A transaction begins to commit.
    pub(crate) fn begin(&mut self, state: State) {
        self.unacknowledged.push((state, self.current()));
    }

    /// The transaction is acknowledged.
    pub(crate) fn acknowledge(&mut self, state: State, durability: Durability) {
        self.unacknowledged.retain(|(begun, _)| *begun != state);
        self.acknowledged.push(state);
        match durability {
            Durability::Every => self.settle(),
            Durability::AllButLast => self.forget(2),
            Durability::Prefix => {}
        }
    }

    /// The current state is durable.
    pub(crate) fn settle(&mut self) {
        self.forget(1);
    }

    /// Only the last `count` acknowledged states may survive.
    fn forget(&mut self, count: usize) {
        let forgotten = self.acknowledged.len().saturating_sub(count);
        self.acknowledged.drain(..forgotten);
        let acknowledged = &self.acknowledged;
        // An unacknowledged transaction may survive as long as the state before it may.
        self.unacknowledged.retain(|(_, before)| acknowledged.contains(before));
        if count == 1 {
            let current = self.current();
            self.unacknowledged.retain(|(_, before)| *before == current);
        }
    }

    pub(crate) fn states(&self) -> Vec<State> {
        let unacknowledged = self.unacknowledged.iter().map(|(state, _)| *state);
        self.acknowledged.iter().copied().chain(unacknowledged).collect()
    }
}

/// What one file may be after a loss of power.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The name, relative to the recorded folder.
    pub(crate) name: PathBuf,
    pub(crate) states: Rc<Vec<State>>,
    /// What opens the file: all of exactly one of these sets. A file with key slots has several keys at once.
    pub(crate) keys: Vec<Vec<Access>>,
    /// None of these opens the file.
    pub(crate) refused: Vec<Access>,
    /// Whether the file may be missing.
    pub(crate) optional: bool,
    /// Whether the key changes, so that one of the two copies of a Strongroom file's header may be torn.
    pub(crate) changes_key: bool,
    /// Whether the file is being created, so that a disk may turn its only bytes into garbage.
    pub(crate) is_new: bool,
    /// Whether a connection has already begun to recover the file.
    pub(crate) again: bool,
}

impl Expectation {
    /// Returns what the files may be if they have been recovered once, and lose power again.
    ///
    /// The same transactions survive. Without safe overwrites, a write behind the end of a log may destroy the last
    /// transactions in it, unless these were synced (FULL): SQLite fills up the sector only when it syncs.
    pub(crate) fn recovered(&self, survivors: &Survivors, safe_overwrite: bool) -> Self {
        let files = self.files.iter().zip(survivors).map(|(file, survivor)| {
            let mut file = Expected { again: true, ..file.clone() };
            match survivor {
                // An empty file has no key.
                Some(Survivor { commit: 0, .. }) => {}
                Some(Survivor { commit, keys }) => {
                    let survives = |state: &&State| match safe_overwrite {
                        true => state.commit == *commit,
                        false => state.commit <= *commit,
                    };
                    file.states = Rc::new(file.states.iter().filter(survives).copied().collect());
                    let others = file.keys.drain(..).flatten().filter(|other| !keys.contains(other));
                    file.refused.extend(others);
                    file.keys = vec![keys.clone()];
                }
                // A file that was not there does not come back.
                None => file.states = Rc::default(),
            }
            file
        });
        Self { files: files.collect(), ..self.clone() }
    }
}

/// What the files may be after a loss of power.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// The operation that runs.
    pub(crate) operation: &'static str,
    /// The format and the modes of the main file, for the table.
    pub(crate) format: crate::access::FileFormat,
    pub(crate) mode: String,
    pub(crate) files: Vec<Expected>,
    /// The transactions that are in the first two files or in neither.
    pub(crate) together: Rc<Vec<usize>>,
}
