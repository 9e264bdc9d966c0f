//! Runs jobs in parallel.

use std::path::Path;

use rayon::prelude::*;

use super::archive::Archive;
use super::candidate::Candidate;
use super::input;
use super::job_result::JobResult;
use super::shared::Shared;
use super::tarball;
use crate::error::AuditError;
use crate::limits::{MAX_HEAVY_FILES, MIN_HEAVY_FILE};

/// One addon or archive to read.
pub(super) struct Job {
    work: Work,
    /// The file's length at the time it was found, in bytes.
    length: u64,
}

/// The input of a job.
pub(super) enum Work {
    Addon {
        candidate: Box<Candidate>,
        /// The error that left the candidate without a package.
        failure: Option<AuditError>,
        /// `true` if the caller named the file, so that the audit reads any file as an addon.
        is_given: bool,
    },
    Archive(Archive),
}

impl Job {
    pub(super) fn new(path: &Path, work: Work) -> Job {
        Job { work, length: std::fs::metadata(path).map_or(0, |metadata| metadata.len()) }
    }

    pub(super) fn is_addon(&self) -> bool {
        matches!(self.work, Work::Addon { .. })
    }

    fn is_heavy(&self) -> bool {
        !self.is_addon() || self.length > MIN_HEAVY_FILE
    }

    fn run(self, shared: &Shared<'_>) -> JobResult {
        match self.work {
            Work::Addon { candidate, failure, is_given } => {
                let mut result = JobResult { failures: Vec::from_iter(failure), ..JobResult::default() };
                let content = input::content(&candidate.path);
                let is_other = |content: &Vec<u8>| !is_given && candidate.is_not_an_addon(content);
                if content.as_ref().is_ok_and(is_other) {
                    shared.progress.done();
                    return result;
                }
                result.add(&candidate, content.and_then(|content| shared.read(&candidate, &content)));
                shared.progress.done();
                result
            }
            Work::Archive(archive) => tarball::read(&archive, shared)
                .unwrap_or_else(|error| JobResult { failures: vec![error], ..JobResult::default() }),
        }
    }
}

/// Runs jobs in parallel. Returns the results in the order of the jobs.
pub(super) fn run_all(jobs: Vec<Job>, shared: &Shared<'_>) -> Vec<JobResult> {
    let numbered = jobs.into_iter().enumerate();
    let (mut heavy, light): (Vec<_>, Vec<_>) = numbered.partition(|(_, job)| job.is_heavy());
    let run = |(number, job): (usize, Job)| (number, job.run(shared));
    let mut results: Vec<(usize, JobResult)> = light.into_par_iter().map(run).collect();
    while !heavy.is_empty() {
        let group = heavy.drain(..heavy.len().min(MAX_HEAVY_FILES)).collect::<Vec<_>>();
        results.par_extend(group.into_par_iter().map(run));
    }
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_jobs_whatever_their_size() {
        let folder = tempfile::tempdir().unwrap();
        let job = |number: u64| {
            let path = folder.path().join(format!("missing-{number}.tgz"));
            let candidate = Box::new(Candidate::on_disk(&path, None, &mut Default::default()));
            let work = if number.is_multiple_of(3) {
                Work::Archive(Archive::Disk(path))
            } else {
                Work::Addon { candidate, failure: None, is_given: false }
            };
            Job { work, length: if number.is_multiple_of(2) { MIN_HEAVY_FILE + 1 } else { 0 } }
        };
        let results = run_all((0..12).map(job).collect(), &Shared::new(&()));
        for (number, result) in results.iter().enumerate() {
            let failure = result.failures[0].to_string();
            assert!(failure.contains(&format!("missing-{number}.tgz: ")), "{number}: {failure}");
        }
        assert_eq!(results.len(), 12);
    }
}
