//! Checks databases for JavaScript.

use napi::{Env, JsValue, Unknown, bindgen_prelude::BigInt};
use napi_derive::napi;
use strongroom_database::{CheckProblem, CheckProblemKind, CheckProgress, CheckReport};

use crate::{
    database::NativeDatabase,
    error::{Failure, Outcome},
    handle::{self, Handle},
    row::{self, Integers},
};

/// The result of a check.
#[napi(object, object_from_js = false)]
pub struct NativeCheckReport {
    /// The number of pages.
    pub pages: f64,
    /// `true` if the check verified the HMAC of each page.
    pub authenticated: bool,
    /// The problems that the check found.
    pub problems: Vec<NativeCheckProblem>,
}

/// A problem that a check found in a database.
#[napi(object, object_from_js = false)]
pub struct NativeCheckProblem {
    /// The kind of the problem.
    #[napi(ts_type = "'page' | 'structure' | 'foreign-key'")]
    pub kind: &'static str,
    /// The number of the page, counted from 1.
    pub page: Option<u32>,
    /// The table.
    pub table: Option<String>,
    /// The rowid of the row.
    pub rowid: Option<BigInt>,
    /// The message.
    pub message: String,
}

impl From<CheckReport> for NativeCheckReport {
    fn from(report: CheckReport) -> Self {
        Self {
            // Exact: a database has fewer than 2^32 pages.
            pages: report.pages as f64,
            authenticated: report.authenticated,
            problems: report.problems.into_iter().map(NativeCheckProblem::from).collect(),
        }
    }
}

impl From<CheckProblem> for NativeCheckProblem {
    fn from(problem: CheckProblem) -> Self {
        Self {
            kind: match problem.kind {
                CheckProblemKind::Page => "page",
                CheckProblemKind::ForeignKey => "foreign-key",
                _ => "structure",
            },
            page: problem.page,
            table: problem.table,
            rowid: problem.rowid.map(BigInt::from),
            message: problem.message,
        }
    }
}

#[napi]
impl NativeDatabase {
    /// Checks the database `schema`. Calls `progress(checked, total)`, which returns false to cancel the check.
    #[napi(catch_unwind)]
    pub fn check(
        &self,
        env: Env,
        schema: String,
        #[napi(ts_arg_type = "(checked: number, total: number) => boolean")] progress: Unknown,
    ) -> napi::Result<NativeCheckReport> {
        let check = || {
            let database = self.database();
            let progress = progress.raw();
            let mut failure = None;
            let report = database.check(&schema, &mut |now| {
                report_progress(&env, progress, now).unwrap_or_else(|error| {
                    failure = Some(error);
                    false
                })
            });
            match (failure, report) {
                (Some(failure), _) => Err(failure),
                (None, report) => Ok(report?.into()),
            }
        };
        check().map_err(|failure: Failure| failure.throw(&env))
    }
}

fn report_progress(env: &Env, progress: Handle, now: CheckProgress) -> Outcome<bool> {
    let _scope = handle::Scope::open(env)?;
    let number = |pages: u64| row::integer_value(env, pages.cast_signed(), Integers::Numbers);
    let answer = handle::call(env, progress, &[number(now.checked)?, number(now.total)?])?;
    handle::boolean(env, answer)
}
