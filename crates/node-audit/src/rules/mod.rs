//! The rules, a file each.
//!
//! A rule looks at one [`Subject`] and says what is wrong with it. To add one: a file here with a `RULE`, and a line in
//! [`RULES`].

mod arch;
mod glibc_floor;
mod napi_entry;
mod needed;
mod runpath;
mod symbols;

use node_targets::Libc;

use crate::facts::Facts;
use crate::finding::Severity;
use crate::platform::Platform;
use crate::policy::Policy;

/// Each rule, in the order in which findings are shown.
pub const RULES: [Rule; 6] =
    [arch::RULE, napi_entry::RULE, glibc_floor::RULE, needed::RULE, runpath::RULE, symbols::RULE];

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its stable id: `glibc-floor`.
    pub id: &'static str,
    /// What it asks for, in a sentence.
    pub asks: &'static str,
    /// Whom it accuses of what.
    pub(crate) check: fn(&Subject<'_>) -> Vec<Problem>,
}

/// What a rule found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What was seen in the file.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}

/// A file and what it is held against.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What was read.
    pub facts: &'a Facts,
    /// The platform that it claims, or that the policy names.
    pub claimed: Option<Platform>,
    /// The C library that it must work with: the claimed one, or else the one that it is linked to.
    pub libc: Option<Libc>,
    /// The limits.
    pub policy: &'a Policy,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(facts: &'a Facts, claimed: Option<Platform>, policy: &'a Policy) -> Self {
        let libc = claimed.and_then(|platform| platform.libc).or(facts.libc);
        Subject { facts, claimed, libc, policy }
    }
}

/// The first names of a list and how many more there are: `a, b, c and 12 more`.
fn few<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| shortened(name.as_ref())).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Mangled C++ names fill a page.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 60;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}
