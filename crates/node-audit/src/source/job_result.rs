//! The result of a job.

use std::sync::Arc;

use super::candidate::{Candidate, Member};
use super::package::Package;
use crate::addon::Addon;
use crate::error::AuditError;

/// The result of a job.
#[derive(Default)]
pub(super) struct JobResult {
    pub(super) addons: Vec<Addon>,
    pub(super) failures: Vec<AuditError>,
    /// The addons as members of their packages, including the addons that could not be read.
    pub(super) members: Vec<Member>,
    /// The packages that the audit checks even if no addon belongs to them.
    pub(super) roots: Vec<Arc<Package>>,
}

impl JobResult {
    /// Adds a candidate that was read, or that could not be read.
    pub(super) fn add(&mut self, candidate: &Candidate, addon: Result<Addon, AuditError>) {
        self.members.extend(candidate.member(addon.as_ref().ok()));
        match addon {
            Ok(addon) => self.addons.push(addon),
            Err(error) => self.failures.push(error),
        }
    }
}
