//! Reads the addons and packages of the given paths.

use std::path::Path;

use super::candidate::Candidate;
use super::disk_cache::DiskCache;
use super::explore::explore;
use super::given::Given;
use super::input;
use super::job::{Job, run_all};
use super::merge::{Sources, Step, merge};
use super::shared::{Progress, Shared};
use crate::addon::Addon;
use crate::error::AuditError;

/// Reads all given inputs, several files at a time.
pub(crate) fn read_given(given: &[Given], progress: &dyn Progress) -> Sources {
    let mut explored = explore(given);
    let jobs: Vec<Vec<Job>> =
        explored.iter_mut().map(|explored| std::mem::take(&mut explored.jobs)).collect();
    let counts: Vec<usize> = jobs.iter().map(Vec::len).collect();
    let jobs: Vec<Job> = jobs.into_iter().flatten().collect();
    progress.found(jobs.iter().filter(|job| job.is_addon()).count());
    let mut results = run_all(jobs, &Shared::new(progress)).into_iter();
    let steps = given.iter().zip(explored).zip(counts);
    let steps = steps.map(|((given, explored), count)| {
        let results = results.by_ref().take(count).collect();
        Step { path: given.name(), explored, results }
    });
    merge(steps.collect())
}

/// Reads one addon on disk.
pub(crate) fn read_file(path: &Path) -> Result<Addon, AuditError> {
    let content = input::content(path)?;
    let mut disk = DiskCache::default();
    let package = disk.nearest(path.parent().unwrap_or(Path::new("")))?;
    Shared::new(&()).read(&Candidate::on_disk(path, package, &mut disk), &content)
}
