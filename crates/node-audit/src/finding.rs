//! What a rule has to say about a file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// It may fail somewhere, or it is not what one would ship.
    Warning,
    /// It does not load, or must not be shipped.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps the width that a caller asks for.
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// One rule broken by one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as it was named by the caller.
    pub file: String,
    /// The platform that it was held against: `linux-x64-gnu`.
    pub platform: Option<String>,
    /// The rule's stable id: `glibc-floor`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What was seen in the file: the symbol, the path, the library.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}
