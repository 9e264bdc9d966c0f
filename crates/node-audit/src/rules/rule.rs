//! A rule, and the problems that it finds.

use super::subject::Subject;
use crate::damage::Damage;
use crate::finding::Severity;
use crate::library::{LOADED, Library};
use crate::package_contents::PackageContents;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The stable id: `glibc-floor`.
    pub id: &'static str,
    /// The requirement, as a clause.
    pub asks: &'static str,
    /// The usual severity of a finding.
    pub severity: Severity,
    /// `true` for a load-blocking rule: an addon with an error of the rule does not load. The other rules are about
    /// build, installation and run time.
    pub stops_loading: bool,
    /// The reason, the consequence, and after a line break the remedy.
    pub explanation: &'static str,
    pub(crate) check: Check,
}

/// The function that checks the rule.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// Checks a file that is not a whole addon.
    Damage(fn(&Damage) -> Problem),
    /// Checks one addon, for one processor.
    Addon(fn(&Subject<'_>) -> Vec<Problem>),
    /// Checks one addon, for one processor, and then each library that is loaded with it, as if the library were the
    /// addon.
    Loaded(fn(&Subject<'_>) -> Vec<Problem>),
    /// Checks a package with its addons.
    Package(fn(&PackageContents) -> Vec<Problem>),
}

/// A problem that a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The severity.
    pub severity: Severity,
    /// The problem, as a clause.
    pub message: String,
    /// The evidence in the file.
    pub evidence: String,
    /// The remedy, as an instruction.
    pub remedy: String,
}

impl Problem {
    /// Returns the problem of a library, given the problem in the rule's words, which are about the addon.
    pub(crate) fn of_library(self, library: &Library) -> Problem {
        let Library { name, chain, .. } = library;
        let Problem { severity, message, evidence, remedy } = self;
        let message = match message.strip_prefix("the addon ") {
            Some(rest) => format!("{name}{LOADED}{rest}"),
            None => format!("{name}, which the addon loads: {message}"),
        };
        Problem { severity, message, evidence: format!("{chain}: {evidence}"), remedy }
    }
}
