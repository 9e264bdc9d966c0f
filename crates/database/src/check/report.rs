//! The result of checking a database.

/// The largest number of problems of one kind in a report. A final problem states how many more exist.
pub(super) const LISTED: usize = 1_000;

/// The result of [`Database::check`](crate::Database::check).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// The number of pages of the database.
    pub pages: u64,
    /// `true` if each page has an authentication code and the check verified the codes.
    pub authenticated: bool,
    /// The problems: pages first, then the structure, then foreign keys.
    pub problems: Vec<CheckProblem>,
}

impl CheckReport {
    /// Returns whether the check found no problem.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// Appends the problems of one kind, up to the limit.
    pub(super) fn append(&mut self, kind: CheckProblemKind, problems: Vec<CheckProblem>) {
        let more = problems.len().saturating_sub(LISTED);
        self.problems.extend(problems.into_iter().take(LISTED));
        if more > 0 {
            let message = match more {
                1 => "1 more problem of this kind is not listed".to_owned(),
                more => format!("{more} more problems of this kind are not listed"),
            };
            self.problems.push(CheckProblem::new(kind, message));
        }
    }
}

/// A problem that a check found in a database. The message never holds a stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckProblem {
    /// The kind.
    pub kind: CheckProblemKind,
    /// The number of the page, counted from 1.
    pub page: Option<u32>,
    /// The table to which the page, the index or the row belongs.
    pub table: Option<String>,
    /// The rowid of the row.
    pub rowid: Option<i64>,
    /// SQLite's message, or the engine's for a page.
    pub message: String,
}

impl CheckProblem {
    pub(super) fn new(kind: CheckProblemKind, message: String) -> Self {
        Self { kind, page: None, table: None, rowid: None, message }
    }
}

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckProblemKind {
    /// A page is missing, or differs from the page that was written.
    Page,
    /// SQLite's integrity check found an inconsistency in the content.
    Structure,
    /// A row refers to a row that does not exist.
    ForeignKey,
}
