//! The findings of a file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, but not a problem.
    Info,
    /// The addon may fail somewhere, or has a part that should not be shipped.
    Warning,
    /// The addon does not load, or must not be shipped.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` applies the width that the caller gives.
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A rule that a file breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as the caller named it.
    pub file: String,
    /// The platform that the file was checked for: `linux-x64-gnu`.
    pub platform: Option<String>,
    /// The rule's stable id: `glibc-floor`.
    pub rule: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The problem, as a clause.
    pub message: String,
    /// The evidence in the file: the symbol, the path, the library.
    pub evidence: String,
    /// The remedy, as an instruction.
    pub remedy: String,
}

/// The findings of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub file: String,
    /// The platform that the file was checked for.
    pub platform: Option<String>,
    /// The findings, by rule; empty for a clean file.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns the number of findings of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Returns whether a finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}
