//! The number of points of a campaign, as a table.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::access::FileFormat;
use crate::disk::Image;
use crate::promise::Expectation;

/// The number of points by format, mode and operation.
#[derive(Default)]
pub(crate) struct Counts {
    points: BTreeMap<(FileFormat, String), BTreeMap<&'static str, usize>>,
    /// The disks, to count the different ones.
    disks: HashSet<u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, expectation: &Expectation, image: &Image) {
        self.count(expectation, expectation.operation, image);
    }

    /// Counts a loss of power during a recovery.
    pub(crate) fn add_recovery(&mut self, expectation: &Expectation, image: &Image) {
        self.count(expectation, "recovery", image);
    }

    fn count(&mut self, expectation: &Expectation, operation: &'static str, image: &Image) {
        let row = (expectation.format, expectation.mode.clone());
        *self.points.entry(row).or_default().entry(operation).or_default() += 1;
        let mut hasher = DefaultHasher::new();
        image.hash(&mut hasher);
        self.disks.insert(hasher.finish());
    }

    pub(crate) fn total(&self) -> usize {
        self.points.values().flat_map(BTreeMap::values).sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut operations: Vec<&str> = self.points.values().flat_map(BTreeMap::keys).copied().collect();
        operations.sort_unstable();
        operations.dedup();
        writeln!(f, "| format | journal, synchronous | {} | all |", operations.join(" | "))?;
        writeln!(f, "|---|---|{}---:|", "---:|".repeat(operations.len()))?;
        for ((format, mode), counts) in &self.points {
            write!(f, "| {format} | {mode} |")?;
            for operation in &operations {
                write!(f, " {} |", counts.get(operation).unwrap_or(&0))?;
            }
            writeln!(f, " {} |", counts.values().sum::<usize>())?;
        }
        write!(f, "{} points, {} different disks", self.total(), self.disks.len())
    }
}
